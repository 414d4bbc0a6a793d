//! Acts on many users: the ticked ones, or all that the list's filter matches.

use rocket::{State, post};

use super::{
    query::ListQuery,
    told::{LOOKED_AT, Told},
};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        bulk::Tally,
        paging::Count,
        permissions::{self, Permission, Record},
        sessions,
        tokens::{self, Chosen, Evidence},
        users,
    },
    error::{Error, Result},
    web::{
        admin::{
            bulk::{Act, Bulk, Finding, Grade, Point, Selection, confirm, run, run::Door},
            listing::Address,
        },
        error::PageError,
        guards::{ConfirmedForm, CsrfForm, May, permission::ViewUsers},
        page::{Page, Reply},
    },
};

/// The list of users with a filter.
#[derive(Default)]
pub struct Users(pub ListQuery);

const CHANGE: Permission = Permission::new(permissions::Act::Change, Record::Users);
const DELETE: Permission = Permission::new(permissions::Act::Delete, Record::Users);
const SIGN_OUT: Permission = Permission::new(permissions::Act::Delete, Record::Sessions);
const REVOKE: Permission = Permission::new(permissions::Act::Delete, Record::Tokens);

const VIEW: Permission = Permission::new(permissions::Act::View, Record::Users);

impl Bulk for Users {
    const PATH: &'static str = super::query::PATH;
    const NAV: &'static str = "users";
    const TITLE: &'static str = "Users";
    const NOUN: (&'static str, &'static str) = ("user", "users");
    const EVENT: &'static str = "user.bulk";
    const ACTS: &'static [Act] = &[
        Act {
            name: "sign-out",
            button: "Sign out…",
            icon: "out",
            ask: "Sign out {}",
            done: "{} signed out",
            grade: Grade::Plain,
            permission: SIGN_OUT,
            points: &[
                Point {
                    kind: "warn",
                    icon: "out",
                    text: "Ends: every session and every JWT of theirs",
                    note: "They sign in again with their password.",
                },
                Point {
                    kind: "info",
                    icon: "key",
                    text: "Stays: API tokens go on working",
                    note: "",
                },
            ],
        },
        Act {
            name: "revoke-tokens",
            button: "Revoke tokens…",
            icon: "key",
            ask: "Revoke all tokens of {}",
            done: "Tokens of {} revoked",
            grade: Grade::Deletes,
            permission: REVOKE,
            points: &[
                Point {
                    kind: "bad",
                    icon: "key",
                    text: "Ends: every API token of theirs",
                    note: "Programs that use them get 401 at once. This cannot be undone.",
                },
                Point {
                    kind: "info",
                    icon: "users",
                    text: "Stays: the accounts, their sessions and JWTs",
                    note: "Get-or-create makes a new default token.",
                },
            ],
        },
        Act {
            name: "export",
            button: "Export",
            icon: "down",
            ask: "Export {}",
            done: "{} exported",
            grade: Grade::Direct,
            permission: VIEW,
            points: &[],
        },
        Act {
            name: "enable",
            button: "Enable…",
            icon: "fine",
            ask: "Enable {}",
            done: "{} enabled",
            grade: Grade::Plain,
            permission: CHANGE,
            points: &[Point {
                kind: "info",
                icon: "fine",
                text: "Sign-in and tokens work again",
                note: "Those who are active already are skipped.",
            }],
        },
        Act {
            name: "disable",
            button: "Disable…",
            icon: "ban",
            ask: "Disable {}",
            done: "{} disabled",
            grade: Grade::Bad,
            permission: CHANGE,
            points: &[
                Point {
                    kind: "warn",
                    icon: "ban",
                    text: "Stops: sign-in, sessions, JWTs and API tokens, at once",
                    note: "It can be undone: enable them again.",
                },
                Point {
                    kind: "info",
                    icon: "log",
                    text: "Stays: the accounts, their tokens and their history",
                    note: "",
                },
            ],
        },
        Act {
            name: "delete",
            button: "Delete…",
            icon: "bin",
            ask: "Delete {}",
            done: "{} deleted",
            grade: Grade::Deletes,
            permission: DELETE,
            points: &[
                Point {
                    kind: "bad",
                    icon: "bin",
                    text: "Goes: the accounts, their tokens and sessions",
                    note: "Programs that use the tokens get 401 at once. This cannot be undone.",
                },
                Point {
                    kind: "info",
                    icon: "log",
                    text: "Stays: audit lines, with the usernames",
                    note: "To keep the accounts but stop them, disable them instead.",
                },
            ],
        },
    ];

    fn list(&self) -> Address {
        self.0.address()
    }

    async fn ids(&self, app: &App, after: i64, limit: u64) -> Result<Vec<i64>> {
        users::ids(app, &self.0.filter(app.now()), after, limit).await
    }

    async fn count(&self, app: &App) -> Result<Count> {
        users::count(app, &self.0.filter(app.now())).await
    }

    async fn newest(app: &App) -> Result<i64> {
        users::newest_id(app).await
    }

    async fn names(app: &App, ids: &[i64]) -> Result<Vec<String>> {
        let found = users::some(app, ids).await?;
        Ok(found.into_iter().map(|user| user.username).collect())
    }

    async fn evidence(
        &self,
        app: &App,
        act: &'static str,
        selection: &Selection,
    ) -> Result<Vec<Finding>> {
        let (stops_tokens, ends_sessions) = match act {
            "sign-out" => (false, true),
            "revoke-tokens" => (true, false),
            "disable" | "delete" => (true, true),
            _ => return Ok(Vec::new()),
        };
        let mut ids = if selection.all {
            let (filter, but) = (self.0.filter(app.now()), selection.except());
            users::ids_but(app, &filter, &but, LOOKED_AT as u64 + 1).await?
        } else {
            selection.ids()
        };
        let mut told = Told {
            tokens: Evidence::default(),
            sessions: Count { n: 0, exact: true },
            is_part: ids.len() > LOOKED_AT,
        };
        ids.truncate(LOOKED_AT);
        let mut found = Vec::new();
        if stops_tokens {
            told.tokens = tokens::evidence(app, Chosen::Of(&ids)).await?;
            found.push(told.tokens());
        }
        if ends_sessions {
            told.sessions = sessions::count_of(app, &ids).await?;
            found.push(told.sessions());
        }
        Ok(found)
    }

    fn skips(&self, by: &Actor, act: &'static str, selection: &Selection) -> Option<Finding> {
        let spares_oneself = matches!(act, "sign-out" | "disable" | "delete");
        let you = spares_oneself && by.user_id.is_some_and(|id| selection.may_have(id));
        Some(Finding::skipped(match (you, by.is_superuser) {
            (true, true) => "You are skipped",
            (true, false) => "You are skipped, and whoever only a superuser may touch",
            (false, false) => "Whoever only a superuser may touch is skipped",
            (false, true) => return None,
        }))
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
            "sign-out" => users::sign_out_many(app, by, ids).await,
            "revoke-tokens" => users::revoke_tokens_many(app, by, ids).await,
            "enable" => users::set_active_many(app, by, ids, true).await,
            "disable" => users::set_active_many(app, by, ids, false).await,
            "delete" => users::delete_many(app, by, ids).await,
            _ => Err(Error::NotFound),
        }
    }
}

#[post("/users/bulk?<query..>", data = "<form>")]
pub async fn ask(
    session: May<'_, ViewUsers>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    Ok(confirm::ask(&Users(query), app, &session.actor, &form).await?)
}

#[post("/users/bulk/run?<query..>", data = "<form>")]
pub async fn go(
    session: May<'_, ViewUsers>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    Ok(run::go(&Users(query), app, &session.actor, &form, Door::Plain).await?)
}

#[post("/users/bulk/confirmed?<query..>", data = "<form>")]
pub async fn go_confirmed(
    session: May<'_, ViewUsers>,
    app: &State<App>,
    query: ListQuery,
    form: ConfirmedForm,
) -> Result<Reply, PageError> {
    Ok(run::go(&Users(query), app, &session.actor, &form, Door::Confirmed).await?)
}

pub fn samples() -> Vec<Page> {
    let list = Users(ListQuery::default());
    let mut pages = confirm::samples(&list);
    pages.push(run::sample(&list));
    let told = Told {
        tokens: Evidence {
            active: 18,
            is_whole: true,
            used_last_hour: 3,
            last_hour: 58,
            ..Evidence::default()
        },
        sessions: Count { n: 4, exact: true },
        is_part: true,
    };
    let acts = Users::ACTS.iter();
    pages.extend(
        acts.filter(|act| act.name == "delete").map(|act| {
            confirm::sample_asking(&list, act, None, vec![told.tokens(), told.sessions()])
        }),
    );
    pages
}
