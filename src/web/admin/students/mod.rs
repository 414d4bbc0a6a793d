//! Students in the admin panel. The list and editing in it, one student, a file of them in and out.

mod bulk;
mod change_form;
mod change_list;
mod edit_rows;
mod export;
mod import;

pub(super) use bulk::Students;
pub(super) use change_list::ListQuery;
use rocket::{Route, routes};

use crate::{
    domain::students::Student,
    web::{
        form::Labels,
        page::{Crumb, Page},
    },
};

const PATH: &str = "/admin/students/";
const LABELS: Labels = &[("name", "Name"), ("roll", "Roll"), ("city", "City")];

pub fn routes() -> Vec<Route> {
    routes![
        change_list::change_list,
        edit_rows::edit_rows,
        bulk::ask,
        bulk::go,
        bulk::go_confirmed,
        export::export_all,
        export::export_chosen,
        import::import_form,
        import::take_file,
        import::preview,
        import::confirm,
        change_form::add_form,
        change_form::add,
        change_form::change_form,
        change_form::change,
        change_form::delete_confirmation,
        change_form::delete,
    ]
}

fn trail() -> Vec<Crumb> {
    vec![Crumb::new("Students", PATH)]
}

fn href(id: i64) -> String {
    format!("{PATH}{id}/")
}

pub fn samples() -> Vec<Page> {
    let student = Student {
        id: 4,
        name: "Asha Rao".to_owned(),
        roll: 101,
        city: "Pune".to_owned(),
        version: 1,
        search: String::new(),
    };
    [
        change_list::samples(&student),
        edit_rows::samples(&student),
        bulk::samples(),
        import::samples(),
        change_form::samples(&student),
    ]
    .concat()
}
