//! Groups in the admin panel, for superusers: what staff may do.

mod delete;
mod form;
mod list;
mod matrix;

use rocket::{Route, routes};

use crate::{
    domain::groups::Group,
    web::{
        form::Labels,
        page::{Crumb, Page},
    },
};

pub fn routes() -> Vec<Route> {
    routes![
        list::list,
        form::add_form,
        form::add,
        form::change_form,
        form::change,
        delete::delete_confirmation,
        delete::delete,
    ]
}

pub fn samples() -> Vec<Page> {
    [list::samples(), form::samples(), delete::samples()]
        .into_iter()
        .flatten()
        .collect()
}

const PATH: &str = "/admin/groups/";
const LABELS: Labels = &[("name", "Name")];

pub fn href(id: i64) -> String {
    format!("{PATH}{id}/")
}

/// The list of its members.
fn members_href(id: i64) -> String {
    format!("/admin/users/?group={id}")
}

fn trail() -> Vec<Crumb> {
    vec![Crumb::new("Groups", PATH)]
}

/// For samples only.
fn sample() -> Group {
    Group {
        id: 2,
        name: "<i>Support</i>".to_owned(),
        name_key: "<i>support</i>".to_owned(),
        permissions: "view_users change_users view_students add_students".to_owned(),
        version: 3,
    }
}
