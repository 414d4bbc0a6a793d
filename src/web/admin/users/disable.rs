//! Disabling an account: first what stops and what stays.

use rocket::{State, get, post};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        users::{self, User},
    },
    web::{
        error::PageError,
        guards::{CsrfForm, May, permission::ChangeUsers},
        page::{Crumb, Go, Page, View},
    },
};

#[derive(Serialize)]
struct UserDisable {
    id: i64,
    href: String,
    username: String,
    is_active: bool,
    /// Nobody disables the account that they are in.
    is_you: bool,
}

impl UserDisable {
    fn of(user: &User, by: &Actor) -> Self {
        Self {
            id: user.id,
            href: super::href(user.id),
            username: user.username.clone(),
            is_active: user.is_active,
            is_you: by.user_id == Some(user.id),
        }
    }
}

impl View for UserDisable {
    const TEMPLATE: &'static str = "admin/users/disable.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        format!("Disable {}?", self.username)
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(self.id, &self.username)
    }
}

#[get("/users/<id>/disable")]
pub async fn disable_form(
    may: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let user = users::get(app, id).await?;
    users::may_touch(&may.actor, &user)?;
    Ok(Page::of(&UserDisable::of(&user, &may.actor)))
}

#[post("/users/<id>/disable", data = "<form>")]
pub async fn disable(
    session: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Go, PageError> {
    let name = users::get(app, id).await?.username;
    let done = users::set_active(app, &session.actor, id, false).await;
    super::acts::back(&session, &form, id, done, format!("{name} is disabled."))
}

pub fn samples() -> Vec<Page> {
    let (user, by) = (super::sample_user(), Actor::operator());
    let off = User {
        is_active: false,
        ..super::sample_user()
    };
    let you = UserDisable {
        is_you: true,
        ..UserDisable::of(&user, &by)
    };
    vec![
        Page::of(&UserDisable::of(&user, &by)),
        Page::of(&UserDisable::of(&off, &by)),
        Page::of(&you),
    ]
}
