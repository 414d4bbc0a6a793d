//! How frequent a text is, asked before a way to the rows is chosen (`ways.rs`).

use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, ExprTrait, QuerySelect, QueryTrait, Select,
    sea_query::{
        Alias, Condition, Expr, JoinType, Query, SelectStatement,
        extension::postgres::{PostgresSelectStatementExt, SampleMethod},
    },
};

use super::{EXACT, List};
use crate::{domain::search::Words, error::Result};

/// Percent of the pages of PostgreSQL's table that are looked at.
const SHARE: f64 = 0.2;
/// So many rows of these are ten thousand of the table.
const MANY: u64 = 20;

pub(super) struct Frequency {
    /// More than ten thousand rows have the text, or so it seems.
    pub(super) is_high: bool,
    /// So does every fifth row.
    pub(super) is_very_high: bool,
    /// How many of the rows of a walk would be on the page, by a sample; None: there is no sample.
    share: Option<Share>,
}

#[derive(Clone, Copy)]
struct Share {
    /// Rows of the sample.
    looked_at: u64,
    /// Those that the list has.
    in_list: u64,
    /// Those of them that have the text.
    found: u64,
}

impl Frequency {
    /// Whether a walk over so many rows would meet that many if they were spread evenly. `is_led`: it walks over rows of
    /// the list only.
    pub(super) fn is_met(&self, walk: u64, is_led: bool, many: u64) -> bool {
        let Some(share) = self.share else {
            return true;
        };
        let of = if is_led {
            share.in_list
        } else {
            share.looked_at
        };
        of > 0 && share.found * walk >= many * of
    }
}

/// SQLite's index gives rows one by one, so they are counted. PostgreSQL's gives all at once; there a five hundredth of
/// the table is looked at, the same one each time, so that the pages of one list take one way.
pub(super) async fn frequency<E, C>(db: &C, list: &List<E>, words: &Words) -> Result<Frequency>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    if db.get_database_backend() != DbBackend::Postgres {
        let n = super::number(db, &words.count_in_index::<E>(EXACT + 1)).await?;
        return Ok(Frequency {
            is_high: n > EXACT,
            is_very_high: false,
            share: None,
        });
    }
    let (table, filtered) = (Alias::new("whole"), Alias::new("part"));
    let mut query = Query::select();
    query
        .exprs([LOOKED_AT, FOUND].map(|name| Expr::col((table.clone(), Alias::new(name)))))
        .from_subquery(sample(E::find(), words), table);
    if list.is_filtered {
        query
            .exprs([LOOKED_AT, FOUND].map(|name| Expr::col((filtered.clone(), Alias::new(name)))))
            .join_subquery(
                JoinType::InnerJoin,
                sample(list.query.clone(), words),
                filtered,
                Condition::all().add(Expr::cust("TRUE")),
            );
    }
    let row = db.query_one(&query).await?;
    let count = |at: usize| -> Result<u64> {
        let n = row.as_ref().map(|row| row.try_get_by_index::<i64>(at));
        Ok(u64::try_from(n.transpose()?.unwrap_or(0)).unwrap_or(0))
    };
    let (looked_at, found) = (count(0)?, count(1)?);
    let share = if list.is_filtered {
        Share {
            looked_at,
            in_list: count(2)?,
            found: count(3)?,
        }
    } else {
        Share {
            looked_at,
            in_list: looked_at,
            found,
        }
    };
    Ok(Frequency {
        is_high: found > MANY,
        is_very_high: 5 * found > looked_at,
        share: Some(share),
    })
}

const LOOKED_AT: &str = "looked_at";
const FOUND: &str = "found";

fn sample<E: EntityTrait>(rows: Select<E>, words: &Words) -> SelectStatement {
    let has = Expr::case(words.in_row::<E>(DbBackend::Postgres), 1);
    let mut rows = rows.select_only().into_query();
    rows.expr_as(Expr::cust("COUNT(*)"), Alias::new(LOOKED_AT))
        .expr_as(Expr::expr(has).count(), Alias::new(FOUND))
        .table_sample(SampleMethod::SYSTEM, SHARE, Some(0.0));
    rows
}
