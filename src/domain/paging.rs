//! Keyset pages: a page starts after a row, never after a number of rows, so that the last page
//! of a million costs what the first one does. Counts stop at ten thousand.

mod cursor;
mod order;
mod probe;
mod ways;

use std::mem;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QuerySelect, QueryTrait, Select, Value,
    sea_query::{Expr, Func, LikeExpr, Query, SelectStatement, SimpleExpr},
};

use crate::{
    domain::search::Words,
    error::{Error, Result},
};
use cursor::Cursor;
use order::Way;
pub use order::{By, Order};
pub(crate) use ways::number;
use ways::{Found, rows_of};

/// Up to here a count is exact.
pub const EXACT: u64 = 10_000;
/// What a person may choose.
pub const SIZES: [u64; 3] = [25, 50, 100];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub n: u64,
    /// False: there are at least `n`; beyond `EXACT`, about as many, as somebody counted a while ago.
    pub exact: bool,
}

impl Count {
    /// Whether rows are so few that a page collects and sorts them.
    pub fn is_small(self) -> bool {
        self.exact && self.n <= ways::FEW
    }
}

/// Which page. `cursor` is a text that an earlier page gave.
#[derive(Clone, Debug, Default)]
pub struct PageRequest {
    pub cursor: Option<String>,
    pub size: u64,
}

impl PageRequest {
    fn size(&self) -> u64 {
        if SIZES.contains(&self.size) {
            self.size
        } else {
            SIZES[0]
        }
    }
}

#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub next: Option<String>,
    pub previous: Option<String>,
    pub total: Count,
    /// Number of the first row, from 1.
    pub first_index: u64,
    /// So many have the text that was looked for, and so far away in the order that was asked for, that the newest of
    /// them are given instead.
    pub newest_first: bool,
}

impl<T> Page<T> {
    /// The only one of a list.
    pub fn only(rows: Vec<T>) -> Self {
        Self {
            total: Count {
                n: rows.len() as u64,
                exact: true,
            },
            rows,
            next: None,
            previous: None,
            first_index: 1,
            newest_first: false,
        }
    }

    pub fn map<U>(mut self, f: impl FnMut(T) -> U) -> Page<U> {
        let rows = mem::take(&mut self.rows);
        self.with(rows.into_iter().map(f).collect())
    }

    /// Other rows at the same place.
    pub fn with<U>(self, rows: Vec<U>) -> Page<U> {
        Page {
            rows,
            next: self.next,
            previous: self.previous,
            total: self.total,
            first_index: self.first_index,
            newest_first: self.newest_first,
        }
    }
}

/// What rows are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Number(i64),
    Text(String),
}

impl Key {
    fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Number(n) => (*n).into(),
            Self::Text(text) => text.clone().into(),
        }
    }
}

/// What the column holds. A cursor of the other kind belongs to another list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Text,
}

/// What a list shows: rows under filters, of these what is searched for, and how many there are where that is known.
#[derive(Clone, Debug)]
pub struct List<E: EntityTrait> {
    pub query: Select<E>,
    pub search: Option<Words>,
    pub total: Option<Count>,
    /// Whether `query` leaves rows out.
    pub is_filtered: bool,
    /// Whether an index has just the rows that `query` leaves, in the order of the list.
    pub is_led: bool,
    /// The same rows as `query`, written for counting and collecting them, where that is another way than meeting them in
    /// the order of the list.
    pub few: Option<Select<E>>,
    /// The same rows as `query`, for an index that has just them in the order of ids, where the list has another order.
    pub by_age: Option<Select<E>>,
}

/// One page of `query`.
pub async fn page<E, C>(
    db: &C,
    query: Select<E>,
    order: Order<E::Column>,
    request: &PageRequest,
    key_of: impl Fn(&E::Model) -> (Key, i64),
) -> Result<Page<E::Model>>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let list = List {
        query,
        search: None,
        total: None,
        is_filtered: true,
        is_led: false,
        few: None,
        by_age: None,
    };
    page_of(db, list, order, request, key_of).await
}

/// One page of a list. There are two ways to it. Where few rows are left they are collected and sorted; where many are,
/// the index of the order is walked until the page is full. Which one is not left to the databases, whose guesses about
/// texts are poor: the index of what is searched counts first, up to ten thousand. A text that more have, all of them
/// far away in the order, such as a first name in the order of usernames, would take both ways for long; then the page
/// says so and begins with the newest.
pub async fn page_of<E, C>(
    db: &C,
    list: List<E>,
    order: Order<E::Column>,
    request: &PageRequest,
    key_of: impl Fn(&E::Model) -> (Key, i64),
) -> Result<Page<E::Model>>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let cursor = request.cursor.as_deref().map(Cursor::read).transpose()?;
    let of_this_list = |cursor: &Cursor| match &cursor.key {
        Some(key) => key.kind() == order.kind,
        None => list.search.is_some(),
    };
    if !cursor.as_ref().is_none_or(of_this_list) {
        return Err(Error::NotFound);
    }
    let back = cursor.as_ref().is_some_and(|c| c.back);
    let size = request.size();
    let order = match &cursor {
        Some(Cursor { key: None, .. }) => order.newest_first(),
        _ => order,
    };
    let way = Way {
        order,
        falling: order.descending != back,
        cursor: cursor.as_ref(),
        limit: size + 1,
    };
    let Found {
        mut rows,
        mut total,
        newest_first,
    } = rows_of(db, list, &way).await?;
    let more = rows.len() as u64 > size;
    rows.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    if back {
        rows.reverse();
    }
    let first_index = cursor.as_ref().map_or(1, |c| c.first_index.max(1));
    let (has_previous, has_next) = if back {
        (more, true)
    } else {
        (cursor.is_some(), more)
    };
    // What was not counted is at least what is seen.
    let seen = first_index - 1 + rows.len() as u64;
    if !total.exact && total.n < EXACT {
        total = Count {
            n: total.n.max(seen),
            exact: !has_next,
        };
    }
    let edge = |row: Option<&E::Model>, back: bool, first_index: u64| {
        row.map(|row| {
            let (key, id) = key_of(row);
            Cursor {
                back,
                id,
                first_index,
                key: (!newest_first).then_some(key),
            }
            .write()
        })
    };
    let next = edge(
        rows.last().filter(|_| has_next),
        false,
        first_index.saturating_add(rows.len() as u64),
    );
    let previous = edge(
        rows.first().filter(|_| has_previous),
        true,
        first_index.saturating_sub(size).max(1),
    );
    Ok(Page {
        rows,
        next,
        previous,
        total,
        first_index,
        newest_first,
    })
}

/// How many rows, without ever walking more than ten thousand.
pub async fn count_up_to<E, C>(db: &C, query: Select<E>, id: E::Column) -> Result<Count>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    count_to(db, query, id, EXACT).await
}

/// How many rows a filter leaves, as far as a page needs to know: a request does not walk ten thousand for each page.
pub async fn count_few<E, C>(db: &C, query: Select<E>, id: E::Column) -> Result<Count>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    count_to(db, query, id, ways::FEW).await
}

async fn count_to<E, C>(db: &C, query: Select<E>, id: E::Column, most: u64) -> Result<Count>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let some = query.select_only().column(id).into_query();
    let n = number(db, &counting(some, Some(most + 1))).await?;
    Ok(Count {
        n: n.min(most),
        exact: n <= most,
    })
}

/// How many rows a query has, as a query.
pub(crate) fn counting(mut query: SelectStatement, most: Option<u64>) -> SelectStatement {
    if let Some(most) = most {
        query.limit(most);
    }
    Query::select()
        .expr(Expr::cust("COUNT(*)"))
        .from_subquery(query, "some")
        .to_owned()
}

/// `text` as a LIKE pattern that finds it at the start.
pub fn starting_with(text: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 1);
    escape_into(&mut pattern, text);
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}

pub(super) fn escape_into(pattern: &mut String, text: &str) {
    for c in text.chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
}

/// Whether `text` stands in a column of a table that stays small; large ones have `search`. On SQLite letters beyond
/// ASCII are found as they are typed.
pub fn found_in<C: ColumnTrait>(column: C, text: &str) -> Condition {
    let folded: SimpleExpr = Func::lower(Expr::col(column)).into();
    Condition::any()
        .add(sea_orm::ExprTrait::like(
            folded,
            containing(&text.to_lowercase()),
        ))
        .add(column.like(containing(text)))
}

/// `text` as a LIKE pattern that finds it anywhere; its own signs mean themselves.
pub fn containing(text: &str) -> LikeExpr {
    let mut pattern = "%".to_owned();
    escape_into(&mut pattern, text);
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}
