//! Students, read: one, some, a page, all.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, Query},
};

use super::Student;
use crate::{
    app::App,
    domain::{
        paging::{By, Count, Key, Kind, List, Order, Page, PageRequest, page_of},
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
    /// Words of name and city; a number alone is a roll.
    pub q: Option<String>,
    /// The whole name of it, in small or capital letters.
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
    let city = city(app, filter).await?;
    let (roll, search) = filter.sought();
    let is_filtered = city.is_some() || roll.is_some();
    let [total] = if !is_filtered && search.is_none() {
        totals::counts(app, [ALL]).await?.map(Some)
    } else {
        [None]
    };
    page_of(
        app.db.read(),
        List {
            is_filtered,
            query: of_roll(in_city(city), roll),
            search,
            total,
            is_led: false,
            few: None,
            by_age: None,
        },
        Order {
            by: match column {
                Column::Id => By::Id,
                column => By::Column(column),
            },
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
pub(super) async fn matching(app: &App, filter: &StudentFilter) -> Result<Select<Entity>> {
    let (roll, search) = filter.sought();
    let query = of_roll(in_city(city(app, filter).await?), roll);
    Ok(match search {
        Some(words) => query.filter(words.in_index::<Entity>(app.db.read().get_database_backend())),
        None => query,
    })
}

impl StudentFilter {
    fn sought(&self) -> (Option<i64>, Option<Words>) {
        let q = self.q.as_deref().map(str::trim).unwrap_or_default();
        let is_number = q.bytes().all(|byte| byte.is_ascii_digit());
        match q.parse() {
            Ok(roll) if is_number => (Some(roll), None),
            _ => (None, Words::of(q)),
        }
    }
}

fn of_roll(query: Select<Entity>, roll: Option<i64>) -> Select<Entity> {
    match roll {
        Some(roll) => query.filter(Column::Roll.eq(roll)),
        None => query,
    }
}

/// The spellings of a city that there are, of those that people type. Each is one look into the index of cities, and where
/// there is one only, its students stand there in the order of their ids; accents count, as no index knows cities without.
async fn city(app: &App, filter: &StudentFilter) -> Result<Option<Vec<String>>> {
    let city = filter.city.as_deref().map(str::trim).unwrap_or_default();
    if city.is_empty() {
        return Ok(None);
    }
    let spellings = spellings(&city.replace('\0', ""));
    let is_there = |spelling: &String| {
        let students = Query::select()
            .expr(Expr::cust("1"))
            .from(Entity)
            .and_where(Column::City.eq(spelling))
            .to_owned();
        Expr::exists(students)
    };
    let query = Query::select()
        .exprs(spellings.iter().map(is_there))
        .to_owned();
    let Some(row) = app.db.read().query_one(&query).await? else {
        return Ok(Some(spellings));
    };
    let mut there = Vec::new();
    for (at, spelling) in spellings.into_iter().enumerate() {
        if row.try_get_by_index(at)? {
            there.push(spelling);
        }
    }
    Ok(Some(there))
}

/// As it was typed, in small letters, in capitals, and with a capital at the start of each word and of the first.
fn spellings(city: &str) -> Vec<String> {
    let small = city.to_lowercase();
    let mut words = String::new();
    let mut begins = true;
    for c in small.chars() {
        if begins {
            words.extend(c.to_uppercase());
        } else {
            words.push(c);
        }
        begins = !c.is_alphanumeric();
    }
    let mut letters = small.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let first: String = first.chain(letters).collect();
    let mut spellings = vec![city.to_owned(), city.to_uppercase(), words, first, small];
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

fn in_city(city: Option<Vec<String>>) -> Select<Entity> {
    match city.as_deref() {
        Some([one]) => Entity::find().filter(Column::City.eq(one)),
        Some(some) => Entity::find().filter(Column::City.is_in(some)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_city_is_found_however_its_letters_are_typed() {
        for typed in ["new delhi", "NEW DELHI", "New Delhi", "nEW dELHI"] {
            assert!(
                spellings(typed).contains(&"New Delhi".to_owned()),
                "{typed}"
            );
        }
        assert!(spellings("FRANKFURT am main").contains(&"Frankfurt am main".to_owned()));
        assert!(spellings("port-au-prince").contains(&"Port-Au-Prince".to_owned()));
        assert_eq!(spellings("上海"), ["上海"]);
    }
}
