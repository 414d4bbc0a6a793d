//! The two ways to the rows of a page, and which one is taken. What a page is, in `paging.rs`.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult,
    QueryFilter, QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, CommonTableExpression, Expr, JoinType, Query, SelectStatement, WithClause},
};

use super::{
    Count, EXACT, List, count_few, counting,
    order::{KEY, Sorted, Way},
    probe::frequency,
};
use crate::{domain::search::Words, error::Result};

/// Up to so many rows of a filter are collected and sorted.
pub(super) const FEW: u64 = 1_000;
/// So many rows are looked at for a text that is frequent, before all that have it are collected.
const WALK: u64 = 5_000;

/// What a way leads to.
pub(super) struct Found<M> {
    pub(super) rows: Vec<M>,
    /// Without the way.
    pub(super) total: Count,
    /// See `Page`.
    pub(super) newest_first: bool,
}

/// The rows in the order of the way, or the newest first.
pub(super) async fn rows_of<E, C>(
    db: &C,
    mut list: List<E>,
    way: &Way<'_, E::Column>,
) -> Result<Found<E::Model>>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let found = |rows, total| Found {
        rows,
        total,
        newest_first: way.is_newest_first(),
    };
    let all = |(rows, n): (Vec<E::Model>, u64)| Ok(found(rows, Count { n, exact: true }));
    let few = list.few.take().unwrap_or_else(|| list.query.clone());
    let Some(words) = &list.search.take() else {
        let total = match list.total {
            Some(total) if list.is_filtered && total.is_small() => {
                return Ok(found(collect(db, few, way).await?.0, total));
            }
            Some(total) => total,
            None => {
                // Counted while they are collected.
                let some = few.clone().limit(FEW + 1);
                let (rows, n) = collect(db, some, way).await?;
                let n = if rows.is_empty() && way.cursor.is_some() {
                    // None of these is beyond the cursor, so none says how many they are.
                    count_few(db, few, way.order.id).await?
                } else {
                    Count {
                        n: Ord::min(n, FEW),
                        exact: n <= FEW,
                    }
                };
                if n.exact {
                    return Ok(found(rows, n));
                }
                n
            }
        };
        return Ok(found(way.walk(db, list.query).await?, total));
    };
    let backend = db.get_database_backend();
    let left = match list.total {
        None if list.is_filtered => Some(count_few(db, few.clone(), way.order.id).await?),
        known => known,
    };
    if left.is_some_and(Count::is_small) {
        let query = few.filter(words.in_row::<E>(backend));
        return all(collect(db, query, way).await?);
    }
    list.total = left;
    let frequency = frequency(db, &list, words).await?;
    // PostgreSQL reads two indexes together, where a filter with one of its own leaves some ten thousand. By age a text is
    // met soon in any case.
    let some = left.is_some_and(|left| (EXACT..=5 * EXACT).contains(&left.n));
    let led = list.is_filtered && list.is_led && some && !way.is_by_id();
    let reads_both = backend == DbBackend::Postgres && led && !frequency.is_very_high;
    if frequency.is_high {
        // Under a filter nobody knows how many of them are left; see `page_of`.
        let total = Count {
            n: if list.is_filtered { 0 } else { EXACT },
            exact: false,
        };
        if !reads_both
            && frequency.is_met(WALK, list.is_led, way.limit)
            && let Some(rows) = way.met_soon(db, &list, words).await?
        {
            return Ok(found(rows, total));
        }
        let newest = Way {
            order: way.order.newest_first(),
            falling: way.cursor.is_none_or(|cursor| !cursor.back),
            ..*way
        };
        let list = List {
            is_led: list.by_age.is_some() || (list.is_led && way.is_by_id()),
            query: list.by_age.clone().unwrap_or_else(|| list.query.clone()),
            ..list.clone()
        };
        // On PostgreSQL that is the same walk again where the list is by age.
        let is_worth_it = backend != DbBackend::Postgres
            || (!way.is_newest() && !reads_both && frequency.is_met(WALK, list.is_led, way.limit));
        if is_worth_it
            && (way.cursor.is_none() || way.is_newest_first())
            && let Some(rows) = newest.met_by_id(db, &list, words).await?
        {
            return Ok(Found {
                rows,
                total,
                newest_first: way.is_newest_first() || !way.is_newest(),
            });
        }
    }
    let indexed = list.query.filter(words.in_index::<E>(backend));
    all(collect(db, indexed, way).await?)
}

impl<C: ColumnTrait> Way<'_, C> {
    /// Rows that have all of the words, if enough of them are among the next ones, or if the list ends there.
    async fn met_soon<E, D>(
        &self,
        db: &D,
        list: &List<E>,
        words: &Words,
    ) -> Result<Option<Vec<E::Model>>>
    where
        E: EntityTrait<Column = C>,
        D: ConnectionTrait,
    {
        // Of rows that a filter leaves here and there, so many would be far apart.
        let next = if list.is_led {
            list.query.clone()
        } else {
            E::find()
        };
        let keys = self.walked(self.keys(next.clone())).limit(WALK);
        let keys = keys.into_query();
        if db.get_database_backend() != DbBackend::Postgres {
            return self.met(db, list, words, keys).await;
        }
        // PostgreSQL reads the rows along the index, rather than once more by their ids, and stops when the page is full.
        // Under the name of the table, so that all conditions mean them.
        let next = self.walked(next).limit(WALK).into_query();
        let mut met = self.of_list(list, words, DbBackend::Postgres);
        met.from_subquery(next, Alias::new(E::default().table_name()));
        self.in_order(&mut met, &self.own());
        self.enough(db, list, &met, keys).await
    }

    /// The same in the order of ids, in which the index of what is searched gives its rows on SQLite.
    async fn met_by_id<E, D>(
        &self,
        db: &D,
        list: &List<E>,
        words: &Words,
    ) -> Result<Option<Vec<E::Model>>>
    where
        E: EntityTrait<Column = C>,
        D: ConnectionTrait,
    {
        let Some((mut next, rowid)) = words.ids::<E>(db.get_database_backend()) else {
            return self.met_soon(db, list, words).await;
        };
        next.order_by(rowid.clone(), self.direction())
            .limit(WALK)
            .and_where_option(self.beyond(Sorted {
                key: Expr::col(rowid.clone()),
                id: Expr::col(rowid),
            }));
        self.met(db, list, words, next).await
    }

    /// Those of the next rows that are in the list and have all of the words. SQLite leaves the order of a cross join alone,
    /// and stops when the page is full.
    async fn met<E, D>(
        &self,
        db: &D,
        list: &List<E>,
        words: &Words,
        next: SelectStatement,
    ) -> Result<Option<Vec<E::Model>>>
    where
        E: EntityTrait<Column = C>,
        D: ConnectionTrait,
    {
        let id = self.order.id;
        let some = Alias::new("some");
        let mut met = self.of_list(list, words, db.get_database_backend());
        met.from_subquery(next.clone(), some.clone())
            .join(JoinType::CrossJoin, E::default(), Condition::all())
            .and_where(Expr::col((id.entity_name(), id)).equals((some, id)));
        self.enough(db, list, &met, next).await
    }

    /// Rows of the list that have all of the words, from wherever.
    fn of_list<E: EntityTrait>(
        &self,
        list: &List<E>,
        words: &Words,
        backend: DbBackend,
    ) -> SelectStatement {
        let query = list.query.clone().filter(words.in_row::<E>(backend));
        let mut query = query.limit(self.limit).into_query();
        query.from_clear();
        query
    }

    /// What was met among the `next` ones, if that fills the page or if there are no more.
    async fn enough<E, D>(
        &self,
        db: &D,
        list: &List<E>,
        met: &SelectStatement,
        next: SelectStatement,
    ) -> Result<Option<Vec<E::Model>>>
    where
        E: EntityTrait<Column = C>,
        D: ConnectionTrait,
    {
        let rows = models::<E>(&db.query_all(met).await?)?;
        if rows.len() as u64 == self.limit {
            return Ok(Some(rows));
        }
        // A first page does not, of a list that is known to be longer than the walk.
        let is_short = list.is_led && list.total.is_none_or(|total| total.n < WALK);
        let may_end = self.cursor.is_some() || is_short;
        let ends = may_end && number(db, &counting(next, None)).await? < WALK;
        Ok(ends.then_some(rows))
    }

    /// The next rows of `query`. What it leaves out it may leave out of an index, so the rows themselves come last.
    async fn walk<E, D>(&self, db: &D, query: Select<E>) -> Result<Vec<E::Model>>
    where
        E: EntityTrait<Column = C>,
        D: ConnectionTrait,
    {
        let next = self.walked(self.keys(query)).limit(self.limit);
        let rows = self.rows::<E>(next.into_query());
        models::<E>(&db.query_all(&rows).await?)
    }
}

/// Sorts all rows of `query`; also says how many they are, where it returns any.
async fn collect<E, C>(
    db: &C,
    query: Select<E>,
    way: &Way<'_, E::Column>,
) -> Result<(Vec<E::Model>, u64)>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let found = Alias::new("found");
    let all = CommonTableExpression::new()
        .query(way.keys(query).into_query())
        .table_name(found.clone())
        .materialized(true)
        .to_owned();
    let of = way.found_in(&found);
    let mut some = Query::select();
    some.column((found.clone(), way.order.id))
        .from(found.clone())
        .limit(way.limit);
    if !way.is_by_id() {
        some.column((found.clone(), Alias::new(KEY)));
    }
    way.in_order(&mut some, &of);
    if let Some(beyond) = way.beyond(of) {
        some.and_where(beyond);
    }
    let mut rows = way.rows::<E>(some);
    rows.expr_as(Expr::cust(r#"(SELECT COUNT(*) FROM "found")"#), COUNTED);
    let query = rows.with(WithClause::new().cte(all).to_owned());
    let rows = db.query_all(&query).await?;
    let n = match rows.first() {
        Some(row) => row.try_get::<i64>("", COUNTED)?,
        None => 0,
    };
    Ok((models::<E>(&rows)?, u64::try_from(n).unwrap_or(0)))
}

const COUNTED: &str = "all_that_were_found";

fn models<E: EntityTrait>(rows: &[QueryResult]) -> Result<Vec<E::Model>> {
    let models = rows.iter().map(|row| E::Model::from_query_result(row, ""));
    Ok(models.collect::<std::result::Result<_, _>>()?)
}

/// The one number that a query gives.
pub(crate) async fn number<C: ConnectionTrait>(db: &C, query: &SelectStatement) -> Result<u64> {
    let n = match db.query_one(query).await? {
        Some(row) => row.try_get_by_index::<i64>(0)?,
        None => 0,
    };
    Ok(u64::try_from(n).unwrap_or(0))
}
