//! Acts on many records at once: what was done and what was passed over, and walking over all that a
//! filter matches, however many. What an act does to a record is with the record.

use std::{collections::BTreeMap, future::Future};

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
    },
    error::{Error, Result},
};

/// Records in one transaction: a moment for the writer, and few enough for one `Affects::Users`.
pub const BATCH: u64 = 200;

/// Why a record was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Skip {
    /// Whoever does it.
    You,
    /// The browser session in which it is done.
    ThisSession,
    LastSuperuser,
    /// Only a superuser may.
    OutOfReach,
    /// It was so already.
    Already,
    /// It has ended, and does not come back.
    Ended,
    /// Another one follows it.
    Rotated,
    Gone,
    /// Somebody changed it at the same moment.
    Clash,
}

impl Skip {
    /// Failures that concern one record and not the others.
    fn of(e: &Error) -> Option<Self> {
        match e {
            Error::NotFound => Some(Self::Gone),
            Error::LastSuperuser => Some(Self::LastSuperuser),
            Error::PermissionDenied => Some(Self::OutOfReach),
            Error::Conflict(_) => Some(Self::Clash),
            _ => None,
        }
    }
}

/// What became of the records so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub done: u64,
    pub skipped: BTreeMap<Skip, u64>,
}

impl Tally {
    pub fn skip(&mut self, why: Skip) {
        self.skip_many(why, 1);
    }

    pub fn skip_many(&mut self, why: Skip, n: u64) {
        if n > 0 {
            let so_far = self.skipped.entry(why).or_default();
            *so_far = so_far.saturating_add(n);
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.done = self.done.saturating_add(other.done);
        for (why, n) in &other.skipped {
            self.skip_many(*why, *n);
        }
    }

    pub fn passed_over(&self) -> u64 {
        self.skipped
            .values()
            .fold(0, |sum, n| sum.saturating_add(*n))
    }
}

/// For acts that have no statement for many: one by one, each in its own transaction. A failure of one
/// is a reason to pass it over; a failure of the database ends it.
pub async fn each<F>(ids: &[i64], mut act: impl FnMut(i64) -> F + Send) -> Result<Tally>
where
    F: Future<Output = Result<()>> + Send,
{
    let mut tally = Tally::default();
    for id in ids {
        match act(*id).await {
            Ok(()) => tally.done += 1,
            Err(e) => tally.skip(Skip::of(&e).ok_or(e)?),
        }
    }
    Ok(tally)
}

/// The ids after `after` that `query` matches, in their order.
pub async fn ids<E, C>(
    db: &C,
    query: Select<E>,
    id: E::Column,
    after: i64,
    limit: u64,
) -> Result<Vec<i64>>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    Ok(query
        .filter(id.gt(after))
        .select_only()
        .column(id)
        .order_by_asc(id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?)
}

/// The highest id there is; 0 where there is none.
pub async fn newest<E, C>(db: &C, id: E::Column) -> Result<i64>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let highest: Option<i64> = E::find()
        .select_only()
        .column(id)
        .order_by_desc(id)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(highest.unwrap_or(0))
}

/// The event of the act as a whole, before the first record; each record has its own beside it.
pub async fn note(
    app: &App,
    by: &Actor,
    action: &'static str,
    what: &str,
    filter: &str,
    expected: u64,
) -> Result<()> {
    let db = app.db.begin().await?;
    let event = Event::new(action, None, what).with(json!({"filter": filter, "count": expected}));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Nobody).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up() {
        let mut all = Tally::default();
        let mut part = Tally {
            done: 3,
            ..Tally::default()
        };
        part.skip(Skip::You);
        part.skip_many(Skip::Gone, 0);
        all.add(&part);
        all.add(&part);
        assert_eq!((all.done, all.passed_over()), (6, 2));
        assert_eq!(all.skipped.len(), 1);
    }
}
