//! Ending many sessions: the ticked ones, or all that the list's filter matches.

use rocket::{State, post};

use super::ListQuery;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        bulk::Tally,
        paging::Count,
        permissions::{self, Permission, Record},
        sessions::{self, Session},
    },
    error::{Error, Result},
    web::{
        admin::{
            bulk::{Act, Bulk, Finding, Grade, Point, Selection, confirm, run, run::Door},
            listing::Address,
        },
        error::PageError,
        guards::{CsrfForm, May, permission::ViewSessions},
        page::{Page, Reply},
        words,
    },
};

/// The list of sessions with a filter.
pub struct Sessions {
    pub query: ListQuery,
    /// The one in which somebody looks at it.
    pub this: i64,
}

impl Bulk for Sessions {
    const PATH: &'static str = super::PATH;
    const NAV: &'static str = "sessions";
    const TITLE: &'static str = "Sessions";
    const NOUN: (&'static str, &'static str) = ("session", "sessions");
    const EVENT: &'static str = "session.bulk";
    const ACTS: &'static [Act] = &[Act {
        name: "end",
        button: "End…",
        icon: "out",
        ask: "End {}",
        done: "{} ended",
        grade: Grade::Bad,
        permission: Permission::new(permissions::Act::Delete, Record::Sessions),
        points: &[
            Point {
                kind: "warn",
                icon: "out",
                text: "Ends: these browsers are signed out at once",
                note: "What was typed there and not sent is lost. They sign in again with their password.",
            },
            Point {
                kind: "info",
                icon: "key",
                text: "Stays: API tokens and JWTs go on working",
                note: "To end the JWTs of a person too, sign them out everywhere.",
            },
        ],
    }];

    fn list(&self) -> Address {
        self.query.address()
    }

    async fn ids(&self, app: &App, after: i64, limit: u64) -> Result<Vec<i64>> {
        sessions::ids(app, &self.query.filter(), after, limit).await
    }

    async fn count(&self, app: &App) -> Result<Count> {
        sessions::count(app, &self.query.filter()).await
    }

    async fn newest(app: &App) -> Result<i64> {
        sessions::newest_id(app).await
    }

    async fn names(app: &App, ids: &[i64]) -> Result<Vec<String>> {
        let name = |session: Session| {
            let (device, _) = words::device(&session.user_agent);
            format!(
                "{} on {device} at {}",
                session.user.username, session.address
            )
        };
        let found = sessions::some(app, ids).await?;
        Ok(found.into_iter().map(name).collect())
    }

    fn skips(&self, by: &Actor, _act: &'static str, selection: &Selection) -> Option<Finding> {
        let text = match (selection.may_have(self.this), by.is_superuser) {
            (true, true) => "The session you are in is skipped",
            (true, false) => {
                "The session you are in is skipped, and those of people whom only a superuser may touch"
            }
            (false, false) => "Sessions of people whom only a superuser may touch are skipped",
            (false, true) => return None,
        };
        Some(Finding::skipped(text))
    }

    async fn run(
        &self,
        app: &App,
        by: &Actor,
        act: &'static str,
        _answer: &str,
        ids: &[i64],
    ) -> Result<Tally> {
        match act {
            "end" => sessions::end_many(app, by, self.this, ids).await,
            _ => Err(Error::NotFound),
        }
    }
}

#[post("/sessions/bulk?<query..>", data = "<form>")]
pub async fn ask(
    session: May<'_, ViewSessions>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let this = session.session.id;
    let list = Sessions { query, this };
    Ok(confirm::ask(&list, app, &session.actor, &form).await?)
}

#[post("/sessions/bulk/run?<query..>", data = "<form>")]
pub async fn go(
    session: May<'_, ViewSessions>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let this = session.session.id;
    let list = Sessions { query, this };
    Ok(run::go(&list, app, &session.actor, &form, Door::Plain).await?)
}

pub fn samples() -> Vec<Page> {
    let list = Sessions {
        query: ListQuery::default(),
        this: 1,
    };
    let mut pages = confirm::samples(&list);
    pages.push(run::sample(&list));
    pages
}
