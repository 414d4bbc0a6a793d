//! Lists of users: tabs, search, filters, sort, keyset pages.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, Query},
};

use super::{User, input};
use crate::{
    app::App,
    domain::{
        login_pauses,
        paging::{
            Count, Key, Kind, Order, Page, PageRequest, containing, count_up_to, found_in, page,
        },
    },
    entity::{
        token,
        user::{Column, Entity},
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
    /// Whether there is a live token.
    pub token: Option<bool>,
    /// Unix seconds: joined not before, and before.
    pub joined: (Option<i64>, Option<i64>),
    pub sort: UserSort,
    pub page: PageRequest,
}

#[derive(Debug)]
pub struct UserRow {
    pub user: User,
    /// Live tokens.
    pub token_count: u64,
    /// Sign-in is paused, from somewhere or everywhere.
    pub is_locked: bool,
}

#[derive(Debug)]
pub struct UserCounts {
    pub all: Count,
    pub active: Count,
    pub locked: Count,
    pub disabled: Count,
    pub never_signed_in: Count,
}

pub async fn list(app: &App, filter: &UserFilter) -> Result<Page<UserRow>> {
    let (column, descending) = match filter.sort {
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
    let rows = page(
        app.db.read(),
        matching(filter, app.now()),
        Order {
            column,
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
    let locked = login_pauses::among(app, &ids).await?;
    let counts = live_tokens(app, ids).await?;
    Ok(rows.map(|user| UserRow {
        token_count: counts.get(&user.id).copied().unwrap_or(0),
        is_locked: locked.contains(&user.id),
        user,
    }))
}

/// The figures of the tabs.
pub async fn counts(app: &App) -> Result<UserCounts> {
    let count = async |status| {
        let filter = UserFilter {
            status,
            ..UserFilter::default()
        };
        count_up_to(app.db.read(), matching(&filter, app.now()), Column::Id).await
    };
    Ok(UserCounts {
        all: count(UserStatus::All).await?,
        active: count(UserStatus::Active).await?,
        locked: login_pauses::count(app).await?,
        disabled: count(UserStatus::Disabled).await?,
        never_signed_in: count(UserStatus::NeverSignedIn).await?,
    })
}

pub(super) fn matching(filter: &UserFilter, now: i64) -> Select<Entity> {
    let mut query = match filter.status {
        UserStatus::All => Entity::find(),
        UserStatus::Active => Entity::find().filter(Column::IsActive.eq(true)),
        UserStatus::Locked => {
            Entity::find().filter(Column::Id.in_subquery(login_pauses::locked_at(now)))
        }
        UserStatus::Disabled => Entity::find().filter(Column::IsActive.eq(false)),
        UserStatus::NeverSignedIn => Entity::find().filter(Column::LastLogin.eq(0)),
    };
    query = match filter.role {
        None => query,
        Some(Role::User) => query
            .filter(Column::IsStaff.eq(false))
            .filter(Column::IsSuperuser.eq(false)),
        Some(Role::Staff) => query.filter(Column::IsStaff.eq(true)),
        Some(Role::Superuser) => query.filter(Column::IsSuperuser.eq(true)),
    };
    query = narrowed(query, filter, now);
    if let Some(text) = filter
        .q
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let mut any = Condition::any()
            .add(Column::UsernameKey.like(containing(&input::key(text))))
            .add(found_in(Column::Email, text));
        // Every word is looked for in the names, so that "ann lee" finds Ann Lee.
        let names = text.split_whitespace().fold(Condition::all(), |all, word| {
            all.add(
                Condition::any()
                    .add(found_in(Column::FirstName, word))
                    .add(found_in(Column::LastName, word)),
            )
        });
        any = any.add(names);
        query = query.filter(any);
    }
    query
}

/// By tokens and by when they joined.
fn narrowed(mut query: Select<Entity>, filter: &UserFilter, now: i64) -> Select<Entity> {
    if let Some(has_one) = filter.token {
        let mut live = Query::select();
        live.expr(Expr::val(1))
            .from(token::Entity)
            .and_where(
                Expr::col((token::Entity, token::Column::UserId)).equals((Entity, Column::Id)),
            )
            .and_where(token::Column::RevokedAt.is_null())
            .cond_where(
                Condition::any()
                    .add(token::Column::ExpiresAt.is_null())
                    .add(token::Column::ExpiresAt.gt(now)),
            );
        let exists = Expr::exists(live);
        query = query.filter(if has_one { exists } else { exists.not() });
    }
    let (from, before) = filter.joined;
    if let Some(from) = from {
        query = query.filter(Column::DateJoined.gte(from));
    }
    if let Some(before) = before {
        query = query.filter(Column::DateJoined.lt(before));
    }
    query
}

async fn live_tokens(app: &App, ids: Vec<i64>) -> Result<HashMap<i64, u64>> {
    let counts: Vec<(i64, i64)> = token::Entity::find()
        .select_only()
        .column(token::Column::UserId)
        .column_as(token::Column::Id.count(), "n")
        .filter(token::Column::UserId.is_in(ids))
        .filter(token::Column::RevokedAt.is_null())
        .filter(
            Condition::any()
                .add(token::Column::ExpiresAt.is_null())
                .add(token::Column::ExpiresAt.gt(app.now())),
        )
        .group_by(token::Column::UserId)
        .into_tuple()
        .all(app.db.read())
        .await?;
    Ok(counts
        .into_iter()
        .map(|(id, n)| (id, u64::try_from(n).unwrap_or(0)))
        .collect())
}
