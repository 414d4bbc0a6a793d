//! Students as a CSV file: the ticked ones, or all that the list's filter matches.

use rocket::{Either, State, get, post};

use super::{bulk::Students, change_list::ListQuery};
use crate::{
    app::App,
    domain::{actor::Actor, students},
    error::Result,
    web::{
        admin::bulk::export::{self, Export},
        csv::{CsvFile, row},
        error::PageError,
        guards::{CsrfForm, May, permission::ViewStudents},
        page::Go,
    },
};

impl Export for Students {
    const FILE: &'static str = "students.csv";
    const HEAD: &'static [&'static str] = &["name", "roll", "city"];

    async fn lines(app: &App, _by: &Actor, ids: &[i64]) -> Result<String> {
        let found = students::some(app, ids).await?;
        let lines = found
            .iter()
            .map(|s| row([s.name.as_str(), &s.roll.to_string(), &s.city]));
        Ok(lines.collect())
    }
}

#[get("/students/export?<query..>")]
pub async fn export_all(
    session: May<'_, ViewStudents>,
    app: &State<App>,
    query: ListQuery,
) -> Result<CsvFile, PageError> {
    Ok(export::everything(Students(query), app, &session.actor).await?)
}

#[post("/students/export?<query..>", data = "<form>")]
pub async fn export_chosen(
    session: May<'_, ViewStudents>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Either<CsvFile, Go>, PageError> {
    Ok(export::chosen(Students(query), app, &session.actor, &form).await?)
}
