//! The list of users, and the suggestions for fields that take a username.

use rocket::{State, get, response::content::RawJson};
use serde::Serialize;

use super::{
    bulk::Users,
    query::{
        DATES, JOINED, ListQuery, PATH, ROLES, SORTS, TOKENS, group_choice, group_label,
        joined_label,
    },
};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        groups,
        users::{self, UserCounts, UserRow},
    },
    error::Error,
    web::{
        admin::{
            bulk::Bar,
            listing::{
                Address, Chip, Choice, Head, Hidden, Pager, Tab, match_text, no_hit, search_chip,
                sorted,
            },
        },
        error::{ApiError, PageError},
        guards::{May, permission::ViewUsers},
        page::{Page, View},
        words::{self, Person, Role, Tag},
    },
};

#[derive(Serialize)]
struct UserChangeList {
    tabs: Vec<Tab>,
    q: String,
    kept: Vec<Hidden>,
    role: Choice,
    group: Option<Choice>,
    token: Choice,
    joined: Choice,
    from: String,
    to: String,
    /// Filters in force beside the search.
    filtered: usize,
    sort: Choice,
    sorted_by: &'static str,
    chips: Vec<Chip>,
    clear: String,
    export_href: String,
    #[serde(rename = "match")]
    matching: String,
    no_hit: String,
    heads: Heads,
    rows: Vec<Row>,
    pager: Pager,
    bulk: Bar,
}

#[derive(Serialize)]
struct Heads {
    username: Head,
    last_login: Head,
    joined: Head,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "facts for a template, each on its own"
)]
#[derive(Serialize)]
struct Row {
    id: i64,
    href: String,
    tokens_href: String,
    #[serde(flatten)]
    person: Person,
    username: String,
    full_name: String,
    status: Tag,
    role: Role,
    tokens: u64,
    last_login: Option<i64>,
    joined: i64,
    is_active: bool,
    is_locked: bool,
    /// Staff does not touch staff.
    can_touch: bool,
    is_you: bool,
}

impl View for UserChangeList {
    const TEMPLATE: &'static str = "admin/users/change_list.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        "Users".to_owned()
    }
}

impl Row {
    fn of(by: &Actor, row: &UserRow) -> Self {
        let user = &row.user;
        Self {
            id: user.id,
            href: super::href(user.id),
            tokens_href: tokens_href(&user.username),
            person: Person::of(user),
            username: user.username.clone(),
            full_name: words::full_name(user),
            status: Tag::user(user, row.is_locked),
            role: Role::of(user),
            tokens: row.token_count,
            last_login: words::known(user.last_login),
            joined: user.date_joined,
            is_active: user.is_active,
            is_locked: row.is_locked,
            can_touch: users::may_touch(by, user).is_ok(),
            is_you: by.user_id == Some(user.id),
        }
    }
}

/// The tokens of one person, in every state.
pub fn tokens_href(username: &str) -> String {
    Address::new("/admin/tokens/")
        .with("state", "all")
        .with("q", username)
        .href()
}

#[get("/users?<query..>")]
pub async fn change_list(
    may: May<'_, ViewUsers>,
    app: &State<App>,
    query: ListQuery,
) -> Result<Page, PageError> {
    let (paging, q) = (query.paging(), query.q());
    let counts = users::counts(app).await?;
    let mut filter = query.filter(app.now());
    filter.total = counts.of(&filter);
    let found = users::list(app, &filter).await?;
    let groups = groups::names(app).await?;
    let here = query.address();
    let (status, role, sort) = (query.status(), query.role(), query.sort());
    let all = query.all.is_some();
    let mut chips = Vec::new();
    if let Some(q) = &q {
        chips.push(Chip {
            label: search_chip(q),
            href: here.without("q").href(),
        });
    }
    if let Some((_, label)) = ROLES.iter().find(|(v, _)| !v.is_empty() && *v == role) {
        chips.push(Chip {
            label: (*label).to_owned(),
            href: here.without("role").href(),
        });
    }
    if let Some(label) = group_label(&query, &groups) {
        chips.push(Chip {
            label,
            href: here.without("group").href(),
        });
    }
    if let Some((_, label)) = TOKENS
        .iter()
        .find(|(v, _)| !v.is_empty() && *v == query.token())
    {
        chips.push(Chip {
            label: (*label).to_owned(),
            href: here.without("token").href(),
        });
    }
    if query.unknown_password() {
        chips.push(Chip {
            label: "Password of unknown kind".to_owned(),
            href: here.without("password").href(),
        });
    }
    let undated = here.without("joined").without("from").without("to");
    if let Some(label) = joined_label(&query) {
        chips.push(Chip {
            label,
            href: undated.href(),
        });
    }
    let filtered = chips.len() - usize::from(q.is_some());
    let day = |day: Option<&str>| query.day(day).unwrap_or_default().to_owned();
    Ok(Page::of(&UserChangeList {
        tabs: tabs(&counts, status),
        kept: here.hidden(&[
            "q", "role", "group", "token", "joined", "from", "to", "sort",
        ]),
        role: Choice::new("role", "Role", ROLES, role),
        group: group_choice(&query, &groups),
        token: Choice::new("token", "Token", TOKENS, query.token()),
        joined: Choice::new("joined", "Joined", JOINED, query.joined()),
        from: day(query.from.as_deref()),
        to: day(query.to.as_deref()),
        filtered,
        sort: Choice::new("sort", "Sort by", SORTS, sort),
        sorted_by: SORTS
            .iter()
            .find(|(v, _)| *v == sort)
            .map_or("", |(_, label)| label),
        chips,
        clear: undated
            .without("q")
            .without("role")
            .without("group")
            .without("token")
            .without("password")
            .href(),
        export_href: here.below("export"),
        matching: match_text(&found, status.is_empty().then_some(counts.all)),
        no_hit: no_hit("No one", q.as_deref()),
        heads: heads(&here, sorted(&found, sort)),
        pager: Pager::of(&found, &here, paging.size()),
        bulk: Bar::of(
            &Users(query),
            &may.actor,
            found.total,
            found.rows.len(),
            all,
        ),
        rows: found
            .rows
            .iter()
            .map(|row| Row::of(&may.actor, row))
            .collect(),
        q: q.unwrap_or_default(),
    }))
}

fn tabs(counts: &UserCounts, current: &str) -> Vec<Tab> {
    let all = !["active", "locked", "disabled", "never"].contains(&current);
    [
        ("All", "", counts.all),
        ("Active", "active", counts.active),
        ("Locked", "locked", counts.locked),
        ("Disabled", "disabled", counts.disabled),
        ("Never signed in", "never", counts.never_signed_in),
    ]
    .into_iter()
    .map(|(label, status, count)| Tab {
        label,
        href: Address::new(PATH).with("status", status).href(),
        count: words::count(count),
        current: if status.is_empty() {
            all
        } else {
            status == current
        },
    })
    .collect()
}

fn heads(here: &Address, sort: &str) -> Heads {
    Heads {
        username: Head::new("User", here, sort, ("username", "-username")),
        last_login: Head::new("Last sign-in", here, sort, ("-last_login", "last_login")),
        joined: Head::new("Joined", here, sort, ("-joined", "joined")),
    }
}

#[derive(Serialize)]
struct Suggestion {
    username: String,
    name: String,
}

/// At most ten people whose username begins so.
#[get("/users/suggest?<q>")]
pub async fn suggest(
    _may: May<'_, ViewUsers>,
    app: &State<App>,
    q: &str,
) -> Result<RawJson<String>, ApiError> {
    let suggestions: Vec<Suggestion> = users::suggest(app, q.trim())
        .await?
        .into_iter()
        .map(|user| Suggestion {
            name: words::full_name(&user),
            username: user.username,
        })
        .collect();
    Ok(RawJson(
        serde_json::to_string(&suggestions).map_err(Error::internal)?,
    ))
}

pub fn samples() -> Vec<Page> {
    let none = crate::domain::paging::Page::only(Vec::<Row>::new());
    let here = Address::new(PATH).with("q", "smyth");
    let row = Row {
        id: 7,
        href: super::href(7),
        tokens_href: tokens_href("amara.okafor"),
        person: Person::named("amara.okafor", "Amara Okafor"),
        username: "amara.okafor".to_owned(),
        full_name: "Amara Okafor".to_owned(),
        status: Tag::user(&super::sample_user(), true),
        role: Role::of(&super::sample_user()),
        tokens: 3,
        last_login: None,
        joined: 1_700_000_000,
        is_active: true,
        is_locked: true,
        can_touch: true,
        is_you: false,
    };
    let by = Actor::operator();
    let mut list = UserChangeList {
        tabs: Vec::new(),
        q: "smyth".to_owned(),
        kept: here.hidden(&["q"]),
        role: Choice::new("role", "Role", ROLES, ""),
        group: group_choice(&ListQuery::default(), &[(2, "<i>Support</i>".to_owned())]),
        token: Choice::new("token", "Token", TOKENS, "yes"),
        joined: Choice::new("joined", "Joined", JOINED, DATES),
        from: "2026-01-01".to_owned(),
        to: String::new(),
        filtered: 2,
        sort: Choice::new("sort", "Sort by", SORTS, SORTS[0].0),
        sorted_by: SORTS[0].1,
        chips: vec![Chip {
            label: "“smyth”".to_owned(),
            href: PATH.to_owned(),
        }],
        clear: PATH.to_owned(),
        export_href: PATH.to_owned(),
        matching: match_text(&none, None),
        no_hit: no_hit("No one", Some("smyth")),
        heads: heads(&here, "username"),
        pager: Pager::of(&none, &here, 25),
        bulk: Bar::of(&Users(ListQuery::default()), &by, none.total, 0, false),
        rows: Vec::new(),
    };
    let empty = Page::of(&list);
    list.rows.push(row);
    let one = Page::of(&list);
    let many = crate::domain::paging::Count {
        n: 412,
        exact: true,
    };
    list.bulk = Bar::of(&Users(ListQuery::default()), &by, many, 1, true);
    vec![empty, one, Page::of(&list)]
}
