//! All of the data as lines of JSON: a head, then for each table a line that says what comes, its rows
//! as arrays, and a line with their count and digest. What is sealed stays sealed.

use std::io::{BufRead, Write};

use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};

use super::{
    Report, empty, in_table, refuse, sequences,
    table::{BATCH, Content, Table},
    tables,
};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    domain::{
        actor::Actor,
        audit::{self, Event},
        installation,
    },
    entity::meta,
    error::{Error, Result},
};

/// Raised when the lines change their form.
const VERSION: u32 = 1;

#[derive(Debug, Deserialize, Serialize)]
struct Head {
    latchkey_export: u32,
    /// The fingerprint of the server secret, not the secret.
    secret: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Begin {
    table: String,
    columns: Vec<String>,
    /// The highest id that was handed out.
    highest: i64,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct End {
    rows: u64,
    digest: String,
}

impl Begin {
    fn of(table: &Table, highest: i64) -> Self {
        let columns = table.column_names().into_iter().map(str::to_owned);
        Self {
            table: table.name.to_owned(),
            columns: columns.collect(),
            highest,
        }
    }
}

impl End {
    fn of(content: &Content) -> Self {
        Self {
            rows: content.rows,
            digest: content.digest(),
        }
    }
}

/// Writes one moment of the database, which may be served meanwhile.
pub async fn export(app: &App, to: &mut impl Write) -> Result<Report> {
    if !app.db.is_of_this_version().await? {
        return refuse("the schema is not that of this version: run `latchkey migrate`");
    }
    let db = app.db.snapshot().await?;
    if !installation::secret_seems_to_fit(&db, &app.keys).await? {
        return refuse("the database was made with another server secret");
    }
    let head = Head {
        latchkey_export: VERSION,
        secret: app.keys.fingerprint().to_owned(),
    };
    write(to, &head)?;
    let mut report = Report::new();
    for table in tables() {
        let highest = if table.numbered {
            sequences::highest(&db, &table).await?
        } else {
            0
        };
        write(to, &Begin::of(&table, highest))?;
        let mut content = Content::default();
        let mut rows = table.page(&db, None).await?;
        while let Some(last) = rows.last() {
            for row in &rows {
                content.add(row)?;
                write(to, &Table::to_json(row))?;
            }
            rows = table.page(&db, Some(last)).await?;
        }
        write(to, &End::of(&content))?;
        report.push((table.name, content));
    }
    to.flush().map_err(Error::internal)?;
    db.rollback().await?;
    Ok(report)
}

/// Reads what `export` wrote into the database of `app`, which must be migrated and empty.
pub async fn import(app: &App, by: &Actor, from: impl BufRead) -> Result<Report> {
    let mut lines = Lines { from, number: 0 };
    let head: Head = lines.read()?;
    if head.latchkey_export != VERSION {
        return refuse("the file is of a form that this version does not know");
    }
    if head.secret != app.keys.fingerprint() {
        return refuse("the file was made under another server secret");
    }
    let present = app.db.tables().await?;
    let db = app.db.begin().await?;
    empty(&db, &present).await?;
    meta::Entity::delete_many().exec(&db).await?;
    let mut report = Report::new();
    for table in tables() {
        let content = fill(&db, &table, &mut lines).await?;
        report.push((table.name, content));
    }
    let rows: u64 = report.iter().map(|(_, content)| content.rows).sum();
    let event = Event::new("database.imported", None, "").with(json!({"rows": rows}));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Everything).await?;
    Ok(report)
}

async fn fill<R: BufRead>(db: &Change, table: &Table, lines: &mut Lines<R>) -> Result<Content> {
    let about = |e| in_table(table, e);
    let begin: Begin = lines.read()?;
    if begin.table != table.name || begin.columns != table.column_names() {
        return refuse(&format!(
            "line {}: expected the table {} with the columns of this version",
            lines.number, table.name
        ));
    }
    let mut rows = Vec::with_capacity(BATCH);
    let end = loop {
        let line: Json = lines.read()?;
        let Json::Array(row) = line else {
            break serde_json::from_value::<End>(line).map_err(|_| lines.wrong())?;
        };
        rows.push(table.parse(&row).ok_or_else(|| lines.wrong())?);
        if rows.len() == BATCH {
            let rows = std::mem::replace(&mut rows, Vec::with_capacity(BATCH));
            table.insert(db, rows).await.map_err(about)?;
        }
    };
    if !rows.is_empty() {
        table.insert(db, rows).await.map_err(about)?;
    }
    if table.numbered {
        sequences::set(db, table, begin.highest)
            .await
            .map_err(about)?;
    }
    let content = table.content(db).await.map_err(about)?;
    if End::of(&content) != end {
        return refuse(&format!(
            "{}: {} rows arrived of {}, or not as they were written; nothing was imported",
            table.name, content.rows, end.rows
        ));
    }
    Ok(content)
}

struct Lines<R> {
    from: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        self.number += 1;
        let read = self.from.read_line(&mut line);
        if read.is_ok_and(|bytes| bytes > 0) {
            serde_json::from_str(&line).map_err(|_| self.wrong())
        } else {
            Err(self.wrong())
        }
    }

    fn wrong(&self) -> Error {
        Error::Conflict(format!(
            "line {} is missing or not what an export writes; nothing was imported",
            self.number
        ))
    }
}

fn write(to: &mut impl Write, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(&mut *to, value).map_err(Error::internal)?;
    to.write_all(b"\n").map_err(Error::internal)
}
