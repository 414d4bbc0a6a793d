//! `/auth/verify/`: a proxy asks, for each request to another application, who is calling. Made for
//! nginx `auth_request`, Caddy `forward_auth` and Traefik `ForwardAuth`; see docs/next-door.md.
//!
//! Any method, no body, no content negotiation: what arrives here are headers of somebody else's
//! request. 200 with the identity in headers, 401 with a challenge, 403 with a reason.

use std::fmt::Write;

use rocket::{
    Data, Request, Response, Route,
    http::{Method, Status},
    response::{self, Responder},
    route::{Handler, Outcome},
};

use super::{
    error::ApiError,
    guards::{
        api_auth::{self, Authenticated},
        client, csrf,
    },
    negotiation,
    page::local,
};
use crate::{
    domain::scopes::Scopes,
    error::{Error, Result},
};

const PATH: &str = "/auth/verify";
/// Where proxies say which method the request has that is judged.
const METHODS: [&str; 2] = ["X-Forwarded-Method", "X-Original-Method"];
/// Bytes. Proxies give the headers of an answer 4 KB; beyond, they would answer with a failure.
const MAX_LOCATION: usize = 2048;

pub fn routes() -> Vec<Route> {
    use Method::{Connect, Delete, Get, Head, Options, Patch, Post, Put, Trace};
    [Connect, Delete, Get, Head, Options, Patch, Post, Put, Trace]
        .map(|method| Route::new(method, PATH, Verify))
        .into()
}

#[derive(Clone)]
struct Verify;

#[rocket::async_trait]
impl Handler for Verify {
    async fn handle<'r>(&self, req: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let asked = match Asked::of(req) {
            Ok(asked) => asked,
            Err(e) => return Outcome::from(req, ApiError(e)),
        };
        match judge(req, &asked).await {
            Ok(caller) => Outcome::from(req, Identity(caller)),
            Err(Error::NotAuthenticated) => Outcome::from(req, SignIn { asked }),
            Err(e) => Outcome::from(req, ApiError(e)),
        }
    }
}

/// What the proxy's configuration asks for, in the query.
struct Asked {
    scopes: Scopes,
    staff: bool,
    /// Browsers are sent to the sign-in page by a 303 instead of a 401.
    redirect: bool,
}

impl Asked {
    /// Whatever is not understood is refused: a slip of the pen in the proxy's configuration must not
    /// open what it was to close.
    fn of(req: &Request<'_>) -> Result<Self> {
        let mut asked = Self {
            scopes: Scopes::of([]),
            staff: false,
            redirect: false,
        };
        let query = req.uri().query().map_or("", |query| query.as_str());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let unknown = |what| Err(Error::UnknownRequirement(format!("There is no {what}.")));
            match (name.as_ref(), value.as_ref()) {
                // Each must name one; all of them are required.
                ("scope", value) => match Scopes::parse(value) {
                    Some(scopes) if !scopes.is_empty() => {
                        asked.scopes = asked.scopes.and(scopes);
                    }
                    Some(_) => return unknown("scope without a name"),
                    None => return unknown("such scope"),
                },
                ("staff", "true") => asked.staff = true,
                ("redirect", "true") => asked.redirect = true,
                ("staff" | "redirect", "false") => {}
                ("staff" | "redirect", _) => return unknown("such value but true and false"),
                _ => return unknown("such parameter but scope, staff and redirect"),
            }
        }
        Ok(asked)
    }
}

async fn judge(req: &Request<'_>, asked: &Asked) -> Result<Authenticated> {
    let caller = match api_auth::by_session(req).await? {
        Some(caller) => {
            let judged = not_forged(req);
            api_auth::count(req, "session", &judged);
            judged?;
            caller
        }
        None => api_auth::by_header(req).await?,
    };
    if let Some(missing) = asked.scopes.missing_in(caller.scopes) {
        return Err(Error::MissingScope(missing));
    }
    if asked.staff && !is_staff(&caller) {
        return Err(Error::PermissionDenied);
    }
    Ok(caller)
}

fn is_staff(caller: &Authenticated) -> bool {
    caller.actor.is_staff || caller.actor.is_superuser
}

/// The application behind the proxy has no CSRF token of ours. So with a session, requests that may
/// change something must come from a page of their own host, as the browser itself says; likewise
/// web sockets, and requests of whose method nobody we trust speaks.
fn not_forged(req: &Request<'_>) -> Result<()> {
    if is_told_safe(req) && !req.headers().contains("Sec-WebSocket-Key") {
        return Ok(());
    }
    let host = client::forwarded(req, "X-Forwarded-Host").next();
    let host = host.or_else(|| req.headers().get_one("Host"));
    csrf::says_same_origin(req, host.unwrap_or_default()).map_err(|e| match e {
        // Most likely a configuration that lacks something; say what.
        Error::CsrfFailed(_) if methods(req).next().is_none() => Error::CsrfFailed(
            "Origin checking failed, and no trusted proxy says the method of the request.",
        ),
        other => other,
    })
}

fn methods<'r>(req: &'r Request<'_>) -> impl Iterator<Item = &'r str> {
    METHODS
        .into_iter()
        .flat_map(|name| client::forwarded(req, name))
}

/// Whether a trusted proxy says a method, and all that is said is a safe one.
fn is_told_safe(req: &Request<'_>) -> bool {
    methods(req).next().is_some()
        && methods(req).all(|name| name.parse().is_ok_and(csrf::is_safe))
        && csrf::is_safe(req.method())
}

/// 200, who it is in headers, no body. Each header is always there, so that a proxy that copies it
/// replaces what a client sent under the same name.
struct Identity(Authenticated);

impl<'r> Responder<'r, 'static> for Identity {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let actor = &self.0.actor;
        let id = actor.user_id.map(|id| id.to_string());
        Response::build()
            .raw_header("X-Auth-User", header_text(&actor.username))
            .raw_header("X-Auth-User-Id", id.unwrap_or_default())
            .raw_header("X-Auth-Staff", is_staff(&self.0).to_string())
            .raw_header("X-Auth-Scopes", self.0.scopes.spelled_out())
            .raw_header("Cache-Control", "no-store")
            .ok()
    }
}

/// Headers carry ASCII. Names may have letters of any script, so all but letters, digits and `.@+-_`
/// is percent-encoded in UTF-8; a name has no `%` of its own that would stay.
fn header_text(name: &str) -> String {
    name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b".@+-_".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _fine = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// 401; a browser that wants a page learns where to sign in. nginx takes that `Location` from the
/// 401; other proxies hand on the 303.
struct SignIn {
    asked: Asked,
}

impl<'r> Responder<'r, 'static> for SignIn {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        let mut response = ApiError(Error::NotAuthenticated).respond_to(req)?;
        if is_told_safe(req) && negotiation::prefers_html(req) {
            response.set_raw_header("Location", sign_in_page(req));
            if self.asked.redirect {
                response.set_status(Status::SeeOther);
            }
        }
        Ok(response)
    }
}

/// On the host of the request that is judged; `next` leads back there and nowhere else.
fn sign_in_page(req: &Request<'_>) -> String {
    let mut uris = client::forwarded(req, "X-Forwarded-Uri");
    let next = match (uris.next(), uris.next()) {
        (Some(uri), None) => local(uri),
        _ => None,
    };
    let login = "/login/";
    let back = next.map(|next| {
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        format!("{login}?next={next}")
    });
    back.filter(|location| location.len() <= MAX_LOCATION)
        .unwrap_or_else(|| login.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ascii_in_headers_and_cannot_end_them() {
        for (name, text) in [
            ("ann.lee@example+x_1-2", "ann.lee@example+x_1-2"),
            ("Øre", "%C3%98re"),
            ("a\r\nX-Auth-Staff: true", "a%0D%0AX-Auth-Staff%3A%20true"),
            ("100%", "100%25"),
        ] {
            assert_eq!(header_text(name), text);
        }
    }
}
