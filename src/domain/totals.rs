//! How many rows of a kind there are, for tabs, pagers and tiles: counted exactly up to ten thousand; beyond that
//! counted by the server's timer, never by a request, and remembered by each node.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    ConnectionTrait, EntityTrait, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Query, SelectStatement, SimpleExpr},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::paging::{Count, EXACT, counting};
use crate::{app::App, error::Result};

/// Something that is counted.
#[derive(Clone, Copy, Debug)]
pub struct Total {
    /// Two totals of one name are one.
    pub name: &'static str,
    /// The rows, at a time in Unix seconds.
    pub rows: fn(i64) -> SelectStatement,
}

/// A query as a total wants it.
pub fn rows<E: EntityTrait>(query: Select<E>) -> SelectStatement {
    query.select_only().expr(Expr::cust("1")).into_query()
}

/// Of totals that are large, what they were when they were last counted.
#[derive(Debug, Default)]
pub struct Totals {
    large: Mutex<HashMap<&'static str, Large>>,
    news: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Large {
    rows: fn(i64) -> SelectStatement,
    /// 0: not counted yet.
    n: u64,
}

/// Between two rounds of counting, at least.
const PAUSE: Duration = Duration::from_mins(1);
/// Counting takes no more than a hundredth of the time.
const SHARE: u32 = 100;

impl Totals {
    fn large(&self) -> MutexGuard<'_, HashMap<&'static str, Large>> {
        self.large.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known without asking.
    fn known(&self, name: &str) -> Option<Count> {
        let n = self.large().get(name).map(|large| large.n)?;
        Some(Count {
            n: n.max(EXACT),
            exact: false,
        })
    }

    fn note(&self, total: Total) {
        let large = Large {
            rows: total.rows,
            n: 0,
        };
        self.large().entry(total.name).or_insert(large);
        self.news.notify_one();
    }
}

/// All of them by one statement, or none.
pub async fn counts<const N: usize>(app: &App, totals: [Total; N]) -> Result<[Count; N]> {
    let mut counts = totals.map(|total| app.totals.known(total.name));
    let asked = totals
        .iter()
        .zip(&counts)
        .filter(|(_, known)| known.is_none());
    let asked: Vec<SelectStatement> = asked
        .map(|(total, _)| counting((total.rows)(app.now()), Some(EXACT + 1)))
        .collect();
    if !asked.is_empty() {
        let mut query = Query::select();
        query.exprs(
            asked
                .into_iter()
                .map(|count| SimpleExpr::SubQuery(None, Box::new(count.into()))),
        );
        let row = app.db.read().query_one(&query).await?;
        let unknown = totals
            .iter()
            .zip(&mut counts)
            .filter(|(_, known)| known.is_none());
        for (at, (total, count)) in unknown.enumerate() {
            let n = match &row {
                Some(row) => u64::try_from(row.try_get_by_index::<i64>(at)?).unwrap_or(0),
                None => 0,
            };
            let exact = n <= EXACT;
            if !exact {
                app.totals.note(*total);
            }
            *count = Some(Count {
                n: n.min(EXACT),
                exact,
            });
        }
    }
    Ok(counts.map(|count| count.unwrap_or(Count { n: 0, exact: true })))
}

/// Counts what is large, again and again.
pub async fn keep(app: App) {
    loop {
        let begin = Instant::now();
        if let Err(e) = refresh(&app).await {
            tracing::warn!(error = %e, "could not count");
        }
        let pause = PAUSE.max(begin.elapsed() * SHARE);
        // Whoever became large is counted soon, though not for each of them anew.
        let _new = timeout(pause, app.totals.news.notified()).await;
        sleep(Duration::from_secs(1)).await;
    }
}

/// Counts what is large, one after the other. What no longer is, is forgotten.
pub async fn refresh(app: &App) -> Result<()> {
    let large = app.totals.large().clone();
    for (name, Large { rows, .. }) in large {
        let row = app
            .db
            .read()
            .query_one(&counting(rows(app.now()), None))
            .await?;
        let n = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
        let n = n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        if n > EXACT {
            app.totals.large().insert(name, Large { rows, n });
        } else {
            app.totals.large().remove(name);
        }
    }
    Ok(())
}
