//! What the search field of the top bar opens: the first hits of each kind.

use rocket::{Route, State, get, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        students::{self, StudentFilter},
        tokens::{self, TokenFilter},
        users::{self, UserFilter},
    },
    web::{
        admin::listing::{Address, search as text},
        error::PageError,
        guards::AdminSession,
        page::{Page, View},
        words::{self, TokenFacts},
    },
};

/// Hits shown of each kind.
const SHOWN: usize = 5;

pub fn routes() -> Vec<Route> {
    routes![search]
}

#[derive(Serialize)]
struct Search {
    q: String,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    label: &'static str,
    icon: &'static str,
    /// The full list with the same search.
    all: String,
    rows: Vec<Hit>,
}

#[derive(Serialize)]
struct Hit {
    name: String,
    note: String,
    href: String,
}

impl View for Search {
    const TEMPLATE: &'static str = "admin/search.html";
    const NAV: &'static str = "search";

    fn title(&self) -> String {
        "Search".to_owned()
    }
}

#[get("/search?<q>")]
async fn search(
    _session: &AdminSession,
    app: &State<App>,
    q: Option<&str>,
) -> Result<Page, PageError> {
    let Some(q) = text(q) else {
        return Ok(Page::of(&Search {
            q: String::new(),
            groups: Vec::new(),
        }));
    };
    let filter = UserFilter {
        q: Some(q.clone()),
        ..UserFilter::default()
    };
    let people = users::list(app, &filter)
        .await?
        .rows
        .into_iter()
        .take(SHOWN)
        .map(|row| Hit {
            name: row.user.username.clone(),
            note: format!("{} {}", words::full_name(&row.user), row.user.email)
                .trim()
                .to_owned(),
            href: format!("/admin/users/{}/", row.user.id),
        });
    let filter = TokenFilter {
        q: Some(q.clone()),
        ..TokenFilter::default()
    };
    let keys = tokens::list(app, &filter)
        .await?
        .rows
        .into_iter()
        .take(SHOWN)
        .map(|row| {
            let facts = TokenFacts::of(&row.token, &row.owner.username, app.now());
            let note = format!("{}… of {}", facts.prefix, facts.owner);
            Hit {
                name: facts.name,
                note,
                href: facts.href,
            }
        });
    let filter = StudentFilter {
        q: Some(q.clone()),
        ..StudentFilter::default()
    };
    let pupils = students::list(app, &filter)
        .await?
        .rows
        .into_iter()
        .take(SHOWN)
        .map(|s| Hit {
            note: format!("Roll {}, {}", s.roll, s.city),
            href: format!("/admin/students/{}/", s.id),
            name: s.name,
        });
    let group = |label, icon, path, rows| Group {
        label,
        icon,
        all: Address::new(path).with("q", q.as_str()).href(),
        rows,
    };
    let mut groups = vec![
        group("Users", "users", "/admin/users/", people.collect()),
        group("Tokens", "key", "/admin/tokens/", keys.collect()),
        group("Students", "school", "/admin/students/", pupils.collect()),
    ];
    // Tokens of every state were searched, so the list behind it shows every state too.
    groups[1].all = Address::new("/admin/tokens/")
        .with("state", "all")
        .with("q", &q)
        .href();
    Ok(Page::of(&Search { q, groups }))
}

pub fn samples() -> Vec<Page> {
    let rows = vec![Hit {
        name: "amara.okafor".to_owned(),
        note: "Amara Okafor".to_owned(),
        href: "/admin/users/7/".to_owned(),
    }];
    let groups = vec![Group {
        label: "Users",
        icon: "users",
        all: "/admin/users/".to_owned(),
        rows,
    }];
    vec![
        Page::of(&Search {
            q: "am".to_owned(),
            groups,
        }),
        Page::of(&Search {
            q: String::new(),
            groups: Vec::new(),
        }),
    ]
}
