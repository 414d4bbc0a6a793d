//! The form of a dangerous act: whoever sends it has shown the password within the last minutes.
//!
//! Take `ConfirmedForm` where a `CsrfForm` would stand, and that is all: who has not shown it lately
//! gets a page that asks for it, and then the handler gets the form as if nothing had happened.
//! Put the words of the form's button into it, `{{ ui::act(words="Delete ann") }}`: the page then
//! says what waits.
//!
//! Where only some contents are dangerous, take `ConfirmableForm` and call
//! `form.require("Make ann a superuser")?` before anything is changed.
//!
//! While the password is asked for, the form waits in the page itself: sealed, so that passwords in
//! it cannot be read there, for this session and this address only, and not for long.

use std::ops::Deref;

use rocket::{
    Data, Request,
    data::{FromData, Outcome},
    futures::FutureExt,
};

use super::{
    csrf::CsrfForm,
    sealed::{self, Waiting},
    session::{self, UserSession},
};
use crate::{
    app::App,
    domain::sessions,
    error::{Error, Result},
    web::{
        error::{Rejected, reject_data},
        page::local,
    },
};

/// The field in which a form waits. Beside it `password` is the one that was asked for.
pub const SEALED: &str = "sealed_form";

/// A `CsrfForm` of somebody whose password was asked for lately.
#[derive(Debug)]
pub struct ConfirmedForm(CsrfForm);

/// A `CsrfForm` of which the handler says whether it needs the password.
#[derive(Debug)]
pub struct ConfirmableForm {
    form: CsrfForm,
    is_confirmed: bool,
}

impl ConfirmableForm {
    /// Leaves for the page that asks, unless that was done lately. `act` is what waits, in the words
    /// of a button.
    pub fn require(&self, act: impl Into<String>) -> Result<()> {
        if self.is_confirmed {
            return Ok(());
        }
        Err(Error::Unconfirmed {
            act: act.into(),
            refused: None,
        })
    }
}

impl Deref for ConfirmedForm {
    type Target = CsrfForm;

    fn deref(&self) -> &CsrfForm {
        &self.0
    }
}

impl Deref for ConfirmableForm {
    type Target = CsrfForm;

    fn deref(&self) -> &CsrfForm {
        &self.form
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for ConfirmedForm {
    type Error = Rejected;

    async fn from_data(req: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let judged = read(req, data).await.and_then(|confirmable| {
            confirmable.require(sealed::act_of(&confirmable))?;
            Ok(Self(confirmable.form))
        });
        match judged {
            Ok(form) => Outcome::Success(form),
            Err(e) => reject_data(req, e),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for ConfirmableForm {
    type Error = Rejected;

    async fn from_data(req: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        match read(req, data).await {
            Ok(form) => Outcome::Success(form),
            Err(e) => reject_data(req, e),
        }
    }
}

async fn read(req: &Request<'_>, data: Data<'_>) -> Result<ConfirmableForm> {
    let form = CsrfForm::read(req, data).await?;
    let session = match session::of(req).await {
        Ok(Some(session)) => session,
        Ok(None) => return Err(Error::NotAuthenticated),
        Err(e) => return Err(e.clone()),
    };
    let app = App::of(req);
    let Some(sealed) = form.opt(SEALED) else {
        let is_confirmed = session.session.confirmed_until(app.now()).is_some();
        if !is_confirmed {
            req.local_cache(|| Parked(Some(Waiting::of(req, &form, ""))));
        }
        return Ok(ConfirmableForm { form, is_confirmed });
    };
    let waiting = Waiting::open(app, &owner(req, session), sealed)?;
    let by = &session.actor;
    let shown = sessions::confirm(app, by, &session.session, form.password("password")).await;
    match shown {
        Ok(()) => {
            req.local_cache(|| JustConfirmed(true));
            Ok(ConfirmableForm {
                form: CsrfForm {
                    parts: waiting.parts,
                },
                is_confirmed: true,
            })
        }
        Err(e) if is_refusal(&e) => {
            let act = waiting.act.clone();
            req.local_cache(|| Parked(Some(waiting)));
            Err(Error::Unconfirmed {
                act,
                refused: Some(Box::new(e)),
            })
        }
        Err(other) => Err(other),
    }
}

/// What the page that asks can tell.
pub fn is_refusal(e: &Error) -> bool {
    matches!(
        e,
        Error::InvalidCredentials { .. } | Error::Throttled { .. } | Error::Busy { .. }
    )
}

/// The form of this request that did not get through.
struct Parked(Option<Waiting>);

/// The password came with this very request.
struct JustConfirmed(bool);

/// What ties a waiting form to whose it is and where it goes.
fn owner(req: &Request<'_>, session: &UserSession) -> String {
    let digest = App::of(req).keys.session_digest(session.key().expose());
    format!("{} {} {}", req.method(), req.uri(), hex::encode(digest))
}

/// What the page that asks needs to know.
pub struct Parcel {
    /// The address that the form was sent to.
    pub action: String,
    pub sealed: String,
    pub back: String,
}

/// The form of this request that waits for the password. `act` is kept with it for another try.
pub fn parcel(req: &Request<'_>, act: &str) -> Result<Option<Parcel>> {
    let Parked(Some(waiting)) = req.local_cache(|| Parked(None)) else {
        return Ok(None);
    };
    let session = session::of(req).now_or_never();
    let Some(Ok(Some(session))) = session else {
        return Ok(None);
    };
    // `//elsewhere/` reaches this server as a path, but would send the answer to another one.
    let action = req.uri().to_string();
    let action = local(&action).ok_or(Error::NotFound)?.to_owned();
    let waiting = Waiting {
        act: act.to_owned(),
        ..waiting.clone()
    };
    Ok(Some(Parcel {
        sealed: waiting.seal(App::of(req), &owner(req, session))?,
        action,
        back: waiting.back,
    }))
}

/// Until when (Unix seconds) this session is confirmed, this request included.
pub fn confirmed_until(req: &Request<'_>, session: &UserSession) -> Option<i64> {
    let JustConfirmed(just) = req.local_cache(|| JustConfirmed(false));
    let now = App::of(req).now();
    if *just {
        return Some(now + sessions::CONFIRMED_FOR);
    }
    // A sign-in counts, but nobody asked for more than that: it is not announced.
    let asked = session.session.confirmed_at > Some(session.session.created_at);
    session.session.confirmed_until(now).filter(|_| asked)
}
