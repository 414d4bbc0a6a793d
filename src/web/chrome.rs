//! What surrounds every page: who is signed in, CSRF token, message, theme, menu.

use rocket::{Request, futures::FutureExt, http::Cookie};
use serde::Serialize;

use crate::{
    app::App,
    domain::users::User,
    web::{
        flash::Flash,
        guards::{confirmed, csrf, session},
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
    /// This page's address, to come back to.
    here: String,
    now: i64,
    version: &'static str,
    menu: &'static [MenuGroup],
    nav: &'static str,
    crumbs: Vec<Crumb>,
    /// Minutes for which dangerous acts need no password, where it was asked for.
    elevated: Option<i64>,
}

/// Who is signed in.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    username: String,
    is_staff: bool,
    is_superuser: bool,
    role: Role,
    #[serde(flatten)]
    person: Person,
}

impl Account {
    fn of(user: &User) -> Self {
        Self {
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
            tracing::error!(path = %req.uri().path(), "a page without a session guard");
        }
        let csrf = csrf::token(req).now_or_never().and_then(Result::ok);
        let user = session
            .and_then(|s| s.as_ref().ok())
            .and_then(Option::as_ref);
        let now = App::of(req).now();
        let until = user.and_then(|s| confirmed::confirmed_until(req, s));
        Self {
            elevated: until.map(|until| (until - now + 59) / 60),
            user: user.map(|s| Account::of(&s.session.user)),
            csrf: csrf.unwrap_or_default().to_owned(),
            flash: Flash::take(req),
            theme: theme(req.cookies().get("theme").map(Cookie::value)),
            here: here(req),
            now,
            version: env!("CARGO_PKG_VERSION"),
            menu: MENU,
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

/// Where a form's page is, for coming back; a POST has no page of its own.
fn here(req: &Request<'_>) -> String {
    if req.method() == rocket::http::Method::Get {
        req.uri().to_string()
    } else {
        String::new()
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
struct MenuGroup {
    label: &'static str,
    items: &'static [MenuItem],
}

#[derive(Clone, Copy, Debug, Serialize)]
struct MenuItem {
    label: &'static str,
    href: &'static str,
    icon: &'static str,
    nav: &'static str,
    /// The letter after `g`.
    key: &'static str,
    /// Others are not shown what they may not open.
    for_superusers: bool,
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
        for_superusers: false,
    }
}

const fn for_superusers(item: MenuItem) -> MenuItem {
    MenuItem {
        for_superusers: true,
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
        items: &[item("Users", "/admin/users/", "users", "users", "u")],
    },
    MenuGroup {
        label: "API",
        items: &[
            item("Tokens", "/admin/tokens/", "key", "tokens", "t"),
            for_superusers(item("Signing keys", "/admin/keys/", "lock", "keys", "k")),
        ],
    },
    MenuGroup {
        label: "Data",
        items: &[item(
            "Students",
            "/admin/students/",
            "school",
            "students",
            "c",
        )],
    },
];

/// For tests: somebody with a name that needs escaping.
#[cfg(test)]
pub fn sample() -> Chrome {
    let user = Account {
        username: "<b>sam</b>".to_owned(),
        is_staff: true,
        is_superuser: true,
        role: Role::sample(),
        person: Person::named("<b>sam</b>", "Sam Archer"),
    };
    Chrome {
        user: Some(user),
        csrf: "csrf-token".to_owned(),
        flash: Some(Flash::ok("<i>Saved.</i>")),
        theme: "dark",
        here: "/admin/?a=1&b=2".to_owned(),
        now: 1_700_000_600,
        version: "0",
        menu: MENU,
        nav: "",
        crumbs: Vec::new(),
        elevated: Some(8),
    }
}
