//! Students, read: one, a page, all, and batch by batch.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::Student;
use crate::{
    app::App,
    domain::paging::{Count, Key, Kind, Order, Page, PageRequest, count_up_to, found_in, page},
    entity::student::{Column, Entity},
    error::{Error, Result},
};

/// Rows that an export reads at once.
const BATCH: u64 = 1000;

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
    /// The whole name of it.
    pub city: Option<String>,
    pub sort: StudentSort,
    pub page: PageRequest,
}

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
            Column::Id | Column::Version => Key::Number(student.id),
        };
        (key, student.id)
    };
    page(
        app.db.read(),
        matching(filter),
        Order {
            column,
            id: Column::Id,
            descending,
            kind: match column {
                Column::Name | Column::City => Kind::Text,
                Column::Id | Column::Roll | Column::Version => Kind::Number,
            },
        },
        &filter.page,
        key_of,
    )
    .await
}

/// Those of the filter after this id, in the order of ids: an export asks again until nobody is left.
pub async fn batch(app: &App, filter: &StudentFilter, after: i64) -> Result<Vec<Student>> {
    Ok(matching(filter)
        .filter(Column::Id.gt(after))
        .order_by_asc(Column::Id)
        .limit(BATCH)
        .all(app.db.read())
        .await?)
}

pub(super) fn matching(filter: &StudentFilter) -> Select<Entity> {
    let given = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim).unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let mut query = Entity::find();
    if let Some(text) = given(&filter.q) {
        let mut any = Condition::any()
            .add(found_in(Column::Name, &text))
            .add(found_in(Column::City, &text));
        if let Ok(roll) = text.parse::<i64>() {
            any = any.add(Column::Roll.eq(roll));
        }
        query = query.filter(any);
    }
    if let Some(city) = given(&filter.city) {
        query = query.filter(Column::City.eq(city.replace('\0', "")));
    }
    query
}

pub async fn count(app: &App) -> Result<Count> {
    count_up_to(app.db.read(), Entity::find(), Column::Id).await
}

/// Those of these that are there, in the order of ids.
pub async fn some(app: &App, ids: &[i64]) -> Result<Vec<Student>> {
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(Column::Id)
        .all(app.db.read())
        .await?)
}

pub async fn get(app: &App, id: i64) -> Result<Student> {
    Entity::find_by_id(id)
        .one(app.db.read())
        .await?
        .ok_or(Error::NotFound)
}
