//! What a list is sorted by, and the pieces of a query that say so: in the table itself, and where its keys were
//! collected before.

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, Order as Direction, QueryFilter, QuerySelect, Select,
    sea_query::{Alias, Expr, Query, SelectStatement, SimpleExpr},
};

use super::{Kind, cursor::Cursor};

/// What a list is sorted by; rows that are equal there, by `id`, in the same direction.
#[derive(Clone, Copy, Debug)]
pub struct Order<C> {
    pub by: By<C>,
    pub id: C,
    pub descending: bool,
    pub kind: Kind,
}

/// What has an index that leads with it.
#[derive(Clone, Copy, Debug)]
pub enum By<C> {
    Id,
    Column(C),
    /// In SQL, as its index says it.
    Expression(&'static str),
}

impl<C: ColumnTrait> Order<C> {
    pub(super) fn newest_first(self) -> Self {
        Self {
            by: By::Id,
            descending: true,
            kind: Kind::Number,
            ..self
        }
    }

    /// In the table itself.
    pub(super) fn key(&self) -> SimpleExpr {
        match self.by {
            By::Id => self.id.into_expr(),
            By::Column(column) => column.into_expr(),
            By::Expression(sql) => Expr::cust(sql),
        }
    }
}

/// From which row on, in which direction, how far.
pub(super) struct Way<'a, C> {
    pub(super) order: Order<C>,
    pub(super) falling: bool,
    pub(super) cursor: Option<&'a Cursor>,
    pub(super) limit: u64,
}

/// The expressions by which a query sorts.
pub(super) struct Sorted {
    pub(super) key: SimpleExpr,
    pub(super) id: SimpleExpr,
}

/// What keys are called that were collected.
pub(super) const KEY: &str = "sort_key";

impl<C: ColumnTrait> Way<'_, C> {
    pub(super) fn is_newest(&self) -> bool {
        self.is_by_id() && self.falling
    }

    pub(super) fn is_newest_first(&self) -> bool {
        self.cursor.is_some_and(|cursor| cursor.key.is_none())
    }

    /// Only what rows are sorted by.
    pub(super) fn keys<E: EntityTrait<Column = C>>(&self, query: Select<E>) -> Select<E> {
        let keys = query.select_only().column(self.order.id);
        if self.is_by_id() {
            keys
        } else {
            keys.column_as(self.order.key(), KEY)
        }
    }

    /// The rows to these keys, in order.
    pub(super) fn rows<E: EntityTrait<Column = C>>(
        &self,
        keys: SelectStatement,
    ) -> SelectStatement {
        let id = self.order.id;
        let some = Alias::new("some");
        let own = (id.entity_name(), id);
        let mut rows = Query::select();
        rows.columns(E::Column::iter().map(|c| (c.entity_name(), c)))
            .from_subquery(keys, some.clone())
            .inner_join(E::default(), Expr::col(own).equals((some.clone(), id)));
        self.in_order(&mut rows, &self.found_in(&some));
        rows
    }

    /// The rows beyond the cursor in this order.
    pub(super) fn walked<E: EntityTrait<Column = C>>(&self, mut query: Select<E>) -> Select<E> {
        let own = self.own();
        self.in_order(QuerySelect::query(&mut query), &own);
        match self.beyond(own) {
            Some(beyond) => query.filter(beyond),
            None => query,
        }
    }

    /// What rows are sorted by, as the table has it.
    pub(super) fn own(&self) -> Sorted {
        Sorted {
            key: self.order.key(),
            id: self.order.id.into_expr(),
        }
    }

    /// And as `keys` has it, under another name.
    pub(super) fn found_in(&self, table: &Alias) -> Sorted {
        let id: SimpleExpr = Expr::col((table.clone(), self.order.id));
        let key = if self.is_by_id() {
            id.clone()
        } else {
            Expr::col((table.clone(), Alias::new(KEY)))
        };
        Sorted { key, id }
    }

    pub(super) fn in_order(&self, query: &mut SelectStatement, of: &Sorted) {
        query.order_by_expr(of.key.clone(), self.direction());
        if !self.is_by_id() {
            query.order_by_expr(of.id.clone(), self.direction());
        }
    }

    pub(super) fn direction(&self) -> Direction {
        if self.falling {
            Direction::Desc
        } else {
            Direction::Asc
        }
    }

    pub(super) fn is_by_id(&self) -> bool {
        matches!(self.order.by, By::Id)
    }

    pub(super) fn beyond(&self, of: Sorted) -> Option<SimpleExpr> {
        let cursor = self.cursor?;
        let falling = self.falling;
        let Some(key) = cursor.key.as_ref().filter(|_| !self.is_by_id()) else {
            let edge = Expr::val(cursor.id);
            return Some(if falling {
                of.id.lt(edge)
            } else {
                of.id.gt(edge)
            });
        };
        let edge = Expr::val(key.value());
        let rows = Expr::tuple([of.key.clone(), of.id]);
        let edges = Expr::tuple([edge.clone(), cursor.id.into()]);
        // SQLite finds the place of an expression in its index by the second condition alone.
        Some(match (falling, self.order.by) {
            (true, By::Expression(_)) => rows.lt(edges).and(of.key.lte(edge)),
            (false, By::Expression(_)) => rows.gt(edges).and(of.key.gte(edge)),
            (true, _) => rows.lt(edges),
            (false, _) => rows.gt(edges),
        })
    }
}
