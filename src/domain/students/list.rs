//! Students, read: one, some, a page, all.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use super::Student;
use crate::{
    app::App,
    domain::{
        paging::{Count, Key, Kind, List, Order, Page, PageRequest, page_of},
        search::Words,
        totals::{self, Total, rows},
    },
    entity::student::{Column, Entity},
    error::{Error, Result},
};

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

pub(in crate::domain) const ALL: Total = Total {
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
    let city = city(filter);
    let search = filter.q.as_deref().and_then(Words::of);
    let [total] = if city.is_none() && search.is_none() {
        totals::counts(app, [ALL]).await?.map(Some)
    } else {
        [None]
    };
    page_of(
        app.db.read(),
        List {
            query: in_city(city.clone()),
            search,
            total,
            is_filtered: city.is_some(),
            is_led: city.is_some() && matches!(column, Column::Id | Column::City),
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

/// All that a filter finds, in no order.
pub(super) fn matching(app: &App, filter: &StudentFilter) -> Select<Entity> {
    let query = in_city(city(filter));
    match filter.q.as_deref().and_then(Words::of) {
        Some(words) => query.filter(words.in_index::<Entity>(app.db.read().get_database_backend())),
        None => query,
    }
}

fn city(filter: &StudentFilter) -> Option<String> {
    let city = filter.city.as_deref().map(str::trim).unwrap_or_default();
    (!city.is_empty()).then(|| city.replace('\0', ""))
}

fn in_city(city: Option<String>) -> Select<Entity> {
    match city {
        Some(city) => Entity::find().filter(Column::City.eq(city)),
        None => Entity::find(),
    }
}

pub async fn count(app: &App) -> Result<Count> {
    let [all] = totals::counts(app, [ALL]).await?;
    Ok(all)
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
