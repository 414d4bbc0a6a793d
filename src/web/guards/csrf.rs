//! Cross-site request forgery: every unsafe request of a browser shows a token that only our pages
//! could have given it, and comes from our own origin (OWASP CSRF Prevention Cheat Sheet: signed
//! double submit, bound to the session).
//!
//! A token is a nonce, a MAC over nonce and session, and one over nonce and account: the last opens
//! nothing, but tells that a form that is too old was drawn for this person (`kept`). It stands in the
//! form and in the cookie `csrftoken`, from which a script may take it for the header `X-CSRFToken`, as
//! with Django.

use rocket::{
    Data, Request,
    data::{FromData, Outcome},
    http::{Cookie, Method, SameSite},
};

use super::{client, kept, session};
use crate::{
    app::App,
    error::{Error, Result},
    keys::same,
    secret::{self, Password, SessionKey},
    web::{
        body::{self, Part},
        error::{Rejected, reject_data},
    },
};

/// Django's names.
pub const FIELD: &str = "csrfmiddlewaretoken";
const COOKIE: &str = "csrftoken";
const HEADER: &str = "X-CSRFToken";
/// Hex digits of the nonce; as many follow of each MAC.
const HALF: usize = 32;

struct Token(String);

/// The token for a form on the page that answers this request; sets the cookie when needed.
pub async fn token<'r>(req: &'r Request<'_>) -> Result<&'r str> {
    let binding = binding(req).await?;
    let Token(token) = req.local_cache(|| {
        let current = req.cookies().get(COOKIE).map(|c| c.value().to_owned());
        if let Some(token) = current.filter(|token| binding.is_of(App::of(req), token)) {
            return Token(token);
        }
        let token = binding.token(App::of(req)).unwrap_or_default();
        req.cookies().add(
            Cookie::build((COOKIE, token.clone()))
                .path("/")
                .same_site(SameSite::Lax)
                .secure(client::secure_cookies(req)),
        );
        Token(token)
    });
    Ok(token)
}

/// The token for a form that is answered in a session which this very request began.
pub fn token_for(app: &App, key: &SessionKey, user: i64) -> Result<String> {
    Binding::of(key, user).token(app)
}

/// Whether some session of this account was given it, perhaps one that is over.
pub fn was_given_to(app: &App, token: &str, user: i64) -> bool {
    let nonce = token.get(..HALF).unwrap_or_default();
    let tag = token.get(2 * HALF..).unwrap_or_default();
    same(
        tag.as_bytes(),
        account_tag(app, nonce, &user.to_string()).as_bytes(),
    )
}

/// Judges an unsafe request of a browser: `CsrfFailed` says why not.
pub async fn check(req: &Request<'_>, field: Option<&str>) -> Result<()> {
    let host = req.headers().get_one("Host").unwrap_or_default();
    same_origin(req, host)?;
    let given = field
        .or_else(|| req.headers().get_one(HEADER))
        .unwrap_or_default();
    if given.is_empty() {
        return Err(Error::CsrfFailed("CSRF token missing."));
    }
    let binding = binding(req).await?;
    if !binding.is_of(App::of(req), given) {
        return Err(Error::CsrfFailed("CSRF token incorrect."));
    }
    if binding.key.is_empty() {
        // Without a session the cookie is what ties the token to this browser.
        let Some(cookie) = req.cookies().get(COOKIE) else {
            return Err(Error::CsrfFailed("CSRF cookie not set."));
        };
        if !same(cookie.value().as_bytes(), given.as_bytes()) {
            return Err(Error::CsrfFailed("CSRF token incorrect."));
        }
    }
    Ok(())
}

/// Methods that change nothing (RFC 9110, 9.2.1).
pub fn is_safe(method: Method) -> bool {
    use Method::{Get, Head, Options, Trace};
    matches!(method, Get | Head | Options | Trace)
}

const ELSEWHERE: &str = "Origin checking failed.";

/// For requests to other applications, which have no token of ours: the browser must say that they
/// come from a page of `host`. One that says nothing is refused.
pub fn says_same_origin(req: &Request<'_>, host: &str) -> Result<()> {
    let headers = req.headers();
    if headers.contains("Sec-Fetch-Site") || headers.contains("Origin") {
        same_origin(req, host)
    } else {
        Err(Error::CsrfFailed(ELSEWHERE))
    }
}

/// Browsers say where a request comes from; whoever says "elsewhere" is refused.
fn same_origin(req: &Request<'_>, host: &str) -> Result<()> {
    let elsewhere = Err(Error::CsrfFailed(ELSEWHERE));
    let site = req.headers().get_one("Sec-Fetch-Site");
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return elsewhere;
    }
    // Pages that tell nobody their address (`no-referrer`) leave out the origin as well; then the
    // browser's other word counts, which no page can write.
    if req.headers().get_one("Origin") == Some("null") && site == Some("same-origin") {
        return Ok(());
    }
    if let Some(origin) = req.headers().get_one("Origin") {
        let of_origin = origin.split_once("://").map_or("", |(_, host)| host);
        let default = if origin.starts_with("https://") {
            ":443"
        } else {
            ":80"
        };
        let plain = |host: &str| host.strip_suffix(default).unwrap_or(host).to_lowercase();
        if of_origin.is_empty() || plain(of_origin) != plain(host) {
            return elsewhere;
        }
    }
    Ok(())
}

/// What a token is good for; both are empty for somebody who is not signed in.
#[derive(Default)]
struct Binding {
    key: String,
    account: String,
}

impl Binding {
    fn of(key: &SessionKey, user: i64) -> Self {
        Self {
            key: key.expose().to_owned(),
            account: user.to_string(),
        }
    }

    fn token(&self, app: &App) -> Result<String> {
        let nonce = secret::random::<16>().map(hex::encode)?;
        Ok(self.with(app, &nonce))
    }

    fn with(&self, app: &App, nonce: &str) -> String {
        let tag = app.keys.csrf_tag(&[nonce.as_bytes(), self.key.as_bytes()]);
        let tag = hex::encode(&tag[..HALF / 2]);
        format!("{nonce}{tag}{}", account_tag(app, nonce, &self.account))
    }

    fn is_of(&self, app: &App, token: &str) -> bool {
        let nonce = token.get(..HALF).unwrap_or_default();
        same(token.as_bytes(), self.with(app, nonce).as_bytes())
    }
}

async fn binding(req: &Request<'_>) -> Result<Binding> {
    match session::of(req).await {
        Ok(Some(session)) => Ok(Binding::of(session.key(), session.session.user.id)),
        Ok(None) => Ok(Binding::default()),
        Err(e) => Err(e.clone()),
    }
}

fn account_tag(app: &App, nonce: &str, account: &str) -> String {
    let parts = [nonce.as_bytes(), b"account", account.as_bytes()];
    hex::encode(&app.keys.csrf_tag(&parts)[..HALF / 2])
}

/// A browser's form whose CSRF token was right. A POST handler that takes one cannot forget it.
#[derive(Debug)]
pub struct CsrfForm {
    pub(super) parts: Vec<(String, Part)>,
}

impl CsrfForm {
    /// The last value of a field, as sent; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.opt(name).unwrap_or_default()
    }

    pub fn opt(&self, name: &str) -> Option<&str> {
        self.parts
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .and_then(|(_, part)| part.text())
    }

    /// A file that was chosen: its name, and what is in it.
    pub fn file(&self, name: &str) -> Option<(&str, &[u8])> {
        self.parts
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .and_then(|(_, part)| part.file())
    }

    /// Whether a box was ticked.
    pub fn flag(&self, name: &str) -> bool {
        self.opt(name)
            .is_some_and(|value| !matches!(value, "" | "false" | "off" | "0"))
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parts
            .iter()
            .filter(move |(n, _)| n == name)
            .filter_map(|(_, part)| part.text())
    }

    pub fn password(&self, name: &str) -> Password {
        Password::new(self.text(name))
    }

    /// What both guards of forms begin with.
    pub(super) async fn read(req: &Request<'_>, data: Data<'_>) -> Result<Self> {
        let parts = body::form(req, data).await?;
        let form = Self { parts };
        match check(req, form.opt(FIELD)).await {
            Ok(()) => kept::unpacked(req, form).await,
            Err(e) => {
                kept::park(req, &form).await;
                Err(e)
            }
        }
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for CsrfForm {
    type Error = Rejected;

    async fn from_data(req: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        match Self::read(req, data).await {
            Ok(form) => Outcome::Success(form),
            Err(e) => reject_data(req, e),
        }
    }
}

/// A sign-in form. One that was open for so long that its token is good no more is not acted on, but the
/// person can be told more than that it has expired.
#[derive(Debug)]
pub enum SignInForm {
    Fresh(CsrfForm),
    Stale(CsrfForm),
}

#[rocket::async_trait]
impl<'r> FromData<'r> for SignInForm {
    type Error = Rejected;

    async fn from_data(req: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let form = match body::form(req, data).await {
            Ok(parts) => CsrfForm { parts },
            Err(e) => return reject_data(req, e),
        };
        let host = req.headers().get_one("Host").unwrap_or_default();
        match check(req, form.opt(FIELD)).await {
            Ok(()) => Outcome::Success(Self::Fresh(form)),
            Err(Error::CsrfFailed(_))
                if form.opt(FIELD).is_some() && says_same_origin(req, host).is_ok() =>
            {
                Outcome::Success(Self::Stale(form))
            }
            Err(e) => reject_data(req, e),
        }
    }
}
