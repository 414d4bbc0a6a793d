//! What can be done to an account beside editing it: a new password, enabling, unlocking, ending
//! sessions. Disabling is in `disable`.

use rocket::{State, get, post};
use serde::Serialize;

use crate::{
    app::App,
    domain::{login_pauses, permissions::Record, sessions, users},
    error::Error,
    web::{
        error::PageError,
        flash::Flash,
        form::{FormState, new_password},
        guards::{
            AdminSession, ConfirmableForm, CsrfForm, May,
            permission::{ChangeUsers, DeleteSessions},
        },
        page::{Crumb, Go, Page, Reply, View, local},
    },
};

#[derive(Serialize)]
struct UserPasswordForm {
    id: i64,
    href: String,
    username: String,
    form: FormState,
}

impl View for UserPasswordForm {
    const TEMPLATE: &'static str = "admin/users/password_form.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        "Set a password".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(self.id, &self.username)
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

fn password_page(id: i64, username: &str, form: FormState) -> Page {
    let (href, username) = (super::href(id), username.to_owned());
    Page::of(&UserPasswordForm {
        id,
        href,
        username,
        form,
    })
}

#[get("/users/<id>/password")]
pub async fn password_form(
    may: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let user = users::get(app, id).await?;
    users::may_touch(&may.actor, &user)?;
    Ok(password_page(id, &user.username, FormState::default()))
}

#[post("/users/<id>/password", data = "<form>")]
pub async fn set_password(
    session: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let user = users::get(app, id).await?;
    form.require(format!("Set a password for {}", user.username))?;
    let (password, errors) = new_password(&form);
    let set = if errors.is_empty() {
        users::set_password(app, &session.actor, id, password).await
    } else {
        users::may_touch(&session.actor, &user)?;
        Err(users::judge_password_too(&user, &password, errors))
    };
    match set {
        Ok(()) => {
            let done = Flash::ok("The password is set.").text(format!(
                "All sessions and JWTs of {} have ended.",
                user.username
            ));
            let to = session.or_dashboard(Record::Users, super::href(id));
            Ok(Go::to(to).with(done).into())
        }
        Err(Error::Validation(errors)) => {
            let form = FormState::default().refused(&errors, super::LABELS);
            Ok(password_page(id, &user.username, form).into())
        }
        Err(other) => Err(other.into()),
    }
}

/// Back to where the button was, with the outcome; a refusal that a person can understand is
/// told there too.
pub(super) fn back(
    session: &AdminSession,
    form: &CsrfForm,
    id: i64,
    done: Result<(), Error>,
    said: String,
) -> Result<Go, PageError> {
    let to = local(form.text("next")).map_or_else(|| super::href(id), str::to_owned);
    let to = session.or_dashboard(Record::Users, to);
    match done {
        Ok(()) => Ok(Go::to(to).with(Flash::ok(said))),
        Err(Error::LastSuperuser) => Ok(Go::to(to).with(Flash::bad(super::delete::LAST_SUPERUSER))),
        Err(Error::Conflict(text)) => Ok(Go::to(to).with(Flash::bad(text))),
        Err(other) => Err(other.into()),
    }
}

#[post("/users/<id>/enable", data = "<form>")]
pub async fn enable(
    session: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Go, PageError> {
    let name = users::get(app, id).await?.username;
    let done = users::set_active(app, &session.actor, id, true).await;
    back(&session, &form, id, done, format!("{name} is enabled."))
}

#[post("/users/<id>/unlock", data = "<form>")]
pub async fn unlock(
    session: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Go, PageError> {
    let name = users::get(app, id).await?.username;
    let lifted = login_pauses::lift(app, &session.actor, id).await;
    let said = match &lifted {
        Ok(false) => format!("{name} was not locked any more."),
        _ => format!("{name} is unlocked."),
    };
    back(&session, &form, id, lifted.map(|_| ()), said)
}

#[post("/users/<id>/sign-out", data = "<form>")]
pub async fn sign_out(
    session: May<'_, DeleteSessions>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Go, PageError> {
    let name = users::get(app, id).await?.username;
    let done = users::sign_out_everywhere(app, &session.actor, id).await;
    back(
        &session,
        &form,
        id,
        done,
        format!("{name} is signed out everywhere."),
    )
}

#[post("/users/<id>/sessions/<session_id>/end", data = "<form>")]
pub async fn end_session(
    session: May<'_, DeleteSessions>,
    app: &State<App>,
    id: i64,
    session_id: i64,
    form: CsrfForm,
) -> Result<Go, PageError> {
    // Only a session of this person: the address says whose page it was.
    let user = users::get(app, id).await?;
    let theirs = sessions::list_for(app, &user).await?;
    let ended = theirs
        .iter()
        .find(|s| s.id == session_id)
        .ok_or(Error::NotFound)?;
    let done = sessions::end(app, &session.actor, ended).await;
    back(
        &session,
        &form,
        id,
        done,
        "The session has ended.".to_owned(),
    )
}

pub fn samples() -> Vec<Page> {
    vec![password_page(7, "amara.okafor", FormState::default())]
}
