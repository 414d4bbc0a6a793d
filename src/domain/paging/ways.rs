//! The two ways to the rows of a page, and which one is taken. What a page is, in `paging.rs`.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, Iterable,
    Order as Direction, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{
        Alias, CommonTableExpression, Expr, IntoColumnRef, Query, SelectStatement, SimpleExpr,
        WithClause,
    },
};

use super::{Count, EXACT, List, Order, count_up_to, counting, cursor::Cursor};
use crate::error::Result;

/// Up to so many rows of a filter are collected and sorted.
pub(super) const FEW: u64 = 2_000;
/// Up to so many rows that the index of what is searched gives are collected.
const SOME: u64 = 5_000;
/// So many rows are looked at for a text that is frequent, before all that have it are collected.
const WALK: u64 = 8_000;

/// From which row on, in which direction, how far.
pub(super) struct Way<'a, C> {
    pub(super) order: Order<C>,
    pub(super) falling: bool,
    pub(super) cursor: Option<&'a Cursor>,
    pub(super) limit: u64,
}

/// The rows in the order of the way, and how many there are without the way.
pub(super) async fn rows_of<E, C>(
    db: &C,
    list: List<E>,
    way: &Way<'_, E::Column>,
) -> Result<(Vec<E::Model>, Count)>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let backend = db.get_database_backend();
    let Some(words) = &list.search else {
        let total = match list.total {
            Some(total) => total,
            None => count_up_to(db, list.query.clone(), way.order.id).await?,
        };
        if list.is_filtered && total.is_small() {
            return Ok((collect(db, list.query, way).await?.0, total));
        }
        let query = way.walked(list.query).limit(way.limit);
        return Ok((query.all(db).await?, total));
    };
    let indexed = list.query.clone().filter(words.in_index::<E>(backend));
    let seen = Query::select()
        .expr(words.probe::<E>(backend, EXACT + 1))
        .to_owned();
    let found = number(db, &seen).await?;
    if found <= SOME {
        let (rows, n) = collect(db, indexed, way).await?;
        return Ok((rows, Count { n, exact: true }));
    }
    // Under a filter nobody knows how many of them are left; see `page_of`.
    let total = Count {
        n: if list.is_filtered {
            0
        } else if found > EXACT {
            EXACT
        } else {
            found
        },
        exact: found <= EXACT && !list.is_filtered,
    };
    let some = way.walked(list.query).limit(WALK);
    let outer = Query::select()
        .columns(E::Column::iter())
        .from_subquery(some.clone().into_query(), E::default())
        .and_where(words.in_row::<E>(backend))
        .limit(way.limit)
        .to_owned();
    let rows = db.query_all(&outer).await?;
    let rows = models::<E>(&rows)?;
    if rows.len() as u64 == way.limit {
        return Ok((rows, total));
    }
    // The list ends here, or they stand together, far away in this order.
    let looked_at = some.select_only().column(way.order.id).into_query();
    if number(db, &counting(looked_at, None)).await? < WALK {
        return Ok((rows, total));
    }
    let (rows, n) = collect(db, indexed, way).await?;
    Ok((rows, Count { n, exact: true }))
}

impl<C: ColumnTrait> Way<'_, C> {
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
        let (row, edge): (SimpleExpr, SimpleExpr) = if self.is_by_id() {
            (Expr::col(id), cursor.id.into())
        } else {
            let row = Expr::tuple([Expr::col(column), Expr::col(id)]);
            let edge = [Expr::val(cursor.key.value()), cursor.id.into()];
            (row, Expr::tuple(edge))
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
    let mut all = query.select_only().column(id);
    if !way.is_by_id() {
        all = all.column(column);
    }
    let all = CommonTableExpression::new()
        .query(all.into_query())
        .table_name(found.clone())
        .materialized(true)
        .to_owned();
    let direction = way.direction();
    let of = |table: &Alias, column: E::Column| (table.clone(), column);
    let mut some = Query::select();
    some.column(of(&found, id))
        .from(found.clone())
        .order_by(of(&found, column), direction.clone())
        .limit(way.limit);
    if !way.is_by_id() {
        some.column(of(&found, column))
            .order_by(of(&found, id), direction.clone());
    }
    if let Some(beyond) = way.beyond(of(&found, column), of(&found, id)) {
        some.and_where(beyond);
    }
    let some_name = Alias::new("some");
    let own = (id.entity_name(), id);
    let mut rows = Query::select();
    rows.columns(E::Column::iter().map(|c| (c.entity_name(), c)))
        .expr_as(Expr::cust(r#"(SELECT COUNT(*) FROM "found")"#), COUNTED)
        .from_subquery(some, some_name.clone())
        .inner_join(E::default(), Expr::col(own).equals(of(&some_name, id)))
        .order_by(of(&some_name, column), direction.clone())
        .order_by(of(&some_name, id), direction);
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
pub(super) async fn number<C: ConnectionTrait>(db: &C, query: &SelectStatement) -> Result<u64> {
    let n = match db.query_one(query).await? {
        Some(row) => row.try_get_by_index::<i64>(0)?,
        None => 0,
    };
    Ok(u64::try_from(n).unwrap_or(0))
}
