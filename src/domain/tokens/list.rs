//! Lists of tokens: keyset pages with owners and uses, and the totals of the tabs. What a filter says is in `filter`.

use std::{collections::HashMap, mem};

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationDef, Select,
    sea_query::SelectStatement,
};

use super::{
    Token, TokenState,
    filter::{Only, TokenFilter, TokenOrder, in_state, matching},
    rotated::{ROTATION, rotation, successor},
    spelling::{END, end},
    unused::SEEN,
};
use crate::{
    app::App,
    domain::{
        paging::{By, Count, EXACT, Key, Kind, Order, Page, page_of},
        search::text_of_token,
        totals::{self, Total, rows},
        usage::Recent,
        users::User,
    },
    entity::{
        token::{ActiveModel, Column, Entity},
        token_use, user,
    },
    error::Result,
    keys::Digest,
};

#[derive(Clone, Debug)]
pub struct TokenRow {
    pub token: Token,
    pub owner: User,
    /// How often it was used lately.
    pub recent: Recent,
    /// If it was rotated: the token that followed it.
    pub successor: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
pub struct TokenCounts {
    pub active: Count,
    pub expiring: Count,
    pub unused: Count,
    pub expired: Count,
    pub revoked: Count,
}

/// In the order of the filter.
pub async fn list(app: &App, filter: &TokenFilter) -> Result<Page<TokenRow>> {
    let matching = matching(app, filter).await?;
    let order = filter.order();
    let key_of = |token: &Token| {
        let key = match order {
            TokenOrder::Newest => token.id,
            TokenOrder::FirstToEnd | TokenOrder::LastToEnd => end(token),
            TokenOrder::LongestUnseen | TokenOrder::LatestSeen => {
                token.last_used_at.unwrap_or(token.created_at)
            }
        };
        (Key::Number(key), token.id)
    };
    let order = Order {
        by: match order {
            TokenOrder::Newest => By::Id,
            // All of these end.
            TokenOrder::FirstToEnd | TokenOrder::LastToEnd
                if filter.only == Some(Only::Expiring) =>
            {
                By::Column(Column::ExpiresAt)
            }
            TokenOrder::FirstToEnd | TokenOrder::LastToEnd => By::Expression(END),
            TokenOrder::LongestUnseen | TokenOrder::LatestSeen => By::Expression(SEEN),
        },
        id: Column::Id,
        descending: matches!(
            order,
            TokenOrder::Newest | TokenOrder::LastToEnd | TokenOrder::LatestSeen
        ),
        kind: Kind::Number,
    };
    let mut page = page_of(app.db.read(), matching, order, &filter.page, key_of).await?;
    let rows = with_owners(app, mem::take(&mut page.rows)).await?;
    Ok(page.with(rows))
}

/// With their owners and their uses of late, by one question.
pub(super) async fn with_owners(app: &App, tokens: Vec<Token>) -> Result<Vec<TokenRow>> {
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let db = app.db.read();
    let whose: RelationDef = user::Entity::belongs_to(Entity)
        .from(user::Column::Id)
        .to(Column::UserId)
        .into();
    let query = user::Entity::find()
        .join(JoinType::InnerJoin, whose)
        .column_as(Column::Id, TOKEN_ID)
        .column_as(Recent::last_hour(app.now()), "last_hour")
        .column_as(Recent::last_day(app.now()), "last_day")
        .column_as(rotation(), ROTATION)
        .filter(Column::Id.is_in(tokens.iter().map(|token| token.id)))
        .into_query();
    let mut beside: HashMap<i64, (User, Recent, Option<i64>)> = HashMap::new();
    for row in db.query_all(&query).await? {
        let found = (
            User::from_query_result(&row, "")?,
            Recent::from_query_result(&row, "")?,
            successor(&row)?,
        );
        beside.insert(row.try_get("", TOKEN_ID)?, found);
    }
    // A user deleted between the two questions took the token along.
    let rows = tokens.into_iter().filter_map(|token| {
        let (owner, recent, successor) = beside.remove(&token.id)?;
        Some(TokenRow {
            token,
            owner,
            recent,
            successor,
        })
    });
    Ok(rows.collect())
}

const TOKEN_ID: &str = "token_id";

/// The tokens of one user that are not revoked, the newest first, at most a hundred.
pub async fn list_for(app: &App, user_id: i64) -> Result<Vec<Token>> {
    Ok(of_user(user_id).all(app.db.read()).await?)
}

pub(super) fn of_user(user_id: i64) -> Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::RevokedAt.is_null())
        .order_by_desc(Column::Id)
        .limit(100)
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
    Ok(totals::counts(app, TokenCounts::totals()).await?.into())
}

impl From<[Count; 5]> for TokenCounts {
    fn from([active, expiring, unused, expired, revoked]: [Count; 5]) -> Self {
        Self {
            active,
            expiring,
            unused,
            expired,
            revoked,
        }
    }
}

/// When the first of those ends that expire soon.
pub async fn first_end(app: &App) -> Result<Option<i64>> {
    let now = app.now();
    let ends = Entity::find()
        .filter(Column::RevokedAt.is_null())
        .filter(Only::Expiring.condition(now))
        .select_only()
        .column(Column::ExpiresAt)
        .order_by_asc(Column::ExpiresAt)
        .limit(1)
        .into_tuple::<Option<i64>>()
        .one(app.db.read())
        .await?;
    Ok(ends.flatten())
}

/// Whether a call was made with a token: a use that is still counted, or one of the newest tokens, whose uses were long ago.
pub async fn is_any_used(app: &App) -> Result<bool> {
    let use_of_late = token_use::Entity::find().one(app.db.read()).await?;
    if use_of_late.is_some() {
        return Ok(true);
    }
    let newest: Vec<Option<i64>> = Entity::find()
        .select_only()
        .column(Column::LastUsedAt)
        .order_by_desc(Column::Id)
        .limit(25)
        .into_tuple()
        .all(app.db.read())
        .await?;
    Ok(newest.iter().any(Option::is_some))
}

impl TokenCounts {
    pub(in crate::domain) fn totals() -> [Total; 5] {
        use TokenState::{Active, Expired, Revoked};
        [
            total(Some(Active), None),
            total(Some(Active), Some(Only::Expiring)),
            total(Some(Active), Some(Only::Unused)),
            total(Some(Expired), None),
            total(Some(Revoked), None),
        ]
    }

    pub fn all(&self) -> Count {
        let each = [self.active, self.expired, self.revoked];
        Count {
            // Where one stopped at ten thousand, the sum says no more than that.
            n: if each.iter().any(|c| !c.exact && c.n <= EXACT) {
                EXACT
            } else {
                each.iter().map(|c| c.n).sum()
            },
            exact: each.iter().all(|c| c.exact),
        }
    }

    /// What a list under this filter has before a text is looked for, if a tab says so.
    pub fn of(&self, filter: &TokenFilter) -> Option<Count> {
        (!filter.is_narrowed()).then(|| self.of_tab(filter))
    }

    /// What its tab has.
    pub fn of_tab(&self, filter: &TokenFilter) -> Count {
        match (filter.state, filter.only) {
            (_, Some(Only::Expiring)) => self.expiring,
            (_, Some(Only::Unused)) => self.unused,
            (Some(TokenState::Active), None) => self.active,
            (Some(TokenState::Expired), None) => self.expired,
            (Some(TokenState::Revoked), None) => self.revoked,
            (None, None) => self.all(),
        }
    }
}

pub(super) fn total(state: Option<TokenState>, only: Option<Only>) -> Total {
    use TokenState::{Active, Expired, Revoked};
    let (name, rows): (_, fn(i64) -> SelectStatement) = match (state, only) {
        (Some(Active), Some(Only::Expiring)) => ("tokens.expiring", |now| {
            let condition = Only::Expiring.condition(now);
            // Not as a token of any active kind: PostgreSQL would read all that have ended, too.
            rows(
                Entity::find()
                    .filter(Column::RevokedAt.is_null())
                    .filter(condition),
            )
        }),
        (Some(Active), Some(Only::Unused)) => ("tokens.unused", |now| {
            let condition = Only::Unused.condition(now);
            rows(in_state(Some(Active), now).filter(condition))
        }),
        (None, _) => ("tokens", |now| rows(in_state(None, now))),
        (Some(Active), None) => ("tokens.active", |now| rows(in_state(Some(Active), now))),
        (Some(Expired), _) => ("tokens.expired", |now| rows(in_state(Some(Expired), now))),
        (Some(Revoked), _) => ("tokens.revoked", |now| rows(in_state(Some(Revoked), now))),
    };
    Total { name, rows }
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
