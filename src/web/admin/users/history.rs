//! What a person did and what was done to the account, field by field.

use rocket::{State, get};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        audit::{self, AuditEvent, AuditFilter},
        users::{self, User},
    },
    error::Error,
    web::{
        activity::{Activity, Changes},
        admin::listing::{Address, Pager, Paging},
        error::PageError,
        guards::{
            May,
            permission::{ViewAudit, ViewUsers},
        },
        page::{Crumb, Page, View},
        words::Person,
    },
};

#[derive(Serialize)]
struct UserHistory {
    id: i64,
    username: String,
    href: String,
    person: Person,
    rows: Vec<Row>,
    pager: Pager,
    /// The same in the audit log, where it can be filtered.
    in_log: String,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    event: Activity,
    changes: Changes,
}

impl Row {
    fn of(event: &AuditEvent) -> Self {
        Self {
            event: Activity::of(event),
            changes: Changes::of(event),
        }
    }
}

impl View for UserHistory {
    const TEMPLATE: &'static str = "admin/users/history.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        "History".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(self.id, &self.username)
    }
}

#[get("/users/<id>/history?<cursor>&<per>")]
pub async fn history(
    _session: May<'_, ViewUsers>,
    _audit: May<'_, ViewAudit>,
    app: &State<App>,
    id: i64,
    cursor: Option<&str>,
    per: Option<u64>,
) -> Result<Page, PageError> {
    let user = users::find(app, id).await?.ok_or(Error::NotFound)?;
    let paging = Paging::new(None, per);
    let filter = AuditFilter {
        account: Some(id),
        ..AuditFilter::default()
    };
    let found = audit::list(app, &filter, cursor, paging.size()).await?;
    let rows = found.rows.iter().map(Row::of).collect();
    let here = Address::new(format!("/admin/users/{id}/history/")).sized(&paging);
    let pager = Pager::of(&found, &here, paging.size());
    Ok(Page::of(&view(&user, rows, pager)))
}

fn view(user: &User, rows: Vec<Row>, pager: Pager) -> UserHistory {
    let log = Address::new("/admin/audit/").with("account", user.id.to_string());
    UserHistory {
        id: user.id,
        username: user.username.clone(),
        href: super::href(user.id),
        person: Person::of(user),
        rows,
        pager,
        in_log: log.href(),
    }
}

pub fn samples() -> Vec<Page> {
    let mut event = crate::web::activity::sample_event();
    r#"{"email": {"from": "", "to": "<i>a@b</i>"}, "n": 3}"#.clone_into(&mut event.detail);
    [Vec::new(), vec![Row::of(&event)]]
        .into_iter()
        .map(|rows| {
            let none = crate::domain::paging::Page::only(Vec::<()>::new());
            let here = Address::new("/admin/users/7/history/");
            Page::of(&view(
                &super::sample_user(),
                rows,
                Pager::of(&none, &here, 25),
            ))
        })
        .collect()
}
