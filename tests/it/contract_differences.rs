//! Where Latchkey answers otherwise than the recording, on purpose: what instead, and by which rule.
//! Whatever is not in this table must be answered as recorded.

use serde_json::{Value, json};

/// What is answered instead.
#[derive(Debug)]
pub struct Instead {
    pub status: u16,
    /// None: the body is a page.
    pub body: Option<Value>,
    pub content_type: Option<&'static str>,
    pub challenge: Option<&'static str>,
    /// The rule that says so; for whoever reads the table.
    #[expect(dead_code, reason = "reads as documentation")]
    pub rule: &'static str,
}

/// What no answer of an application is.
pub const NOT_APPLICABLE: &[(&str, &str)] = &[
    (
        "misc/long-uri",
        "a limit of the recorded server's HTTP layer",
    ),
    (
        "misc/huge-header",
        "a limit of the recorded server's HTTP layer",
    ),
];

const TOKEN_FIRST: &str = "Token, Bearer realm=\"api\"";
const BEARER_FIRST: &str = "Bearer realm=\"api\", Token";
const BEARER: &str = "Bearer realm=\"api\"";

/// Recorded as 403, answered 401 with the same body and a challenge.
const UNAUTHORIZED: &[&str] = &[
    "auth/basic-scheme",
    "auth/token-key-uppercase",
    "auth/token-invalid",
    "auth/token-short-invalid",
    "auth/token-inactive-user",
    "auth/token-deleted-user",
    "auth/token-under-bearer-scheme",
    "bearer/missing-token",
    "bearer/extra-part",
    "bearer/three-garbage-segments",
    "bearer/expired",
    "bearer/not-yet-valid-nbf",
    "bearer/unknown-token-type",
    "bearer/no-token-type",
    "bearer/no-exp",
    "bearer/exp-string",
    "bearer/exp-null",
    "bearer/user-not-found",
    "bearer/user-deleted",
    "bearer/user-id-huge",
    "bearer/alg-rs256-header",
    "bearer/no-alg",
    "bearer/empty-secret",
    "bearer/tampered-signature",
    "bearer/tampered-payload",
    "bearer/payload-not-json",
    "studentapi/post-anonymous",
    "register/anonymous",
    "get-token/anonymous",
    "generate/as-bearer",
];

/// Recorded as a 200 with field errors, answered 400 with the same field errors.
const ENVELOPE: &[&str] = &[
    "register/blank-username",
    "register/missing-password",
    "register/blank-password",
    "register/null-password",
    "register/missing-confirm_password",
    "register/whitespace-username",
    "register/nul-username",
    "register/nul-password",
    "register/json-array",
    "register/json-array-of-objects",
    "register/json-string",
    "register/empty-body-json",
    "register/multipart-missing",
    "get-token/empty-object",
    "get-token/blank",
    "get-token/missing-password",
    "login-api/blank",
    "login-api/missing-password",
];

/// What Latchkey answers to this case; None: what was recorded.
pub fn instead(name: &str, recorded: &Value) -> Option<Instead> {
    if UNAUTHORIZED.contains(&name) {
        return Some(Instead {
            challenge: Some(if name.starts_with("bearer/") || name.contains("bearer") {
                BEARER_FIRST
            } else {
                TOKEN_FIRST
            }),
            ..json_answer(
                401,
                recorded["body"]["json"].clone(),
                "credentials: 401, same body",
            )
        });
    }
    if ENVELOPE.contains(&name) {
        let body = json!({
            "status": false,
            "message": "Something Wrong",
            "data": recorded["body"]["json"]["data"],
        });
        return Some(json_answer(400, body, "envelope: 400 and status false"));
    }
    refused(name)
        .or_else(|| register(name))
        .or_else(|| jwt(name, recorded))
        .or_else(|| generate(name))
        .or_else(|| elsewhere(name, recorded))
}

fn json_answer(status: u16, body: Value, rule: &'static str) -> Instead {
    Instead {
        status,
        body: Some(body),
        content_type: Some("application/json"),
        challenge: None,
        rule,
    }
}

fn page(status: u16, rule: &'static str) -> Instead {
    Instead {
        status,
        body: None,
        content_type: Some("text/html; charset=utf-8"),
        challenge: None,
        rule,
    }
}

fn refused(name: &str) -> Option<Instead> {
    let wrong = json!({"status": false, "data": {}, "message": "Invalid Credentials"});
    let rule = "envelope: refused credentials are 401";
    match name {
        "get-token/unknown-user" | "get-token/inactive-user" | "login-api/inactive-user" => {
            Some(json_answer(401, wrong, rule))
        }
        _ => None,
    }
}

fn register(name: &str) -> Option<Instead> {
    let complaint = |field: &str, text: &str, rule| {
        let data = json!({field: [text]});
        let body = json!({"status": false, "message": "Something Wrong", "data": data});
        Some(json_answer(400, body, rule))
    };
    match name {
        "register/duplicate-same-password" => Some(json_answer(
            400,
            json!({
                "status": false,
                "message": "Username already exist please login or enter different username",
                "data": {"username": ["A user with that username already exists."]},
            }),
            "a taken username is a field error, whatever the password",
        )),
        "register/duplicate-mismatch" => complaint(
            "confirm_password",
            "The two passwords do not match.",
            "mismatch: data.confirm_password says so",
        ),
        "register/username-151" => complaint(
            "username",
            "Ensure this field has no more than 150 characters.",
            "username: 1 to 150 characters",
        ),
        "register/numeric-password" => complaint(
            "password",
            "This password is entirely numeric.",
            "Django's four validators and their texts",
        ),
        "register/password-5000" => complaint(
            "password",
            "Ensure this field has no more than 128 characters.",
            "an upper bound for new passwords (soft)",
        ),
        "register/huge-form-3MB" => Some(json_answer(
            413,
            json!({"detail": "Request body is too large."}),
            "body over 2.5 MB: 413",
        )),
        "register/accept-html" => Some(page(400, "envelope: 400; the browser's view (soft)")),
        _ => None,
    }
}

fn jwt(name: &str, recorded: &Value) -> Option<Instead> {
    match name {
        "bearer/user-id-list" => Some(Instead {
            challenge: Some(BEARER_FIRST),
            ..json_answer(
                401,
                json!({"detail": "User not found", "code": "user_not_found"}),
                "validly signed but odd tokens: 401 with the family's usual body",
            )
        }),
        "refresh/unknown-jti" | "refresh/no-slash" => {
            let shape = |kind: &str, lifetime: i64| {
                json!({"$jwt": {
                    "claims": {
                        "token_type": kind, "exp": "<int>", "exp-iat": lifetime, "iat": "<int>",
                        "jti": "<hex32>", "user_id": "<str>",
                    },
                    "signed": "HS256 with the shared secret",
                }})
            };
            let body =
                json!({"access": shape("access", 3600), "refresh": shape("refresh", 86_400)});
            Some(json_answer(
                200,
                body,
                "rotation on: access and refresh; no slash: as if it were there",
            ))
        }
        "blacklist/then-verify" => Some(Instead {
            challenge: Some(BEARER),
            ..json_answer(
                401,
                json!({"detail": "Token is blacklisted", "code": "token_not_valid"}),
                "verify tells the truth",
            )
        }),
        "get-token/no-slash" => Some(json_answer(
            200,
            json!({"status": true, "data": {"Token": "<hex40>"}}),
            "missing final slash: answered as if it were there",
        )),
        "studentapi/no-slash-query" => {
            assert_eq!(recorded["status"], 301);
            Some(json_answer(
                200,
                students(),
                "missing final slash: answered as if it were there",
            ))
        }
        _ => None,
    }
}

fn generate(name: &str) -> Option<Instead> {
    let missing = |fields: &[&str]| {
        let body = json!({"Error": "firstname, lastname, and age are required", "fields": fields});
        Some(json_answer(
            400,
            body,
            "generate-token: 400 naming each missing one",
        ))
    };
    match name {
        "generate/no-params" | "generate/all-blank" => missing(&["firstname", "lastname", "age"]),
        "generate/missing-age" => missing(&["age"]),
        "generate/missing-firstname" => missing(&["firstname"]),
        "generate/missing-lastname" => missing(&["lastname"]),
        "generate/some-blank" => missing(&["lastname", "age"]),
        "generate/put" => Some(json_answer(
            405,
            json!({"detail": "Method \"PUT\" not allowed."}),
            "wrong method: 405 with Allow",
        )),
        "generate/options" => Some(json_answer(
            200,
            json!({
                "name": "Generate Token",
                "description": "",
                "renders": ["application/json"],
                "parses": [
                    "application/json", "application/x-www-form-urlencoded", "multipart/form-data",
                ],
            }),
            "OPTIONS describes and does not sign (soft)",
        )),
        "generate/no-slash" => {
            let claims = json!({
                "firstname": "a", "lastname": "b", "age": "1",
                "exp": "<int>", "exp-iat": 3600, "iat": "<int>",
            });
            let jwt = json!({"claims": claims, "signed": "HS256 with the shared secret"});
            let body = json!({"token": {"$jwt": jwt}});
            Some(json_answer(
                200,
                body,
                "missing final slash: answered as if it were there",
            ))
        }
        _ => None,
    }
}

fn elsewhere(name: &str, recorded: &Value) -> Option<Instead> {
    match name {
        "studentapi/accept-html-anonymous" => Some(Instead {
            challenge: Some(TOKEN_FIRST),
            ..page(401, "credentials: 401; the browser's view (soft)")
        }),
        "misc/404-api" | "misc/nul-in-path" => {
            assert_eq!(recorded["status"], 404);
            let body = json!({"detail": "Not found."});
            Some(json_answer(
                404,
                body,
                "JSON for API clients, on errors too",
            ))
        }
        _ => None,
    }
}

fn students() -> Value {
    let rows = [
        (1, "Nikhil Patil", 101, "Nandurbar"),
        (2, "Raj Gohel", 102, "Nandurbar"),
        (3, "Vaibhav Samore", 49, "Nashik"),
        (4, "Dhananjay Patil", 104, "Kajgaon"),
        (5, "Kalpesh Patil", 105, "Dhule"),
    ];
    let data: Vec<Value> = rows
        .iter()
        .map(|(id, name, roll, city)| json!({"id": id, "name": name, "roll": roll, "city": city}))
        .collect();
    json!({"status": true, "data": data})
}
