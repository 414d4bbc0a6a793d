//! What is known of the uses of tokens, as far as it has been flushed: by day, lately, from where.

use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, SimpleExpr},
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

impl Recent {
    /// Of the token of a row, for a query of tokens. What began up to ten minutes earlier counts as well, so that nothing
    /// is ever left out.
    pub(in crate::domain) fn last_hour(now: i64) -> SimpleExpr {
        uses_since(now - HOUR - SLOT)
    }

    pub(in crate::domain) fn last_day(now: i64) -> SimpleExpr {
        uses_since(now - DAY - SLOT)
    }
}

/// A number of ours, not a text of somebody's.
fn uses_since(at: i64) -> SimpleExpr {
    Expr::cust(format!(
        r#"CAST(COALESCE((SELECT SUM("count") FROM "token_slots" WHERE "token_slots"."token_id" = "tokens"."id" AND "slot" > {at}), 0) AS BIGINT)"#
    ))
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
