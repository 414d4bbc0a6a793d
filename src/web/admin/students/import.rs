//! Many students from a CSV file: the form, the preview, the doing.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::{PATH, trail};
use crate::{
    app::App,
    domain::{
        paging::Count,
        permissions::Record,
        students::{
            StudentInput,
            sheet::{Complaint, Row, Sheet},
            upload::{self, Preview, Uploaded},
        },
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        filters,
        flash::Flash,
        form::{FormState, Labels},
        guards::{CsrfForm, May, permission::AddStudents},
        page::{Crumb, Go, Page, Reply, View},
        words::counted,
    },
};

const LABELS: Labels = &[("file", "File")];
const IMPORT: &str = "/admin/students/import/";
const PREVIEW: &str = "/admin/students/import/preview/";
/// Rows and complaints shown.
const FIRST: usize = 10;
const FIRST_COMPLAINTS: usize = 20;

/// What such a file looks like.
const EXAMPLE: &str = "name;roll;city\nAsha Rao;101;Mysuru\n\"Berg; Nils\";102;Malmö";

#[derive(Serialize)]
struct StudentImportForm {
    example: &'static str,
    /// What became of the preview that was asked for.
    gone: Option<Gone>,
    form: FormState,
}

#[derive(Serialize)]
struct Gone {
    title: &'static str,
    text: &'static str,
}

/// The preview of somebody else, or one that was used, is not there.
const GONE: Gone = Gone {
    title: "This upload was imported already, or is too old.",
    text: "A preview is kept for half an hour, for whoever sent the file. Choose the file again.",
};

impl View for StudentImportForm {
    const TEMPLATE: &'static str = "admin/students/import_form.html";
    const NAV: &'static str = "students";

    fn title(&self) -> String {
        "Import students".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        trail()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

#[derive(Serialize)]
struct StudentImportPreview {
    title: String,
    file: String,
    action: String,
    button: String,
    /// Numbers, as they are shown.
    new: String,
    again: String,
    bad: String,
    nothing: bool,
    any_again: bool,
    /// There is nothing else in the file.
    only_again: bool,
    rows: Vec<PreviewRow>,
    more: Option<String>,
    complaints: Vec<Line>,
    more_complaints: Option<String>,
}

#[derive(Serialize)]
struct PreviewRow {
    line: u64,
    name: String,
    roll: i64,
    city: String,
    /// Why it is skipped; empty: it is not.
    again: String,
}

#[derive(Serialize)]
struct Line {
    line: u64,
    text: String,
}

impl View for StudentImportPreview {
    const TEMPLATE: &'static str = "admin/students/import_preview.html";
    const NAV: &'static str = "students";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn trail(&self) -> Vec<Crumb> {
        let mut trail = trail();
        trail.push(Crumb::new("Import", IMPORT));
        trail
    }
}

fn students(n: usize) -> String {
    let n = Count {
        n: n as u64,
        exact: true,
    };
    counted(n, "student", "students")
}

fn more(n: usize, shown: usize) -> Option<String> {
    let rest = n.saturating_sub(shown) as u64;
    (rest > 0).then(|| format!("and {} more", filters::number(rest)))
}

fn preview_of(preview: &Preview, id: i64) -> StudentImportPreview {
    let Sheet { rows, complaints } = &preview.sheet;
    let again = rows.iter().filter(|row| preview.is_again(row)).count();
    let new = rows.len() - again;
    let number = |n: usize| filters::number(n as u64);
    StudentImportPreview {
        title: if new == 0 {
            "Nothing new in this file".to_owned()
        } else {
            format!("Add {}?", students(new))
        },
        file: preview.file.clone(),
        action: format!("{PREVIEW}{id}/"),
        button: if new == 0 {
            "Add those whose roll is taken".to_owned()
        } else {
            format!("Add {}", students(new))
        },
        new: number(new),
        again: number(again),
        bad: number(complaints.len()),
        nothing: rows.is_empty(),
        any_again: again > 0,
        only_again: again > 0 && new == 0,
        rows: rows
            .iter()
            .take(FIRST)
            .map(|row| shown(preview, row))
            .collect(),
        more: more(rows.len(), FIRST),
        complaints: complaints
            .iter()
            .take(FIRST_COMPLAINTS)
            .map(|Complaint { line, text }| Line {
                line: *line,
                text: text.clone(),
            })
            .collect(),
        more_complaints: more(complaints.len(), FIRST_COMPLAINTS),
    }
}

fn shown(preview: &Preview, row: &Row) -> PreviewRow {
    let StudentInput { name, roll, city } = row.student.clone();
    PreviewRow {
        line: row.line,
        name,
        roll,
        city,
        again: match row.twin {
            Some(line) => format!("Roll of line {line}, too"),
            None if preview.taken.contains(&roll) => "Roll is taken".to_owned(),
            None => String::new(),
        },
    }
}

#[get("/students/import")]
pub fn import_form(_session: May<'_, AddStudents>) -> Page {
    Page::of(&StudentImportForm {
        example: EXAMPLE,
        gone: None,
        form: FormState::default(),
    })
}

#[post("/students/import", data = "<form>")]
pub async fn take_file(
    session: May<'_, AddStudents>,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let kept = match form.file("file") {
        Some((name, bytes)) if !name.is_empty() => {
            upload::keep(app, &session.actor, session.session.id, name, bytes).await
        }
        _ => Err(Error::field("file", "Choose a file.")),
    };
    match kept {
        Ok(id) => Ok(Go::to(format!("{PREVIEW}{id}/")).into()),
        Err(Error::Validation(errors)) => Ok(Reply::page(&StudentImportForm {
            example: EXAMPLE,
            gone: None,
            form: FormState::default().refused(&errors, LABELS),
        })),
        Err(other) => Err(other.into()),
    }
}

fn gone() -> Page {
    let form = StudentImportForm {
        example: EXAMPLE,
        gone: Some(GONE),
        form: FormState::default(),
    };
    Page::of(&form).status(Status::NotFound)
}

#[get("/students/import/preview/<id>")]
pub async fn preview(
    session: May<'_, AddStudents>,
    app: &State<App>,
    id: i64,
) -> Result<Reply, PageError> {
    let found = upload::preview(app, &session.actor, session.session.id, id).await?;
    Ok(match found {
        Some(found) => Reply::page(&preview_of(&found, id)),
        None => gone().into(),
    })
}

#[post("/students/import/preview/<id>", data = "<form>")]
pub async fn confirm(
    session: May<'_, AddStudents>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Go, PageError> {
    let also_taken = form.flag("also_taken");
    let by = &session.actor;
    let Some(done) = upload::confirm(app, by, session.session.id, id, also_taken).await? else {
        let said = Flash::warn(GONE.title).text(GONE.text);
        return Ok(Go::to(IMPORT).with(said));
    };
    let to = session.or_dashboard(Record::Students, PATH.to_owned());
    Ok(Go::to(to).with(told(done)))
}

fn told(done: Uploaded) -> Flash {
    let Uploaded {
        added,
        skipped,
        left_out,
    } = done;
    let mut rest = Vec::new();
    if skipped > 0 {
        rest.push(format!(
            "{} skipped: their roll is taken.",
            filters::number(skipped as u64)
        ));
    }
    if left_out > 0 {
        rest.push(format!(
            "{} left out: they could not be read.",
            filters::number(left_out as u64)
        ));
    }
    let said = if added == 0 {
        Flash::warn("Nothing was added.")
    } else {
        Flash::ok(format!("{} added.", students(added)))
    };
    said.text(rest.join(" "))
}

pub fn samples() -> Vec<Page> {
    let mut errors = FieldErrors::default();
    errors.push("file", "Choose a file.");
    let row = |line, roll, twin| Row {
        line,
        student: StudentInput {
            name: "<b>sam".to_owned(),
            roll,
            city: "Pune".to_owned(),
        },
        twin,
    };
    let with = |rows| Preview {
        file: "students.csv".to_owned(),
        sheet: Sheet {
            rows,
            complaints: vec![Complaint {
                line: 17,
                text: "roll is not a number".to_owned(),
            }],
        },
        taken: [2].into(),
    };
    let full = with(vec![row(2, 1, None), row(3, 2, None), row(4, 1, Some(2))]);
    vec![
        Page::of(&StudentImportForm {
            example: EXAMPLE,
            gone: None,
            form: FormState::default(),
        }),
        Page::of(&StudentImportForm {
            example: EXAMPLE,
            gone: None,
            form: FormState::default().refused(&errors, LABELS),
        }),
        gone(),
        Page::of(&preview_of(&full, 3)),
        Page::of(&preview_of(&with(Vec::new()), 3)),
        Page::of(&preview_of(&with(vec![row(2, 2, None)]), 3)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_says_what_was_added_and_what_was_not() {
        let done = Uploaded {
            added: 1_405,
            skipped: 4,
            left_out: 3,
        };
        let said = Flash::ok("1,405 students added.")
            .text("4 skipped: their roll is taken. 3 left out: they could not be read.");
        assert_eq!(told(done), said);
    }
}
