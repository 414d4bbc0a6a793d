//! What each operation of the API needs: a table of `permissions`.

use crate::permission_needs::Need::{self, All, Staff};

/// Operations of the API on what belongs to others; `{…}` as above. Those without a line are everybody's with a
/// credential, or nobody's: see `OWN`.
pub const API: &[(&str, Need, &str)] = &[
    ("GET /metrics", Staff, ""),
    (
        "POST /studentapi",
        All(&["add_students"]),
        r#"{"name": "Asha", "roll": 7, "city": "Pune"}"#,
    ),
    (
        "PUT /studentapi/<id>",
        All(&["change_students"]),
        r#"{"name": "Asha", "roll": 7, "city": "Pune"}"#,
    ),
    (
        "PATCH /studentapi/<id>",
        All(&["change_students"]),
        r#"{"city": "Delhi"}"#,
    ),
    ("DELETE /studentapi/<id>", All(&["delete_students"]), ""),
    (
        "POST /studentsapi",
        All(&["add_students"]),
        r#"{"name": "Asha", "roll": 7, "city": "Pune"}"#,
    ),
    (
        "PUT /studentsapi/<id>",
        All(&["change_students"]),
        r#"{"name": "Asha", "roll": 7, "city": "Pune"}"#,
    ),
    (
        "PATCH /studentsapi/<id>",
        All(&["change_students"]),
        r#"{"city": "Delhi"}"#,
    ),
    ("DELETE /studentsapi/<id>", All(&["delete_students"]), ""),
    ("GET /api/tokens?owner={name}", All(&["view_tokens"]), ""),
    (
        "POST /api/tokens",
        All(&["add_tokens"]),
        r#"{"owner": "{name}", "name": "CI"}"#,
    ),
    ("GET /api/tokens/<id>", All(&["view_tokens"]), ""),
    (
        "PATCH /api/tokens/<id>",
        All(&["change_tokens"]),
        r#"{"name": "Other"}"#,
    ),
    ("DELETE /api/tokens/<id>", All(&["delete_tokens"]), ""),
    (
        "POST /api/tokens/<id>/rotate",
        All(&["change_tokens"]),
        "{}",
    ),
    (
        "POST /api/revoke",
        All(&["delete_tokens"]),
        r#"{"token": "{key}"}"#,
    ),
    (
        "POST /api/revoke",
        All(&["delete_sessions"]),
        r#"{"token": "{jwt}"}"#,
    ),
];

/// What asks for no permission: it gives what is everybody's, or acts on whoever signs in by it. Introspection of
/// other people's tokens has a test of its own, as it never says no.
pub const OWN: &[&str] = &[
    "GET /auth/verify",
    "GET /studentapi",
    "GET /studentapi/<id>",
    "GET /studentsapi",
    "GET /studentsapi/<id>",
    "POST /api/introspect",
    "POST /get-token",
    "POST /login",
    "POST /registerapi",
];
