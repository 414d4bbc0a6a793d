//! A form that waits in a page until it may go on: sealed, so that passwords in it cannot be read there, and
//! not for long.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rocket::Request;
use serde::{Deserialize, Serialize};

use super::csrf::{self, CsrfForm};
use crate::{
    app::App,
    error::{Error, Result},
    web::{body::Part, page::local},
};

/// The field that says what waits.
const ACT: &str = "confirm_act";
/// The field that says where Cancel leads, in a form whose own page cannot be opened.
const BACK: &str = "confirm_back";
/// For how long a form waits, in seconds.
const WAITS: i64 = 10 * 60;
/// Bytes; sealed and written as text, it must still fit into a body.
const MOST: usize = 1_500_000;

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// Unix seconds.
    pub until: i64,
    /// What waits, in the words of a button.
    pub act: String,
    /// Where the person came from; empty: unknown.
    pub back: String,
    /// A CSRF token that the form came with, where it says whose form it is.
    pub token: String,
    pub parts: Vec<(String, Part)>,
}

impl Waiting {
    pub fn of(req: &Request<'_>, form: &CsrfForm, act: &str) -> Self {
        // The page in which it waits brings another token.
        let parts = form.parts.iter().filter(|(name, _)| name != csrf::FIELD);
        Self {
            until: App::of(req).now() + WAITS,
            act: act.to_owned(),
            back: local(form.text(BACK))
                .map(str::to_owned)
                .or_else(|| referrer(req))
                .unwrap_or_default(),
            token: String::new(),
            parts: parts.cloned().collect(),
        }
    }

    /// `owner` is whose it is and where it goes; nothing else opens it.
    pub fn seal(&self, app: &App, owner: &str) -> Result<String> {
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        if plain.len() > MOST {
            return Err(Error::TooLarge);
        }
        Ok(URL_SAFE_NO_PAD.encode(app.keys.seal_form(&plain, owner)?))
    }

    /// Whatever is not good here, now and for this person is a form that has expired.
    pub fn open(app: &App, owner: &str, sealed: &str) -> Result<Self> {
        let open = || {
            let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
            let plain = app.keys.unseal_form(&bytes, owner).ok()?;
            let waiting: Self = serde_json::from_slice(plain.expose()).ok()?;
            (waiting.until > app.now()).then_some(waiting)
        };
        open().ok_or(Error::CsrfFailed("The form waited too long."))
    }
}

/// What the form says of itself; our pages wrote it.
pub(super) fn act_of(form: &CsrfForm) -> String {
    let plain = form.text(ACT).chars().filter(|c| !c.is_control());
    plain.take(200).collect::<String>().trim().to_owned()
}

fn referrer(req: &Request<'_>) -> Option<String> {
    let referrer = req.headers().get_one("Referer")?;
    let (_, rest) = referrer.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let ours = req.headers().get_one("Host") == Some(host);
    local(path).filter(|_| ours).map(str::to_owned)
}
