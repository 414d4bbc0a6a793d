//! `/logout/`: a button, since ending a session is a change and a GET must not make one.

use rocket::{State, get, post};
use serde::Serialize;

use super::visit::Visit;
use crate::{
    app::App,
    web::{
        error::PageError,
        flash::Flash,
        guards::{CsrfForm, MaybeSession},
        page::{Go, Page, View, local},
    },
};

#[derive(Serialize)]
struct Logout {}

impl View for Logout {
    const TEMPLATE: &'static str = "site/logout.html";

    fn title(&self) -> String {
        "Sign out".to_owned()
    }
}

#[get("/logout")]
pub fn logout_form(_visitor: MaybeSession) -> Page {
    Page::of(&Logout {})
}

#[post("/logout", data = "<form>")]
pub async fn logout(
    visitor: MaybeSession,
    visit: Visit<'_>,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Go, PageError> {
    if let Some(session) = &visitor.0 {
        visit.sign_out(app, session).await?;
    }
    let to = local(form.text("next")).unwrap_or("/login/").to_owned();
    Ok(Go::to(to).with(Flash::ok("You are signed out.")))
}

pub fn samples() -> Vec<Page> {
    vec![Page::of(&Logout {})]
}
