//! The two ways to the rows of a page, and which one is taken. What a page is, in `paging.rs`.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult,
    Order as Direction, QueryFilter, QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{
        Alias, CommonTableExpression, Expr, IntoColumnRef, JoinType, Query, SelectStatement,
        SimpleExpr, WithClause,
    },
};

use super::{Count, EXACT, List, Order, count_few, counting, cursor::Cursor, probe::frequency};
use crate::{domain::search::Words, error::Result};

/// Up to so many rows of a filter are collected and sorted.
pub(super) const FEW: u64 = 2_000;
/// So many rows are looked at for a text that is frequent, before all that have it are collected.
const WALK: u64 = 5_000;

/// From which row on, in which direction, how far.
pub(super) struct Way<'a, C> {
    pub(super) order: Order<C>,
    pub(super) falling: bool,
    pub(super) cursor: Option<&'a Cursor>,
    pub(super) limit: u64,
}

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
                if rows.is_empty() && way.cursor.is_some() {
                    // Nothing is left there, and so nothing says how many there are.
                    return Ok(found(rows, count_few(db, few, way.order.id).await?));
                }
                if n <= FEW {
                    return all((rows, n));
                }
                Count {
                    n: FEW,
                    exact: false,
                }
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
        self.in_order(&mut met, |column| (column.entity_name(), column));
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
            .and_where_option(self.beyond(rowid.clone(), rowid));
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

    fn is_newest(&self) -> bool {
        self.is_by_id() && self.falling
    }

    fn is_newest_first(&self) -> bool {
        self.cursor.is_some_and(|cursor| cursor.key.is_none())
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

    /// Only what rows are sorted by.
    fn keys<E: EntityTrait<Column = C>>(&self, query: Select<E>) -> Select<E> {
        let keys = query.select_only().column(self.order.id);
        if self.is_by_id() {
            keys
        } else {
            keys.column(self.order.column)
        }
    }

    /// The rows to these keys, in order.
    fn rows<E: EntityTrait<Column = C>>(&self, keys: SelectStatement) -> SelectStatement {
        let id = self.order.id;
        let some = Alias::new("some");
        let own = (id.entity_name(), id);
        let mut rows = Query::select();
        rows.columns(E::Column::iter().map(|c| (c.entity_name(), c)))
            .from_subquery(keys, some.clone())
            .inner_join(E::default(), Expr::col(own).equals((some.clone(), id)));
        self.in_order(&mut rows, |column| (some.clone(), column));
        rows
    }

    /// The rows beyond the cursor in this order.
    fn walked<E: EntityTrait<Column = C>>(&self, mut query: Select<E>) -> Select<E> {
        let Order { column, id, .. } = self.order;
        self.in_order(QuerySelect::query(&mut query), |column| {
            (column.entity_name(), column)
        });
        match self.beyond((column.entity_name(), column), (id.entity_name(), id)) {
            Some(beyond) => query.filter(beyond),
            None => query,
        }
    }

    fn in_order<T: IntoColumnRef>(&self, query: &mut SelectStatement, of: impl Fn(C) -> T) {
        query.order_by(of(self.order.column), self.direction());
        if !self.is_by_id() {
            query.order_by(of(self.order.id), self.direction());
        }
    }

    fn direction(&self) -> Direction {
        if self.falling {
            Direction::Desc
        } else {
            Direction::Asc
        }
    }

    fn is_by_id(&self) -> bool {
        self.order.column.to_string() == self.order.id.to_string()
    }

    fn beyond(&self, column: impl IntoColumnRef, id: impl IntoColumnRef) -> Option<SimpleExpr> {
        let cursor = self.cursor?;
        let (row, edge): (SimpleExpr, SimpleExpr) = match &cursor.key {
            Some(key) if !self.is_by_id() => {
                let row = Expr::tuple([Expr::col(column), Expr::col(id)]);
                let edge = [Expr::val(key.value()), cursor.id.into()];
                (row, Expr::tuple(edge))
            }
            _ => (Expr::col(id), cursor.id.into()),
        };
        Some(if self.falling {
            row.lt(edge)
        } else {
            row.gt(edge)
        })
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
    let Order { column, id, .. } = way.order;
    let found = Alias::new("found");
    let all = CommonTableExpression::new()
        .query(way.keys(query).into_query())
        .table_name(found.clone())
        .materialized(true)
        .to_owned();
    let of = |column: E::Column| (found.clone(), column);
    let mut some = Query::select();
    some.column(of(id)).from(found.clone()).limit(way.limit);
    if !way.is_by_id() {
        some.column(of(column));
    }
    way.in_order(&mut some, of);
    if let Some(beyond) = way.beyond(of(column), of(id)) {
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
