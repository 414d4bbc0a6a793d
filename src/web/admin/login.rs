//! The panel's own sign-in form. It never loops: who is signed in without the right to enter is
//! told so, with a way out.

use rocket::{Route, State, get, http::Status, post, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::setup,
    web::{
        error::PageError,
        guards::{MaybeSession, SignInForm},
        page::{Go, Page, Reply, View, local},
        site::{
            login::{Door, Login, attempt},
            visit::Visit,
        },
    },
};

pub fn routes() -> Vec<Route> {
    routes![login_form, login]
}

#[derive(Serialize)]
struct NotStaff {}

impl View for NotStaff {
    const TEMPLATE: &'static str = "admin/not_staff.html";

    fn title(&self) -> String {
        "This account cannot open the admin panel".to_owned()
    }
}

#[get("/login?<next>")]
async fn login_form(
    visitor: MaybeSession,
    app: &State<App>,
    next: Option<&str>,
) -> Result<Reply, PageError> {
    let next = next.unwrap_or_default();
    match &visitor.0 {
        None if setup::is_open(app).await? => Ok(Go::to("/setup/").into()),
        None => Ok(Reply::page(&Login::new(Door::Admin, app, next))),
        Some(s) if s.actor.is_staff || s.actor.is_superuser => {
            Ok(Go::to(local(next).unwrap_or("/admin/")).into())
        }
        Some(_) => Ok(Page::of(&NotStaff {}).status(Status::Forbidden).into()),
    }
}

#[post("/login", data = "<form>")]
async fn login(
    before: MaybeSession,
    visit: Visit<'_>,
    app: &State<App>,
    form: SignInForm,
) -> Result<Reply, PageError> {
    attempt(Door::Admin, before, visit, app, form).await
}

pub fn samples() -> Vec<Page> {
    vec![Page::of(&NotStaff {})]
}
