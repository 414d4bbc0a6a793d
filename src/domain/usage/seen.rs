//! What is known of the uses of tokens, as far as it has been flushed: by day, lately, from where.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement,
};

use super::{ADDRESSES, DAY, SLOT, day_of};
pub use crate::entity::token_address::Model as Address;
use crate::{
    app::App,
    entity::{
        token_address,
        token_use::{Column, Entity},
    },
    error::Result,
};

/// Days that `Uses` tells of, today included.
const SHOWN: usize = 30;
const HOUR: i64 = 3600;

/// How often a token was used, as far as it has been flushed.
#[derive(Clone, Debug)]
pub struct Uses {
    /// The last thirty, the oldest first, today last; those without a use, too.
    pub days: Vec<DayUses>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayUses {
    /// Unix seconds of midnight UTC.
    pub day: i64,
    pub count: i64,
}

impl Uses {
    pub fn today(&self) -> i64 {
        self.days.last().map_or(0, |day| day.count)
    }

    pub fn total(&self) -> i64 {
        self.days.iter().map(|day| day.count).sum()
    }
}

pub async fn uses_of(app: &App, token_id: i64) -> Result<Uses> {
    let today = day_of(app.now());
    let first = today - (i64::try_from(SHOWN).unwrap_or(30) - 1) * DAY;
    let rows = Entity::find()
        .filter(Column::TokenId.eq(token_id))
        .filter(Column::Day.gte(first))
        .filter(Column::Day.lte(today))
        .order_by_asc(Column::Day)
        .all(app.db.read())
        .await?;
    let days = (0_i64..).take(SHOWN).map(|n| {
        let day = first + n * DAY;
        let row = rows.iter().find(|row| row.day == day);
        DayUses {
            day,
            count: row.map_or(0, |row| row.count),
        }
    });
    Ok(Uses {
        days: days.collect(),
    })
}

/// How often a token was used in the last hour and the last day, to ten minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Recent {
    pub last_hour: i64,
    pub last_day: i64,
}

pub async fn recent_of(app: &App, token_id: i64) -> Result<Recent> {
    let recent = recent_of_many(app, &[token_id]).await?;
    Ok(recent.get(&token_id).copied().unwrap_or_default())
}

#[derive(FromQueryResult)]
struct Counted {
    token_id: i64,
    #[sea_orm(nested)]
    recent: Recent,
}

/// The same for a page of tokens, in one question; those without a use are left out. What began up to
/// ten minutes earlier counts as well, so that nothing is ever left out.
pub async fn recent_of_many(app: &App, ids: &[i64]) -> Result<HashMap<i64, Recent>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let db = app.db.read();
    // Numbers of ours, not texts of somebody's.
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sql = format!(
        "SELECT token_id, \
         CAST(SUM(CASE WHEN slot > $1 THEN count ELSE 0 END) AS BIGINT) AS last_hour, \
         CAST(SUM(count) AS BIGINT) AS last_day \
         FROM token_slots WHERE token_id IN ({}) AND slot > $2 GROUP BY token_id",
        ids.join(", ")
    );
    let now = app.now();
    let values = [(now - HOUR - SLOT).into(), (now - DAY - SLOT).into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = Counted::find_by_statement(statement).all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.token_id, row.recent))
        .collect())
}

/// The last addresses that a token was used from, the latest first.
pub async fn addresses_of(app: &App, token_id: i64) -> Result<Vec<Address>> {
    Ok(token_address::Entity::find()
        .filter(token_address::Column::TokenId.eq(token_id))
        .order_by_desc(token_address::Column::LastAt)
        .order_by_asc(token_address::Column::Address)
        .limit(ADDRESSES as u64)
        .all(app.db.read())
        .await?)
}
