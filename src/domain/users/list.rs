//! Lists of users: tabs, search, filters, sort, keyset pages.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, SelectStatement},
};

use super::User;
use crate::{
    app::App,
    domain::{
        paging::{Count, Key, Kind, List, Order, Page, PageRequest, page_of},
        search::Words,
        totals::{self, Total, rows},
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
    pub sort: UserSort,
    pub page: PageRequest,
}

#[derive(Debug)]
pub struct UserRow {
    pub user: User,
    /// Live tokens.
    pub token_count: u64,
}

#[derive(Debug)]
pub struct UserCounts {
    pub all: Count,
    pub active: Count,
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
    let rows = page_of(
        app.db.read(),
        matching(app, filter).await?,
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
    let counts = live_tokens(app, ids).await?;
    Ok(rows.map(|user| UserRow {
        token_count: counts.get(&user.id).copied().unwrap_or(0),
        user,
    }))
}

/// The totals of the tabs.
pub async fn counts(app: &App) -> Result<UserCounts> {
    use UserStatus::{Active, All, Disabled, NeverSignedIn};
    let totals = [All, Active, Disabled, NeverSignedIn].map(UserStatus::total);
    let [all, active, disabled, never_signed_in] = totals::counts(app, totals).await?;
    Ok(UserCounts {
        all,
        active,
        disabled,
        never_signed_in,
    })
}

impl UserStatus {
    fn total(self) -> Total {
        let (name, rows): (_, fn(i64) -> SelectStatement) = match self {
            Self::All => ("users", |_| rows(Self::All.rows())),
            Self::Active => ("users.active", |_| rows(Self::Active.rows())),
            Self::Disabled => ("users.disabled", |_| rows(Self::Disabled.rows())),
            Self::NeverSignedIn => ("users.never", |_| rows(Self::NeverSignedIn.rows())),
        };
        Total { name, rows }
    }

    /// Conditions are spelled as in the indexes of these rows, not with values that are bound: by those SQLite
    /// would not know the index.
    fn rows(self) -> Select<Entity> {
        match self {
            Self::All => Entity::find(),
            Self::Active => Entity::find().filter(Column::IsActive.into_expr()),
            Self::Disabled => Entity::find().filter(Column::IsActive.into_expr().not()),
            Self::NeverSignedIn => {
                Entity::find().filter(Column::LastLogin.into_expr().eq(Expr::cust("0")))
            }
        }
    }
}

async fn matching(app: &App, filter: &UserFilter) -> Result<List<Entity>> {
    let is_staff = Column::IsStaff.into_expr();
    let is_superuser = Column::IsSuperuser.into_expr();
    let search = filter.q.as_deref().and_then(Words::of);
    let total = if search.is_none() && filter.role.is_none() {
        let [total] = totals::counts(app, [filter.status.total()]).await?;
        Some(total)
    } else {
        None
    };
    let mut query = match filter.status {
        // Where many never signed in, they are met soon in any order; sorting all of them would take long.
        UserStatus::NeverSignedIn if !total.is_some_and(Count::is_small) => {
            Entity::find().filter(Expr::cust(r#"+"users"."last_login" = 0"#))
        }
        status => status.rows(),
    };
    query = match filter.role {
        None => query,
        Some(Role::User) => query.filter(is_staff.not()).filter(is_superuser.not()),
        Some(Role::Staff) => query.filter(is_staff),
        Some(Role::Superuser) => query.filter(is_superuser),
    };
    Ok(List {
        query,
        search,
        total,
        is_filtered: filter.status != UserStatus::All || filter.role.is_some(),
    })
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
