//! How failures look outside: one status a variant, one wording an address. Guards leave through
//! `reject`, handlers return `ApiError` or `PageError`; both end in the same function here.

use std::io::Cursor;

use rocket::{
    Request, Response, catch, data,
    http::{ContentType, Header, Status},
    request,
    response::{self, Responder},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    error::Error,
    web::{
        api::endpoints::{self, Endpoint, Style},
        error_bodies::{fields, generate_token, header_refused, in_words, oauth, summary},
        guards::client,
        negotiation, pages, refused,
    },
};

/// What a guard failed with; for Rocket's types only, the catcher reads `Rejection`.
#[derive(Debug)]
pub struct Rejected;

/// The reason, left where the catcher finds it.
struct Rejection(Option<Error>);

/// A failure of an API handler.
#[derive(Debug)]
pub struct ApiError(pub Error);

/// A failure of a page's handler.
#[derive(Debug)]
pub struct PageError(pub Error);

impl<E: Into<Error>> From<E> for ApiError {
    fn from(e: E) -> Self {
        Self(e.into())
    }
}

impl<E: Into<Error>> From<E> for PageError {
    fn from(e: E) -> Self {
        Self(e.into())
    }
}

/// The one way out of a request guard that fails.
pub fn reject<T>(req: &Request<'_>, e: Error) -> request::Outcome<T, Rejected> {
    request::Outcome::Error((leave(req, e), Rejected))
}

/// The one way out of a data guard that fails.
pub fn reject_data<'r, T: data::FromData<'r, Error = Rejected>>(
    req: &'r Request<'_>,
    e: Error,
) -> data::Outcome<'r, T> {
    data::Outcome::Error((leave(req, e), Rejected))
}

fn leave(req: &Request<'_>, e: Error) -> Status {
    let status = status(req, &e);
    // The first value stored wins; `default_catcher` stores none before a guard has failed.
    req.local_cache(|| Rejection(Some(e)));
    status
}

/// No catch-all arm: a new variant does not compile until somebody has chosen its status.
fn status(req: &Request<'_>, e: &Error) -> Status {
    match e {
        Error::NotAuthenticated
        | Error::AuthenticationFailed(_)
        | Error::JwtRefused(_)
        | Error::NoActiveAccount => Status::Unauthorized,
        Error::InvalidCredentials { .. } => match endpoints::of(req).map(|e| e.style) {
            Some(Style::SimpleJwt | Style::Envelope) => Status::Unauthorized,
            _ => Status::BadRequest,
        },
        Error::PermissionDenied
        | Error::MissingPermission(_)
        | Error::MissingScope(_)
        | Error::Unconfirmed { refused: None, .. }
        | Error::UnknownRequirement(_)
        | Error::CsrfFailed(_) => Status::Forbidden,
        Error::Unconfirmed {
            refused: Some(e), ..
        } => status(req, e),
        Error::NotFound => Status::NotFound,
        Error::Validation(_) | Error::Parse(_) | Error::UnsupportedTokenType => Status::BadRequest,
        Error::Throttled { .. } => Status::TooManyRequests,
        Error::Busy { .. } => Status::ServiceUnavailable,
        Error::MethodNotAllowed => Status::MethodNotAllowed,
        Error::NotAcceptable => Status::NotAcceptable,
        Error::UnsupportedMediaType(_) => Status::UnsupportedMediaType,
        Error::TooLarge => Status::PayloadTooLarge,
        Error::Conflict(_) | Error::LastSuperuser => Status::Conflict,
        Error::Internal(_) => Status::InternalServerError,
    }
}

impl<'r> Responder<'r, 'static> for ApiError {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        api_answer(req, endpoints::of(req), &self.0)
    }
}

impl<'r> Responder<'r, 'static> for PageError {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        page_answer(req, &self.0)
    }
}

/// Everything no handler answered: guards that failed, addresses and methods that do not exist.
#[catch(default)]
pub async fn default_catcher(status: Status, req: &Request<'_>) -> Failed {
    let Rejection(reason) = req.local_cache(|| Rejection(None));
    let e = reason.clone().unwrap_or_else(|| by_status(status, req));
    pages::who_is_lost(req, &e).await;
    Failed(e)
}

/// A failure anywhere: worded by the address.
#[derive(Debug)]
pub struct Failed(Error);

impl<'r> Responder<'r, 'static> for Failed {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        match endpoints::of(req) {
            Some(endpoint) => api_answer(req, Some(endpoint), &self.0),
            None => page_answer(req, &self.0),
        }
    }
}

/// What Rocket itself refused, in our words.
fn by_status(status: Status, req: &Request<'_>) -> Error {
    match status.code {
        // A method that Rocket does not know reaches no route; an address that is none is "/".
        400 if req.route().is_none()
            && req.uri().path() != "/"
            && !pages::allowed_methods(req).is_empty() =>
        {
            Error::MethodNotAllowed
        }
        400 => Error::Parse("Bad request.".to_owned()),
        401 => Error::NotAuthenticated,
        403 => Error::PermissionDenied,
        404 => {
            // A handler of this very method that found nothing is a plain "not found".
            let allowed = pages::allowed_methods(req);
            if allowed.is_empty() || allowed.contains(&req.method().as_str()) {
                Error::NotFound
            } else {
                Error::MethodNotAllowed
            }
        }
        413 => Error::TooLarge,
        // An id in the address that is no number: nothing has it.
        422 => Error::NotFound,
        _ => Error::internal(std::io::Error::other(format!("answered {status}"))),
    }
}

fn page_answer(req: &Request<'_>, e: &Error) -> response::Result<'static> {
    let html = negotiation::prefers_html(req);
    if matches!(e, Error::NotAuthenticated) {
        return pages::to_login(req);
    }
    if !html {
        return api_answer(req, None, e);
    }
    log(req, e);
    refused::leave(req, e);
    let mut response = match pages::waiting(req, e) {
        Ok(Some(page)) => page.status(status(req, e)).respond_to(req)?,
        Ok(None) => pages::error_page(req, status(req, e), e)?,
        Err(e) => return page_answer(req, &e),
    };
    add_headers(req, None, e, &mut response);
    Ok(response)
}

fn api_answer(
    req: &Request<'_>,
    endpoint: Option<&Endpoint>,
    e: &Error,
) -> response::Result<'static> {
    log(req, e);
    refused::leave(req, e);
    let style = endpoint.map_or(Style::Drf, |endpoint| endpoint.style);
    let body = body(req, style, e);
    let mut response = answer(req, status(req, e), &body)?;
    add_headers(req, endpoint, e, &mut response);
    Ok(response)
}

/// A JSON answer, or its page for a browser that asked for one.
pub fn answer(
    req: &Request<'_>,
    status: Status,
    body: &impl Serialize,
) -> response::Result<'static> {
    let json = serde_json::to_vec(body).map_err(|_| Status::InternalServerError)?;
    answer_json(req, status, json)
}

/// The same for JSON that is written already.
pub fn answer_json(
    req: &Request<'_>,
    status: Status,
    json: impl AsRef<[u8]> + Send + Unpin + 'static,
) -> response::Result<'static> {
    if let Some(endpoint) = endpoints::of(req)
        && matches!(
            negotiation::negotiate(req, endpoint),
            Ok(negotiation::Representation::Html)
        )
    {
        return pages::browsable(req, endpoint, status, json.as_ref());
    }
    Response::build()
        .status(status)
        .header(ContentType::new("application", "json"))
        .header(Header::new("Cache-Control", "no-store"))
        .sized_body(json.as_ref().len(), Cursor::new(json))
        .ok()
}

fn body(req: &Request<'_>, style: Style, e: &Error) -> Value {
    let detail = |text: &str| json!({"detail": text});
    match (e, style) {
        (Error::NotAuthenticated, _) => detail("Authentication credentials were not provided."),
        (Error::AuthenticationFailed(failure), _) => header_refused(*failure),
        (Error::JwtRefused(fault), _) => {
            json!({"detail": fault.message(), "code": "token_not_valid"})
        }
        (Error::NoActiveAccount, _) => detail("No active account found for the given token."),
        (Error::InvalidCredentials { .. }, Style::Envelope) => {
            json!({"status": false, "data": {}, "message": "Invalid Credentials"})
        }
        (Error::InvalidCredentials { .. }, Style::ObtainToken) => {
            json!({"non_field_errors": ["Unable to log in with provided credentials."]})
        }
        (Error::InvalidCredentials { .. }, _) => {
            detail("No active account found with the given credentials")
        }
        (Error::PermissionDenied | Error::MissingPermission(_), _) => {
            detail("You do not have permission to perform this action.")
        }
        (Error::MissingScope(scope), _) => {
            detail(&format!("This credential lacks the scope \"{scope}\"."))
        }
        (Error::Unconfirmed { .. }, _) => detail("Confirm your password first."),
        (Error::CsrfFailed(why), _) => detail(&format!("CSRF Failed: {why}")),
        (Error::NotFound, _) => detail("Not found."),
        (Error::Validation(errors), Style::Envelope) => {
            json!({"status": false, "message": summary(errors), "data": fields(errors)})
        }
        (Error::Validation(errors), Style::GenerateToken) => generate_token(errors),
        (Error::Validation(errors), Style::OAuth) => oauth("invalid_request", &in_words(errors)),
        (Error::Parse(text), Style::OAuth) => oauth("invalid_request", text),
        (Error::UnsupportedTokenType, _) => oauth(
            "unsupported_token_type",
            "Only API tokens, access and refresh tokens are revoked.",
        ),
        (Error::Validation(errors), _) => Value::Object(fields(errors)),
        (Error::Throttled { retry_after }, _) => {
            let unit = if *retry_after == 1 {
                "second"
            } else {
                "seconds"
            };
            detail(&format!(
                "Request was throttled. Expected available in {retry_after} {unit}."
            ))
        }
        (Error::Busy { retry_after }, _) => detail(&format!(
            "The server is busy. Try again in {retry_after} seconds."
        )),
        // One that Rocket does not know is not told to us.
        (Error::MethodNotAllowed, _)
            if req.route().is_none()
                && pages::allowed_methods(req).contains(&req.method().as_str()) =>
        {
            detail("This method is not allowed.")
        }
        (Error::MethodNotAllowed, _) => {
            detail(&format!("Method \"{}\" not allowed.", req.method()))
        }
        (Error::NotAcceptable, _) => detail("Could not satisfy the request Accept header."),
        (Error::UnsupportedMediaType(given), _) => {
            detail(&format!("Unsupported media type \"{given}\" in request."))
        }
        (Error::TooLarge, _) => detail("Request body is too large."),
        (Error::Parse(text) | Error::Conflict(text) | Error::UnknownRequirement(text), _) => {
            detail(text)
        }
        (Error::LastSuperuser, _) => detail("This is the only superuser. Make another one first."),
        (Error::Internal(_), _) => json!({
            "detail": "Something broke on our side.",
            "request_id": client::request_id(req),
        }),
    }
}

fn add_headers(
    req: &Request<'_>,
    endpoint: Option<&Endpoint>,
    e: &Error,
    response: &mut Response<'_>,
) {
    let met = match e {
        Error::Unconfirmed {
            refused: Some(e), ..
        } => e,
        e => e,
    };
    let retry_after = match met {
        Error::Throttled { retry_after } | Error::Busy { retry_after } => Some(retry_after),
        _ => None,
    };
    if let Some(seconds) = retry_after {
        response.set_raw_header("Retry-After", seconds.to_string());
    }
    if status(req, e) == Status::Unauthorized {
        // Two ways in; the one that was tried comes first (RFC 9110, 11.6.1).
        let bearer = "Bearer realm=\"api\"";
        let challenge = match (e, endpoint.map(|endpoint| endpoint.style)) {
            (_, Some(Style::SimpleJwt)) => bearer.to_owned(),
            (Error::AuthenticationFailed(failure), _) if failure.is_bearer() => {
                format!("{bearer}, Token")
            }
            _ => format!("Token, {bearer}"),
        };
        response.set_raw_header("WWW-Authenticate", challenge);
    }
    if matches!(e, Error::MethodNotAllowed) {
        let allow =
            endpoint.map_or_else(|| pages::allowed_methods(req).join(", "), Endpoint::allow);
        response.set_raw_header("Allow", allow);
    }
}

/// Once, here, where it is turned into an answer.
fn log(req: &Request<'_>, e: &Error) {
    if let Error::Internal(source) = e {
        let request_id = client::request_id(req);
        tracing::error!(request.id = request_id, error = %source, "internal error");
    }
}
