//! `/admin/reauth/`: the password again, before a dangerous act rather than in the middle of one.

use rocket::{Route, State, get, post, routes};

use crate::{
    app::App,
    domain::sessions,
    web::{
        error::PageError,
        guards::{AdminSession, CsrfForm, confirmed},
        page::{Go, Page, Reply, local},
        site::{confirm::Confirm, login::refused},
    },
};

const PATH: &str = "/admin/reauth/";

pub fn routes() -> Vec<Route> {
    routes![form, confirm]
}

fn after(next: &str) -> &str {
    local(next).unwrap_or("/admin/")
}

#[get("/reauth?<next>")]
fn form(session: &AdminSession, app: &State<App>, next: Option<&str>) -> Reply {
    let next = after(next.unwrap_or_default());
    if session.session.confirmed_until(app.now()).is_some() {
        return Go::to(next).into();
    }
    Reply::page(&Confirm::alone(app, &session.session, PATH, next, None))
}

#[post("/reauth", data = "<form>")]
async fn confirm(
    session: &AdminSession,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let next = after(form.text("next"));
    let password = form.password("password");
    match sessions::confirm(app, &session.actor, &session.session, password).await {
        Ok(()) => Ok(Go::to(next).into()),
        Err(e) if confirmed::is_refusal(&e) => {
            let view = Confirm::alone(app, &session.session, PATH, next, Some(&e));
            Ok(refused(Page::of(&view), &e).into())
        }
        Err(other) => Err(other.into()),
    }
}
