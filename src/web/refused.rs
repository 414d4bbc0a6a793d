//! Hands each 401 and 403 to `domain/refusals`, once it is answered: what came in, stripped of all that
//! could be a secret, and what it was refused for.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
};

use rocket::{
    Request, Response,
    fairing::{Fairing, Info, Kind},
    futures::FutureExt,
    request::{FromRequest, Outcome},
};

use crate::{
    app::App,
    domain::refusals::{
        self,
        shown::{self, INSTEAD, Shown},
    },
    error::Error,
    secret::Jwt,
    web::{
        api::endpoints,
        guards::{client, session},
    },
};

/// What the answer was made of.
struct Answered(Option<Error>);

/// Leaves the failure that is about to be answered where the fairing finds it.
pub fn leave(req: &Request<'_>, e: &Error) {
    req.local_cache(|| Answered(Some(e.clone())));
}

#[derive(Debug)]
pub struct Refused;

#[rocket::async_trait]
impl Fairing for Refused {
    fn info(&self) -> Info {
        Info {
            name: "refused",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, req: &'r Request<'_>, res: &mut Response<'r>) {
        let status = res.status().code;
        if !matches!(status, 401 | 403) {
            return;
        }
        let Answered(Some(error)) = req.local_cache(|| Answered(None)) else {
            return;
        };
        let (header, shown) = shown_by(req);
        let request = refusals::Request {
            id: client::request_id(req).to_owned(),
            status,
            method: req.method().as_str(),
            path: path(req),
            address: client::address(req),
            header,
        };
        refusals::note(App::of(req), request, &shown, error).await;
    }
}

/// What a handler found in the body and was to judge.
#[derive(Clone, Debug, Default)]
pub struct InBody(Arc<OnceLock<Shown>>);

impl InBody {
    pub fn refresh(&self, jwt: &Jwt) {
        self.set(Shown::Refresh(jwt.clone()));
    }

    pub fn any_jwt(&self, jwt: &Jwt) {
        self.set(Shown::AnyJwt(jwt.clone()));
    }

    fn set(&self, shown: Shown) {
        // A handler judges one.
        let _first = self.0.set(shown);
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for InBody {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(req.local_cache(Self::default).clone())
    }
}

/// The header that the credential came in, and the credential: in the order in which guards judge.
fn shown_by(req: &Request<'_>) -> (&'static str, Shown) {
    if let Some(shown) = req.local_cache(InBody::default).0.get() {
        return ("", shown.clone());
    }
    let unguarded = endpoints::of(req).is_some_and(|endpoint| !endpoint.guarded);
    if unguarded {
        return ("", Shown::Nothing(None));
    }
    // Loaded by the guard that refused, or never asked for.
    if let Some(Ok(Some(session))) = session::of(req).now_or_never()
        && let Some(id) = session.actor.user_id
    {
        return ("", Shown::Session(id));
    }
    let headers = req.headers();
    for name in ["Authorization", "Authentication"] {
        if let Some(value) = headers.get_one(name) {
            return (name, shown::read(value));
        }
    }
    let instead = INSTEAD.into_iter().find(|name| headers.contains(*name));
    ("", Shown::Nothing(instead))
}

/// As the router knows it, with the ids that were asked for. Whatever else stands in a variable segment
/// may be anything, also a key that somebody put there.
fn path(req: &Request<'_>) -> String {
    let Some(route) = req.route() else {
        return "-".to_owned();
    };
    let given = endpoints::segments(req);
    let pattern = route.uri.path().split('/').filter(|part| !part.is_empty());
    let is_id = |text: &&&str| text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    let mut path = String::new();
    for (n, part) in pattern.enumerate() {
        path.push('/');
        let id = given.get(n).filter(is_id).filter(|_| part.starts_with('<'));
        path.push_str(id.copied().unwrap_or(part));
    }
    path.push('/');
    path
}
