//! "Edit in list": names and cities of the rows on a page as fields of one form. Everything is saved or nothing;
//! what was typed stays, and each row says what is wrong with it.

use rocket::{State, http::Status, post};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    change_list::{ListQuery, Row},
    trail,
};
use crate::{
    app::App,
    domain::{
        paging::Count,
        permissions::Record,
        students::{self, Edited, Refusal, RowEdit, Student, Why},
    },
    error::FieldErrors,
    web::{
        complaints,
        error::PageError,
        flash::Flash,
        form,
        guards::{CsrfForm, May, permission::ChangeStudents},
        page::{Crumb, Go, Page, Reply, View},
        words,
    },
};

/// More rows than a page has are not read.
const MOST: usize = 100;

#[derive(Serialize)]
struct StudentEditList {
    action: String,
    cancel: String,
    headline: String,
    problems: Vec<Problem>,
    rows: Vec<Fields>,
}

/// One line of the summary on top.
#[derive(Serialize)]
struct Problem {
    /// The field's id; empty: there is none.
    field: String,
    text: String,
}

/// One row of the list, as fields.
#[derive(Serialize)]
struct Fields {
    #[serde(flatten)]
    row: Row,
    /// How the row was when these fields were drawn.
    seen: String,
    /// What the person typed; at first what is there.
    typed_name: String,
    typed_city: String,
    name_errors: Vec<String>,
    city_errors: Vec<String>,
    /// That somebody else changed it.
    note: String,
}

impl Fields {
    fn of(student: &Student) -> Self {
        Self {
            row: Row::of(student),
            seen: seen(student),
            typed_name: student.name.clone(),
            typed_city: student.city.clone(),
            name_errors: Vec::new(),
            city_errors: Vec::new(),
            note: String::new(),
        }
    }
}

impl View for StudentEditList {
    const TEMPLATE: &'static str = "admin/students/edit_list.html";
    const NAV: &'static str = "students";

    fn title(&self) -> String {
        "Edit students".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        trail()
    }

    fn is_refused(&self) -> bool {
        !self.problems.is_empty()
    }
}

fn view(query: &ListQuery, rows: Vec<Fields>) -> StudentEditList {
    let here = query.here();
    StudentEditList {
        action: here.below("edit"),
        cancel: here.href(),
        headline: String::new(),
        problems: Vec::new(),
        rows,
    }
}

pub fn page(query: &ListQuery, students: &[Student]) -> Page {
    Page::of(&view(query, students.iter().map(Fields::of).collect()))
}

/// The version, and a print of the values: by it a row is known that the person left alone.
fn seen(student: &Student) -> String {
    format!(
        "{}.{}",
        student.version,
        print(&student.name, &student.city)
    )
}

fn print(name: &str, city: &str) -> String {
    let digest = Sha256::new()
        .chain_update(name.len().to_be_bytes())
        .chain_update(name)
        .chain_update(city)
        .finalize();
    hex::encode(&digest[..4])
}

/// A row as it was sent.
struct Sent {
    edit: RowEdit,
    seen: String,
    touched: bool,
}

fn read(form: &CsrfForm) -> Vec<Sent> {
    let mut rows: Vec<Sent> = Vec::new();
    for id in form.all("id").filter_map(|id| id.parse::<i64>().ok()) {
        if rows.len() == MOST || rows.iter().any(|row| row.edit.id == id) {
            continue;
        }
        let text = |name: &str| form.text(&format!("{name}-{id}")).to_owned();
        let (seen, name, city) = (text("seen"), text("name"), text("city"));
        let (version, print_then) = seen.split_once('.').unwrap_or_default();
        rows.push(Sent {
            touched: print(&name, &city) != print_then,
            edit: RowEdit {
                id,
                version: version.parse().unwrap_or(0),
                name,
                city,
            },
            seen,
        });
    }
    rows
}

#[post("/students/edit?<query..>", data = "<form>")]
pub async fn edit_rows(
    session: May<'_, ChangeStudents>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let sent = read(&form);
    let touched = sent.iter().filter(|row| row.touched);
    let edits = touched.map(|row| row.edit.clone()).collect();
    let refusals = match students::edit_rows(app, &session.actor, edits).await? {
        Edited::Saved(n) => {
            let said = if n == 0 {
                "Nothing to save.".to_owned()
            } else {
                let n = Count {
                    n: n as u64,
                    exact: true,
                };
                format!(
                    "Saved. Changed: {}.",
                    words::counted(n, "student", "students")
                )
            };
            let to = session.or_dashboard(Record::Students, query.here().href());
            return Ok(Go::to(to).with(Flash::ok(said)).into());
        }
        Edited::Refused(refusals) => refusals,
    };
    let ids: Vec<i64> = sent.iter().map(|row| row.edit.id).collect();
    let there = students::some(app, &ids).await?;
    let conflict = refusals
        .iter()
        .any(|refusal| !matches!(refusal.why, Why::Invalid(_)));
    let page = Page::of(&refused(&query, &sent, &there, &refusals));
    Ok(page
        .status(if conflict {
            Status::Conflict
        } else {
            Status::BadRequest
        })
        .into())
}

fn refused(
    query: &ListQuery,
    sent: &[Sent],
    there: &[Student],
    refusals: &[Refusal],
) -> StudentEditList {
    let mut problems = Vec::new();
    let mut rows = Vec::new();
    for Sent {
        edit,
        seen: seen_then,
        touched,
    } in sent
    {
        let why = refusals.iter().find(|r| r.id == edit.id).map(|r| &r.why);
        let Some(student) = there.iter().find(|student| student.id == edit.id) else {
            if *touched {
                problems.push(Problem {
                    field: String::new(),
                    text: format!("“{}” was deleted meanwhile.", edit.name),
                });
            }
            continue;
        };
        let mut fields = Fields::of(student);
        if *touched {
            fields.typed_name.clone_from(&edit.name);
            fields.typed_city.clone_from(&edit.city);
            match why {
                Some(Why::Invalid(errors)) => complain(&mut fields, &mut problems, errors),
                Some(_) => {
                    // Drawn anew, it is what they see: to save again is to overwrite it knowingly.
                    fields.note = format!(
                        "Changed meanwhile to {}, {}. Saving again overwrites that.",
                        student.name, student.city
                    );
                    problems.push(Problem {
                        field: format!("name-{}", student.id),
                        text: format!("Roll {}: somebody changed it meanwhile.", student.roll),
                    });
                }
                None => {}
            }
            if !matches!(why, Some(Why::Changed(_) | Why::Deleted)) {
                fields.seen.clone_from(seen_then);
            }
        }
        rows.push(fields);
    }
    StudentEditList {
        headline: form::headline(problems.len()),
        problems,
        ..view(query, rows)
    }
}

fn complain(fields: &mut Fields, problems: &mut Vec<Problem>, errors: &FieldErrors) {
    let told = |field| {
        let messages = errors.get(field).iter();
        let messages = messages.map(|message| complaints::on_page(message, ""));
        messages.collect()
    };
    fields.name_errors = told("name");
    fields.city_errors = told("city");
    let (id, roll) = (fields.row.id, fields.row.roll);
    for (field, word, messages) in [
        ("name", "Name", &fields.name_errors),
        ("city", "City", &fields.city_errors),
    ] {
        problems.extend(messages.iter().map(|message| Problem {
            field: format!("{field}-{id}"),
            text: format!("{word} of roll {roll}: {message}"),
        }));
    }
}

pub fn samples(student: &Student) -> Vec<Page> {
    let query = ListQuery::default();
    let mut errors = FieldErrors::default();
    errors.push("city", "This field may not be blank.");
    let sent = |id| Sent {
        edit: RowEdit {
            id,
            version: 1,
            name: "<b>sam".to_owned(),
            city: String::new(),
        },
        seen: seen(student),
        touched: true,
    };
    let bad = |why| {
        let refusals = [Refusal {
            id: student.id,
            why,
        }];
        let there = std::slice::from_ref(student);
        Page::of(&refused(
            &query,
            &[sent(student.id), sent(0)],
            there,
            &refusals,
        ))
    };
    vec![
        page(&query, std::slice::from_ref(student)),
        bad(Why::Invalid(errors)),
        bad(Why::Changed(student.clone())),
    ]
}
