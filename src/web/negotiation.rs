//! Which representation a client wants: `Accept` and `?format=`, judged first of all, as in
//! Django REST framework.

use rocket::{
    Request,
    http::MediaType,
    request::{FromRequest, Outcome},
};

use crate::{
    error::Error,
    web::{
        api::endpoints::Endpoint,
        error::{Rejected, reject},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation {
    Json,
    Html,
}

/// For API handlers: what is answered can be read by who asks. First in each signature.
#[derive(Clone, Copy, Debug)]
pub struct Acceptable;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Acceptable {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        let judged = crate::web::api::endpoints::of(req)
            .map_or(Ok(Representation::Json), |endpoint| {
                negotiate(req, endpoint)
            });
        match judged {
            Ok(_) => Outcome::Success(Self),
            Err(e) => reject(req, e),
        }
    }
}

/// What an API endpoint answers in. An unknown `?format=` is `NotFound`, as in the Django stack.
pub fn negotiate(req: &Request<'_>, endpoint: &Endpoint) -> Result<Representation, Error> {
    let format = req.query_value::<&str>("format").and_then(Result::ok);
    match format {
        None | Some("") => {}
        Some("json") => return Ok(Representation::Json),
        Some("api") if endpoint.browsable => return Ok(Representation::Html),
        Some(_) => return Err(Error::NotFound),
    }
    let (json, html) = preferences(req);
    match (json, html) {
        (json, html) if json <= 0.0 && (html <= 0.0 || !endpoint.browsable) => {
            Err(Error::NotAcceptable)
        }
        (json, html) if endpoint.browsable && html > json => Ok(Representation::Html),
        _ => Ok(Representation::Json),
    }
}

/// Outside the API: a page for browsers, which ask for one, JSON for everybody else.
pub fn prefers_html(req: &Request<'_>) -> bool {
    let (json, html) = preferences(req);
    html > json
        || req.accept().is_some_and(|accept| {
            accept.iter().any(|m| m.media_type() == &MediaType::HTML) && html >= json
        })
}

/// The weight of JSON and of HTML (RFC 9110, 12.5.1): the most specific range counts.
fn preferences(req: &Request<'_>) -> (f32, f32) {
    let Some(accept) = req
        .headers()
        .get_one("Accept")
        .filter(|text| !text.trim().is_empty())
    else {
        return (1.0, 0.0);
    };
    let mut json = (0, 0.0);
    let mut html = (0, 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts
            .find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")))
            .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        let offer = |best: &mut (u8, f32), rank: u8| {
            if rank > best.0 {
                *best = (rank, weight);
            }
        };
        match name.as_str() {
            "application/json" => offer(&mut json, 3),
            "text/html" => offer(&mut html, 3),
            "application/*" => offer(&mut json, 2),
            "text/*" => offer(&mut html, 2),
            "*/*" => {
                offer(&mut json, 1);
                // "Anything" is JSON: it is what was asked for before there were browsers.
                offer(&mut html, 1);
            }
            _ => {}
        }
    }
    // "Anything" alone is no wish for a page.
    let html_weight = if html.0 == 1 && json.0 == 1 {
        0.0
    } else {
        html.1
    };
    (json.1, html_weight)
}
