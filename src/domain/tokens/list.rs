//! Lists of tokens: states, search, keyset pages.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{Expr, ExprTrait, SelectStatement},
};

use super::{Token, TokenState, key::is_well_formed, make::PREFIX_SHOWN};
use crate::{
    app::App,
    domain::{
        paging::{Count, Key, Kind, List, Order, Page, PageRequest, page_of},
        search::{Words, text_of_token},
        totals::{self, Total, rows},
        users::User,
    },
    entity::{
        token::{ActiveModel, Column, Entity},
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
    /// `many`: see `matching`.
    fn condition(self, now: i64, many: bool) -> Condition {
        match self {
            Self::Expiring => {
                let expires = if many {
                    Expr::cust(r#"+"tokens"."expires_at""#)
                } else {
                    Column::ExpiresAt.into_expr()
                };
                Condition::all()
                    .add(Column::ExpiresAt.is_not_null())
                    .add(expires.lte(now + 7 * DAY))
            }
            Self::Unused => {
                let seen = Expr::cust(super::unused::SEEN);
                let seen = if many { seen.add(0) } else { seen };
                Condition::all().add(seen.lte(now - 30 * DAY))
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
    let matching = matching(app, filter).await?;
    let key_of = |token: &Token| (Key::Number(token.id), token.id);
    let tokens = page_of(
        app.db.read(),
        matching,
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

/// The totals of the tabs.
pub async fn counts(app: &App) -> Result<TokenCounts> {
    use TokenState::{Active, Expired, Revoked};
    let totals = [
        total(Some(Active), None),
        total(Some(Active), Some(Only::Expiring)),
        total(Some(Active), Some(Only::Unused)),
        total(Some(Expired), None),
        total(Some(Revoked), None),
    ];
    let [active, expiring, unused, expired, revoked] = totals::counts(app, totals).await?;
    Ok(TokenCounts {
        active,
        expiring,
        unused,
        expired,
        revoked,
    })
}

fn total(state: Option<TokenState>, only: Option<Only>) -> Total {
    use TokenState::{Active, Expired, Revoked};
    let (name, rows): (_, fn(i64) -> SelectStatement) = match (state, only) {
        (Some(Active), Some(Only::Expiring)) => ("tokens.expiring", |now| {
            let condition = Only::Expiring.condition(now, false);
            rows(in_state(Some(Active), now).filter(condition))
        }),
        (Some(Active), Some(Only::Unused)) => ("tokens.unused", |now| {
            let condition = Only::Unused.condition(now, false);
            rows(in_state(Some(Active), now).filter(condition))
        }),
        (None, _) => ("tokens", |now| rows(in_state(None, now))),
        (Some(Active), None) => ("tokens.active", |now| rows(in_state(Some(Active), now))),
        (Some(Expired), _) => ("tokens.expired", |now| rows(in_state(Some(Expired), now))),
        (Some(Revoked), _) => ("tokens.revoked", |now| rows(in_state(Some(Revoked), now))),
    };
    Total { name, rows }
}

fn in_state(state: Option<TokenState>, now: i64) -> Select<Entity> {
    match state {
        None => Entity::find(),
        Some(TokenState::Active) => Entity::find().filter(Column::RevokedAt.is_null()).filter(
            Condition::any()
                .add(Column::ExpiresAt.is_null())
                .add(Column::ExpiresAt.gt(now)),
        ),
        Some(TokenState::Expired) => Entity::find()
            .filter(Column::RevokedAt.is_null())
            .filter(Column::ExpiresAt.is_not_null())
            .filter(Column::ExpiresAt.lte(now)),
        Some(TokenState::Revoked) => Entity::find().filter(Column::RevokedAt.is_not_null()),
    }
}

async fn matching(app: &App, filter: &TokenFilter) -> Result<List<Entity>> {
    let now = app.now();
    let search = filter.q.as_deref().and_then(|q| {
        // Whoever pastes a whole key finds it by what it begins with.
        let words = q.split_whitespace().map(|word| {
            if is_well_formed(word) {
                word.chars().take(PREFIX_SHOWN).collect()
            } else {
                word.to_owned()
            }
        });
        Words::of(&words.collect::<Vec<String>>().join(" "))
    });
    let total = if search.is_none() && filter.owner.is_none() {
        let [total] = totals::counts(app, [total(filter.state, filter.only)]).await?;
        Some(total)
    } else {
        None
    };
    // Where many have ended, they are met soon in the order of the list; with the indexes that find a few of them all
    // would be sorted. A plus sign before a column keeps its indexes away.
    let is_large = !total.is_some_and(Count::is_small);
    let mut query = match filter.state {
        Some(TokenState::Expired) if is_large => Entity::find()
            .filter(Expr::cust(r#"+"tokens"."revoked_at" IS NULL"#))
            .filter(Column::ExpiresAt.lte(now)),
        Some(TokenState::Revoked) if is_large => {
            Entity::find().filter(Expr::cust(r#"+"tokens"."revoked_at" IS NOT NULL"#))
        }
        state => in_state(state, now),
    };
    if let Some(only) = filter.only {
        query = query.filter(only.condition(now, is_large));
    }
    if let Some(owner) = filter.owner {
        query = query.filter(Column::UserId.eq(owner));
    }
    Ok(List {
        query,
        search,
        total,
        is_filtered: filter.state.is_some() || filter.only.is_some() || filter.owner.is_some(),
    })
}

/// The owner's name is among what a token is searched by.
pub(crate) async fn owner_renamed<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    username: &str,
) -> Result<()> {
    let tokens = Entity::find()
        .filter(Column::UserId.eq(user_id))
        .all(db)
        .await?;
    for token in tokens {
        let text = text_of_token(&token.name, &token.prefix, username);
        let row = ActiveModel {
            id: Set(token.id),
            search: Set(text),
            ..ActiveModel::default()
        };
        Entity::update(row).exec(db).await?;
    }
    Ok(())
}
