//! Keyset pages: a page starts after a row, never after a number of rows, so that the last page
//! of a million costs what the first one does. Counts stop at ten thousand.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, Value,
    sea_query::{Expr, Query},
};

use crate::error::{Error, Result};

/// Up to here a count is exact.
pub const EXACT: u64 = 10_000;
/// A row number beyond this is made up.
const MOST_ROWS: u64 = 1_000_000_000_000;
/// What a person may choose.
pub const SIZES: [u64; 3] = [25, 50, 100];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub n: u64,
    /// False: there are more than `n`.
    pub exact: bool,
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
}

impl<T> Page<T> {
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(f).collect(),
            next: self.next,
            previous: self.previous,
            total: self.total,
            first_index: self.first_index,
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

/// The row a page begins after (or, going back, ends before).
#[derive(Debug, PartialEq, Eq)]
struct Cursor {
    back: bool,
    id: i64,
    /// Number of the first row of the page it leads to.
    first_index: u64,
    key: Key,
}

impl Cursor {
    fn write(&self) -> String {
        let direction = if self.back { 'b' } else { 'a' };
        let (kind, key) = match &self.key {
            Key::Number(n) => ('n', n.to_string()),
            Key::Text(text) => ('t', text.clone()),
        };
        format!("{direction}{kind}.{}.{}.{key}", self.id, self.first_index)
    }

    /// A cursor that nobody made is a page that does not exist.
    fn read(text: &str) -> Result<Self> {
        let parse = || {
            let mut parts = text.splitn(4, '.');
            let (back, number) = match parts.next()? {
                "an" => (false, true),
                "at" => (false, false),
                "bn" => (true, true),
                "bt" => (true, false),
                _ => return None,
            };
            let id = parts.next()?.parse().ok()?;
            let first_index = parts.next()?.parse().ok().filter(|n| *n < MOST_ROWS)?;
            let key = parts.next()?;
            let key = if number {
                Key::Number(key.parse().ok()?)
            } else if key.contains('\0') {
                return None;
            } else {
                Key::Text(key.to_owned())
            };
            Some(Self {
                back,
                id,
                first_index,
                key,
            })
        };
        parse().ok_or(Error::NotFound)
    }
}

/// What a list is sorted by; rows that are equal there, by `id`, in the same direction.
#[derive(Clone, Copy, Debug)]
pub struct Order<C> {
    pub column: C,
    pub id: C,
    pub descending: bool,
    pub kind: Kind,
}

/// What the column holds. A cursor of the other kind belongs to another list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Text,
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
    let Order {
        column,
        id,
        descending,
        kind,
    } = order;
    let cursor = request.cursor.as_deref().map(Cursor::read).transpose()?;
    if cursor
        .as_ref()
        .is_some_and(|cursor| cursor.key.kind() != kind)
    {
        return Err(Error::NotFound);
    }
    let total = count_up_to(db, query.clone(), id).await?;
    let back = cursor.as_ref().is_some_and(|c| c.back);
    let size = request.size();
    let falling = descending != back;
    let mut query = if falling {
        query.order_by_desc(column).order_by_desc(id)
    } else {
        query.order_by_asc(column).order_by_asc(id)
    };
    if let Some(c) = &cursor {
        let (beyond, beyond_id) = if falling {
            (column.lt(c.key.value()), id.lt(c.id))
        } else {
            (column.gt(c.key.value()), id.gt(c.id))
        };
        query = query.filter(
            Condition::any().add(beyond).add(
                Condition::all()
                    .add(column.eq(c.key.value()))
                    .add(beyond_id),
            ),
        );
    }
    let mut rows = query.limit(size + 1).all(db).await?;
    let more = rows.len() as u64 > size;
    rows.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    if back {
        rows.reverse();
    }
    let first_index = cursor.as_ref().map_or(1, |c| c.first_index).max(1);
    let (has_previous, has_next) = if back {
        (more, true)
    } else {
        (cursor.is_some(), more)
    };
    let edge = |row: Option<&E::Model>, back: bool, first_index: u64| {
        row.map(|row| {
            let (key, id) = key_of(row);
            Cursor {
                back,
                id,
                first_index,
                key,
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
    })
}

/// How many rows, without ever walking more than ten thousand.
pub async fn count_up_to<E, C>(db: &C, query: Select<E>, id: E::Column) -> Result<Count>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let some = query.select_only().column(id).limit(EXACT + 1);
    let count = Query::select()
        .expr(Expr::cust("COUNT(*)"))
        .from_subquery(sea_orm::QueryTrait::into_query(some), "some")
        .to_owned();
    let n = match db.query_one(&count).await? {
        Some(row) => u64::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or(0),
        None => 0,
    };
    Ok(Count {
        n: n.min(EXACT),
        exact: n <= EXACT,
    })
}

/// Whether `text` stands anywhere in a column. Case does not matter; on SQLite that holds for ASCII,
/// whose `LOWER` knows no more, and other letters are found as they are typed.
pub fn found_in<C: ColumnTrait>(column: C, text: &str) -> Condition {
    let folded: sea_orm::sea_query::SimpleExpr =
        sea_orm::sea_query::Func::lower(Expr::col(column)).into();
    Condition::any()
        .add(sea_orm::ExprTrait::like(
            folded,
            containing(&text.to_lowercase()),
        ))
        .add(column.like(containing(text)))
}

/// `text` as a LIKE pattern that finds it anywhere; its own signs mean themselves.
pub fn containing(text: &str) -> sea_orm::sea_query::LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    escape_into(&mut pattern, text);
    pattern.push('%');
    sea_orm::sea_query::LikeExpr::new(pattern).escape('\\')
}

/// `text` as a LIKE pattern that finds it at the start.
pub fn starting_with(text: &str) -> sea_orm::sea_query::LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 1);
    escape_into(&mut pattern, text);
    pattern.push('%');
    sea_orm::sea_query::LikeExpr::new(pattern).escape('\\')
}

fn escape_into(pattern: &mut String, text: &str) {
    for c in text.chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_wrote() {
        for key in [Key::Number(-5), Key::Text("a.b.c~é".to_owned())] {
            let cursor = Cursor {
                back: true,
                id: 7,
                first_index: 26,
                key,
            };
            assert_eq!(Cursor::read(&cursor.write()).unwrap(), cursor);
        }
    }

    #[test]
    fn a_made_up_cursor_is_not_found() {
        for text in [
            "",
            "x",
            "an",
            "an.1",
            "an.1.1",
            "an.1.1.x",
            "zz.1.1.1",
            "at.1.1.\0",
            "an.0.18446744073709551615.0",
        ] {
            assert!(
                matches!(Cursor::read(text), Err(Error::NotFound)),
                "{text:?}"
            );
        }
    }
}
