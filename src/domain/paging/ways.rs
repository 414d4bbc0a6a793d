//! The two ways to the rows of a page, and which one is taken. What a page is, in `paging.rs`.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult,
    Order as Direction, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select,
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
    list: List<E>,
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
    let Some(words) = &list.search else {
        let total = match list.total {
            Some(total) if list.is_filtered && total.is_small() => {
                return Ok(found(collect(db, list.query, way).await?.0, total));
            }
            Some(total) => total,
            None => {
                // Counted while they are collected.
                let (rows, n) = collect(db, list.query.clone().limit(FEW + 1), way).await?;
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
        None if list.is_filtered => Some(count_few(db, list.query.clone(), way.order.id).await?),
        known => known,
    };
    if left.is_some_and(Count::is_small) {
        let query = list.query.filter(words.in_row::<E>(backend));
        return all(collect(db, query, way).await?);
    }
    // PostgreSQL reads two indexes together, where a filter with one of its own leaves some ten thousand.
    let some = left.is_some_and(|left| (EXACT..=5 * EXACT).contains(&left.n));
    let reads_both = backend == DbBackend::Postgres && list.is_filtered && list.is_led && some;
    let frequency = frequency(db, &list, words).await?;
    if frequency.is_high {
        // Under a filter nobody knows how many of them are left; see `page_of`.
        let total = Count {
            n: if list.is_filtered { 0 } else { EXACT },
            exact: false,
        };
        if frequency.is_met(WALK, list.is_led, way.limit)
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
        let next = self.walked(self.keys(next)).limit(WALK);
        self.met(db, list, words, next.into_query()).await
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

    /// Those of the next rows that are in the list and have all of the words.
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
        let backend = db.get_database_backend();
        let Order { column, id, .. } = self.order;
        let some = Alias::new("some");
        // SQLite leaves the order of a cross join alone, and stops when the page is full.
        let mut met = list
            .query
            .clone()
            .filter(words.in_row::<E>(backend))
            .limit(self.limit)
            .into_query();
        met.from_clear()
            .from_subquery(next.clone(), some.clone())
            .join(JoinType::CrossJoin, E::default(), Condition::all())
            .and_where(Expr::col((id.entity_name(), id)).equals((some.clone(), id)));
        if backend == DbBackend::Postgres {
            met.order_by((some.clone(), column), self.direction())
                .order_by((some, id), self.direction());
        }
        let rows = models::<E>(&db.query_all(&met).await?)?;
        if rows.len() as u64 == self.limit {
            return Ok(Some(rows));
        }
        let ends = number(db, &counting(next, None)).await? < WALK;
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
        let Order { column, id, .. } = self.order;
        let some = Alias::new("some");
        let own = (id.entity_name(), id);
        let mut rows = Query::select();
        rows.columns(E::Column::iter().map(|c| (c.entity_name(), c)))
            .from_subquery(keys, some.clone())
            .inner_join(E::default(), Expr::col(own).equals((some.clone(), id)))
            .order_by((some.clone(), column), self.direction())
            .order_by((some, id), self.direction());
        rows
    }

    /// The rows beyond the cursor in this order.
    fn walked<E: EntityTrait<Column = C>>(&self, mut query: Select<E>) -> Select<E> {
        let direction = self.direction();
        let Order { column, id, .. } = self.order;
        query = query.order_by(column, direction.clone());
        if !self.is_by_id() {
            query = query.order_by(id, direction);
        }
        match self.beyond((column.entity_name(), column), (id.entity_name(), id)) {
            Some(beyond) => query.filter(beyond),
            None => query,
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
    let direction = way.direction();
    let of = |column: E::Column| (found.clone(), column);
    let mut some = Query::select();
    some.column(of(id))
        .from(found.clone())
        .order_by(of(column), direction.clone())
        .limit(way.limit);
    if !way.is_by_id() {
        some.column(of(column)).order_by(of(id), direction);
    }
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
