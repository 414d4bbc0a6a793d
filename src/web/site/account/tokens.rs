//! `/account/tokens/`: one's own tokens. The list is here; its other pages are the panel's, in the
//! shell of the account.

use rocket::{Route, State, get, head, http::Status, post, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::tokens::{self, TokenFilter, TokenState},
    web::{
        admin::{
            listing::{Address, Pager, Paging, Tab},
            tokens::{add, confirm, created, detail, extend, place::Place::Account, sample_facts},
        },
        error::PageError,
        guards::{ConfirmableForm, ConfirmedForm, CsrfForm, Origin, UserSession},
        page::{Go, Page, Reply, View},
        words::TokenFacts,
    },
};

const PATH: &str = "/account/tokens/";

pub fn routes() -> Vec<Route> {
    routes![
        list,
        add_form,
        add_own,
        shown_once,
        shown_once_head,
        show_again,
        show,
        rename,
        extend_form,
        extend_own,
        rotate_form,
        rotate,
        revoke_form,
        revoke,
    ]
}

#[derive(Serialize)]
struct OwnTokens {
    tabs: Vec<Tab>,
    ended: bool,
    rows: Vec<TokenFacts>,
    pager: Pager,
}

impl View for OwnTokens {
    const TEMPLATE: &'static str = "site/account/tokens/list.html";

    fn title(&self) -> String {
        "Your tokens".to_owned()
    }
}

fn tabs(chosen: &str) -> Vec<Tab> {
    let tab = |label, name: &'static str| Tab {
        label,
        href: Address::new(PATH).with("state", name).href(),
        count: String::new(),
        current: name == chosen,
    };
    vec![
        tab("Active", ""),
        tab("Expired", "expired"),
        tab("Revoked", "revoked"),
        tab("All", "all"),
    ]
}

#[get("/account/tokens?<state>&<cursor>&<per>")]
async fn list(
    session: &UserSession,
    app: &State<App>,
    state: Option<&str>,
    cursor: Option<String>,
    per: Option<u64>,
) -> Result<Page, PageError> {
    let paging = Paging::new(cursor, per);
    let (state, name) = match state {
        Some("expired") => (Some(TokenState::Expired), "expired"),
        Some("revoked") => (Some(TokenState::Revoked), "revoked"),
        Some("all") => (None, "all"),
        _ => (Some(TokenState::Active), ""),
    };
    let filter = TokenFilter {
        state,
        owner: Some(session.session.user.id),
        page: paging.request(),
        ..TokenFilter::default()
    };
    let found = tokens::list(app, &filter).await?;
    let here = Address::new(PATH).with("state", name).sized(&paging);
    Ok(Page::of(&OwnTokens {
        tabs: tabs(name),
        ended: !name.is_empty(),
        pager: Pager::of(&found, &here, paging.size()),
        rows: found
            .rows
            .iter()
            .map(|row| Account.facts_of(app, row))
            .collect(),
    }))
}

#[get("/account/tokens/new?<kind>")]
fn add_form(session: &UserSession, app: &State<App>, kind: Option<&str>) -> Page {
    add::add_form_in(Account, &session.actor, app, None, kind)
}

#[post("/account/tokens/new", data = "<form>")]
async fn add_own(
    session: &UserSession,
    app: &State<App>,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    add::add_in(Account, &session.actor, session.session.id, app, &form).await
}

#[get("/account/tokens/<id>/created")]
async fn shown_once(
    session: &UserSession,
    origin: Origin,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let (by, session_id) = (&session.actor, session.session.id);
    Account.row(app, by, id).await?;
    created::created_in(Account, by, session_id, &origin, app, id).await
}

/// As in the panel: asking for the head alone must not use up the one time.
#[head("/account/tokens/<id>/created")]
async fn shown_once_head(
    session: &UserSession,
    app: &State<App>,
    id: i64,
) -> Result<Status, PageError> {
    Account.row(app, &session.actor, id).await?;
    Ok(Status::Ok)
}

#[post("/account/tokens/<id>/show", data = "<_form>")]
async fn show_again(
    session: &UserSession,
    app: &State<App>,
    id: i64,
    _form: ConfirmedForm,
) -> Result<Go, PageError> {
    let (by, session_id) = (&session.actor, session.session.id);
    Account.row(app, by, id).await?;
    created::show_again_in(Account, by, session_id, app, id).await
}

#[get("/account/tokens/<id>", rank = 2)]
async fn show(session: &UserSession, app: &State<App>, id: i64) -> Result<Page, PageError> {
    Ok(detail::page(Account, &session.actor, app, id, None).await?)
}

#[post("/account/tokens/<id>", data = "<form>", rank = 2)]
async fn rename(
    session: &UserSession,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    detail::rename_in(Account, &session.actor, app, id, &form).await
}

#[get("/account/tokens/<id>/extend")]
async fn extend_form(session: &UserSession, app: &State<App>, id: i64) -> Result<Page, PageError> {
    extend::extend_form_in(Account, &session.actor, app, id).await
}

#[post("/account/tokens/<id>/extend", data = "<form>")]
async fn extend_own(
    session: &UserSession,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    extend::extend_in(Account, &session.actor, app, id, &form).await
}

#[get("/account/tokens/<id>/rotate")]
async fn rotate_form(session: &UserSession, app: &State<App>, id: i64) -> Result<Page, PageError> {
    confirm::rotate_form_in(Account, &session.actor, app, id).await
}

#[post("/account/tokens/<id>/rotate", data = "<form>")]
async fn rotate(
    session: &UserSession,
    app: &State<App>,
    id: i64,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let (by, session_id) = (&session.actor, session.session.id);
    confirm::rotate_in(Account, by, session_id, app, id, &form).await
}

#[get("/account/tokens/<id>/revoke")]
async fn revoke_form(session: &UserSession, app: &State<App>, id: i64) -> Result<Page, PageError> {
    confirm::revoke_form_in(Account, &session.actor, app, id).await
}

#[post("/account/tokens/<id>/revoke", data = "<form>")]
async fn revoke(
    session: &UserSession,
    app: &State<App>,
    id: i64,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    confirm::revoke_in(Account, &session.actor, app, id, &form).await
}

pub fn samples() -> Vec<Page> {
    let none = crate::domain::paging::Page::only(Vec::<TokenFacts>::new());
    let mut view = OwnTokens {
        tabs: tabs(""),
        ended: false,
        rows: Vec::new(),
        pager: Pager::of(&none, &Address::new(PATH), 25),
    };
    let empty = Page::of(&view);
    view.rows.push(sample_facts(TokenState::Active).own());
    let full = Page::of(&view);
    let row = TokenFacts {
        name: "<b>sam</b>".to_owned(),
        ..sample_facts(TokenState::Active).own()
    };
    view.rows = vec![row];
    let mut pages = vec![empty, full, Page::of(&view)];
    pages.extend(confirm::own_samples());
    pages.extend(extend::own_samples());
    pages.extend(detail::own_samples());
    pages.extend(created::own_samples());
    pages
}
