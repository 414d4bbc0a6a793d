//! Many students at once, from a file: kept sealed while a person looks at the preview, then written in one
//! transaction, or not at all. What the file says is read in `sheet.rs`.

use std::collections::HashSet;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};
use serde_json::json;

use super::sheet::{self, Row, Sheet};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        permissions::{Act, Permission, Record},
    },
    entity::{student, student_upload},
    error::{Error, Result},
};

/// For how long a preview may be looked at. Seconds.
const LIFETIME: i64 = 30 * 60;
/// Rows of one statement.
const AT_ONCE: usize = 500;
const ADD: Permission = Permission::new(Act::Add, Record::Students);

/// What would happen.
#[derive(Debug)]
pub struct Preview {
    pub file: String,
    pub sheet: Sheet,
    /// Rolls that a student has already.
    pub taken: HashSet<i64>,
}

impl Preview {
    /// Whether another student, here or above in the file, has this roll.
    pub fn is_again(&self, row: &Row) -> bool {
        row.twin.is_some() || self.taken.contains(&row.student.roll)
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploaded {
    pub added: usize,
    /// Their roll was taken.
    pub skipped: usize,
    /// Their lines could not be read.
    pub left_out: usize,
}

/// Keeps the file for this session, in the database, so that another node can answer. One at a time: the one
/// before is dropped. What is wrong with it as a whole is a field error of `file`.
pub async fn keep(app: &App, by: &Actor, session_id: i64, name: &str, bytes: &[u8]) -> Result<i64> {
    by.require(ADD)?;
    sheet::read(bytes).map_err(|text| Error::field("file", text))?;
    let file: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    let plain = [file.as_bytes(), b"\n", bytes].concat();
    let row = student_upload::ActiveModel {
        id: NotSet,
        session_id: Set(session_id),
        sealed: Set(app.keys.seal(&plain, &owner(session_id))?),
        expires_at: Set(app.now() + LIFETIME),
    };
    let db = app.db.begin().await?;
    student_upload::Entity::delete_many()
        .filter(
            sea_orm::Condition::any()
                .add(student_upload::Column::ExpiresAt.lte(app.now()))
                .add(student_upload::Column::SessionId.eq(session_id)),
        )
        .exec(&db)
        .await?;
    let kept = student_upload::Entity::insert(row).exec(&db).await?;
    db.commit(Affects::Nobody).await?;
    Ok(kept.last_insert_id)
}

/// `None`: it was used, is too old or is somebody else's.
pub async fn preview(app: &App, by: &Actor, session_id: i64, id: i64) -> Result<Option<Preview>> {
    by.require(ADD)?;
    let Some((file, sheet)) = kept(app, session_id, id).await? else {
        return Ok(None);
    };
    let taken = taken(app.db.read(), &sheet).await?;
    Ok(Some(Preview { file, sheet, taken }))
}

/// Writes what the preview showed, once. Rows whose roll is taken by now are skipped, unless they are wanted, too.
pub async fn confirm(
    app: &App,
    by: &Actor,
    session_id: i64,
    id: i64,
    also_taken: bool,
) -> Result<Option<Uploaded>> {
    by.require(ADD)?;
    let Some((file, sheet)) = kept(app, session_id, id).await? else {
        return Ok(None);
    };
    let db = app.db.begin().await?;
    let used = student_upload::Entity::delete_by_id(id).exec(&db).await?;
    if used.rows_affected != 1 {
        return Ok(None);
    }
    let taken = taken(&db, &sheet).await?;
    let preview = Preview { file, sheet, taken };
    let rows: Vec<student::ActiveModel> = preview
        .sheet
        .rows
        .iter()
        .filter(|row| also_taken || !preview.is_again(row))
        .map(|row| super::new_row(row.student.clone()))
        .collect();
    let done = Uploaded {
        added: rows.len(),
        skipped: preview.sheet.rows.len() - rows.len(),
        left_out: preview.sheet.complaints.len(),
    };
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some = rows.by_ref().take(AT_ONCE);
        student::Entity::insert_many(some)
            .exec_without_returning(&db)
            .await?;
    }
    let detail = json!({"added": done.added, "skipped": done.skipped, "left_out": done.left_out});
    let event = Event::new("student.imported", None, &preview.file).with(detail);
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Students).await?;
    Ok(Some(done))
}

async fn kept(app: &App, session_id: i64, id: i64) -> Result<Option<(String, Sheet)>> {
    let row = student_upload::Entity::find_by_id(id)
        .filter(student_upload::Column::SessionId.eq(session_id))
        .one(app.db.read())
        .await?;
    let Some(row) = row.filter(|row| row.expires_at > app.now()) else {
        return Ok(None);
    };
    let plain = app.keys.unseal(&row.sealed, &owner(session_id))?;
    let plain = plain.expose();
    let end = plain.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (file, bytes) = plain.split_at(end);
    let sheet = sheet::read(bytes.get(1..).unwrap_or_default())
        .map_err(|text| Error::field("file", text))?;
    Ok(Some((String::from_utf8_lossy(file).into_owned(), sheet)))
}

async fn taken<C: ConnectionTrait>(db: &C, sheet: &Sheet) -> Result<HashSet<i64>> {
    let rolls: HashSet<i64> = sheet.rows.iter().map(|row| row.student.roll).collect();
    if rolls.is_empty() {
        return Ok(rolls);
    }
    let found: Vec<i64> = student::Entity::find()
        .select_only()
        .column(student::Column::Roll)
        .filter(student::Column::Roll.is_in(rolls))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}

fn owner(session_id: i64) -> String {
    format!("student upload {session_id}")
}
