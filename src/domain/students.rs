//! The sample records. Whoever has a credential reads them; whoever has the permission
//! changes them.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait, QueryOrder, QuerySelect,
};
use serde_json::json;

pub use crate::entity::student::Model as Student;
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        paging::{Count, Key, Kind, List, Order, Page, PageRequest, page_of},
        permissions::{Act, Permission, Record},
        search::{self, Words},
        totals::{self, Total, rows},
    },
    entity::student::{ActiveModel, Column, Entity},
    error::{Error, FieldErrors, Result},
};

/// Characters of a name or a city.
const TEXT_MAX: usize = 100;
/// Django's `IntegerField`, which clients may rely on.
const ROLL: std::ops::RangeInclusive<i64> = -2_147_483_648..=2_147_483_647;

#[derive(Clone, Debug, Default)]
pub struct StudentInput {
    pub name: String,
    pub roll: i64,
    pub city: String,
}

/// What of a student is to be changed.
#[derive(Clone, Debug, Default)]
pub struct StudentChanges {
    pub name: Option<String>,
    pub roll: Option<i64>,
    pub city: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StudentSort {
    #[default]
    Id,
    Name,
    NameDescending,
    Roll,
    RollDescending,
    City,
    CityDescending,
}

#[derive(Clone, Debug, Default)]
pub struct StudentFilter {
    pub q: Option<String>,
    pub sort: StudentSort,
    pub page: PageRequest,
}

const ALL: Total = Total {
    name: "students",
    rows: |_| rows(Entity::find()),
};

/// All of them, as the API gives them.
pub async fn all(app: &App) -> Result<Vec<Student>> {
    Ok(Entity::find()
        .order_by_asc(Column::Id)
        .all(app.db.read())
        .await?)
}

pub async fn list(app: &App, filter: &StudentFilter) -> Result<Page<Student>> {
    let (column, descending) = match filter.sort {
        StudentSort::Id => (Column::Id, false),
        StudentSort::Name => (Column::Name, false),
        StudentSort::NameDescending => (Column::Name, true),
        StudentSort::Roll => (Column::Roll, false),
        StudentSort::RollDescending => (Column::Roll, true),
        StudentSort::City => (Column::City, false),
        StudentSort::CityDescending => (Column::City, true),
    };
    let key_of = |student: &Student| {
        let key = match column {
            Column::Name => Key::Text(student.name.clone()),
            Column::City => Key::Text(student.city.clone()),
            Column::Roll => Key::Number(student.roll),
            _ => Key::Number(student.id),
        };
        (key, student.id)
    };
    let [total] = match filter.q {
        None => totals::counts(app, [ALL]).await?.map(Some),
        Some(_) => [None],
    };
    page_of(
        app.db.read(),
        List {
            query: Entity::find(),
            search: filter.q.as_deref().and_then(Words::of),
            total,
            is_filtered: false,
        },
        Order {
            column,
            id: Column::Id,
            descending,
            kind: match column {
                Column::Name | Column::City => Kind::Text,
                _ => Kind::Number,
            },
        },
        &filter.page,
        key_of,
    )
    .await
}

pub async fn count(app: &App) -> Result<Count> {
    let [all] = totals::counts(app, [ALL]).await?;
    Ok(all)
}

pub async fn get(app: &App, id: i64) -> Result<Student> {
    Entity::find_by_id(id)
        .one(app.db.read())
        .await?
        .ok_or(Error::NotFound)
}

pub async fn create(app: &App, by: &Actor, input: StudentInput) -> Result<Student> {
    by.require(Permission::new(Act::Add, Record::Students))?;
    let input = valid(input)?;
    let db = app.db.begin().await?;
    let row = ActiveModel {
        id: NotSet,
        search: Set(search::text_of_student(
            &input.name,
            input.roll,
            &input.city,
        )),
        name: Set(input.name),
        roll: Set(input.roll),
        city: Set(input.city),
    };
    let student = Entity::insert(row).exec_with_returning(&db).await?;
    note(&db, app, by, "student.created", &student).await?;
    db.commit(Affects::Students).await?;
    Ok(student)
}

pub async fn update(app: &App, by: &Actor, id: i64, input: StudentInput) -> Result<Student> {
    let all = StudentChanges {
        name: Some(input.name),
        roll: Some(input.roll),
        city: Some(input.city),
    };
    change(app, by, id, all).await
}

/// Changes what is given and keeps the rest as it is at that moment.
pub async fn change(app: &App, by: &Actor, id: i64, changes: StudentChanges) -> Result<Student> {
    by.require(Permission::new(Act::Change, Record::Students))?;
    let db = app.db.begin().await?;
    let old = locked(&db, id).await?;
    let input = valid(StudentInput {
        name: changes.name.unwrap_or_else(|| old.name.clone()),
        roll: changes.roll.unwrap_or(old.roll),
        city: changes.city.unwrap_or_else(|| old.city.clone()),
    })?;
    if (&old.name, old.roll, &old.city) == (&input.name, input.roll, &input.city) {
        return Ok(old);
    }
    let row = ActiveModel {
        id: Set(id),
        search: Set(search::text_of_student(
            &input.name,
            input.roll,
            &input.city,
        )),
        name: Set(input.name),
        roll: Set(input.roll),
        city: Set(input.city),
    };
    let student = row.update(&db).await?;
    note(&db, app, by, "student.changed", &student).await?;
    db.commit(Affects::Students).await?;
    Ok(student)
}

pub async fn delete(app: &App, by: &Actor, id: i64) -> Result<()> {
    by.require(Permission::new(Act::Delete, Record::Students))?;
    let db = app.db.begin().await?;
    let student = locked(&db, id).await?;
    Entity::delete_by_id(id).exec(&db).await?;
    note(&db, app, by, "student.deleted", &student).await?;
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

pub(crate) fn valid(input: StudentInput) -> Result<StudentInput> {
    let input = StudentInput {
        name: input.name.trim().to_owned(),
        roll: input.roll,
        city: input.city.trim().to_owned(),
    };
    let mut errors = FieldErrors::default();
    for (field, text) in [("name", &input.name), ("city", &input.city)] {
        if text.is_empty() {
            errors.push(field, "This field may not be blank.");
        }
        if text.contains('\0') {
            errors.push(field, "Null characters are not allowed.");
        }
        if text.chars().count() > TEXT_MAX {
            errors.push(
                field,
                format!("Ensure this field has no more than {TEXT_MAX} characters."),
            );
        }
        if field == "name" {
            if input.roll > *ROLL.end() {
                errors.push(
                    "roll",
                    format!("Ensure this value is less than or equal to {}.", ROLL.end()),
                );
            }
            if input.roll < *ROLL.start() {
                errors.push(
                    "roll",
                    format!(
                        "Ensure this value is greater than or equal to {}.",
                        ROLL.start()
                    ),
                );
            }
        }
    }
    errors.into_result(|| input)
}

async fn note<C: ConnectionTrait>(
    db: &C,
    app: &App,
    by: &Actor,
    action: &'static str,
    student: &Student,
) -> Result<()> {
    let event = Event::new(action, Some(student.id), &student.name)
        .with(json!({"roll": student.roll, "city": student.city}));
    audit::record(db, app.now(), by, event).await
}
