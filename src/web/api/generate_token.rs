//! `/generate-token/`: signs what anybody gives, for an hour. Query, form or JSON; names in any
//! case.

use rocket::{
    Request, Route, State, get, post,
    request::{FromRequest, Outcome},
    routes,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Answer;
use crate::{
    app::App,
    domain::signed_data::{self, GivenData},
    error::{Error, FieldErrors, Result},
    web::{
        body::{Body, text_of},
        error::{ApiError, Rejected, reject},
        guards::{Throttle, throttle},
        negotiation::Acceptable,
    },
};

/// Characters of a value.
const MAX: usize = 255;
const REQUIRED: &str = "firstname, lastname, and age are required";

pub fn routes() -> Vec<Route> {
    routes![by_query, by_body]
}

#[derive(Serialize, JsonSchema)]
pub(super) struct TokenResponse {
    token: String,
}

/// The query as fields; the last of equal names counts, as in Django.
struct Query(Map<String, Value>);

/// Whether the setting allows it at all.
struct Enabled;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Enabled {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        if App::of(req).settings().generate_token_enabled {
            Outcome::Success(Self)
        } else {
            reject(req, Error::NotFound)
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Query {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let query = req.uri().query().map_or("", |query| query.as_str());
        let pairs = form_urlencoded::parse(query.as_bytes());
        let fields = pairs.map(|(name, value)| (name.to_lowercase(), value.into_owned().into()));
        Outcome::Success(Self(fields.collect()))
    }
}

#[get("/generate-token")]
fn by_query(
    _enabled: Enabled,
    _as: Acceptable,
    _throttle: Throttle<throttle::GenerateToken>,
    query: Query,
    app: &State<App>,
) -> Result<Answer<TokenResponse>, ApiError> {
    sign(app, &Body::from_fields(query.0), None)
}

#[post("/generate-token", data = "<body>")]
fn by_body(
    _enabled: Enabled,
    _as: Acceptable,
    _throttle: Throttle<throttle::GenerateToken>,
    query: Query,
    app: &State<App>,
    body: Body,
) -> Result<Answer<TokenResponse>, ApiError> {
    sign(app, &body, Some(&Body::from_fields(query.0)))
}

/// What the body does not name may stand in the query.
fn sign(app: &App, body: &Body, query: Option<&Body>) -> Result<Answer<TokenResponse>, ApiError> {
    let mut errors = FieldErrors::default();
    let mut value = |name: &'static str| {
        let given = body
            .any_case(name)
            .or_else(|| query.and_then(|q| q.any_case(name)));
        match given.map(text_of) {
            None | Some(Err("This field may not be null.")) => errors.push(name, REQUIRED),
            Some(Err(_)) => errors.push(name, format!("{name} is not a text")),
            Some(Ok(text)) if text.trim().is_empty() => errors.push(name, REQUIRED),
            Some(Ok(text)) if text.chars().count() > MAX => {
                errors.push(name, format!("{name} is longer than {MAX} characters"));
            }
            Some(Ok(text)) => return text,
        }
        String::new()
    };
    let data = GivenData {
        firstname: value("firstname"),
        lastname: value("lastname"),
        age: value("age"),
    };
    errors.into_result(|| ())?;
    let token = signed_data::sign(app, &data)?;
    Answer::ok(TokenResponse {
        token: token.expose().to_owned(),
    })
}
