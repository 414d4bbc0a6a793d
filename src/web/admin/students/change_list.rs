//! The list of students; with `edit=1` its rows are fields, and `edit_rows` takes what was typed.

use rocket::{FromForm, State, get};
use serde::Serialize;

use super::{PATH, bulk::Students, href};
use crate::{
    app::App,
    domain::{
        permissions::{Act, Permission, Record},
        students::{self, Student, StudentFilter, StudentSort},
    },
    web::{
        admin::bulk::Bar,
        admin::listing::{
            Address, Chip, Choice, Head, Hidden, Pager, Paging, match_text, no_hit, search,
            search_chip, sorted,
        },
        error::PageError,
        guards::{May, permission::ViewStudents},
        page::{Page, View},
    },
};

pub const SORTS: &[(&str, &str)] = &[
    ("", "Oldest first"),
    ("name", "Name A to Z"),
    ("-name", "Name Z to A"),
    ("roll", "Lowest roll first"),
    ("-roll", "Highest roll first"),
    ("city", "City A to Z"),
    ("-city", "City Z to A"),
];

#[derive(Clone, Debug, Default, FromForm)]
pub struct ListQuery {
    q: Option<String>,
    city: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
    edit: Option<String>,
    all: Option<String>,
}

impl ListQuery {
    fn paging(&self) -> Paging {
        Paging::new(self.cursor.clone(), self.per)
    }

    fn sort(&self) -> (&'static str, StudentSort) {
        match self.sort.as_deref() {
            Some("name") => ("name", StudentSort::Name),
            Some("-name") => ("-name", StudentSort::NameDescending),
            Some("roll") => ("roll", StudentSort::Roll),
            Some("-roll") => ("-roll", StudentSort::RollDescending),
            Some("city") => ("city", StudentSort::City),
            Some("-city") => ("-city", StudentSort::CityDescending),
            _ => ("", StudentSort::Id),
        }
    }

    pub fn filter(&self) -> StudentFilter {
        StudentFilter {
            q: search(self.q.as_deref()),
            city: search(self.city.as_deref()),
            sort: self.sort().1,
            page: self.paging().request(),
        }
    }

    /// The list with this filter, at its first page.
    pub fn address(&self) -> Address {
        Address::new(PATH)
            .with("q", search(self.q.as_deref()).unwrap_or_default())
            .with("city", search(self.city.as_deref()).unwrap_or_default())
            .with("sort", self.sort().0)
            .sized(&self.paging())
    }

    /// This very page of it.
    pub fn here(&self) -> Address {
        let cursor = self.cursor.clone().unwrap_or_default();
        self.address().with("cursor", cursor)
    }
}

#[derive(Serialize)]
pub(super) struct StudentChangeList {
    pub q: String,
    city: String,
    kept: Vec<Hidden>,
    chips: Vec<Chip>,
    clear: String,
    #[serde(rename = "match")]
    matching: String,
    no_hit: String,
    filtered: bool,
    sort: Choice,
    sorted_by: &'static str,
    heads: Heads,
    pub rows: Vec<Row>,
    pager: Pager,
    bulk: Bar,
    edit_href: String,
    export_href: String,
}

#[derive(Serialize)]
struct Heads {
    name: Head,
    roll: Head,
    city: Head,
}

#[derive(Serialize)]
pub(super) struct Row {
    pub id: i64,
    pub href: String,
    pub name: String,
    pub roll: i64,
    pub city: String,
}

impl Row {
    pub fn of(student: &Student) -> Self {
        Self {
            id: student.id,
            href: href(student.id),
            name: student.name.clone(),
            roll: student.roll,
            city: student.city.clone(),
        }
    }
}

impl View for StudentChangeList {
    const TEMPLATE: &'static str = "admin/students/change_list.html";
    const NAV: &'static str = "students";

    fn title(&self) -> String {
        "Students".to_owned()
    }
}

#[get("/students?<query..>")]
pub async fn change_list(
    session: May<'_, ViewStudents>,
    app: &State<App>,
    query: ListQuery,
) -> Result<Page, PageError> {
    let may_change = session
        .actor
        .may(Permission::new(Act::Change, Record::Students));
    let filter = query.filter();
    let found = students::list(app, &filter).await?;
    if query.edit.is_some() && may_change && !found.rows.is_empty() {
        return Ok(super::edit_rows::page(&query, &found.rows));
    }
    let here = query.address();
    let q = filter.q.iter().map(|q| Chip {
        label: search_chip(q),
        href: here.without("q").href(),
    });
    let city = filter.city.iter().map(|city| Chip {
        label: format!("City: {city}"),
        href: here.without("city").href(),
    });
    Ok(Page::of(&StudentChangeList {
        kept: here.hidden(&["q", "city", "sort"]),
        chips: q.chain(city).collect(),
        clear: here.without("q").without("city").href(),
        matching: match_text(&found, Some(students::count(app).await?)),
        no_hit: if filter.city.is_none() {
            no_hit("No one", filter.q.as_deref())
        } else {
            "No student matches that. A city is its whole name, accents and all; the search finds parts of it.".to_owned()
        },
        filtered: filter.q.is_some() || filter.city.is_some(),
        sort: Choice::new("sort", "Sort by", SORTS, query.sort().0),
        sorted_by: sorted_by(query.sort().0),
        heads: heads(&here, sorted(&found, query.sort().0)),
        pager: Pager::of(&found, &here, query.paging().size()),
        bulk: Bar::of(
            &Students(query.clone()),
            &session.actor,
            found.total,
            found.rows.len(),
            query.all.is_some(),
        ),
        rows: found.rows.iter().map(Row::of).collect(),
        q: filter.q.unwrap_or_default(),
        city: filter.city.unwrap_or_default(),
        edit_href: query.here().with("edit", "1").href(),
        export_href: here.below("export"),
    }))
}

fn sorted_by(sort: &str) -> &'static str {
    let known = SORTS.iter().find(|(value, _)| *value == sort);
    known.map_or("", |(_, label)| label)
}

fn heads(here: &Address, sort: &str) -> Heads {
    Heads {
        name: Head::new("Name", here, sort, ("name", "-name")),
        roll: Head::new("Roll", here, sort, ("roll", "-roll")),
        city: Head::new("City", here, sort, ("city", "-city")),
    }
}

pub fn samples(student: &Student) -> Vec<Page> {
    let here = Address::new(PATH);
    let none = crate::domain::paging::Page::only(Vec::<Row>::new());
    let mut list = StudentChangeList {
        q: String::new(),
        city: String::new(),
        kept: Vec::new(),
        chips: Vec::new(),
        clear: PATH.to_owned(),
        matching: String::new(),
        no_hit: "No student matches that.".to_owned(),
        filtered: false,
        sort: Choice::new("sort", "Sort by", SORTS, ""),
        sorted_by: sorted_by(""),
        heads: heads(&here, ""),
        pager: Pager::of(&none, &here, 25),
        bulk: Bar::of(
            &Students(ListQuery::default()),
            &crate::domain::actor::Actor::operator(),
            none.total,
            0,
            false,
        ),
        rows: Vec::new(),
        edit_href: PATH.to_owned(),
        export_href: PATH.to_owned(),
    };
    let empty = Page::of(&list);
    list.filtered = true;
    let no_hit = Page::of(&list);
    list.rows.push(Row::of(student));
    vec![empty, no_hit, Page::of(&list)]
}
