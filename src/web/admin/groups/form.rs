//! One group: its name, and the table of what it gives.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::{LABELS, PATH, href, matrix, matrix::Matrix, members_href, trail};
use crate::{
    app::App,
    domain::{
        groups::{self, GroupInput, GroupRow},
        paging::Count,
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        flash::Flash,
        form::FormState,
        guards::{ConfirmableForm, CsrfForm, SuperuserSession},
        page::{Crumb, Go, Page, Reply, View},
        words,
    },
};

#[derive(Serialize)]
struct GroupForm {
    heading: String,
    action: String,
    save: &'static str,
    form: FormState,
    matrix: Matrix,
    /// None: it is to be made.
    there: Option<There>,
}

/// Of a group that is there.
#[derive(Serialize)]
struct There {
    id: i64,
    /// Of the group as these fields show it.
    version: i64,
    members: String,
    members_href: String,
    delete_href: String,
    /// What it became meanwhile, by somebody else; empty: nothing.
    theirs: String,
}

impl View for GroupForm {
    const TEMPLATE: &'static str = "admin/groups/form.html";
    const NAV: &'static str = "groups";

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

fn input(form: &CsrfForm) -> GroupInput {
    GroupInput {
        name: form.text("name").to_owned(),
        permissions: matrix::ticked(form),
    }
}

fn shown(input: &GroupInput) -> FormState {
    FormState::default().with("name", input.name.as_str())
}

fn new_page(input: &GroupInput, form: FormState) -> Page {
    Page::of(&GroupForm {
        heading: "New group".to_owned(),
        action: format!("{PATH}new/"),
        save: "Make group",
        form,
        matrix: Matrix::of(input.permissions),
        there: None,
    })
}

fn edit_view(row: &GroupRow, input: &GroupInput, form: FormState) -> GroupForm {
    let id = row.group.id;
    GroupForm {
        heading: row.group.name.clone(),
        action: href(id),
        save: "Save",
        form,
        matrix: Matrix::of(input.permissions),
        there: Some(There {
            id,
            version: row.group.version,
            members: words::counted(row.members, "member", "members"),
            members_href: members_href(id),
            delete_href: format!("{}delete/", href(id)),
            theirs: String::new(),
        }),
    }
}

#[get("/groups/new")]
pub fn add_form(_session: &SuperuserSession) -> Page {
    new_page(&GroupInput::default(), FormState::default())
}

#[post("/groups/new", data = "<form>")]
pub async fn add(
    session: &SuperuserSession,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let typed = input(&form);
    match groups::create(app, &session.actor, typed.clone()).await {
        Ok(group) => {
            let made = Flash::ok(format!("The group “{}” is made.", group.name))
                .text("Tick it on the page of whoever is to be in it.");
            Ok(Go::to(PATH).with(made).into())
        }
        Err(Error::Validation(errors)) => {
            let form = shown(&typed).refused(&errors, LABELS);
            Ok(new_page(&typed, form).into())
        }
        Err(other) => Err(other.into()),
    }
}

#[get("/groups/<id>")]
pub async fn change_form(
    _session: &SuperuserSession,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let row = groups::get_with_members(app, id).await?;
    let saved = saved(&row);
    Ok(Page::of(&edit_view(&row, &saved, shown(&saved))))
}

fn saved(row: &GroupRow) -> GroupInput {
    GroupInput {
        name: row.group.name.clone(),
        permissions: groups::permissions(&row.group),
    }
}

#[post("/groups/<id>", data = "<form>")]
pub async fn change(
    session: &SuperuserSession,
    app: &State<App>,
    id: i64,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let row = groups::get_with_members(app, id).await?;
    let typed = input(&form);
    if typed.permissions != groups::permissions(&row.group) {
        form.require(format!("Change what {} may do", row.group.name))?;
    }
    let version = form.text("version").parse().map_err(|_| Error::NotFound)?;
    match groups::update(app, &session.actor, id, typed.clone(), version).await {
        Ok(changed) => {
            let flash = if changed.is_empty() {
                Flash::ok("Nothing to save.")
            } else {
                Flash::ok("Saved.").text(format!("Changed: {}.", changed.join(", ")))
            };
            let stay = form.text("then") == "stay";
            let to = if stay { href(id) } else { PATH.to_owned() };
            Ok(Go::to(to).with(flash).into())
        }
        Err(Error::Validation(errors)) => {
            let mut view = edit_view(&row, &typed, shown(&typed).refused(&errors, LABELS));
            if let Some(there) = &mut view.there {
                there.version = version;
            }
            Ok(Reply::page(&view))
        }
        Err(Error::Conflict(_)) => Ok(conflict(&row, &typed).into()),
        Err(other) => Err(other.into()),
    }
}

/// The form again with what was ticked, beside what somebody else saved. It carries the new version: to send it
/// again is to overwrite that knowingly.
fn conflict(now: &GroupRow, typed: &GroupInput) -> Page {
    let mut view = edit_view(now, typed, shown(typed));
    let gives = match groups::permissions(&now.group) {
        held if held.is_empty() => "gives nothing".to_owned(),
        held => format!("lets its members {}", held.in_words()),
    };
    if let Some(there) = &mut view.there {
        there.theirs = format!("“{}”, which {gives}", now.group.name);
    }
    Page::of(&view).status(Status::Conflict)
}

pub fn samples() -> Vec<Page> {
    let row = GroupRow {
        group: super::sample(),
        members: Count { n: 1, exact: true },
    };
    let mut errors = FieldErrors::default();
    errors.push("name", "A group with that name already exists.");
    let saved = saved(&row);
    vec![
        new_page(&saved, FormState::default().refused(&errors, LABELS)),
        Page::of(&edit_view(&row, &saved, shown(&saved))),
        conflict(&row, &saved),
    ]
}
