//! The panel's first page: figures, what happened lately, and on a fresh install what to do next.

use rocket::{Route, State, get, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        audit,
        paging::Count,
        permissions::{Act, Permission, Record},
        sessions, students,
        tokens::{self, TokenCounts, TokenFilter},
        users::{self, UserCounts},
    },
    error::Result,
    web::{
        activity::Activity,
        error::PageError,
        filters,
        guards::AdminSession,
        page::{Page, View},
        words::{count, counted},
    },
};

pub fn routes() -> Vec<Route> {
    routes![index]
}

#[derive(Serialize)]
struct Index {
    today: String,
    /// Nobody has given this person a permission.
    sees_nothing: bool,
    tiles: Vec<Tile>,
    activity: Vec<Activity>,
    /// Empty once all are done.
    steps: Vec<Step>,
    steps_done: usize,
    calls: &'static [Call],
}

#[derive(Serialize)]
struct Tile {
    label: &'static str,
    value: String,
    note: String,
    /// Empty: there is no page behind it.
    href: &'static str,
}

#[derive(Serialize)]
struct Step {
    title: &'static str,
    text: &'static str,
    icon: &'static str,
    href: &'static str,
    action: &'static str,
    done: bool,
}

/// A request worth knowing.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Call {
    method: &'static str,
    path: &'static str,
    what: &'static str,
}

const fn call(method: &'static str, path: &'static str, what: &'static str) -> Call {
    Call { method, path, what }
}

pub const CALLS: &[Call] = &[
    call("POST", "/registerapi/", "register a user, get JWTs"),
    call("POST", "/get-token/", "a user’s token"),
    call("POST", "/api/token/", "a pair of JWTs"),
    call("GET", "/studentapi/", "the students"),
];

impl View for Index {
    const TEMPLATE: &'static str = "admin/index.html";
    const NAV: &'static str = "dashboard";

    fn title(&self) -> String {
        "Dashboard".to_owned()
    }
}

/// Seconds.
const DAY: i64 = 24 * 60 * 60;
/// Lines of recent activity.
const LINES: u64 = 8;

#[get("/")]
async fn index(session: &AdminSession, app: &State<App>) -> Result<Page, PageError> {
    let actor = &session.actor;
    let sees = |record| actor.may(Permission::new(Act::View, record));
    let mut tiles = Vec::new();
    if sees(Record::Users) {
        tiles.push(of_users(&users::counts(app).await?));
    }
    if sees(Record::Sessions) {
        tiles.push(of_sessions(sessions::count_active(app).await?));
    }
    let mut lines = Vec::new();
    if sees(Record::Tokens) {
        tiles.push(of_tokens(&tokens::counts(app).await?));
    }
    if sees(Record::Audit) {
        let failures = audit::failed_logins_since(app, app.now() - DAY).await?;
        tiles.push(of_failures(failures));
        lines = audit::recent(app, LINES).await?;
    }
    let steps = if sees(Record::Tokens) && sees(Record::Students) {
        steps(actor, app).await?
    } else {
        Vec::new()
    };
    let done = steps.iter().filter(|s| s.done).count();
    Ok(Page::of(&Index {
        today: filters::today(app.now()),
        sees_nothing: !Record::ALL.into_iter().any(sees),
        tiles,
        activity: lines.iter().map(Activity::of).collect(),
        steps: if done == steps.len() {
            Vec::new()
        } else {
            steps
        },
        steps_done: done,
        calls: CALLS,
    }))
}

fn of_users(people: &UserCounts) -> Tile {
    Tile {
        label: "Users",
        value: count(people.all),
        note: format!("{} never signed in", count(people.never_signed_in)),
        href: "/admin/users/",
    }
}

fn of_sessions(n: Count) -> Tile {
    Tile {
        label: "Active sessions",
        value: count(n),
        note: "in browsers".to_owned(),
        href: "",
    }
}

fn of_tokens(keys: &TokenCounts) -> Tile {
    Tile {
        label: "API tokens",
        value: count(keys.active),
        note: format!(
            "{}, {} revoked",
            counted(keys.expired, "expired", "expired"),
            count(keys.revoked)
        ),
        href: "/admin/tokens/",
    }
}

fn of_failures(n: Count) -> Tile {
    Tile {
        label: "Failed sign-ins, 24 h",
        value: count(n),
        note: "page and API together".to_owned(),
        href: "",
    }
}

/// What a newcomer does first, and whether it is done.
async fn steps(actor: &Actor, app: &App) -> Result<Vec<Step>> {
    let keys = tokens::counts(app).await?;
    let any_token = keys.active.n + keys.expired.n + keys.revoked.n > 0;
    let pupils = students::count(app).await?;
    // The newest page of tokens is enough to see whether a newcomer has made a call.
    let newest = tokens::list(app, &TokenFilter::default()).await?;
    let called = newest
        .rows
        .iter()
        .any(|row| row.token.last_used_at.is_some());
    Ok(steps_of(actor, any_token, pupils.n > 0, called))
}

fn steps_of(actor: &Actor, token: bool, students: bool, called: bool) -> Vec<Step> {
    let adds = |record| actor.may(Permission::new(Act::Add, record));
    let mut steps = Vec::new();
    if adds(Record::Tokens) {
        steps.push(Step {
            title: "Create a token",
            text: "A key that a program sends to the API",
            icon: "key",
            href: "/admin/tokens/new/",
            action: "Create",
            done: token,
        });
    }
    if adds(Record::Students) {
        steps.push(Step {
            title: "Add students",
            text: "The sample data that the API gives out",
            icon: "school",
            href: "/admin/students/new/",
            action: "Add",
            done: students,
        });
    }
    steps.push(Step {
        title: "Call the API",
        text: "GET /studentapi/ with the token in the header",
        icon: "dash",
        href: "/admin/tokens/",
        action: "Tokens",
        done: called,
    });
    steps
}

pub fn samples() -> Vec<Page> {
    let n = |n| Count { n, exact: true };
    let people = UserCounts {
        all: n(1),
        active: n(1),
        disabled: n(0),
        never_signed_in: n(0),
    };
    let keys = TokenCounts {
        active: n(0),
        expired: n(0),
        revoked: n(0),
    };
    let mut view = Index {
        today: filters::today(1_795_435_200),
        sees_nothing: false,
        tiles: vec![
            of_users(&people),
            of_sessions(n(1)),
            of_tokens(&keys),
            of_failures(n(0)),
        ],
        activity: Vec::new(),
        steps: steps_of(&Actor::operator(), false, true, false),
        steps_done: 1,
        calls: CALLS,
    };
    let fresh = Page::of(&view);
    view.steps.clear();
    let usual = Page::of(&view);
    view.sees_nothing = true;
    view.tiles.clear();
    vec![fresh, usual, Page::of(&view)]
}
