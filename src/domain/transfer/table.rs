//! One table as both databases see it: its columns by kind, its rows in the order of their key, and a
//! digest that comes out alike on both sides. Which tables there are is in `mod.rs`.

use sea_orm::{
    ColumnTrait, ColumnType, ConnectionTrait, EntityTrait, IdenStatic, Iterable, Order,
    PrimaryKeyToColumn, PrimaryKeyTrait, QueryResult, Value,
    sea_query::{Alias, Condition, Expr, ExprTrait, Query},
};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Rows in one question and one statement. The widest table has 16 columns, and SQLite binds 32766
/// values at most.
pub(super) const BATCH: usize = 1000;

/// The types of column that the schema is made of.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Number,
    Flag,
    Text,
    Bytes,
}

/// A row's values in the order of the columns.
pub(super) type Row = Vec<Value>;

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: Vec<(&'static str, Kind)>,
    /// Positions of the primary key among the columns.
    key: Vec<usize>,
    /// Whether the database hands out the ids.
    pub(super) numbered: bool,
}

/// How many rows, and what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    pub rows: u64,
    digest: [u64; 4],
}

impl Content {
    /// The sum of the rows' SHA-256, lane by lane. The order of rows does not matter, as the two
    /// databases sort text differently; no row is there twice, as each holds its key.
    pub fn digest(&self) -> String {
        let bytes = self.digest.iter().flat_map(|lane| lane.to_be_bytes());
        hex::encode(bytes.collect::<Vec<u8>>())
    }

    pub(super) fn add(&mut self, row: &Row) -> Result<()> {
        let mut hasher = Sha256::new();
        for value in row {
            // A type, a length, the bytes: no two rows spell the same.
            let (kind, bytes): (u8, &[u8]) = match value {
                Value::BigInt(Some(n)) => (b'n', &n.to_be_bytes()),
                Value::Bool(Some(flag)) => (b'f', &[u8::from(*flag)]),
                Value::String(Some(text)) => (b't', text.as_bytes()),
                Value::Bytes(Some(bytes)) => (b'b', bytes),
                Value::BigInt(None)
                | Value::Bool(None)
                | Value::String(None)
                | Value::Bytes(None) => (b'0', &[]),
                other => return Err(unknown(&format!("{other:?}"))),
            };
            hasher.update([kind]);
            hasher.update(bytes.len().to_be_bytes());
            hasher.update(bytes);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        for (lane, bytes) in self.digest.iter_mut().zip(digest.as_chunks::<8>().0) {
            *lane = lane.wrapping_add(u64::from_be_bytes(*bytes));
        }
        self.rows += 1;
        Ok(())
    }
}

impl Table {
    pub(super) fn of<E: EntityTrait>() -> Self {
        let columns: Vec<_> = E::Column::iter()
            .map(|column| (column.as_str(), kind(column.def().get_column_type())))
            .collect();
        let key = E::PrimaryKey::iter().filter_map(|part| {
            let name = part.into_column().as_str();
            columns.iter().position(|(column, _)| *column == name)
        });
        Self {
            name: E::default().table_name(),
            key: key.collect(),
            columns,
            numbered: E::PrimaryKey::auto_increment(),
        }
    }

    pub(super) fn column_names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// The rows after this one, at most a batch.
    pub(super) async fn page<C: ConnectionTrait>(
        &self,
        db: &C,
        after: Option<&Row>,
    ) -> Result<Vec<Row>> {
        let mut query = Query::select();
        query
            .columns(self.columns.iter().map(|(name, _)| Alias::new(*name)))
            .from(Alias::new(self.name))
            .limit(BATCH as u64);
        for at in &self.key {
            query.order_by(Alias::new(self.columns[*at].0), Order::Asc);
        }
        if let Some(row) = after {
            query.cond_where(self.beyond(row));
        }
        let rows = db.query_all(&query).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    /// `(key) > (key of this row)`, as one comparison.
    fn beyond(&self, row: &Row) -> Condition {
        let names = self
            .key
            .iter()
            .map(|at| Expr::col(Alias::new(self.columns[*at].0)));
        let values = self.key.iter().map(|at| Expr::val(row[*at].clone()));
        Condition::all().add(Expr::tuple(names).gt(Expr::tuple(values)))
    }

    fn read(&self, row: &QueryResult) -> Result<Row> {
        let value = |(at, (_, kind)): (usize, &(&str, Kind))| {
            Ok(match kind {
                Kind::Number => Value::BigInt(row.try_get_by_index(at)?),
                Kind::Flag => Value::Bool(row.try_get_by_index(at)?),
                Kind::Text => Value::String(row.try_get_by_index(at)?),
                Kind::Bytes => Value::Bytes(row.try_get_by_index(at)?),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }

    /// A JSON array; bytes are in hex.
    pub(super) fn to_json(row: &Row) -> Json {
        let value = |value: &Value| match value {
            Value::BigInt(Some(n)) => Json::from(*n),
            Value::Bool(Some(flag)) => Json::from(*flag),
            Value::String(Some(text)) => Json::from(text.as_str()),
            Value::Bytes(Some(bytes)) => Json::from(hex::encode(bytes)),
            _ => Json::Null,
        };
        row.iter().map(value).collect()
    }

    /// None for what `to_json` does not write.
    pub(super) fn parse(&self, row: &[Json]) -> Option<Row> {
        if row.len() != self.columns.len() {
            return None;
        }
        let value = |(value, (_, kind)): (&Json, &(&str, Kind))| {
            let null = value.is_null();
            Some(match kind {
                Kind::Number if null => Value::BigInt(None),
                Kind::Flag if null => Value::Bool(None),
                Kind::Text if null => Value::String(None),
                Kind::Bytes if null => Value::Bytes(None),
                Kind::Number => Value::BigInt(Some(value.as_i64()?)),
                Kind::Flag => Value::Bool(Some(value.as_bool()?)),
                Kind::Text => Value::String(Some(value.as_str()?.to_owned())),
                Kind::Bytes => Value::Bytes(Some(hex::decode(value.as_str()?).ok()?)),
            })
        };
        row.iter().zip(&self.columns).map(value).collect()
    }

    pub(super) async fn insert<C: ConnectionTrait>(&self, db: &C, rows: Vec<Row>) -> Result<()> {
        let mut query = Query::insert();
        query
            .into_table(Alias::new(self.name))
            .columns(self.columns.iter().map(|(name, _)| Alias::new(*name)));
        for row in rows {
            query.values_panic(row.into_iter().map(Expr::val));
        }
        db.execute(&query).await?;
        Ok(())
    }

    pub(super) async fn content<C: ConnectionTrait>(&self, db: &C) -> Result<Content> {
        let mut content = Content::default();
        let mut rows = self.page(db, None).await?;
        while let Some(last) = rows.last() {
            for row in &rows {
                content.add(row)?;
            }
            rows = self.page(db, Some(last)).await?;
        }
        Ok(content)
    }

    pub(super) async fn is_empty<C: ConnectionTrait>(&self, db: &C) -> Result<bool> {
        let mut query = Query::select();
        query
            .expr(Expr::val(1))
            .from(Alias::new(self.name))
            .limit(1);
        Ok(db.query_one(&query).await?.is_none())
    }
}

fn kind(column: &ColumnType) -> Kind {
    match column {
        ColumnType::Boolean => Kind::Flag,
        ColumnType::String(_) | ColumnType::Text => Kind::Text,
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Kind::Bytes,
        _ => Kind::Number,
    }
}

fn unknown(what: &str) -> Error {
    Error::internal(std::io::Error::other(format!("no digest for {what}")))
}
