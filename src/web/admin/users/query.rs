//! What the address of the list of users says: search, filters, sort, page.

use rocket::FromForm;

use crate::{
    domain::users::{InGroup, Role as Kind, UserFilter, UserSort, UserStatus},
    web::{
        admin::listing::{Address, Choice, Paging, search},
        filters,
    },
};

pub const PATH: &str = "/admin/users/";
pub const ROLES: &[(&str, &str)] = &[
    ("", "Any role"),
    ("user", "User"),
    ("staff", "Staff"),
    ("superuser", "Superuser"),
];
pub const TOKENS: &[(&str, &str)] = &[
    ("", "Any token"),
    ("yes", "Has a token"),
    ("no", "No token"),
];
/// Days; `dates` takes two fields.
pub const JOINED: &[(&str, &str)] = &[
    ("", "Joined any time"),
    ("7", "Joined in 7 days"),
    ("30", "Joined in 30 days"),
    ("365", "Joined in a year"),
    (DATES, "Choose dates…"),
];
pub const DATES: &str = "dates";
/// In the place of a group's id.
pub const NO_GROUP: &str = "none";
const DAY: i64 = 86_400;
pub const SORTS: &[(&str, &str)] = &[
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
    group: Option<String>,
    token: Option<String>,
    password: Option<String>,
    joined: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
    pub all: Option<String>,
}

impl ListQuery {
    pub fn q(&self) -> Option<String> {
        search(self.q.as_deref())
    }

    pub fn status(&self) -> &str {
        self.status.as_deref().unwrap_or_default()
    }

    pub fn role(&self) -> &str {
        self.role.as_deref().unwrap_or_default()
    }

    /// An id, `none`, or empty.
    pub fn group(&self) -> &str {
        let given = self.group.as_deref().unwrap_or_default();
        let counts = given == NO_GROUP || given.parse::<i64>().is_ok();
        if counts { given } else { "" }
    }

    pub fn token(&self) -> &str {
        known(TOKENS, self.token.as_deref())
    }

    /// Only whose password is of a kind that cannot be verified: the dashboard leads here.
    pub fn unknown_password(&self) -> bool {
        self.password.as_deref() == Some("unknown")
    }

    pub fn joined(&self) -> &str {
        known(JOINED, self.joined.as_deref())
    }

    /// A day of the pair, if the pair counts and the day can be read.
    pub fn day<'a>(&self, day: Option<&'a str>) -> Option<&'a str> {
        let day = day.filter(|_| self.joined() == DATES)?;
        filters::midnight_of(day).map(|_| day)
    }

    /// Unix seconds: not before, and before. The last day counts.
    pub fn span(&self, now: i64) -> (Option<i64>, Option<i64>) {
        if let Ok(days) = self.joined().parse::<i64>() {
            return (Some(now - days * DAY), None);
        }
        let from = self
            .day(self.from.as_deref())
            .and_then(filters::midnight_of);
        let to = self.day(self.to.as_deref()).and_then(filters::midnight_of);
        let (from, to) = filters::in_order(from, to);
        (from, to.map(|day| day + DAY))
    }

    pub fn sort(&self) -> &str {
        let known = self
            .sort
            .as_deref()
            .filter(|s| SORTS.iter().any(|(v, _)| v == s));
        known.unwrap_or(SORTS[0].0)
    }

    pub fn paging(&self) -> Paging {
        Paging::new(self.cursor.clone(), self.per)
    }

    pub fn filter(&self, now: i64) -> UserFilter {
        UserFilter {
            q: self.q(),
            status: match self.status() {
                "active" => UserStatus::Active,
                "locked" => UserStatus::Locked,
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
            group: match self.group() {
                NO_GROUP => Some(InGroup::StaffInNone),
                id => id.parse().ok().map(InGroup::One),
            },
            token: match self.token() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            unknown_password: self.unknown_password(),
            total: None,
            joined: self.span(now),
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
            .with("group", self.group())
            .with("token", self.token())
            .with(
                "password",
                if self.unknown_password() {
                    "unknown"
                } else {
                    ""
                },
            )
            .with("joined", self.joined())
            .with("from", self.day(self.from.as_deref()).unwrap_or_default())
            .with("to", self.day(self.to.as_deref()).unwrap_or_default())
            .with("sort", if sort == SORTS[0].0 { "" } else { sort })
            .sized(&self.paging())
    }
}

fn known<'a>(choices: &[(&'a str, &str)], given: Option<&str>) -> &'a str {
    let found = choices.iter().find(|(value, _)| Some(*value) == given);
    found.map_or("", |(value, _)| value)
}

/// The groups there are, for the filter; none where there are none and nobody asks for one.
pub fn group_choice(query: &ListQuery, groups: &[(i64, String)]) -> Option<Choice> {
    let chosen = query.group();
    let known = groups
        .iter()
        .map(|(id, name)| (id.to_string().into(), name.clone().into()));
    let mut options = vec![("".into(), "Any group".into())];
    options.extend(known);
    options.push((NO_GROUP.into(), NO_GROUP_LABEL.into()));
    let is_useful = !groups.is_empty() || !chosen.is_empty();
    is_useful.then(|| Choice::of("group", "Group", options, chosen))
}

const NO_GROUP_LABEL: &str = "Staff without a group";

/// What the chip says.
pub fn group_label(query: &ListQuery, groups: &[(i64, String)]) -> Option<String> {
    let id = match query.group() {
        "" => return None,
        NO_GROUP => return Some(NO_GROUP_LABEL.to_owned()),
        id => id,
    };
    let known = groups.iter().find(|(known, _)| known.to_string() == id);
    Some(known.map_or_else(
        || format!("Group {id}"),
        |(_, name)| format!("In the group “{name}”"),
    ))
}

/// What the chip says; nothing where no day counts.
pub fn joined_label(query: &ListQuery) -> Option<String> {
    let chosen = query.joined();
    if chosen != DATES {
        let known = JOINED.iter().find(|(v, _)| !v.is_empty() && *v == chosen);
        return known.map(|(_, label)| (*label).to_owned());
    }
    match (
        query.day(query.from.as_deref()),
        query.day(query.to.as_deref()),
    ) {
        (Some(from), Some(to)) => Some(format!("Joined {from} to {to}")),
        (Some(from), None) => Some(format!("Joined since {from}")),
        (None, Some(to)) => Some(format!("Joined until {to}")),
        (None, None) => None,
    }
}
