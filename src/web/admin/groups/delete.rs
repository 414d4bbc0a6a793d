//! Deleting a group: first who loses what.

use rocket::{State, get, post};
use serde::Serialize;

use super::{PATH, href, members_href, trail};
use crate::{
    app::App,
    domain::{
        groups::{self, GroupRow},
        paging::Count,
    },
    web::{
        error::PageError,
        flash::Flash,
        guards::{ConfirmedForm, SuperuserSession},
        page::{Crumb, Go, Page, View},
        words,
    },
};

#[derive(Serialize)]
struct GroupDeleteConfirmation {
    name: String,
    href: String,
    members_href: String,
    /// Who loses it; empty: nobody.
    losers: String,
    /// What is lost; empty: nothing.
    gives: String,
}

impl GroupDeleteConfirmation {
    fn of(row: &GroupRow) -> Self {
        let (n, id) = (row.members, row.group.id);
        Self {
            name: row.group.name.clone(),
            href: href(id),
            members_href: members_href(id),
            losers: match n.n {
                0 => String::new(),
                1 => "1 member loses".to_owned(),
                _ => format!("{} members lose", words::count(n)),
            },
            gives: groups::permissions(&row.group).in_words(),
        }
    }
}

impl View for GroupDeleteConfirmation {
    const TEMPLATE: &'static str = "admin/groups/delete_confirmation.html";
    const NAV: &'static str = "groups";

    fn title(&self) -> String {
        format!("Delete the group {}?", self.name)
    }

    fn trail(&self) -> Vec<Crumb> {
        let mut trail = trail();
        trail.push(Crumb::new(self.name.as_str(), self.href.as_str()));
        trail
    }
}

#[get("/groups/<id>/delete")]
pub async fn delete_confirmation(
    _session: &SuperuserSession,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let row = groups::get_with_members(app, id).await?;
    Ok(Page::of(&GroupDeleteConfirmation::of(&row)))
}

#[post("/groups/<id>/delete", data = "<_form>")]
pub async fn delete(
    session: &SuperuserSession,
    app: &State<App>,
    id: i64,
    _form: ConfirmedForm,
) -> Result<Go, PageError> {
    let name = groups::delete(app, &session.actor, id).await?;
    let gone = Flash::ok(format!("The group “{name}” is deleted."));
    Ok(Go::to(PATH).with(gone))
}

pub fn samples() -> Vec<Page> {
    let row = |n, permissions: &str| GroupRow {
        group: groups::Group {
            permissions: permissions.to_owned(),
            ..super::sample()
        },
        members: Count { n, exact: true },
    };
    vec![
        Page::of(&GroupDeleteConfirmation::of(&row(12, "view_users"))),
        Page::of(&GroupDeleteConfirmation::of(&row(0, ""))),
    ]
}
