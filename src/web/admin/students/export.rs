//! Students as a CSV file: all that the list's filter matches, however many.

use rocket::{State, get};

use super::change_list::ListQuery;
use crate::{
    app::App,
    domain::students,
    web::{
        csv::{CsvFile, row},
        guards::{May, permission::ViewStudents},
    },
};

#[get("/students/export?<query..>")]
pub fn export(session: May<'_, ViewStudents>, app: &State<App>, query: ListQuery) -> CsvFile {
    let app = App::clone(app);
    let filter = query.filter();
    let request_id = session.actor.request_id().to_owned();
    CsvFile::new(
        "students.csv",
        request_id,
        &["name", "roll", "city"],
        0,
        move |after| {
            let (app, filter) = (app.clone(), filter.clone());
            async move {
                let found = students::batch(&app, &filter, after).await?;
                let rows = found
                    .iter()
                    .map(|s| row([s.name.as_str(), &s.roll.to_string(), &s.city]));
                Ok(found.last().map(|last| (rows.collect(), last.id)))
            }
        },
    )
}
