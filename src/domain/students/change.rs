//! Students, changed: one by one, and several of a list in one form.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Map, Value, json};

use super::{Student, StudentChanges, StudentInput, unseen_in, valid};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        permissions::{Act, Permission, Record},
        search::text_of_student,
    },
    entity::student::{ActiveModel, Column, Entity},
    error::{Error, FieldErrors, Result},
};

const ADD: Permission = Permission::new(Act::Add, Record::Students);
const CHANGE: Permission = Permission::new(Act::Change, Record::Students);
pub(super) const DELETE: Permission = Permission::new(Act::Delete, Record::Students);

/// One row of a list that was edited in place.
#[derive(Clone, Debug)]
pub struct RowEdit {
    pub id: i64,
    /// Of the student as the person saw it.
    pub version: i64,
    pub name: String,
    pub city: String,
}

/// What became of such a form: everything was saved, or nothing.
#[derive(Debug)]
pub enum Edited {
    /// So many were changed.
    Saved(usize),
    Refused(Vec<Refusal>),
}

#[derive(Debug)]
pub struct Refusal {
    pub id: i64,
    pub why: Why,
}

#[derive(Debug)]
pub enum Why {
    Invalid(FieldErrors),
    /// Somebody changed it meanwhile, into this.
    Changed(Student),
    Deleted,
}

pub(super) fn new_row(input: StudentInput) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        search: Set(text_of_student(&input.name, input.roll, &input.city)),
        name: Set(input.name),
        roll: Set(input.roll),
        city: Set(input.city),
        version: Set(1),
    }
}

pub async fn create(app: &App, by: &Actor, input: StudentInput) -> Result<Student> {
    by.require(ADD)?;
    let input = valid(input)?;
    let db = app.db.begin().await?;
    let student = Entity::insert(new_row(input))
        .exec_with_returning(&db)
        .await?;
    audit::record(&db, app.now(), by, event("student.created", &student)).await?;
    db.commit(Affects::Students).await?;
    Ok(student)
}

pub async fn update(app: &App, by: &Actor, id: i64, input: StudentInput) -> Result<Student> {
    let all = StudentChanges {
        name: Some(input.name),
        roll: Some(input.roll),
        city: Some(input.city),
        ..StudentChanges::default()
    };
    change(app, by, id, all).await
}

/// Changes what is given and keeps the rest as it is at that moment. `Conflict` if a version is named and it is
/// not that any more.
pub async fn change(app: &App, by: &Actor, id: i64, changes: StudentChanges) -> Result<Student> {
    by.require(CHANGE)?;
    let db = app.db.begin().await?;
    let old = locked(&db, id).await?;
    if changes
        .version
        .is_some_and(|version| version != old.version)
    {
        return Err(Error::Conflict(
            "This student was changed meanwhile.".to_owned(),
        ));
    }
    let input = valid(StudentInput {
        name: changes.name.unwrap_or_else(|| old.name.clone()),
        roll: changes.roll.unwrap_or(old.roll),
        city: changes.city.unwrap_or_else(|| old.city.clone()),
    })?;
    if is_same(&old, &input) {
        return Ok(old);
    }
    let event = difference(&old, &input);
    let student = write(&db, &old, input).await?;
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Students).await?;
    Ok(student)
}

/// All rows of one form, or none of them.
pub async fn edit_rows(app: &App, by: &Actor, rows: Vec<RowEdit>) -> Result<Edited> {
    by.require(CHANGE)?;
    let db = app.db.begin().await?;
    let ids = rows.iter().map(|row| row.id);
    let found = Entity::find()
        .filter(Column::Id.is_in(ids))
        // In one order, so that two such forms wait for each other and not in a circle.
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(&db)
        .await?;
    let mut wanted = Vec::new();
    let mut refused = Vec::new();
    for row in rows {
        match judge(found.iter().find(|student| student.id == row.id), &row) {
            Ok(Some((old, input))) => wanted.push((old, input)),
            Ok(None) => {}
            Err(why) => refused.push(Refusal { id: row.id, why }),
        }
    }
    if !refused.is_empty() {
        return Ok(Edited::Refused(refused));
    }
    if wanted.is_empty() {
        return Ok(Edited::Saved(0));
    }
    let mut events = Vec::with_capacity(wanted.len());
    for (old, input) in wanted {
        events.push(difference(old, &input));
        write(&db, old, input).await?;
    }
    let saved = events.len();
    audit::record_all(&db, app.now(), by, events).await?;
    db.commit(Affects::Students).await?;
    Ok(Edited::Saved(saved))
}

/// What is to be written, if it differs from what is there.
fn judge<'a>(
    there: Option<&'a Student>,
    row: &RowEdit,
) -> Result<Option<(&'a Student, StudentInput)>, Why> {
    let Some(old) = there else {
        return Err(Why::Deleted);
    };
    let input = valid(StudentInput {
        name: row.name.clone(),
        roll: old.roll,
        city: row.city.clone(),
    });
    // What came over the API stays as it is, until somebody types it anew.
    let typed = |new: &str, old: &str| {
        if new == old {
            String::new()
        } else {
            new.to_owned()
        }
    };
    let unseen = unseen_in(&typed(&row.name, &old.name), &typed(&row.city, &old.city));
    match input {
        Err(Error::Validation(errors)) => Err(Why::Invalid(errors)),
        Err(_) => Err(Why::Deleted),
        Ok(_) if !unseen.is_empty() => Err(Why::Invalid(unseen)),
        Ok(input) if is_same(old, &input) => Ok(None),
        Ok(_) if old.version != row.version => Err(Why::Changed(old.clone())),
        Ok(input) => Ok(Some((old, input))),
    }
}

fn is_same(old: &Student, input: &StudentInput) -> bool {
    (&old.name, old.roll, &old.city) == (&input.name, input.roll, &input.city)
}

async fn write<C: ConnectionTrait>(db: &C, old: &Student, input: StudentInput) -> Result<Student> {
    let row = ActiveModel {
        id: Set(old.id),
        search: Set(text_of_student(&input.name, input.roll, &input.city)),
        name: Set(input.name),
        roll: Set(input.roll),
        city: Set(input.city),
        version: Set(old.version.saturating_add(1)),
    };
    Ok(row.update(db).await?)
}

pub async fn delete(app: &App, by: &Actor, id: i64) -> Result<()> {
    by.require(DELETE)?;
    let db = app.db.begin().await?;
    let student = locked(&db, id).await?;
    Entity::delete_by_id(id).exec(&db).await?;
    audit::record(&db, app.now(), by, event("student.deleted", &student)).await?;
    db.commit(Affects::Students).await?;
    Ok(())
}

/// For a change, so that two at once do not build on the same old row.
async fn locked<C: ConnectionTrait>(db: &C, id: i64) -> Result<Student> {
    Entity::find_by_id(id)
        .lock_exclusive()
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// What differs, as it was and as it is.
fn difference<'a>(old: &'a Student, input: &StudentInput) -> Event<'a> {
    let mut detail = Map::new();
    let mut compare = |name: &str, from: Value, to: Value| {
        if from != to {
            detail.insert(name.to_owned(), json!({"from": from, "to": to}));
        }
    };
    compare("name", json!(old.name), json!(input.name));
    compare("roll", json!(old.roll), json!(input.roll));
    compare("city", json!(old.city), json!(input.city));
    Event::new("student.changed", Some(old.id), &old.name).with(Value::Object(detail))
}

pub(super) fn event<'a>(action: &'static str, student: &'a Student) -> Event<'a> {
    Event::new(action, Some(student.id), &student.name)
        .with(json!({"roll": student.roll, "city": student.city}))
}
