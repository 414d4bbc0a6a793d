//! What the search field of the top bar opens: the first hits of each kind.

use rocket::{Route, State, get, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        permissions::{Act, Permission, Record},
        students::{self, StudentFilter},
        tokens::{self, TokenFilter},
        users::{self, UserFilter, UserSort},
    },
    error::Result,
    web::{
        admin::listing::{Address, search as text},
        error::PageError,
        guards::AdminSession,
        page::{Page, View},
        words::{self, Tag, TokenFacts},
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
    /// Nothing of any kind was found.
    none: bool,
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
    /// Of a student: none.
    tag: Option<Tag>,
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
    session: &AdminSession,
    app: &State<App>,
    q: Option<&str>,
) -> Result<Page, PageError> {
    let Some(q) = text(q) else {
        return Ok(Page::of(&Search {
            q: String::new(),
            none: false,
            groups: Vec::new(),
        }));
    };
    let sees = |record| session.actor.may(Permission::new(Act::View, record));
    let mut groups = Vec::new();
    if sees(Record::Users) {
        groups.push(people(app, &q).await?);
    }
    if sees(Record::Tokens) {
        groups.push(keys(app, &session.actor, &q).await?);
    }
    if sees(Record::Students) {
        groups.push(pupils(app, &q).await?);
    }
    let none = groups.iter().all(|group| group.rows.is_empty());
    Ok(Page::of(&Search { q, none, groups }))
}

fn group(label: &'static str, icon: &'static str, all: &Address, rows: Vec<Hit>) -> Group {
    let all = all.href();
    Group {
        label,
        icon,
        all,
        rows,
    }
}

async fn people(app: &App, q: &str) -> Result<Group> {
    let filter = UserFilter {
        q: Some(q.to_owned()),
        // Names that begin alike are spread in this order, so the first ones are met soon.
        sort: UserSort::JoinedDescending,
        ..UserFilter::default()
    };
    let found = users::list(app, &filter).await?.rows.into_iter();
    let hits = found.take(SHOWN).map(|row| Hit {
        name: row.user.username.clone(),
        note: format!("{} {}", words::full_name(&row.user), row.user.email)
            .trim()
            .to_owned(),
        href: format!("/admin/users/{}/", row.user.id),
        tag: Some(Tag::user(&row.user, row.is_locked)),
    });
    let all = Address::new("/admin/users/").with("q", q);
    Ok(group("Users", "users", &all, hits.collect()))
}

async fn keys(app: &App, by: &Actor, q: &str) -> Result<Group> {
    let filter = TokenFilter {
        q: Some(q.to_owned()),
        ..TokenFilter::default()
    };
    let found = tokens::list(app, &filter).await?.rows.into_iter();
    let hits = found.take(SHOWN).map(|row| {
        let facts = TokenFacts::of_row(&row, app.now());
        Hit {
            note: format!("{}… of {}", facts.prefix, facts.owner),
            // Of people whom one may not touch, a token is a line in the list and no more.
            href: if tokens::may_look_into(by, &row) {
                facts.href
            } else {
                let list = Address::new("/admin/tokens/").with("state", "all");
                list.with("q", facts.prefix).href()
            },
            name: facts.name,
            tag: Some(facts.state),
        }
    });
    // Tokens of every state were searched, so the list behind it shows every state too.
    let all = Address::new("/admin/tokens/")
        .with("state", "all")
        .with("q", q);
    Ok(group("Tokens", "key", &all, hits.collect()))
}

async fn pupils(app: &App, q: &str) -> Result<Group> {
    let filter = StudentFilter {
        q: Some(q.to_owned()),
        ..StudentFilter::default()
    };
    let found = students::list(app, &filter).await?.rows.into_iter();
    let hits = found.take(SHOWN).map(|s| Hit {
        note: format!("Roll {}, {}", s.roll, s.city),
        href: format!("/admin/students/{}/", s.id),
        tag: None,
        name: s.name,
    });
    let all = Address::new("/admin/students/").with("q", q);
    Ok(group("Students", "school", &all, hits.collect()))
}

pub fn samples() -> Vec<Page> {
    let rows = vec![Hit {
        name: "amara.okafor".to_owned(),
        note: "Amara Okafor".to_owned(),
        href: "/admin/users/7/".to_owned(),
        tag: None,
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
            none: false,
            groups,
        }),
        Page::of(&Search {
            q: "zz".to_owned(),
            none: true,
            groups: Vec::new(),
        }),
        Page::of(&Search {
            q: String::new(),
            none: false,
            groups: Vec::new(),
        }),
    ]
}
