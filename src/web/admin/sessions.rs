//! Everybody's browser sessions: who is signed in where, and ending that.

use rocket::{FromForm, Route, State, get, post, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        paging::Count,
        sessions::{self, Seen, Session, SessionFilter},
        users,
    },
    web::{
        admin::listing::{
            Address, Chip, Choice, Hidden, Pager, Paging, match_text, no_hit, search,
        },
        error::PageError,
        filters,
        flash::Flash,
        guards::{
            AdminSession, CsrfForm, May,
            permission::{DeleteSessions, ViewSessions},
        },
        page::{Go, Page, View, local},
        words::{self, Person, Role},
    },
};

const PATH: &str = "/admin/sessions/";
const ROLES: &[(&str, &str)] = &[("", "Everybody"), ("staff", "Staff")];
const SEEN: &[(&str, &str)] = &[
    ("", "Seen whenever"),
    ("lately", "Seen in the last 15 minutes"),
    ("idle", "Not seen for 15 minutes"),
];

pub fn routes() -> Vec<Route> {
    routes![list, end, end_others]
}

#[derive(FromForm)]
struct ListQuery {
    q: Option<String>,
    role: Option<String>,
    seen: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
}

#[derive(Serialize)]
struct SessionList {
    q: String,
    kept: Vec<Hidden>,
    role: Choice,
    seen: Choice,
    chips: Vec<Chip>,
    clear: String,
    #[serde(rename = "match")]
    matching: String,
    no_hit: String,
    /// Nobody but oneself.
    alone: bool,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    #[serde(flatten)]
    person: Person,
    username: String,
    full_name: String,
    href: String,
    role: Role,
    device: String,
    icon: &'static str,
    address: String,
    started: i64,
    last_seen: i64,
    expires: i64,
    is_this: bool,
    /// Staff does not touch staff.
    can_touch: bool,
}

impl Row {
    fn of(by: &Actor, session: &Session, this: i64) -> Self {
        let user = &session.user;
        let (device, icon) = words::device(&session.user_agent);
        Self {
            id: session.id,
            person: Person::of(user),
            username: user.username.clone(),
            full_name: words::full_name(user),
            href: format!("/admin/users/{}/", user.id),
            role: Role::of(user),
            device,
            icon,
            address: session.address.clone(),
            started: session.created_at,
            last_seen: session.last_seen_at,
            expires: session.expires_at,
            is_this: session.id == this,
            can_touch: users::may_touch(by, user).is_ok(),
        }
    }
}

impl View for SessionList {
    const TEMPLATE: &'static str = "admin/sessions/list.html";
    const NAV: &'static str = "sessions";

    fn title(&self) -> String {
        "Sessions".to_owned()
    }
}

#[get("/sessions?<query..>")]
async fn list(
    session: May<'_, ViewSessions>,
    app: &State<App>,
    query: ListQuery,
) -> Result<Page, PageError> {
    let paging = Paging::new(query.cursor, query.per);
    let q = search(query.q.as_deref());
    let staff = query.role.as_deref() == Some("staff");
    let (seen, seen_name) = match query.seen.as_deref() {
        Some("lately") => (Seen::Lately, "lately"),
        Some("idle") => (Seen::NotLately, "idle"),
        _ => (Seen::Whenever, ""),
    };
    let filter = SessionFilter {
        person: q.clone(),
        staff,
        seen,
        page: paging.request(),
    };
    let found = sessions::list(app, &filter).await?;
    let role = if staff { "staff" } else { "" };
    let here = Address::new(PATH)
        .with("q", q.as_deref().unwrap_or_default())
        .with("role", role)
        .with("seen", seen_name)
        .sized(&paging);
    let mut chips = Vec::new();
    let mut chip = |label: String, name| {
        let href = here.without(name).href();
        chips.push(Chip { label, href });
    };
    if let Some(q) = &q {
        chip(format!("“{q}”"), "q");
    }
    for (choices, name, chosen) in [(ROLES, "role", role), (SEEN, "seen", seen_name)] {
        let label = choices.iter().find(|(v, _)| *v == chosen);
        if let Some((_, label)) = label.filter(|_| !chosen.is_empty()) {
            chip((*label).to_owned(), name);
        }
    }
    let this = session.session.id;
    let alone = chips.is_empty() && found.rows.iter().all(|row| row.id == this);
    Ok(Page::of(&SessionList {
        kept: here.hidden(&["q", "role", "seen"]),
        role: Choice::new("role", "People", ROLES, role),
        seen: Choice::new("seen", "Last seen", SEEN, seen_name),
        clear: here.without("q").without("role").without("seen").href(),
        matching: match_text(found.total, None),
        no_hit: no_hit("No session", q.as_deref()),
        alone: alone && found.previous.is_none() && found.next.is_none(),
        pager: Pager::of(&found, &here, paging.size()),
        rows: found
            .rows
            .iter()
            .map(|row| Row::of(&session.actor, row, this))
            .collect(),
        chips,
        q: q.unwrap_or_default(),
    }))
}

fn back(form: &CsrfForm) -> String {
    local(form.text("next")).unwrap_or(PATH).to_owned()
}

/// One by its button, or those that are ticked. The session one looks from is never among them: one
/// signs out of it instead.
#[post("/sessions/end", data = "<form>")]
async fn end(
    session: May<'_, DeleteSessions>,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Go, PageError> {
    let chosen = form.opt("one").map(|one| vec![one]);
    let chosen = chosen.unwrap_or_else(|| form.all("id").collect());
    let ids: Vec<i64> = chosen.iter().filter_map(|id| id.parse().ok()).collect();
    let others: Vec<i64> = ids
        .iter()
        .copied()
        .filter(|id| *id != session.session.id)
        .take(100)
        .collect();
    let done = sessions::end_some(app, &session.actor, &others).await?;
    let mut skipped = Vec::new();
    if others.len() < ids.len() {
        skipped.push("yours here".to_owned());
    }
    if done.refused > 0 {
        skipped.push(format!("{} of staff and superusers", done.refused));
    }
    let said = match done.ended {
        0 => "No session ended.".to_owned(),
        1 => "1 session ended.".to_owned(),
        n => format!("{} sessions ended.", filters::number(n as u64)),
    };
    let flash = if done.ended > 0 {
        Flash::ok(said)
    } else {
        Flash::warn(said)
    };
    let flash = match (skipped.is_empty(), ids.is_empty(), done.ended) {
        (false, _, _) => flash.text(format!("Skipped: {}.", skipped.join(", "))),
        (true, true, _) => flash.text("Tick those that should end."),
        (true, false, 0) => flash.text("It had ended already."),
        _ => flash,
    };
    Ok(Go::to(back(&form)).with(flash))
}

/// One's own in all other browsers: that needs no permission.
#[post("/sessions/end-others", data = "<form>")]
async fn end_others(
    session: &AdminSession,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Go, PageError> {
    let gone = sessions::end_others(app, &session.actor, &session.session).await?;
    Ok(Go::to(back(&form)).with(others_ended(gone)))
}

pub fn others_ended(gone: u64) -> Flash {
    match gone {
        0 => Flash::ok("You were signed in nowhere else."),
        1 => Flash::ok("Your other session has ended."),
        n => Flash::ok(format!("Your {n} other sessions have ended.")),
    }
}

pub fn samples() -> Vec<Page> {
    let none = crate::domain::paging::Page {
        rows: Vec::<Row>::new(),
        next: None,
        previous: None,
        total: Count { n: 0, exact: true },
        first_index: 1,
    };
    let here = Address::new(PATH);
    let row = |id| Row {
        id,
        person: Person::named("<b>sam</b>", "Sam Archer"),
        username: "<b>sam</b>".to_owned(),
        full_name: "Sam Archer".to_owned(),
        href: "/admin/users/7/".to_owned(),
        role: Role::of(&super::users::sample_user()),
        device: "Firefox on Linux".to_owned(),
        icon: "auto",
        address: "192.0.2.7".to_owned(),
        started: 1_700_000_000,
        last_seen: 1_700_000_300,
        expires: 1_701_000_000,
        is_this: id == 1,
        can_touch: true,
    };
    let mut list = SessionList {
        q: String::new(),
        kept: Vec::new(),
        role: Choice::new("role", "People", ROLES, ""),
        seen: Choice::new("seen", "Last seen", SEEN, ""),
        chips: Vec::new(),
        clear: PATH.to_owned(),
        matching: String::new(),
        no_hit: String::new(),
        alone: true,
        pager: Pager::of(&none, &here, 25),
        rows: Vec::new(),
    };
    let empty = Page::of(&list);
    list.rows = vec![row(1)];
    let alone = Page::of(&list);
    list.rows.push(row(2));
    list.alone = false;
    vec![empty, alone, Page::of(&list)]
}
