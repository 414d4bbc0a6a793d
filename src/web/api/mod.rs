//! The JSON API: one file a resource. `endpoints` is the table of addresses.

use rocket::{
    Build, Data, Request, Rocket, Route,
    http::{Method, Status},
    response::{self, Responder},
    route::{Handler, Outcome},
};
use serde::Serialize;

mod burn;
pub mod endpoints;
mod generate_token;
mod jwt;
mod oauth;
pub mod openapi;
mod register;
mod students;
mod token;
mod tokens;

use endpoints::{ENDPOINTS, Endpoint};

use crate::{
    app::App,
    domain::{actor::Actor, login, users::User},
    error::Error,
    web::{
        body::Body,
        error::{self, ApiError},
        guards::api_auth,
        negotiation,
    },
};

/// A success: 200 unless it says otherwise.
#[derive(Debug)]
pub struct Answer<T>(pub Status, pub T);

impl<T> Answer<T> {
    fn ok(body: T) -> Result<Self, ApiError> {
        Ok(Self(Status::Ok, body))
    }
}

impl<'r, T: Serialize> Responder<'r, 'static> for Answer<T> {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        error::answer(req, self.0, &self.1)
    }
}

/// The user of the body's `username` and `password`, and the caller by that name.
async fn sign_in(app: &App, caller: Actor, body: &Body) -> Result<(User, Actor), Error> {
    let mut read = body.reader();
    let username = read.text("username");
    let password = read.password("password");
    read.finish()?;
    let user = login::authenticate(app, &username, password, &caller).await?;
    let by = caller.signed_in(&user);
    Ok((user, by))
}

pub fn mount(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket
        .mount("/", burn::routes())
        .mount("/", generate_token::routes())
        .mount("/", jwt::routes())
        .mount("/", oauth::routes())
        .mount("/", openapi::routes())
        .mount("/", register::routes())
        .mount("/", token::routes())
        .mount("/api/tokens", tokens::routes())
        .mount("/studentapi", students::routes())
        .mount("/studentsapi", students::routes())
        .mount(
            "/",
            ENDPOINTS.iter().flat_map(fallbacks).collect::<Vec<_>>(),
        )
}

/// Methods that no handler of an address takes: OPTIONS, and those that are answered 405. Rocket
/// itself would say 404.
#[derive(Clone)]
struct Fallback(&'static Endpoint);

fn fallbacks(endpoint: &'static Endpoint) -> Vec<Route> {
    use Method::{Connect, Delete, Get, Head, Options, Patch, Post, Put, Trace};
    let methods = [Connect, Delete, Get, Head, Options, Patch, Post, Put, Trace];
    let unanswered = methods.into_iter().filter(|method| {
        // The sign-in page shares its address with the API and answers GET itself.
        let page = endpoint.path == "/login" && matches!(method, Get | Head);
        *method == Options || !(endpoint.methods.contains(method) || page)
    });
    unanswered
        .flat_map(|method| {
            endpoint.paths().map(move |path| {
                // `/api/tokens/burn` must not be taken for the token of the id "burn".
                let rank = if path.contains('<') { 50 } else { -50 };
                let mut route = Route::ranked(rank, method, path, Fallback(endpoint));
                route.name = Some("fallback".into());
                route
            })
        })
        .collect()
}

#[rocket::async_trait]
impl Handler for Fallback {
    async fn handle<'r>(&self, req: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        match judge(req, self.0).await {
            Ok(()) => Outcome::from(req, Answer(Status::Ok, self.0.metadata())),
            Err(e) => Outcome::from(req, ApiError(e)),
        }
    }
}

/// In the order in which the Django stack judges.
async fn judge(req: &Request<'_>, endpoint: &Endpoint) -> Result<(), Error> {
    negotiation::negotiate(req, endpoint)?;
    if endpoint.guarded {
        api_auth::authenticate(req).await?;
    }
    if req.method() == Method::Options {
        Ok(())
    } else {
        Err(Error::MethodNotAllowed)
    }
}
