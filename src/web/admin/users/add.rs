//! Adding a user.

use rocket::{State, get, post};
use serde::Serialize;

use super::groups::{self, Boxes};
use crate::{
    app::App,
    domain::{
        permissions::Record,
        users::{self, UserInput},
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        flash::Flash,
        form::{FormState, new_password},
        guards::{AdminSession, ConfirmableForm, May, permission::AddUsers},
        page::{Crumb, Go, Page, Reply, View},
    },
};

#[derive(Serialize)]
struct UserAddForm {
    form: FormState,
    passwords: bool,
    /// Why the access boxes are off; empty if they are not.
    locked: &'static str,
    groups: Boxes,
}

impl View for UserAddForm {
    const TEMPLATE: &'static str = "admin/users/add_form.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        "Add a user".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

/// `typed`: the groups that were ticked.
async fn page(
    session: &AdminSession,
    app: &App,
    form: FormState,
    typed: Option<&UserInput>,
) -> Result<Page, Error> {
    let locked = if session.actor.is_superuser {
        ""
    } else {
        super::SUPERUSERS_ONLY
    };
    Ok(Page::of(&UserAddForm {
        form,
        passwords: true,
        locked,
        groups: Boxes::of(app, &session.actor, 0, typed).await?,
    }))
}

#[get("/users/new")]
pub async fn add_form(session: May<'_, AddUsers>, app: &State<App>) -> Result<Page, PageError> {
    let form = FormState::default().flag("is_active", true);
    Ok(page(&session, app, form, None).await?)
}

#[post("/users/new", data = "<form>")]
pub async fn add(
    session: May<'_, AddUsers>,
    app: &State<App>,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let mut input: UserInput = super::input(&form);
    let named = groups::add_named(app, &form, &mut input).await;
    if input.is_superuser || input.is_staff {
        let role = if input.is_superuser {
            "superuser"
        } else {
            "staff"
        };
        form.require(format!("Add {} as {role}", input.username.trim()))?;
    } else if input.has_rights() {
        form.require(format!("Add {} to groups", input.username.trim()))?;
    }
    let typed = input.clone();
    let by_link = form.flag("by_link");
    let shown = super::shown(&input).flag("by_link", by_link);
    let shown = groups::with_named(shown, &form);
    let named = match named {
        Ok(()) => FieldErrors::default(),
        Err(Error::Validation(errors)) => errors,
        Err(other) => return Err(other.into()),
    };
    if by_link && named.is_empty() {
        return match super::links::add(app, &session, input).await {
            Ok(go) => Ok(go.into()),
            Err(Error::Validation(errors)) => {
                let form = shown.refused(&errors, super::LABELS);
                Ok(page(&session, app, form, Some(&typed)).await?.into())
            }
            Err(other) => Err(other.into()),
        };
    }
    let (password, errors) = new_password(&form);
    let errors = named.and(errors);
    let made = if errors.is_empty() {
        users::create(app, &session.actor, input, password).await
    } else {
        let more = users::complaints(app, &input, &password).await?;
        Err(Error::Validation(errors.and(more)))
    };
    match made {
        Ok(user) => {
            let added = Flash::ok(format!("{} was added.", user.username));
            let to = if form.text("then") == "another" {
                "/admin/users/new/".to_owned()
            } else {
                session.or_dashboard(Record::Users, super::href(user.id))
            };
            Ok(Go::to(to).with(added).into())
        }
        Err(Error::Validation(errors)) => {
            let form = shown.refused(&errors, super::LABELS);
            Ok(page(&session, app, form, Some(&typed)).await?.into())
        }
        Err(other) => Err(other.into()),
    }
}

pub fn samples() -> Vec<Page> {
    let form = super::shown(&super::of_user(&super::sample_user()));
    vec![Page::of(&UserAddForm {
        form,
        passwords: true,
        locked: super::SUPERUSERS_ONLY,
        groups: Boxes::sample(),
    })]
}
