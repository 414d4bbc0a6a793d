//! Lists of users: tabs, search, filters, sort, keyset pages.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Query, SimpleExpr, UnionType},
};

use super::{User, counts};
use crate::{
    app::App,
    domain::{
        groups, login_pauses,
        paging::{By, Count, Key, Kind, List, Order, Page, PageRequest, page_of},
        search::Words,
        totals,
    },
    entity::{
        token,
        user::{Column, Entity},
        user_group,
    },
    error::Result,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserStatus {
    #[default]
    All,
    Active,
    /// Sign-in is paused, from somewhere or everywhere.
    Locked,
    Disabled,
    NeverSignedIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    User,
    Staff,
    Superuser,
}

/// Whom groups leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InGroup {
    One(i64),
    /// Staff that no group gives anything.
    StaffInNone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserSort {
    #[default]
    Username,
    UsernameDescending,
    Joined,
    JoinedDescending,
    LastLogin,
    LastLoginDescending,
}

#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    pub q: Option<String>,
    pub status: UserStatus,
    pub role: Option<Role>,
    pub group: Option<InGroup>,
    /// Whether there is a live token.
    pub token: Option<bool>,
    /// Only whose password is stored in a way that nobody here can verify.
    pub unknown_password: bool,
    /// Unix seconds: joined not before, and before.
    pub joined: (Option<i64>, Option<i64>),
    pub sort: UserSort,
    pub page: PageRequest,
    /// How many there are before a text is looked for, where that is known.
    pub total: Option<Count>,
}

#[derive(Debug)]
pub struct UserRow {
    pub user: User,
    /// Live tokens.
    pub token_count: u64,
    /// Sign-in is paused, from somewhere or everywhere.
    pub is_locked: bool,
}

pub async fn list(app: &App, filter: &UserFilter) -> Result<Page<UserRow>> {
    let sort = match (filter.status, filter.sort) {
        // Whose last sign-ins are all alike: who joined first was absent for longest.
        (UserStatus::NeverSignedIn, UserSort::LastLogin) => UserSort::Joined,
        (UserStatus::NeverSignedIn, UserSort::LastLoginDescending) => UserSort::JoinedDescending,
        (_, sort) => sort,
    };
    let filter = &UserFilter {
        sort,
        ..filter.clone()
    };
    let (column, descending) = match sort {
        UserSort::Username => (Column::UsernameKey, false),
        UserSort::UsernameDescending => (Column::UsernameKey, true),
        UserSort::Joined => (Column::DateJoined, false),
        UserSort::JoinedDescending => (Column::DateJoined, true),
        UserSort::LastLogin => (Column::LastLogin, false),
        UserSort::LastLoginDescending => (Column::LastLogin, true),
    };
    let key_of = |user: &User| {
        let key = match column {
            Column::DateJoined => Key::Number(user.date_joined),
            Column::LastLogin => Key::Number(user.last_login),
            _ => Key::Text(user.username_key.clone()),
        };
        (key, user.id)
    };
    let rows = page_of(
        app.db.read(),
        matching(app, filter).await?,
        Order {
            by: By::Column(column),
            id: Column::Id,
            descending,
            kind: match column {
                Column::UsernameKey => Kind::Text,
                _ => Kind::Number,
            },
        },
        &filter.page,
        key_of,
    )
    .await?;
    let ids: Vec<i64> = rows.rows.iter().map(|user| user.id).collect();
    let (tokens, locked) = beside(app, ids).await?;
    Ok(rows.map(|user| UserRow {
        token_count: tokens.get(&user.id).copied().unwrap_or(0),
        is_locked: locked.contains(&user.id),
        user,
    }))
}

impl UserStatus {
    /// Conditions are spelled as in the indexes of these rows, not with values that are bound: by those SQLite
    /// would not know the index.
    pub(super) fn rows(self, now: i64) -> Select<Entity> {
        match self {
            Self::All => Entity::find(),
            Self::Active => Entity::find().filter(Column::IsActive.into_expr()),
            Self::Locked => {
                Entity::find().filter(Column::Id.in_subquery(login_pauses::locked_at(now)))
            }
            Self::Disabled => Entity::find().filter(Column::IsActive.into_expr().not()),
            Self::NeverSignedIn => {
                Entity::find().filter(Column::LastLogin.into_expr().eq(Expr::cust("0")))
            }
        }
    }
}

impl UserFilter {
    pub(super) fn is_narrowed(&self) -> bool {
        self.role.is_some()
            || self.group.is_some()
            || self.token.is_some()
            || self.unknown_password
            || self.joined != (None, None)
    }
}

/// All that a filter finds, in no order.
pub(super) fn all_matching(app: &App, filter: &UserFilter) -> Select<Entity> {
    let words = filter.q.as_deref().and_then(Words::of);
    let spelling = match words {
        Some(_) => Spelling::Many,
        None => Spelling::few(app),
    };
    let query = filtered(filter, app.now(), spelling);
    match words {
        Some(words) => query.filter(words.in_index::<Entity>(app.db.read().get_database_backend())),
        None => query,
    }
}

async fn matching(app: &App, filter: &UserFilter) -> Result<List<Entity>> {
    let search = filter.q.as_deref().and_then(Words::of);
    let is_filtered = filter.status != UserStatus::All || filter.is_narrowed();
    let total = match filter.total {
        _ if filter.is_narrowed() => None,
        None if is_filtered || search.is_none() => {
            let [total] = totals::counts(app, [counts::total(filter.status)]).await?;
            Some(total)
        }
        known => known,
    };
    // All who never signed in are equal in the order of the last sign-in, so that its index has them by id.
    let by_age = (filter.status == UserStatus::NeverSignedIn && app.db.is_postgres()).then(|| {
        let by_seen = UserFilter {
            sort: UserSort::LastLogin,
            ..filter.clone()
        };
        filtered(&by_seen, app.now(), Spelling::Many)
    });
    let mut few = filtered(filter, app.now(), Spelling::few(app));
    if filter.joined != (None, None) && app.db.is_postgres() {
        // So that the index of this order is read up to what is wanted: for a plan that it keeps for any date, PostgreSQL
        // takes every date for likely.
        few = few.order_by_desc(Column::DateJoined);
    }
    Ok(List {
        query: filtered(filter, app.now(), Spelling::Many),
        few: Some(few),
        by_age,
        search,
        total,
        is_filtered,
        is_led: filter.status == UserStatus::Disabled
            || matches!(filter.role, Some(Role::Staff | Role::Superuser)),
    })
}

/// As its index says it. No password, and one that is marked as unusable, are not among them.
pub(super) const UNKNOWN_PASSWORD: &str = r#""users"."password" <> '' AND substr("users"."password", 1, 1) <> '!' AND substr("users"."password", 1, 7) NOT IN ('$argon2', 'argon2$', 'bcrypt$', 'bcrypt_', 'pbkdf2_', 'scrypt$')"#;

/// Which indexes are kept away, by a plus sign before a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// All but that of the order, in which the rows are met soon; with an index of another all would be sorted.
    Many,
    /// All but that of the condition that leaves the fewest: SQLite, which counts nothing beforehand, would take any.
    Few,
    /// None: PostgreSQL knows how many each leaves.
    Plain,
}

impl Spelling {
    fn few(app: &App) -> Self {
        if app.db.is_postgres() {
            Self::Plain
        } else {
            Self::Few
        }
    }
}

fn filtered(filter: &UserFilter, now: i64, spelling: Spelling) -> Select<Entity> {
    let is_staff = Column::IsStaff.into_expr();
    let is_superuser = Column::IsSuperuser.into_expr();
    let by_joined = matches!(filter.sort, UserSort::Joined | UserSort::JoinedDescending);
    let by_seen = matches!(
        filter.sort,
        UserSort::LastLogin | UserSort::LastLoginDescending
    );
    let rare = filter.role == Some(Role::Superuser)
        || filter.status == UserStatus::Locked
        || filter.group.is_some()
        || filter.unknown_password;
    let led = rare || filter.role == Some(Role::Staff) || filter.joined != (None, None);
    let is_kept_away = |where_many, where_few| match spelling {
        Spelling::Many => where_many,
        Spelling::Few => where_few,
        Spelling::Plain => false,
    };
    let mut query = match filter.status {
        UserStatus::NeverSignedIn if is_kept_away(!by_seen, led) => {
            Entity::find().filter(Expr::cust(r#"+"users"."last_login" = 0"#))
        }
        status => status.rows(now),
    };
    query = match filter.role {
        None => query,
        Some(Role::User) => query.filter(is_staff.not()).filter(is_superuser.not()),
        Some(Role::Staff) => query.filter(is_staff),
        Some(Role::Superuser) => query.filter(is_superuser),
    };
    query = match filter.group {
        None => query,
        Some(InGroup::One(id)) => query.filter(Column::Id.in_subquery(groups::member_ids(id))),
        Some(InGroup::StaffInNone) => query.filter(staff_in_no_group()),
    };
    if let Some(has_one) = filter.token {
        let exists = has_live_token(now);
        query = query.filter(if has_one { exists } else { exists.not() });
    }
    if filter.unknown_password {
        query = query.filter(Expr::cust(UNKNOWN_PASSWORD));
    }
    let joined = if is_kept_away(!by_joined, rare) {
        Expr::cust(r#"+"users"."date_joined""#)
    } else {
        Column::DateJoined.into_expr()
    };
    let (from, before) = filter.joined;
    if let Some(from) = from {
        query = query.filter(joined.clone().gte(from));
    }
    if let Some(before) = before {
        query = query.filter(joined.lt(before));
    }
    query
}

pub(super) fn has_live_token(now: i64) -> SimpleExpr {
    let mut live = Query::select();
    live.expr(Expr::val(1))
        .from(token::Entity)
        .and_where(Expr::col((token::Entity, token::Column::UserId)).equals((Entity, Column::Id)))
        .and_where(token::Column::RevokedAt.is_null())
        .cond_where(
            Condition::any()
                .add(token::Column::ExpiresAt.is_null())
                .add(token::Column::ExpiresAt.gt(now)),
        );
    Expr::exists(live)
}

/// Superusers need no group.
fn staff_in_no_group() -> Condition {
    Condition::all()
        .add(Column::IsStaff.into_expr())
        .add(Column::IsSuperuser.into_expr().not())
        .add(in_no_group())
}

pub(super) fn in_no_group() -> SimpleExpr {
    let mut theirs = Query::select();
    theirs
        .expr(Expr::val(1))
        .from(user_group::Entity)
        .and_where(
            Expr::col((user_group::Entity, user_group::Column::UserId))
                .equals((Entity, Column::Id)),
        );
    Expr::exists(theirs).not()
}

/// How many live tokens these people have, and who of them is locked: one question.
async fn beside(app: &App, ids: Vec<i64>) -> Result<(HashMap<i64, u64>, HashSet<i64>)> {
    let mut query = token::Entity::find()
        .select_only()
        .column(token::Column::UserId)
        .column_as(token::Column::Id.count(), "n")
        .filter(token::Column::UserId.is_in(ids.iter().copied()))
        .filter(token::Column::RevokedAt.is_null())
        .filter(
            Condition::any()
                .add(token::Column::ExpiresAt.is_null())
                .add(token::Column::ExpiresAt.gt(app.now())),
        )
        .group_by(token::Column::UserId)
        .into_query();
    // No number of tokens: a pause of sign-in.
    let locked = login_pauses::among(app.now(), &ids)
        .expr(Expr::cust("CAST(-1 AS BIGINT)"))
        .to_owned();
    query.union(UnionType::All, locked);
    let (mut tokens, mut locked) = (HashMap::new(), HashSet::new());
    for row in app.db.read().query_all(&query).await? {
        let id = row.try_get_by_index::<i64>(0)?;
        match u64::try_from(row.try_get_by_index::<i64>(1)?) {
            Ok(n) => drop(tokens.insert(id, n)),
            Err(_) => drop(locked.insert(id)),
        }
    }
    Ok((tokens, locked))
}
