//! Students as a CSV file: all that the list's filter matches, however many.

use rocket::{State, get};

use super::change_list::ListQuery;
use crate::{
    app::App,
    domain::students,
    web::{
        csv::{self, CsvFile, disarmed},
        guards::{May, permission::ViewStudents},
    },
};

#[get("/students/export?<query..>")]
pub fn export(_session: May<'_, ViewStudents>, app: &State<App>, query: ListQuery) -> CsvFile {
    let app = App::clone(app);
    let filter = query.filter();
    CsvFile::new("students.csv", &["name", "roll", "city"], 0, move |after| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let rows = students::batch(&app, &filter, after).await?;
            csv::batch(
                &rows,
                |student| student.id,
                |student| {
                    [
                        disarmed(&student.name).into_owned(),
                        student.roll.to_string(),
                        disarmed(&student.city).into_owned(),
                    ]
                },
            )
        }
    })
}
