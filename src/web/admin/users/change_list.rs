//! The list of users, and the suggestions for fields that take a username.

use rocket::{FromForm, State, get, response::content::RawJson};
use serde::Serialize;

use super::bulk::Users;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        users::{self, Role as Kind, UserCounts, UserFilter, UserRow, UserSort, UserStatus},
    },
    error::Error,
    web::{
        admin::{
            bulk::Bar,
            listing::{
                Address, Chip, Choice, Head, Hidden, Pager, Paging, Tab, match_text, no_hit, search,
            },
        },
        error::{ApiError, PageError},
        guards::{May, permission::ViewUsers},
        page::{Page, View},
        words::{self, Person, Role, Tag},
    },
};

pub const PATH: &str = "/admin/users/";
const ROLES: &[(&str, &str)] = &[
    ("", "Any role"),
    ("user", "User"),
    ("staff", "Staff"),
    ("superuser", "Superuser"),
];
const SORTS: &[(&str, &str)] = &[
    ("username", "Username A to Z"),
    ("-username", "Username Z to A"),
    ("-last_login", "Newest sign-in first"),
    ("last_login", "Oldest sign-in first"),
    ("-joined", "Newest account first"),
    ("joined", "Oldest account first"),
];

#[derive(Debug, Default, FromForm)]
pub struct ListQuery {
    q: Option<String>,
    status: Option<String>,
    role: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
    all: Option<String>,
}

impl ListQuery {
    fn q(&self) -> Option<String> {
        search(self.q.as_deref())
    }

    fn status(&self) -> &str {
        self.status.as_deref().unwrap_or_default()
    }

    fn role(&self) -> &str {
        self.role.as_deref().unwrap_or_default()
    }

    fn sort(&self) -> &str {
        let known = self
            .sort
            .as_deref()
            .filter(|s| SORTS.iter().any(|(v, _)| v == s));
        known.unwrap_or(SORTS[0].0)
    }

    fn paging(&self) -> Paging {
        Paging::new(self.cursor.clone(), self.per)
    }

    pub fn filter(&self) -> UserFilter {
        UserFilter {
            q: self.q(),
            status: match self.status() {
                "active" => UserStatus::Active,
                "disabled" => UserStatus::Disabled,
                "never" => UserStatus::NeverSignedIn,
                _ => UserStatus::All,
            },
            role: match self.role() {
                "user" => Some(Kind::User),
                "staff" => Some(Kind::Staff),
                "superuser" => Some(Kind::Superuser),
                _ => None,
            },
            sort: match self.sort() {
                "-username" => UserSort::UsernameDescending,
                "joined" => UserSort::Joined,
                "-joined" => UserSort::JoinedDescending,
                "last_login" => UserSort::LastLogin,
                "-last_login" => UserSort::LastLoginDescending,
                _ => UserSort::Username,
            },
            page: self.paging().request(),
        }
    }

    /// The list with this filter and sort.
    pub fn address(&self) -> Address {
        let sort = self.sort();
        Address::new(PATH)
            .with("status", self.status())
            .with("q", self.q().unwrap_or_default())
            .with("role", self.role())
            .with("sort", if sort == SORTS[0].0 { "" } else { sort })
            .sized(&self.paging())
    }
}

#[derive(Serialize)]
struct UserChangeList {
    tabs: Vec<Tab>,
    q: String,
    kept: Vec<Hidden>,
    role: Choice,
    sort: Choice,
    sorted_by: &'static str,
    chips: Vec<Chip>,
    clear: String,
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
    /// Staff does not touch staff.
    can_touch: bool,
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
            status: Tag::user(user),
            role: Role::of(user),
            tokens: row.token_count,
            last_login: words::known(user.last_login),
            joined: user.date_joined,
            is_active: user.is_active,
            can_touch: users::may_touch(by, user).is_ok(),
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
    let found = users::list(app, &query.filter()).await?;
    let here = query.address();
    let (status, role, sort) = (query.status(), query.role(), query.sort());
    let all = query.all.is_some();
    let mut chips = Vec::new();
    if let Some(q) = &q {
        chips.push(Chip {
            label: format!("“{q}”"),
            href: here.without("q").href(),
        });
    }
    if let Some((_, label)) = ROLES.iter().find(|(v, _)| !v.is_empty() && *v == role) {
        chips.push(Chip {
            label: (*label).to_owned(),
            href: here.without("role").href(),
        });
    }
    Ok(Page::of(&UserChangeList {
        tabs: tabs(&counts, status),
        kept: here.hidden(&["q", "role", "sort"]),
        role: Choice::new("role", "Role", ROLES, role),
        sort: Choice::new("sort", "Sort by", SORTS, sort),
        sorted_by: SORTS
            .iter()
            .find(|(v, _)| *v == sort)
            .map_or("", |(_, label)| label),
        chips,
        clear: here.without("q").without("role").href(),
        matching: match_text(found.total, status.is_empty().then_some(counts.all)),
        no_hit: no_hit("No one", q.as_deref()),
        heads: heads(&here, sort),
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
    let all = !["active", "disabled", "never"].contains(&current);
    [
        ("All", "", counts.all),
        ("Active", "active", counts.active),
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
    let none = crate::domain::paging::Page {
        rows: Vec::<Row>::new(),
        next: None,
        previous: None,
        total: crate::domain::paging::Count { n: 0, exact: true },
        first_index: 1,
    };
    let here = Address::new(PATH).with("q", "smyth");
    let row = Row {
        id: 7,
        href: super::href(7),
        tokens_href: tokens_href("amara.okafor"),
        person: Person::named("amara.okafor", "Amara Okafor"),
        username: "amara.okafor".to_owned(),
        full_name: "Amara Okafor".to_owned(),
        status: Tag::user(&super::sample_user()),
        role: Role::of(&super::sample_user()),
        tokens: 3,
        last_login: None,
        joined: 1_700_000_000,
        is_active: true,
        can_touch: true,
    };
    let by = Actor::operator();
    let mut list = UserChangeList {
        tabs: Vec::new(),
        q: "smyth".to_owned(),
        kept: here.hidden(&["q"]),
        role: Choice::new("role", "Role", ROLES, ""),
        sort: Choice::new("sort", "Sort by", SORTS, SORTS[0].0),
        sorted_by: SORTS[0].1,
        chips: vec![Chip {
            label: "“smyth”".to_owned(),
            href: PATH.to_owned(),
        }],
        clear: PATH.to_owned(),
        matching: match_text(none.total, None),
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
