//! Lists of tokens: states, search, keyset pages.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait},
};

use super::{Token, TokenState};
use crate::{
    app::App,
    domain::{
        paging::{
            Count, Key, Kind, Order, Page, PageRequest, containing, count_up_to, found_in, page,
            starting_with,
        },
        users::User,
    },
    entity::{
        token::{Column, Entity},
        user,
    },
    error::Result,
    keys::Digest,
};

#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Owner, name or first characters.
    pub q: Option<String>,
    pub state: Option<TokenState>,
    /// Of the active ones only some.
    pub only: Option<Only>,
    pub owner: Option<i64>,
    pub page: PageRequest,
}

/// What an administrator looks for among the active tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// End within a week.
    Expiring,
    /// Not used for thirty days; never used: made so long ago.
    Unused,
}

const DAY: i64 = 86_400;

impl Only {
    fn condition(self, now: i64) -> Condition {
        match self {
            Self::Expiring => Condition::all()
                .add(Column::ExpiresAt.is_not_null())
                .add(Column::ExpiresAt.lte(now + 7 * DAY)),
            Self::Unused => {
                Condition::all().add(Expr::cust(super::unused::SEEN).lte(now - 30 * DAY))
            }
        }
    }
}

#[derive(Clone, Debug)]
pub struct TokenRow {
    pub token: Token,
    pub owner: User,
}

#[derive(Debug)]
pub struct TokenCounts {
    pub active: Count,
    pub expiring: Count,
    pub unused: Count,
    pub expired: Count,
    pub revoked: Count,
}

/// The newest first.
pub async fn list(app: &App, filter: &TokenFilter) -> Result<Page<TokenRow>> {
    let query = matching(filter, app.now());
    let key_of = |token: &Token| (Key::Number(token.id), token.id);
    let tokens = page(
        app.db.read(),
        query,
        Order {
            column: Column::Id,
            id: Column::Id,
            descending: true,
            kind: Kind::Number,
        },
        &filter.page,
        key_of,
    )
    .await?;
    Ok(Page {
        rows: with_owners(app, tokens.rows).await?,
        next: tokens.next,
        previous: tokens.previous,
        total: tokens.total,
        first_index: tokens.first_index,
    })
}

async fn with_owners(app: &App, tokens: Vec<Token>) -> Result<Vec<TokenRow>> {
    let ids: Vec<i64> = tokens.iter().map(|token| token.user_id).collect();
    let owners = user::Entity::find()
        .filter(user::Column::Id.is_in(ids))
        .all(app.db.read())
        .await?;
    let owners: HashMap<i64, User> = owners.into_iter().map(|user| (user.id, user)).collect();
    // A user deleted between the two questions took the token along.
    let rows = tokens.into_iter().filter_map(|token| {
        let owner = owners.get(&token.user_id)?.clone();
        Some(TokenRow { token, owner })
    });
    Ok(rows.collect())
}

/// The tokens of one user that are not revoked, the newest first, at most a hundred.
pub async fn list_for(app: &App, user_id: i64) -> Result<Vec<Token>> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::RevokedAt.is_null())
        .order_by_desc(Column::Id)
        .limit(100)
        .all(app.db.read())
        .await?)
}

/// The tokens of one user that were revoked at `since` (Unix seconds) or later, the latest first, at
/// most twenty.
pub async fn revoked_since(app: &App, user_id: i64, since: i64) -> Result<Vec<Token>> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::RevokedAt.gte(since))
        .order_by_desc(Column::RevokedAt)
        .order_by_desc(Column::Id)
        .limit(20)
        .all(app.db.read())
        .await?)
}

/// The tokens of these keys, whatever their state, with their owners; in no order.
pub async fn find_by_digests(app: &App, digests: &[Digest]) -> Result<Vec<TokenRow>> {
    let digests = digests.iter().map(|digest| digest.to_vec());
    let found = Entity::find()
        .filter(Column::Digest.is_in(digests))
        .all(app.db.read())
        .await?;
    with_owners(app, found).await
}

/// The figures of the tabs.
pub async fn counts(app: &App) -> Result<TokenCounts> {
    let count = async |state, only| {
        let filter = TokenFilter {
            state: Some(state),
            only,
            ..TokenFilter::default()
        };
        count_up_to(app.db.read(), matching(&filter, app.now()), Column::Id).await
    };
    Ok(TokenCounts {
        active: count(TokenState::Active, None).await?,
        expiring: count(TokenState::Active, Some(Only::Expiring)).await?,
        unused: count(TokenState::Active, Some(Only::Unused)).await?,
        expired: count(TokenState::Expired, None).await?,
        revoked: count(TokenState::Revoked, None).await?,
    })
}

fn matching(filter: &TokenFilter, now: i64) -> Select<Entity> {
    let mut query = match filter.state {
        None => Entity::find(),
        Some(TokenState::Active) => Entity::find().filter(Column::RevokedAt.is_null()).filter(
            Condition::any()
                .add(Column::ExpiresAt.is_null())
                .add(Column::ExpiresAt.gt(now)),
        ),
        Some(TokenState::Expired) => Entity::find()
            .filter(Column::RevokedAt.is_null())
            .filter(Column::ExpiresAt.lte(now)),
        Some(TokenState::Revoked) => Entity::find().filter(Column::RevokedAt.is_not_null()),
    };
    if let Some(only) = filter.only {
        query = query.filter(only.condition(now));
    }
    if let Some(owner) = filter.owner {
        query = query.filter(Column::UserId.eq(owner));
    }
    if let Some(text) = filter
        .q
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        // Whoever pastes a whole key finds it by what it begins with.
        let prefix: String = text.chars().take(8).collect();
        let owners = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::UsernameKey.like(containing(&text.to_lowercase())))
            .into_query();
        query = query.filter(
            Condition::any()
                .add(Column::UserId.in_subquery(owners))
                .add(found_in(Column::Name, text))
                .add(Column::Prefix.like(starting_with(&prefix))),
        );
    }
    query
}
