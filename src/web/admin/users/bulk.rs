//! Acts on many users: the ticked ones, or all that the list's filter matches.

use rocket::{State, post};

use super::query::ListQuery;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        bulk::Tally,
        paging::Count,
        permissions::{self, Permission, Record},
        users,
    },
    error::{Error, Result},
    web::{
        admin::{
            bulk::{Act, Bulk, Grade, Point, confirm, run, run::Door},
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

const SKIPS: Point = Point {
    kind: "info",
    icon: "info",
    text: "You are skipped, and whoever only a superuser may touch",
    note: "The result says who.",
};

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
                SKIPS,
            ],
        },
        Act {
            name: "revoke-tokens",
            button: "Revoke tokens…",
            icon: "key",
            ask: "Revoke all tokens of {}",
            done: "Tokens of {} revoked",
            grade: Grade::Dangerous,
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
                SKIPS,
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
                SKIPS,
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
    pages
}
