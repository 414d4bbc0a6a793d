//! What surrounds every page: who is signed in, CSRF token, message, theme, menu.

use std::collections::HashMap;

use rocket::{Request, futures::FutureExt, http::Cookie};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        permissions::{Act, Permission, Record},
    },
    web::{
        flash::Flash,
        guards::{UserSession, client, confirmed, csrf, session},
        page::Crumb,
        words::{Person, Role},
    },
};

/// What surrounds every page.
#[derive(Clone, Debug, Serialize)]
pub struct Chrome {
    pub user: Option<Account>,
    csrf: String,
    flash: Option<Flash>,
    /// `light`, `dark`, or empty: the system's.
    theme: &'static str,
    /// `compact`, or empty.
    density: &'static str,
    /// `off`: shortcuts do nothing. Empty: they do.
    keys: &'static str,
    /// This page's address, to come back to.
    here: String,
    now: i64,
    version: &'static str,
    menu: Vec<MenuShown>,
    nav: &'static str,
    crumbs: Vec<Crumb>,
    /// What the search field of the top bar finds for this person, in words; empty: nothing.
    finds: String,
    /// Minutes for which dangerous acts need no password, where it was asked for.
    elevated: Option<i64>,
}

/// Who is signed in.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    username: String,
    is_staff: bool,
    is_superuser: bool,
    /// `change_users` and so on, to show only what would work.
    may: HashMap<String, bool>,
    role: Role,
    #[serde(flatten)]
    person: Person,
}

impl Account {
    fn of(session: &UserSession) -> Self {
        let user = &session.session.user;
        Self {
            may: may(&session.actor),
            username: user.username.clone(),
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            role: Role::of(user),
            person: Person::of(user),
        }
    }
}

impl Chrome {
    /// Around one page: its mark in the menu and the way to it.
    #[must_use]
    pub fn on(self, nav: &'static str, crumbs: Vec<Crumb>) -> Self {
        Self {
            nav,
            crumbs,
            ..self
        }
    }

    /// A responder cannot wait; so the session must have been loaded by a guard of the handler
    /// (`&UserSession`, `&AdminSession`, `MaybeSession`). Then both questions answer at once.
    pub fn of(req: &Request<'_>) -> Self {
        let session = session::of(req).now_or_never();
        if session.is_none() {
            let route = req.route().map_or("-", |route| route.uri.path());
            tracing::error!(
                request.id = client::request_id(req),
                route,
                "a page without a session guard"
            );
        }
        let csrf = csrf::token(req).now_or_never().and_then(Result::ok);
        let user = session
            .and_then(|s| s.as_ref().ok())
            .and_then(Option::as_ref);
        let now = App::of(req).now();
        let until = user.and_then(|s| confirmed::confirmed_until(req, s));
        Self {
            elevated: until.map(|until| (until - now + 59) / 60),
            user: user.map(Account::of),
            menu: user.map(|s| menu(&s.actor)).unwrap_or_default(),
            finds: user.map(|s| finds(&s.actor)).unwrap_or_default(),
            csrf: csrf.unwrap_or_default().to_owned(),
            flash: Flash::take(req),
            theme: theme(req.cookies().get("theme").map(Cookie::value)),
            density: density(req.cookies().get("density").map(Cookie::value)),
            keys: keys(req.cookies().get("keys").map(Cookie::value)),
            here: here(req),
            now,
            version: env!("CARGO_PKG_VERSION"),
            nav: "",
            crumbs: Vec::new(),
        }
    }
}

/// The theme that a cookie asks for.
pub fn theme(cookie: Option<&str>) -> &'static str {
    match cookie {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "",
    }
}

pub fn density(cookie: Option<&str>) -> &'static str {
    if cookie == Some("compact") {
        "compact"
    } else {
        ""
    }
}

pub fn keys(cookie: Option<&str>) -> &'static str {
    if cookie == Some("off") { "off" } else { "" }
}

/// Where a form's page is, for coming back; a POST has no page of its own.
fn here(req: &Request<'_>) -> String {
    if req.method() == rocket::http::Method::Get {
        req.uri().to_string()
    } else {
        String::new()
    }
}

fn may(actor: &Actor) -> HashMap<String, bool> {
    Permission::all()
        .map(|p| (p.name(), actor.may(p)))
        .collect()
}

fn finds(actor: &Actor) -> String {
    let kinds = [
        (Record::Users, "user"),
        (Record::Tokens, "token"),
        (Record::Students, "student"),
    ];
    let seen = kinds
        .iter()
        .filter(|(record, _)| actor.may(Permission::new(Act::View, *record)));
    let seen: Vec<&str> = seen.map(|(_, word)| *word).collect();
    match seen.split_last() {
        None => String::new(),
        Some((last, [])) => format!("Find a {last}"),
        Some((last, rest)) => format!("Find a {} or {last}", rest.join(", ")),
    }
}

/// The entry of the menu to which the addresses below `segment` belong, if this person has it.
pub fn menu_entry(actor: &Actor, segment: &str) -> Option<(&'static str, Crumb)> {
    let entries = menu(actor).into_iter().flat_map(|group| group.items);
    let mut below =
        entries.filter(|item| item.href.trim_matches('/').split('/').nth(1) == Some(segment));
    below
        .next()
        .map(|item| (item.nav, Crumb::new(item.label, item.href)))
}

struct MenuGroup {
    label: &'static str,
    items: &'static [MenuItem],
}

/// As much of a group as somebody may open.
#[derive(Clone, Debug, Serialize)]
struct MenuShown {
    label: &'static str,
    items: Vec<MenuItem>,
}

fn menu(actor: &Actor) -> Vec<MenuShown> {
    let groups = MENU.iter().map(|group| MenuShown {
        label: group.label,
        items: group
            .items
            .iter()
            .filter(|item| match item.who {
                Who::Staff => true,
                Who::Superusers => actor.is_superuser,
                Who::Permitted(permission) => actor.may(permission),
            })
            .copied()
            .collect(),
    });
    groups.filter(|group| !group.items.is_empty()).collect()
}

/// Others are not shown what they may not open.
#[derive(Clone, Copy, Debug)]
enum Who {
    Staff,
    Superusers,
    Permitted(Permission),
}

#[derive(Clone, Copy, Debug, Serialize)]
struct MenuItem {
    label: &'static str,
    href: &'static str,
    icon: &'static str,
    nav: &'static str,
    /// The letter after `g`.
    key: &'static str,
    #[serde(skip)]
    who: Who,
}

const fn item(
    label: &'static str,
    href: &'static str,
    icon: &'static str,
    nav: &'static str,
    key: &'static str,
) -> MenuItem {
    MenuItem {
        label,
        href,
        icon,
        nav,
        key,
        who: Who::Staff,
    }
}

const fn for_superusers(item: MenuItem) -> MenuItem {
    MenuItem {
        who: Who::Superusers,
        ..item
    }
}

const fn to_view(record: Record, item: MenuItem) -> MenuItem {
    MenuItem {
        who: Who::Permitted(Permission::new(Act::View, record)),
        ..item
    }
}

/// Only what exists.
const MENU: &[MenuGroup] = &[
    MenuGroup {
        label: "Overview",
        items: &[item("Dashboard", "/admin/", "dash", "dashboard", "d")],
    },
    MenuGroup {
        label: "People",
        items: &[
            to_view(
                Record::Users,
                item("Users", "/admin/users/", "users", "users", "u"),
            ),
            to_view(
                Record::Sessions,
                item("Sessions", "/admin/sessions/", "sess", "sessions", "s"),
            ),
            for_superusers(item("Groups", "/admin/groups/", "shield", "groups", "g")),
        ],
    },
    MenuGroup {
        label: "API",
        items: &[
            to_view(
                Record::Tokens,
                item("Tokens", "/admin/tokens/", "key", "tokens", "t"),
            ),
            to_view(
                Record::Tokens,
                item(
                    "Why was I refused?",
                    "/admin/refusals/",
                    "ban",
                    "refusals",
                    "w",
                ),
            ),
            for_superusers(item("Signing keys", "/admin/keys/", "lock", "keys", "k")),
        ],
    },
    MenuGroup {
        label: "Data",
        items: &[to_view(
            Record::Students,
            item("Students", "/admin/students/", "school", "students", "c"),
        )],
    },
    MenuGroup {
        label: "System",
        items: &[
            to_view(
                Record::Audit,
                item("Audit log", "/admin/audit/", "log", "audit", "a"),
            ),
            for_superusers(item("Settings", "/admin/settings/", "cog", "settings", "e")),
            for_superusers(item("Health", "/admin/health/", "fine", "health", "h")),
        ],
    },
];

/// For tests: somebody with a name that needs escaping.
#[cfg(test)]
pub fn sample() -> Chrome {
    let user = Account {
        username: "<b>sam</b>".to_owned(),
        is_staff: true,
        is_superuser: true,
        may: may(&Actor::operator()),
        role: Role::sample(),
        person: Person::named("<b>sam</b>", "Sam Archer"),
    };
    Chrome {
        user: Some(user),
        csrf: "csrf-token".to_owned(),
        flash: Some(Flash::ok("<i>Saved.</i>")),
        theme: "dark",
        density: "",
        keys: "",
        here: "/admin/?a=1&b=2".to_owned(),
        now: 1_700_000_600,
        version: "0",
        menu: menu(&Actor::operator()),
        finds: finds(&Actor::operator()),
        nav: "",
        crumbs: Vec::new(),
        elevated: Some(8),
    }
}
