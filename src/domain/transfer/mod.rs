//! Everything from one database into an empty one: straight from SQLite to PostgreSQL or back, or by way
//! of a file (`lines.rs`). Every table, ids kept, in one transaction that is committed when both sides
//! hold the same. Secrets go as they are, sealed and digested, so the server secret stays the same. How
//! one table is read and written is in `table.rs`.

mod lines;
mod sequences;
mod table;

use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::json;

pub use lines::{export, import};
pub use table::Content;

use crate::{
    app::App,
    checks::Affects,
    config::Config,
    db::{Change, Db, Opener},
    domain::{
        actor::Actor,
        audit::{self, Event},
        installation,
    },
    entity,
    error::{Error, Result},
};
use table::Table;

/// What was moved, a table a line.
pub type Report = Vec<(&'static str, Content)>;

/// All tables, those that others point to first.
fn tables() -> [Table; 23] {
    [
        Table::of::<entity::meta::Entity>(),
        Table::of::<entity::user::Entity>(),
        Table::of::<entity::group::Entity>(),
        Table::of::<entity::user_group::Entity>(),
        Table::of::<entity::session::Entity>(),
        Table::of::<entity::login_pause::Entity>(),
        Table::of::<entity::token::Entity>(),
        Table::of::<entity::token_use::Entity>(),
        Table::of::<entity::token_slot::Entity>(),
        Table::of::<entity::token_address::Entity>(),
        Table::of::<entity::refresh_family::Entity>(),
        Table::of::<entity::deleted_family::Entity>(),
        Table::of::<entity::signing_key::Entity>(),
        Table::of::<entity::secret_slot::Entity>(),
        Table::of::<entity::one_time_link::Entity>(),
        Table::of::<entity::mail::Entity>(),
        Table::of::<entity::setting::Entity>(),
        Table::of::<entity::student::Entity>(),
        Table::of::<entity::student_upload::Entity>(),
        Table::of::<entity::audit_event::Entity>(),
        Table::of::<entity::audit_checkpoint::Entity>(),
        Table::of::<entity::daily_figure::Entity>(),
        Table::of::<entity::refusal::Entity>(),
    ]
}

/// Names and columns of what is moved, to be compared with the schema.
pub fn moved() -> Vec<(&'static str, Vec<&'static str>)> {
    let tables = tables();
    tables
        .iter()
        .map(|one| (one.name, one.column_names()))
        .collect()
}

/// Copies everything into the other kind of database, which must be empty but for its schema and is
/// migrated. The source is only read. It should not be served meanwhile: what changes after its table
/// was compared would be missing; what changes before is noticed, and then nothing is moved.
pub async fn move_to(app: &App, by: &Actor, target: &Config) -> Result<Report> {
    if app.config.is_postgres() == target.is_postgres() {
        return refuse(
            "both are of one kind, and this moves between SQLite and PostgreSQL; \
             otherwise use `latchkey backup`, or pg_dump",
        );
    }
    if !app.db.is_of_this_version().await? {
        return refuse("the source's schema is not that of this version: run `latchkey migrate`");
    }
    if !installation::secret_seems_to_fit(app.db.read(), &app.keys).await? {
        return refuse("the source was made with another server secret");
    }
    let place = target.database_in_words();
    let db = Db::connect(target, Opener::Command).await.map_err(|e| {
        let text = format!("cannot open the {place}: {e}");
        Error::internal(std::io::Error::other(text))
    })?;
    let moved = fill(app, by, &db, &place).await;
    db.close().await?;
    moved
}

async fn fill(app: &App, by: &Actor, target: &Db, place: &str) -> Result<Report> {
    // Before the schema is touched: a database with something in it stays as it is.
    empty(target.read(), &target.tables().await?).await?;
    target.migrate().await?;
    let present = target.tables().await?;
    let change = target.begin().await?;
    empty(&change, &present).await?;
    if !installation::secret_seems_to_fit(&change, &app.keys).await? {
        return refuse("the target was made with another server secret");
    }
    // What a first start leaves there: the fingerprint of the secret.
    entity::meta::Entity::delete_many().exec(&change).await?;
    copy(&app.db, &change).await?;
    let report = compare(&app.db, &change).await?;
    let rows: u64 = report.iter().map(|(_, content)| content.rows).sum();
    let event = Event::new("database.moved", None, place).with(json!({"rows": rows}));
    audit::record(&change, app.now(), by, event).await?;
    change.commit(Affects::Everything).await?;
    Ok(report)
}

async fn empty<C: ConnectionTrait>(db: &C, present: &[String]) -> Result<()> {
    for table in tables() {
        let is_there = present.iter().any(|name| name == table.name);
        // A first start leaves a row in `meta`; it is looked at later.
        if is_there && table.name != "meta" && !table.is_empty(db).await? {
            return refuse(&format!(
                "the target is not empty: there are {}",
                table.name
            ));
        }
    }
    Ok(())
}

async fn copy(source: &Db, target: &Change) -> Result<()> {
    // One moment of the source, or rows would point to others that are not there.
    let source = source.snapshot().await?;
    for table in tables() {
        let about = |e| in_table(&table, e);
        let mut copied = 0;
        let mut rows = table.page(&source, None).await.map_err(about)?;
        while let Some(last) = rows.last().cloned() {
            copied += rows.len();
            table.insert(target, rows).await.map_err(about)?;
            rows = table.page(&source, Some(&last)).await.map_err(about)?;
        }
        if table.numbered {
            let highest = sequences::highest(&source, &table).await.map_err(about)?;
            sequences::set(target, &table, highest)
                .await
                .map_err(about)?;
        }
        tracing::info!(table = table.name, rows = copied, "copied");
    }
    source.rollback().await?;
    Ok(())
}

/// Reads both sides again, the source as it is by now.
async fn compare(source: &Db, target: &Change) -> Result<Report> {
    let source = source.snapshot().await?;
    let mut report = Report::new();
    for table in tables() {
        let here = table
            .content(&source)
            .await
            .map_err(|e| in_table(&table, e))?;
        let there = table
            .content(target)
            .await
            .map_err(|e| in_table(&table, e))?;
        if here != there {
            let text = format!(
                "{} differ: {} rows here, {} there, and digests {} and {}. Nothing was moved. Is the \
                 source being served? Stop the server and try again",
                table.name,
                here.rows,
                there.rows,
                here.digest(),
                there.digest()
            );
            return Err(Error::Conflict(text));
        }
        report.push((table.name, there));
    }
    source.rollback().await?;
    Ok(report)
}

fn refuse<T>(text: &str) -> Result<T> {
    Err(Error::Conflict(text.to_owned()))
}

fn in_table(table: &Table, e: Error) -> Error {
    let text = match e {
        Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    };
    Error::internal(std::io::Error::other(format!("{}: {text}", table.name)))
}
