//! Acts on many students: the ticked ones, or all that the list's filter matches.

use rocket::{State, post};

use super::change_list::ListQuery;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        bulk::Tally,
        paging::Count,
        permissions::{self, Permission, Record},
        students,
    },
    error::{Error, Result},
    web::{
        admin::{
            bulk::{Act, Bulk, Grade, Point, confirm, run, run::Door},
            listing::Address,
        },
        error::PageError,
        guards::{
            ConfirmedForm, CsrfForm, May,
            permission::{DeleteStudents, ViewStudents},
        },
        page::{Page, Reply},
    },
};

/// The list of students with a filter.
pub struct Students(pub ListQuery);

impl Bulk for Students {
    const PATH: &'static str = super::PATH;
    const NAV: &'static str = "students";
    const TITLE: &'static str = "Students";
    const NOUN: (&'static str, &'static str) = ("student", "students");
    const EVENT: &'static str = "student.bulk";
    const ACTS: &'static [Act] = &[
        Act {
            name: "export",
            button: "Export",
            icon: "down",
            ask: "Export {}",
            done: "{} exported",
            grade: Grade::Direct,
            permission: Permission::new(permissions::Act::View, Record::Students),
            points: &[],
        },
        Act {
            name: "delete",
            button: "Delete…",
            icon: "bin",
            ask: "Delete {}",
            done: "{} deleted",
            grade: Grade::DeletesMany,
            permission: Permission::new(permissions::Act::Delete, Record::Students),
            points: &[
                Point {
                    kind: "bad",
                    icon: "bin",
                    text: "Goes: the students",
                    note: "The API stops listing them at once. This cannot be undone.",
                },
                Point {
                    kind: "info",
                    icon: "log",
                    text: "Stays: audit lines, with names, rolls and cities",
                    note: "They tell who deleted them and when.",
                },
            ],
        },
    ];

    fn list(&self) -> Address {
        self.0.address()
    }

    async fn ids(&self, app: &App, after: i64, limit: u64) -> Result<Vec<i64>> {
        students::ids(app, &self.0.filter(), after, limit).await
    }

    async fn count(&self, app: &App) -> Result<Count> {
        students::count_of(app, &self.0.filter()).await
    }

    async fn newest(app: &App) -> Result<i64> {
        students::newest_id(app).await
    }

    async fn names(app: &App, ids: &[i64]) -> Result<Vec<String>> {
        let found = students::some(app, ids).await?;
        Ok(found
            .into_iter()
            .map(|student| format!("{} (roll {})", student.name, student.roll))
            .collect())
    }

    async fn run(
        &self,
        app: &App,
        by: &Actor,
        act: &'static str,
        _answer: &str,
        ids: &[i64],
    ) -> Result<Tally> {
        match act {
            "delete" => students::delete_many(app, by, ids).await,
            _ => Err(Error::NotFound),
        }
    }
}

#[post("/students/bulk?<query..>", data = "<form>")]
pub async fn ask(
    session: May<'_, ViewStudents>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    Ok(confirm::ask(&Students(query), app, &session.actor, &form).await?)
}

#[post("/students/bulk/run?<query..>", data = "<form>")]
pub async fn go(
    session: May<'_, DeleteStudents>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    Ok(run::go(&Students(query), app, &session.actor, &form, Door::Plain).await?)
}

#[post("/students/bulk/confirmed?<query..>", data = "<form>")]
pub async fn go_confirmed(
    session: May<'_, DeleteStudents>,
    app: &State<App>,
    query: ListQuery,
    form: ConfirmedForm,
) -> Result<Reply, PageError> {
    Ok(run::go(
        &Students(query),
        app,
        &session.actor,
        &form,
        Door::Confirmed,
    )
    .await?)
}

pub fn samples() -> Vec<Page> {
    let list = Students(ListQuery::default());
    let mut pages = confirm::samples(&list);
    pages.push(run::sample(&list));
    pages
}
