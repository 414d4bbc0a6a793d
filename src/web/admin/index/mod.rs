//! The panel's first page: figures, charts, what needs attention, what happened lately, and on a fresh install
//! what to do next. Nothing here counts a big table.

mod figures;
mod needs;

use rocket::{Route, State, get, routes};
use serde::Serialize;

use figures::{Charts, Period, Tile};
use needs::Attention;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        attention::{self, Standing},
        audit, daily_figures,
        paging::Count,
        permissions::{Act, Permission, Record},
        sessions,
        tokens::{self, TokenCounts},
        users::UserCounts,
    },
    error::Result,
    web::{
        activity::Activity,
        error::PageError,
        filters,
        guards::AdminSession,
        page::{Page, View},
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
    periods: Vec<Period>,
    tiles: Vec<Tile>,
    charts: Option<Charts>,
    /// None: this person may see nothing that could be in it.
    attention: Option<Vec<Attention>>,
    activity: Vec<Activity>,
    /// Empty once all are done.
    steps: Vec<Step>,
    steps_done: usize,
    calls: &'static [Call],
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

/// Lines of recent activity.
const LINES: u64 = 5;

#[get("/?<days>")]
async fn index(
    session: &AdminSession,
    app: &State<App>,
    days: Option<&str>,
) -> Result<Page, PageError> {
    let actor = &session.actor;
    let sees = |record| actor.may(Permission::new(Act::View, record));
    let days = figures::period(days);
    // Twice as many, to compare with.
    let counted = daily_figures::of_days(app, 2 * days).await?;
    let standing = attention::standing(app).await?;
    let mut tiles = Vec::new();
    if sees(Record::Users) {
        tiles.push(figures::of_users(&standing.users, &counted, days));
    }
    if sees(Record::Sessions) {
        let living = sessions::count_active(app).await?;
        tiles.push(figures::of_sessions(living, &counted, days));
    }
    if sees(Record::Tokens) {
        tiles.push(figures::of_tokens(&standing.tokens, &counted, days));
    }
    let mut lines = Vec::new();
    if sees(Record::Audit) {
        let [failures, before] = audit::failed_logins(app).await?;
        tiles.push(figures::of_failures(failures, before, &counted, days));
        lines = audit::recent(app, LINES).await?;
    }
    let steps = if sees(Record::Tokens) && sees(Record::Students) {
        steps(actor, app, &standing).await?
    } else {
        Vec::new()
    };
    let done = steps.iter().filter(|s| s.done).count();
    let steps = if done == steps.len() {
        Vec::new()
    } else {
        steps
    };
    // Flat charts tell a newcomer nothing.
    let charts = sees(Record::Audit) && (steps.is_empty() || figures::is_lively(&counted, days));
    Ok(Page::of(&Index {
        today: filters::today(app.now()),
        sees_nothing: !Record::ALL.into_iter().any(sees),
        periods: figures::periods(days),
        tiles,
        charts: charts.then(|| Charts::of(&counted, days)),
        attention: needs::of(app, actor, &standing, &counted, days).await?,
        activity: lines.iter().map(Activity::of).collect(),
        steps,
        steps_done: done,
        calls: CALLS,
    }))
}

/// What a newcomer does first, and whether it is done.
async fn steps(actor: &Actor, app: &App, standing: &Standing) -> Result<Vec<Step>> {
    let any_token = standing.tokens.all().n > 0;
    if any_token && tokens::is_any_used(app).await? {
        // Whoever has called the API needs no sample data.
        return Ok(Vec::new());
    }
    Ok(steps_of(actor, any_token, standing.students.n > 0))
}

fn steps_of(actor: &Actor, token: bool, students: bool) -> Vec<Step> {
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
        done: false,
    });
    steps
}

pub fn samples() -> Vec<Page> {
    let n = |n| Count { n, exact: true };
    let people = UserCounts {
        all: n(1),
        active: n(1),
        locked: n(0),
        disabled: n(0),
        never_signed_in: n(0),
    };
    let keys = TokenCounts {
        active: n(0),
        expiring: n(0),
        unused: n(0),
        expired: n(0),
        revoked: n(0),
    };
    let counted = figures::sample();
    let mut view = Index {
        today: filters::today(1_795_435_200),
        sees_nothing: false,
        periods: figures::periods(30),
        tiles: vec![
            figures::of_users(&people, &counted, 30),
            figures::of_sessions(n(1), &counted, 30),
            figures::of_tokens(&keys, &counted, 30),
            figures::of_failures(n(0), n(3), &counted, 30),
        ],
        charts: None,
        attention: Some(Vec::new()),
        activity: Vec::new(),
        steps: steps_of(&Actor::operator(), false, true),
        steps_done: 1,
        calls: CALLS,
    };
    let fresh = Page::of(&view);
    view.steps.clear();
    view.charts = Some(Charts::of(&counted, 30));
    view.attention = Some(needs::sample());
    view.activity.push(Activity::sample());
    let usual = Page::of(&view);
    view.sees_nothing = true;
    view.tiles.clear();
    vec![fresh, usual, Page::of(&view)]
}
