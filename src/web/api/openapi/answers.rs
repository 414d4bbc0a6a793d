//! What comes out: the success of an operation, and every failure that follows from its address, its
//! body and its credential, in the shape that the address gives to failures.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    needs_credential,
    operations::{Content, Operation},
    style,
};
use crate::web::api::endpoints::{Endpoint, Style};

/// All answers of one operation.
pub fn of(operation: &Operation, endpoint: Option<&Endpoint>) -> Value {
    let mut answers = Map::new();
    answers.insert(operation.success.status.to_string(), success(operation));
    if operation.id == "forward_auth" {
        let about =
            "With `redirect=true`: a browser that is not signed in is sent to the sign-in page.";
        answers.insert("303".to_owned(), json!({"description": about}));
    }
    if operation.id == "readyz" {
        answers.insert(
            "503".to_owned(),
            json!({
                "description": "Not ready: the body says which part.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}},
            }),
        );
    }
    for status in failures(operation, endpoint) {
        answers
            .entry(status.to_string())
            .or_insert_with(|| failure(status, style(endpoint)));
    }
    answers.into()
}

fn success(operation: &Operation) -> Value {
    let success = operation.success;
    let mut answer = json!({
        "description": success.about,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
    });
    match success.content {
        Content::Nothing => {}
        Content::Json(schema) => {
            answer["content"] = json!({
                "application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}},
            });
        }
        Content::Text(media_type) => {
            answer["content"] = json!({media_type: {"schema": {"type": "string"}}});
        }
    }
    if operation.id == "forward_auth" {
        for (name, about) in [
            (
                "X-Auth-User",
                "The username; other than ASCII is percent-encoded.",
            ),
            ("X-Auth-User-Id", "The account's number."),
            ("X-Auth-Staff", "`true` or `false`."),
            (
                "X-Auth-Scopes",
                "What the credential may be used for, separated by blanks.",
            ),
        ] {
            answer["headers"][name] =
                json!({"description": about, "required": true, "schema": {"type": "string"}});
        }
    }
    answer
}

fn failures(operation: &Operation, endpoint: Option<&Endpoint>) -> BTreeSet<u16> {
    let mut statuses: BTreeSet<u16> = operation.also.iter().copied().collect();
    if endpoint.is_some() {
        statuses.insert(406);
        // An unknown `?format=`.
        statuses.insert(404);
    }
    if needs_credential(operation, endpoint) {
        statuses.extend([401, 403]);
    }
    if !operation.body.is_empty() {
        statuses.extend([400, 413, 415]);
    }
    if operation.path.contains('<') {
        statuses.insert(404);
        if operation.scope.is_some() && operation.method != rocket::http::Method::Get {
            statuses.insert(409);
        }
    }
    statuses
}

/// A shared answer where the address words failures as most do, its own shape where it does not.
fn failure(status: u16, style: Style) -> Value {
    match (status, style) {
        (400, Style::Envelope) => refused("Something in it is not right.", "RefusedEnvelope"),
        (400, Style::GenerateToken) => refused("Something is missing or too long.", "RefusedData"),
        (400, Style::OAuth) => refused("It cannot be used (RFC 6749, 5.2).", "OAuthError"),
        (401, Style::Envelope) => {
            let mut answer = refused(
                "No credential, a bad one, or a wrong username or password.",
                "RefusedLogin",
            );
            answer["headers"] =
                json!({"WWW-Authenticate": {"$ref": "#/components/headers/Challenge"}});
            answer
        }
        _ => json!({"$ref": format!("#/components/responses/{}", name(status))}),
    }
}

fn refused(about: &str, schema: &str) -> Value {
    json!({
        "description": about,
        "content": {
            "application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}},
        },
    })
}

/// Status, name, what it means, schema, header.
const FAILURES: &[(u16, &str, &str, &str, &str)] = &[
    (
        400,
        "Refused",
        "The body cannot be read, or fields are refused: messages a field.",
        "Refused",
        "",
    ),
    (
        401,
        "NotAuthenticated",
        "No credential, or one that does not count.",
        "Failure",
        "WWW-Authenticate",
    ),
    (
        403,
        "Denied",
        "A good credential that may not do this: not staff, no permission, a scope is missing, or a browser's request that may be forged.",
        "Failure",
        "",
    ),
    (404, "NotFound", "It is not there.", "Failure", ""),
    (
        406,
        "NotAcceptable",
        "None of the media types asked for.",
        "Failure",
        "",
    ),
    (409, "Conflict", "Somebody was quicker.", "Failure", ""),
    (
        413,
        "TooLarge",
        "The body is larger than 2.5 MB.",
        "Failure",
        "",
    ),
    (
        415,
        "UnsupportedMediaType",
        "Neither JSON nor a form.",
        "Failure",
        "",
    ),
    (
        429,
        "Throttled",
        "Too many tries.",
        "Failure",
        "Retry-After",
    ),
    (
        503,
        "Busy",
        "No room to hash a password now.",
        "Failure",
        "Retry-After",
    ),
];

fn name(status: u16) -> &'static str {
    let known = FAILURES.iter().find(|(code, ..)| *code == status);
    known.map_or("Failure", |(_, name, ..)| name)
}

/// Those that several addresses share.
pub fn responses() -> Value {
    let all = FAILURES.iter().map(|(_, name, about, schema, header)| {
        let mut answer = refused(about, schema);
        let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
        match *header {
            "WWW-Authenticate" => {
                headers[*header] = json!({"$ref": "#/components/headers/Challenge"});
            }
            "Retry-After" => headers[*header] = json!({"$ref": "#/components/headers/RetryAfter"}),
            _ => {}
        }
        answer["headers"] = headers;
        ((*name).to_owned(), answer)
    });
    all.collect::<Map<_, _>>().into()
}

pub fn headers() -> Value {
    json!({
        "RequestId": {
            "description": "Names this request in the log and in the panel.",
            "required": true,
            "schema": {"type": "string"},
        },
        "Challenge": {
            "description": "The schemes that are taken; the one that was tried comes first.",
            "required": true,
            "schema": {"type": "string"},
            "example": "Token, Bearer realm=\"api\"",
        },
        "RetryAfter": {
            "description": "Seconds until the next try is welcome.",
            "required": true,
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        },
    })
}
