//! The one message that survives a redirect, in a signed cookie that is taken out when shown.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rocket::{
    Request,
    http::{Cookie, SameSite},
    time::Duration,
};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    keys::{self, Keyring},
};

const COOKIE: &str = "flash";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// `ok`, `warn` or `bad`: the class of the note.
    kind: String,
    icon: String,
    title: String,
    text: String,
}

impl Flash {
    pub fn ok(title: impl Into<String>) -> Self {
        Self::new("ok", "fine", title)
    }

    pub fn warn(title: impl Into<String>) -> Self {
        Self::new("warn", "alert", title)
    }

    pub fn bad(title: impl Into<String>) -> Self {
        Self::new("bad", "fail", title)
    }

    fn new(kind: &str, icon: &str, title: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            icon: icon.to_owned(),
            title: title.into(),
            text: String::new(),
        }
    }

    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// Leaves it for the next page.
    pub fn leave(&self, req: &Request<'_>, secure: bool) {
        let cookie = Cookie::build((COOKIE, self.sign(&App::of(req).keys)))
            .path("/")
            .http_only(true)
            .secure(secure)
            .same_site(SameSite::Lax)
            .max_age(Duration::minutes(1));
        req.cookies().add(cookie);
    }

    /// The message left by the page before, if it is ours.
    pub fn take(req: &Request<'_>) -> Option<Self> {
        let found = Self::read(req.cookies().get(COOKIE)?.value(), &App::of(req).keys);
        req.cookies().remove(Cookie::build(COOKIE).path("/"));
        found
    }

    fn sign(&self, keys: &Keyring) -> String {
        let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default());
        let tag = keys::mac(keys.flash_key(), &[body.as_bytes()]);
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    fn read(text: &str, keys: &Keyring) -> Option<Self> {
        let (body, tag) = text.split_once('.')?;
        let expected = keys::mac(keys.flash_key(), &[body.as_bytes()]);
        if !keys::same(&expected, &URL_SAFE_NO_PAD.decode(tag).ok()?) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }
}
