//! The list of groups, and what each gives.

use rocket::{State, get};
use serde::Serialize;

use super::{PATH, href, members_href};
use crate::{
    app::App,
    domain::{
        groups::{self, GroupRow},
        paging::{self, Count},
    },
    web::{
        admin::listing::{Address, Pager, Paging},
        error::PageError,
        guards::SuperuserSession,
        page::{Page, View},
        words,
    },
};

#[derive(Serialize)]
struct GroupList {
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    href: String,
    name: String,
    members: String,
    members_href: String,
    /// Empty: nothing.
    gives: String,
}

impl Row {
    fn of(row: &GroupRow) -> Self {
        Self {
            id: row.group.id,
            href: href(row.group.id),
            name: row.group.name.clone(),
            members: words::count(row.members),
            members_href: members_href(row.group.id),
            gives: groups::permissions(&row.group).in_words(),
        }
    }
}

impl View for GroupList {
    const TEMPLATE: &'static str = "admin/groups/list.html";
    const NAV: &'static str = "groups";

    fn title(&self) -> String {
        "Groups".to_owned()
    }
}

fn page(found: &paging::Page<GroupRow>, paging: &Paging) -> Page {
    let here = Address::new(PATH).sized(paging);
    Page::of(&GroupList {
        rows: found.rows.iter().map(Row::of).collect(),
        pager: Pager::of(found, &here, paging.size()),
    })
}

#[get("/groups?<cursor>&<per>")]
pub async fn list(
    _session: &SuperuserSession,
    app: &State<App>,
    cursor: Option<String>,
    per: Option<u64>,
) -> Result<Page, PageError> {
    let paging = Paging::new(cursor, per);
    let found = groups::list(app, &paging.request()).await?;
    Ok(page(&found, &paging))
}

pub fn samples() -> Vec<Page> {
    let row = |permissions: &str| GroupRow {
        group: groups::Group {
            permissions: permissions.to_owned(),
            ..super::sample()
        },
        members: Count {
            n: 10_000,
            exact: false,
        },
    };
    let paging = Paging::default();
    vec![
        page(&paging::Page::only(Vec::new()), &paging),
        page(
            &paging::Page::only(vec![row("view_audit"), row("")]),
            &paging,
        ),
    ]
}
