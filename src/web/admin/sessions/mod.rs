//! Everybody's browser sessions: who is signed in where, and ending that.

mod bulk;

use rocket::{FromForm, Route, State, get, post, routes};
use serde::Serialize;

pub(super) use self::bulk::Sessions;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        bulk::Skip,
        paging::Count,
        sessions::{self, Seen, Session, SessionFilter},
        users,
    },
    error::Error,
    web::{
        admin::{
            bulk::Bar,
            listing::{
                Address, Chip, Choice, Hidden, Pager, Paging, match_text, no_hit, search,
                search_chip,
            },
        },
        error::PageError,
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
    routes![list, bulk::ask, bulk::go, end, end_others]
}

#[derive(Clone, Debug, Default, FromForm)]
pub(super) struct ListQuery {
    q: Option<String>,
    role: Option<String>,
    seen: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
    all: Option<String>,
}

impl ListQuery {
    fn q(&self) -> Option<String> {
        search(self.q.as_deref())
    }

    fn role(&self) -> &'static str {
        if self.role.as_deref() == Some("staff") {
            "staff"
        } else {
            ""
        }
    }

    fn seen(&self) -> (Seen, &'static str) {
        match self.seen.as_deref() {
            Some("lately") => (Seen::Lately, "lately"),
            Some("idle") => (Seen::NotLately, "idle"),
            _ => (Seen::Whenever, ""),
        }
    }

    fn paging(&self) -> Paging {
        Paging::new(self.cursor.clone(), self.per)
    }

    fn filter(&self) -> SessionFilter {
        SessionFilter {
            person: self.q(),
            staff: !self.role().is_empty(),
            seen: self.seen().0,
            page: self.paging().request(),
        }
    }

    /// The list with this filter.
    fn address(&self) -> Address {
        Address::new(PATH)
            .with("q", self.q().unwrap_or_default())
            .with("role", self.role())
            .with("seen", self.seen().1)
            .sized(&self.paging())
    }
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
    bulk: Bar,
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
    let (q, role, seen_name) = (query.q(), query.role(), query.seen().1);
    let found = sessions::list(app, &query.filter()).await?;
    let here = query.address();
    let mut chips = Vec::new();
    let mut chip = |label: String, name| {
        let href = here.without(name).href();
        chips.push(Chip { label, href });
    };
    if let Some(q) = &q {
        chip(search_chip(q), "q");
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
        matching: match_text(&found, None),
        no_hit: no_hit("No session", q.as_deref()),
        alone: alone && found.previous.is_none() && found.next.is_none(),
        pager: Pager::of(&found, &here, query.paging().size()),
        bulk: Bar::of(
            &Sessions {
                query: query.clone(),
                this,
            },
            &session.actor,
            found.total,
            found.rows.len(),
            query.all.is_some(),
        ),
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

/// One by its button. Many are ended by `bulk`.
#[post("/sessions/end", data = "<form>")]
async fn end(
    session: May<'_, DeleteSessions>,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Go, PageError> {
    let id = form.text("one").parse().map_err(|_| Error::NotFound)?;
    let done = sessions::end_many(app, &session.actor, session.session.id, &[id]).await?;
    let why = done.skipped.keys().next();
    let said = match why {
        None => Flash::ok("The session has ended."),
        Some(Skip::Gone) => Flash::ok("It had ended already."),
        Some(Skip::ThisSession) => Flash::warn("You are in this session. Sign out instead."),
        Some(_) => Flash::warn("Only a superuser may end this session."),
    };
    Ok(Go::to(back(&form)).with(said))
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
    let none = crate::domain::paging::Page::only(Vec::<Row>::new());
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
    let bar = |n| {
        let list = Sessions {
            query: ListQuery::default(),
            this: 1,
        };
        Bar::of(
            &list,
            &Actor::operator(),
            Count { n, exact: true },
            2,
            false,
        )
    };
    let mut list = SessionList {
        bulk: bar(0),
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
    list.bulk = bar(412);
    let mut pages = vec![empty, alone, Page::of(&list)];
    pages.extend(bulk::samples());
    pages
}
