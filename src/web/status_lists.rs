//! `/status-lists/`: which JWTs no longer count, for those who verify offline (IETF Token Status
//! List). Public: a bit says nothing to whoever does not hold the token.

use rocket::{Route, State, get, http::ContentType, routes};
use serde_json::json;

use crate::{
    app::App,
    domain::status_lists,
    error::Error,
    web::{error::ApiError, published::Published},
};

pub fn routes() -> Vec<Route> {
    routes![all, one]
}

/// The addresses of all lists.
#[get("/status-lists")]
async fn all(app: &State<App>) -> Result<Published, ApiError> {
    let lists = status_lists::all(app).await?;
    Ok(Published {
        content_type: ContentType::JSON,
        body: json!({ "status_lists": lists }).to_string(),
        keep: Some(ttl()),
    })
}

/// A signed list. Always the present one: `?time=` of the past is not answered.
#[get("/status-lists/<number>")]
async fn one(number: &str, app: &State<App>) -> Result<Published, ApiError> {
    let number = number.parse().map_err(|_| Error::NotFound)?;
    let list = status_lists::list(app, number).await?;
    Ok(Published {
        content_type: ContentType::new("application", status_lists::TYPE),
        body: list.expose().to_owned(),
        keep: Some(ttl()),
    })
}

fn ttl() -> u32 {
    u32::try_from(status_lists::TTL).unwrap_or(0)
}
