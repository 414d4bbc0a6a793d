//! One student: add, edit, delete.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::{LABELS, PATH, change_list::Row, href, trail};
use crate::{
    app::App,
    domain::{
        permissions::Record,
        students::{self, Student, StudentChanges, StudentInput},
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        flash::Flash,
        form::FormState,
        guards::{
            CsrfForm, May,
            permission::{AddStudents, ChangeStudents, DeleteStudents, ViewStudents},
        },
        page::{Crumb, Go, Page, Reply, View},
    },
};

#[derive(Serialize)]
struct StudentChangeForm {
    /// 0: there is none yet.
    id: i64,
    heading: String,
    action: String,
    save: &'static str,
    stay: bool,
    /// Empty: there is nothing to delete yet.
    delete_href: String,
    /// Of the student as these fields show it; 0: there is none yet.
    version: i64,
    /// What it became meanwhile, by somebody else; empty: nothing.
    theirs: String,
    form: FormState,
}

impl View for StudentChangeForm {
    const TEMPLATE: &'static str = "admin/students/change_form.html";
    const NAV: &'static str = "students";

    fn title(&self) -> String {
        self.heading.clone()
    }

    fn trail(&self) -> Vec<Crumb> {
        trail()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

fn new_page(form: FormState) -> Page {
    Page::of(&StudentChangeForm {
        id: 0,
        heading: "Add a student".to_owned(),
        action: format!("{PATH}new/"),
        save: "Add student",
        stay: false,
        delete_href: String::new(),
        version: 0,
        theirs: String::new(),
        form,
    })
}

fn edit_view(student: &Student, form: FormState) -> StudentChangeForm {
    StudentChangeForm {
        id: student.id,
        heading: student.name.clone(),
        action: href(student.id),
        save: "Save",
        stay: true,
        delete_href: format!("{}delete/", href(student.id)),
        version: student.version,
        theirs: String::new(),
        form,
    }
}

/// What was typed, to show it again, and what it means. A roll that is no number is complained
/// about here, since the domain only takes numbers.
fn read(form: &CsrfForm) -> (FormState, Result<StudentInput, Error>) {
    let shown = ["name", "roll", "city"]
        .into_iter()
        .fold(FormState::default(), |state, name| {
            state.with(name, form.text(name))
        });
    let mut errors = FieldErrors::default();
    let roll = form.text("roll").trim().parse().unwrap_or_else(|_| {
        errors.push("roll", "A valid integer is required.");
        1
    });
    let input = StudentInput {
        name: form.text("name").to_owned(),
        roll,
        city: form.text("city").to_owned(),
    };
    let errors = errors.and(students::unseen_in(&input.name, &input.city));
    let input = match students::valid(input) {
        Ok(input) => errors.into_result(|| input),
        Err(Error::Validation(more)) => Err(Error::Validation(errors.and(more))),
        Err(other) => Err(other),
    };
    (shown, input)
}

#[get("/students/new")]
pub fn add_form(_session: May<'_, AddStudents>) -> Page {
    new_page(FormState::default())
}

#[post("/students/new", data = "<form>")]
pub async fn add(
    session: May<'_, AddStudents>,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let (shown, input) = read(&form);
    let made = match input {
        Ok(input) => students::create(app, &session.actor, input).await,
        Err(e) => Err(e),
    };
    match made {
        Ok(student) => {
            let added = Flash::ok(format!("{} was added.", student.name));
            if form.text("then") == "another" {
                return Ok(Go::to(format!("{PATH}new/")).with(added).into());
            }
            let to = session.or_dashboard(Record::Students, PATH.to_owned());
            Ok(Go::to(to).with(added).into())
        }
        Err(Error::Validation(errors)) => Ok(new_page(shown.refused(&errors, LABELS)).into()),
        Err(other) => Err(other.into()),
    }
}

#[get("/students/<id>")]
pub async fn change_form(
    _may: May<'_, ViewStudents>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let student = students::get(app, id).await?;
    let form = FormState::default()
        .with("name", &student.name)
        .with("roll", student.roll.to_string())
        .with("city", &student.city);
    Ok(Page::of(&edit_view(&student, form)))
}

#[post("/students/<id>", data = "<form>")]
pub async fn change(
    session: May<'_, ChangeStudents>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let student = students::get(app, id).await?;
    let (shown, input) = read(&form);
    let saved = match input {
        Ok(input) => {
            let changes = StudentChanges {
                name: Some(input.name),
                roll: Some(input.roll),
                city: Some(input.city),
                version: form.opt("version").and_then(|text| text.parse().ok()),
            };
            students::change(app, &session.actor, id, changes).await
        }
        Err(e) => Err(e),
    };
    match saved {
        Ok(now) => {
            let flash = saved_flash(&student, &now);
            let to = if form.text("then") == "stay" {
                href(id)
            } else {
                PATH.to_owned()
            };
            let to = session.or_dashboard(Record::Students, to);
            Ok(Go::to(to).with(flash).into())
        }
        Err(Error::Validation(errors)) => {
            let mut view = edit_view(&student, shown.refused(&errors, LABELS));
            if let Ok(seen) = form.text("version").parse() {
                view.version = seen;
            }
            Ok(Reply::page(&view))
        }
        Err(Error::Conflict(_)) => Ok(conflict(edit_view(&student, shown), &student).into()),
        Err(other) => Err(other.into()),
    }
}

fn saved_flash(before: &Student, now: &Student) -> Flash {
    let fields = [
        ("name", before.name != now.name),
        ("roll", before.roll != now.roll),
        ("city", before.city != now.city),
    ];
    let changed: Vec<&str> = fields
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect();
    if changed.is_empty() {
        return Flash::ok("Nothing to save.");
    }
    Flash::ok("Saved.").text(format!("Changed: {}.", changed.join(", ")))
}

/// The form again with what was typed, beside what somebody else saved. It carries the new version: to send it
/// again is to overwrite that knowingly.
fn conflict(mut view: StudentChangeForm, now: &Student) -> Page {
    view.theirs = format!("{}, roll {}, {}", now.name, now.roll, now.city);
    Page::of(&view).status(Status::Conflict)
}

#[derive(Serialize)]
struct StudentDeleteConfirmation {
    #[serde(flatten)]
    student: Row,
}

impl View for StudentDeleteConfirmation {
    const TEMPLATE: &'static str = "admin/students/delete_confirmation.html";
    const NAV: &'static str = "students";

    fn title(&self) -> String {
        format!("Delete {}?", self.student.name)
    }

    fn trail(&self) -> Vec<Crumb> {
        let mut trail = trail();
        trail.push(Crumb::new(
            self.student.name.as_str(),
            self.student.href.as_str(),
        ));
        trail
    }
}

#[get("/students/<id>/delete")]
pub async fn delete_confirmation(
    _session: May<'_, DeleteStudents>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let student = students::get(app, id).await?;
    Ok(Page::of(&StudentDeleteConfirmation {
        student: Row::of(&student),
    }))
}

#[post("/students/<id>/delete", data = "<_form>")]
pub async fn delete(
    session: May<'_, DeleteStudents>,
    app: &State<App>,
    id: i64,
    _form: CsrfForm,
) -> Result<Go, PageError> {
    let student = students::get(app, id).await?;
    students::delete(app, &session.actor, id).await?;
    let to = session.or_dashboard(Record::Students, PATH.to_owned());
    Ok(Go::to(to).with(Flash::ok(format!("{} is deleted.", student.name))))
}

pub fn samples(student: &Student) -> Vec<Page> {
    let mut errors = FieldErrors::default();
    errors.push("roll", "A valid integer is required.");
    vec![
        new_page(FormState::default().refused(&errors, LABELS)),
        Page::of(&edit_view(student, FormState::default())),
        conflict(edit_view(student, FormState::default()), student),
        Page::of(&StudentDeleteConfirmation {
            student: Row::of(student),
        }),
    ]
}
