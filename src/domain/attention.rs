//! What somebody should look at: questions that an index answers, however big the tables are.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func},
};

use crate::{
    app::App,
    domain::paging::{Count, count_up_to},
    entity::token::{Column, Entity},
    error::Result,
};

/// Seconds.
const DAY: i64 = 86_400;
/// Tokens that end so soon are told of.
const SOON: i64 = 7 * DAY;
/// As are those that nobody used for so long.
const UNUSED: i64 = 90 * DAY;

/// Tokens that somebody should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// That end within a week.
    pub expiring: Count,
    /// When the first of these ends.
    pub first_ends: Option<i64>,
    /// Good, and not used for 90 days, or never in that time.
    pub unused: Count,
}

pub async fn tokens(app: &App) -> Result<Tokens> {
    let (db, now) = (app.db.read(), app.now());
    let live = Entity::find().filter(Column::RevokedAt.is_null());
    let expiring = live
        .clone()
        .filter(Column::ExpiresAt.gt(now))
        .filter(Column::ExpiresAt.lte(now + SOON));
    let first = expiring
        .clone()
        .order_by_asc(Column::ExpiresAt)
        .limit(1)
        .one(db)
        .await?;
    let seen = Func::coalesce([Expr::col(Column::LastUsedAt), Expr::col(Column::CreatedAt)]);
    let unused = live.filter(Expr::expr(seen).lt(now - UNUSED)).filter(
        Condition::any()
            .add(Column::ExpiresAt.is_null())
            .add(Column::ExpiresAt.gt(now)),
    );
    Ok(Tokens {
        expiring: match &first {
            Some(_) => count_up_to(db, expiring, Column::Id).await?,
            None => Count { n: 0, exact: true },
        },
        first_ends: first.and_then(|token| token.expires_at),
        unused: count_up_to(db, unused, Column::Id).await?,
    })
}
