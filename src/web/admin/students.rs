//! Students in the admin panel: list, add, edit, delete.

use rocket::{FromForm, Route, State, get, post, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::permissions::Record,
    domain::students::{self, Student, StudentFilter, StudentInput, StudentSort},
    error::{Error, FieldErrors},
    web::{
        admin::listing::{
            Address, Chip, Head, Hidden, Pager, Paging, match_text, no_hit, search, search_chip,
        },
        error::PageError,
        flash::Flash,
        form::{FormState, Labels},
        guards::{
            CsrfForm, May,
            permission::{AddStudents, ChangeStudents, DeleteStudents, ViewStudents},
        },
        page::{Crumb, Go, Page, Reply, View},
    },
};

const PATH: &str = "/admin/students/";
const LABELS: Labels = &[("name", "Name"), ("roll", "Roll"), ("city", "City")];

pub fn routes() -> Vec<Route> {
    routes![
        change_list,
        add_form,
        add,
        change_form,
        change,
        delete_confirmation,
        delete
    ]
}

fn trail() -> Vec<Crumb> {
    vec![Crumb::new("Students", PATH)]
}

fn href(id: i64) -> String {
    format!("{PATH}{id}/")
}

#[derive(FromForm)]
pub struct ListQuery {
    q: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
}

#[derive(Serialize)]
struct StudentChangeList {
    q: String,
    kept: Vec<Hidden>,
    chips: Vec<Chip>,
    clear: String,
    #[serde(rename = "match")]
    matching: String,
    no_hit: String,
    heads: Heads,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Serialize)]
struct Heads {
    name: Head,
    roll: Head,
    city: Head,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    href: String,
    name: String,
    roll: i64,
    city: String,
}

impl Row {
    fn of(student: &Student) -> Self {
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
async fn change_list(
    _may: May<'_, ViewStudents>,
    app: &State<App>,
    query: ListQuery,
) -> Result<Page, PageError> {
    let paging = Paging::new(query.cursor, query.per);
    let q = search(query.q.as_deref());
    let (sort, by) = match query.sort.as_deref() {
        Some("name") => ("name", StudentSort::Name),
        Some("-name") => ("-name", StudentSort::NameDescending),
        Some("roll") => ("roll", StudentSort::Roll),
        Some("-roll") => ("-roll", StudentSort::RollDescending),
        Some("city") => ("city", StudentSort::City),
        Some("-city") => ("-city", StudentSort::CityDescending),
        _ => ("", StudentSort::Id),
    };
    let filter = StudentFilter {
        q: q.clone(),
        sort: by,
        page: paging.request(),
    };
    let found = students::list(app, &filter).await?;
    let here = Address::new(PATH)
        .with("q", q.as_deref().unwrap_or_default())
        .with("sort", sort)
        .sized(&paging);
    let chips = q.iter().map(|q| Chip {
        label: search_chip(q),
        href: here.without("q").href(),
    });
    Ok(Page::of(&StudentChangeList {
        kept: here.hidden(&["q"]),
        chips: chips.collect(),
        clear: here.without("q").href(),
        matching: match_text(found.total, None),
        no_hit: no_hit("No one", q.as_deref()),
        heads: heads(&here, sort),
        pager: Pager::of(&found, &here, paging.size()),
        rows: found.rows.iter().map(Row::of).collect(),
        q: q.unwrap_or_default(),
    }))
}

fn heads(here: &Address, sort: &str) -> Heads {
    Heads {
        name: Head::new("Name", here, sort, ("name", "-name")),
        roll: Head::new("Roll", here, sort, ("roll", "-roll")),
        city: Head::new("City", here, sort, ("city", "-city")),
    }
}

#[derive(Serialize)]
struct StudentChangeForm {
    heading: String,
    action: String,
    save: &'static str,
    stay: bool,
    /// Empty: there is nothing to delete yet.
    delete_href: String,
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
        heading: "Add a student".to_owned(),
        action: format!("{PATH}new/"),
        save: "Add student",
        stay: false,
        delete_href: String::new(),
        form,
    })
}

fn edit_page(student: &Student, form: FormState) -> Page {
    Page::of(&StudentChangeForm {
        heading: student.name.clone(),
        action: href(student.id),
        save: "Save",
        stay: true,
        delete_href: format!("{}delete/", href(student.id)),
        form,
    })
}

/// What was typed, to show it again, and what it means. A roll that is no number is complained
/// about here, since the domain only takes numbers.
fn read(form: &CsrfForm) -> (FormState, Result<StudentInput, Error>) {
    let shown = ["name", "roll", "city"]
        .into_iter()
        .fold(FormState::default(), |state, name| {
            state.with(name, form.text(name))
        });
    let input = match form.text("roll").trim().parse() {
        Ok(roll) => Ok(StudentInput {
            name: form.text("name").to_owned(),
            roll,
            city: form.text("city").to_owned(),
        }),
        Err(_) => Err(Error::field("roll", "A valid integer is required.")),
    };
    (shown, input)
}

#[get("/students/new")]
fn add_form(_may: May<'_, AddStudents>) -> Page {
    new_page(FormState::default())
}

#[post("/students/new", data = "<form>")]
async fn add(
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
            Ok(
                Go::to(session.or_dashboard(Record::Students, PATH.to_owned()))
                    .with(added)
                    .into(),
            )
        }
        Err(Error::Validation(errors)) => Ok(new_page(shown.refused(&errors, LABELS)).into()),
        Err(other) => Err(other.into()),
    }
}

#[get("/students/<id>")]
async fn change_form(
    _may: May<'_, ViewStudents>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let student = students::get(app, id).await?;
    let form = FormState::default()
        .with("name", &student.name)
        .with("roll", student.roll.to_string())
        .with("city", &student.city);
    Ok(edit_page(&student, form))
}

#[post("/students/<id>", data = "<form>")]
async fn change(
    session: May<'_, ChangeStudents>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let student = students::get(app, id).await?;
    let (shown, input) = read(&form);
    let saved = match input {
        Ok(input) => students::update(app, &session.actor, id, input).await,
        Err(e) => Err(e),
    };
    match saved {
        Ok(now) => {
            let same = now == student;
            let flash = Flash::ok(if same { "Nothing to save." } else { "Saved." });
            let to = if form.text("then") == "stay" {
                href(id)
            } else {
                PATH.to_owned()
            };
            Ok(Go::to(to).with(flash).into())
        }
        Err(Error::Validation(errors)) => {
            Ok(edit_page(&student, shown.refused(&errors, LABELS)).into())
        }
        Err(other) => Err(other.into()),
    }
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
async fn delete_confirmation(
    _may: May<'_, DeleteStudents>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let student = students::get(app, id).await?;
    Ok(Page::of(&StudentDeleteConfirmation {
        student: Row::of(&student),
    }))
}

#[post("/students/<id>/delete", data = "<_form>")]
async fn delete(
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

pub fn samples() -> Vec<Page> {
    let student = Student {
        id: 4,
        name: "Asha Rao".to_owned(),
        roll: 101,
        city: "Pune".to_owned(),
        search: String::new(),
    };
    let here = Address::new(PATH);
    let none = crate::domain::paging::Page {
        rows: Vec::<Row>::new(),
        next: None,
        previous: None,
        total: crate::domain::paging::Count { n: 0, exact: true },
        first_index: 1,
    };
    let mut list = StudentChangeList {
        q: String::new(),
        kept: Vec::new(),
        chips: Vec::new(),
        clear: PATH.to_owned(),
        matching: String::new(),
        no_hit: String::new(),
        heads: heads(&here, ""),
        pager: Pager::of(&none, &here, 25),
        rows: Vec::new(),
    };
    let empty = Page::of(&list);
    list.rows.push(Row::of(&student));
    let mut errors = FieldErrors::default();
    errors.push("roll", "A valid integer is required.");
    vec![
        empty,
        Page::of(&list),
        new_page(FormState::default().refused(&errors, LABELS)),
        edit_page(&student, FormState::default()),
        Page::of(&StudentDeleteConfirmation {
            student: Row::of(&student),
        }),
    ]
}
