//! What was typed is not lost when the sign-in changed meanwhile: the session ended, or one signed out and in
//! again in another tab.
//!
//! Such a form comes with a token that is good no more. It is kept in the answer, sealed, where the browser
//! says that it comes from a page of ours, and goes on when three things are true: the person presses a
//! button on a page that says what waits, that page's own token is good, and the token that the form came
//! with was once given to this same account. A page elsewhere can bring about none of them.

use rocket::{
    Data, Request, Route, async_trait,
    http::Method,
    route::{Handler, Outcome},
};
use serde::Serialize;

use super::{
    confirmed,
    csrf::{self, CsrfForm},
    sealed::{self, Waiting},
    session,
};
use crate::{
    app::App,
    error::{Error, Result},
    web::{body, error::PageError, negotiation, page::local, pages},
};

/// The field in which a form is kept.
const FORM: &str = "kept_form";
/// The field that says where it was sent, while one signs in.
const TO: &str = "kept_to";

/// A form that is kept in a page.
#[derive(Clone, Debug, Serialize)]
pub struct Kept {
    pub form: String,
    pub to: String,
}

/// What may go on.
pub struct Resumable {
    pub kept: Kept,
    /// In the words of its button; empty: unknown.
    pub act: String,
    /// Where Cancel leads; empty: unknown.
    pub back: String,
}

impl Kept {
    /// As a sign-in form hands it on.
    pub fn of(form: &CsrfForm) -> Option<Self> {
        Some(Self {
            form: form.opt(FORM)?.to_owned(),
            to: local(form.opt(TO)?)?.to_owned(),
        })
    }

    /// What waits, if it is a form of this account.
    pub fn resume(self, app: &App, user: i64) -> Result<Resumable> {
        let waiting = self.open(app, user)?;
        Ok(Resumable {
            act: waiting.act,
            back: waiting.back,
            kept: self,
        })
    }

    fn open(&self, app: &App, user: i64) -> Result<Waiting> {
        let waiting = Waiting::open(app, &owner(&self.to), &self.form)?;
        if csrf::was_given_to(app, &waiting.token, user) {
            Ok(waiting)
        } else {
            Err(Error::CsrfFailed("The form is of another account."))
        }
    }

    fn seal(req: &Request<'_>, waiting: &Waiting) -> Result<Self> {
        // `//elsewhere/` reaches this server as a path, but would send the form to another one.
        let to = req.uri().to_string();
        let to = local(&to).ok_or(Error::NotFound)?.to_owned();
        Ok(Self {
            form: waiting.seal(App::of(req), &owner(&to))?,
            to,
        })
    }
}

fn owner(to: &str) -> String {
    format!("kept {to}")
}

/// A browser's form from a page of ours, and none that waits for something already: those hold a password
/// beside them.
fn may_be_kept(req: &Request<'_>, form: &CsrfForm) -> bool {
    let waits = [confirmed::SEALED, FORM].map(|name| form.opt(name).is_some());
    !waits.contains(&true) && !form.text(csrf::FIELD).is_empty() && is_from_our_page(req)
}

fn is_from_our_page(req: &Request<'_>) -> bool {
    let host = req.headers().get_one("Host").unwrap_or_default();
    req.method() == Method::Post
        && negotiation::prefers_html(req)
        && csrf::says_same_origin(req, host).is_ok()
}

fn waiting(req: &Request<'_>, form: &CsrfForm) -> Waiting {
    Waiting {
        token: form.text(csrf::FIELD).to_owned(),
        ..Waiting::of(req, form, &sealed::act_of(form))
    }
}

/// The form of this request, whose token was not good.
struct Parked(Option<Waiting>);

/// Leaves a form of another session of the same account where the answer finds it.
pub(super) async fn park(req: &Request<'_>, form: &CsrfForm) {
    let Ok(Some(session)) = session::of(req).await else {
        return;
    };
    let user = session.session.user.id;
    let is_theirs = csrf::was_given_to(App::of(req), form.text(csrf::FIELD), user);
    if is_theirs && may_be_kept(req, form) {
        req.local_cache(|| Parked(Some(waiting(req, form))));
    }
}

/// What was parked; `None` also where it is too large.
pub fn parked(req: &Request<'_>) -> Option<Resumable> {
    let Parked(parked) = req.local_cache(|| Parked(None));
    let waiting = parked.as_ref()?;
    Some(Resumable {
        kept: Kept::seal(req, waiting).ok()?,
        act: waiting.act.clone(),
        back: waiting.back.clone(),
    })
}

/// The form itself, or the one that was kept in it. Its token was judged.
pub(super) async fn unpacked(req: &Request<'_>, form: CsrfForm) -> Result<CsrfForm> {
    // A sign-in form only hands it on.
    let (Some(sealed), None) = (form.opt(FORM), form.opt(TO)) else {
        return Ok(form);
    };
    let Ok(Some(session)) = session::of(req).await else {
        return Err(Error::NotAuthenticated);
    };
    let kept = Kept {
        form: sealed.to_owned(),
        to: req.uri().to_string(),
    };
    let waiting = kept.open(App::of(req), session.session.user.id)?;
    Ok(CsrfForm {
        parts: waiting.parts,
    })
}

/// Routes for people who are signed in: a form that comes when that is over is answered by a sign-in form
/// in which it is kept.
pub fn across_sign_in(routes: Vec<Route>) -> Vec<Route> {
    let keeping = |mut route: Route| {
        if route.method == Method::Post {
            route.handler = Box::new(Keeping(route.handler));
        }
        route
    };
    routes.into_iter().map(keeping).collect()
}

#[derive(Clone)]
struct Keeping(Box<dyn Handler>);

#[async_trait]
impl Handler for Keeping {
    async fn handle<'r>(&self, req: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let is_over = matches!(session::of(req).await, Ok(None));
        if !is_over || !is_from_our_page(req) {
            return self.0.handle(req, data).await;
        }
        let kept = match body::form(req, data).await {
            Ok(parts) => keep(req, &CsrfForm { parts }),
            Err(_) => None,
        };
        match kept {
            Some(kept) => Outcome::from(req, pages::sign_in_first(req, kept)),
            None => Outcome::from(req, PageError(Error::NotAuthenticated)),
        }
    }
}

fn keep(req: &Request<'_>, form: &CsrfForm) -> Option<Kept> {
    if !may_be_kept(req, form) {
        return None;
    }
    Kept::seal(req, &waiting(req, form)).ok()
}
