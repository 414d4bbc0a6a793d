//! What each address of the panel needs: a table of `permissions`. The API's is `permission_needs_api`.

/// What opens an address.
pub enum Need {
    /// Any member of staff; what is seen there depends on more.
    Staff,
    /// All of these permissions.
    All(&'static [&'static str]),
    Superuser,
}

use Need::{All, Staff, Superuser};

pub type Fields = &'static [(&'static str, &'static str)];

const PASSWORD: &str = "An0ther-pass-2";

/// Routes of the panel beside those that everybody may call. One may stand here twice, with other fields.
pub const PANEL: &[(&str, Need, Fields)] = &[
    ("GET /admin", Staff, &[]),
    ("GET /admin/audit", All(&["view_audit"]), &[]),
    ("GET /admin/audit/<id>", All(&["view_audit"]), &[]),
    ("GET /admin/audit/export.csv", All(&["view_audit"]), &[]),
    ("GET /admin/audit/export.json", All(&["view_audit"]), &[]),
    ("GET /admin/groups", Superuser, &[]),
    ("GET /admin/groups/new", Superuser, &[]),
    (
        "POST /admin/groups/new",
        Superuser,
        &[("name", "Mine"), ("permission", "view_users")],
    ),
    ("GET /admin/groups/<id>", Superuser, &[]),
    (
        "POST /admin/groups/<id>",
        Superuser,
        &[("name", "Mine"), ("version", "1")],
    ),
    ("GET /admin/groups/<id>/delete", Superuser, &[]),
    ("POST /admin/groups/<id>/delete", Superuser, &[]),
    ("GET /admin/health", Superuser, &[]),
    ("GET /admin/keys", Superuser, &[]),
    ("POST /admin/keys/rotate", Superuser, &[]),
    ("GET /admin/keys/<id>/revoke", Superuser, &[]),
    ("POST /admin/keys/<id>/revoke", Superuser, &[]),
    ("GET /admin/settings", Superuser, &[]),
    ("POST /admin/settings", Superuser, &[]),
    ("GET /admin/reauth", Staff, &[]),
    (
        "POST /admin/reauth",
        Staff,
        &[("password", crate::support::PASSWORD)],
    ),
    ("GET /admin/refusals", All(&["view_tokens"]), &[]),
    ("GET /admin/refusals/<id>", All(&["view_tokens"]), &[]),
    (
        "POST /admin/refusals/inspect",
        All(&["view_tokens"]),
        &[("pasted", "abc")],
    ),
    ("GET /admin/search", Staff, &[]),
    ("GET /admin/sessions", All(&["view_sessions"]), &[]),
    (
        "POST /admin/sessions/end",
        All(&["delete_sessions"]),
        &[("one", "{session}")],
    ),
    ("GET /admin/sessions/bulk", All(&["view_sessions"]), &[]),
    ("GET /admin/sessions/bulk/run", All(&["view_sessions"]), &[]),
    (
        "POST /admin/sessions/bulk",
        All(&["view_sessions", "delete_sessions"]),
        &[("act", "end"), ("id", "{session}")],
    ),
    (
        "POST /admin/sessions/bulk/run",
        All(&["view_sessions", "delete_sessions"]),
        &[("act", "end"), ("id", "{session}"), ("expected", "1")],
    ),
    ("POST /admin/sessions/end-others", Staff, &[]),
    ("GET /admin/students", All(&["view_students"]), &[]),
    ("GET /admin/students/export", All(&["view_students"]), &[]),
    (
        "POST /admin/students/export",
        All(&["view_students"]),
        &[("id", "{student}")],
    ),
    ("GET /admin/students/new", All(&["add_students"]), &[]),
    (
        "POST /admin/students/new",
        All(&["add_students"]),
        &[("name", "Asha"), ("roll", "7"), ("city", "Pune")],
    ),
    ("GET /admin/students/<id>", All(&["view_students"]), &[]),
    (
        "POST /admin/students/<id>",
        All(&["change_students"]),
        &[("name", "Asha"), ("roll", "8"), ("city", "Pune")],
    ),
    (
        "GET /admin/students/<id>/delete",
        All(&["delete_students"]),
        &[],
    ),
    (
        "POST /admin/students/<id>/delete",
        All(&["delete_students"]),
        &[],
    ),
    ("POST /admin/students/edit", All(&["change_students"]), &[]),
    ("GET /admin/students/bulk", All(&["view_students"]), &[]),
    ("GET /admin/students/bulk/run", All(&["view_students"]), &[]),
    (
        "GET /admin/students/bulk/confirmed",
        All(&["view_students"]),
        &[],
    ),
    (
        "POST /admin/students/bulk",
        All(&["view_students", "delete_students"]),
        &[("act", "delete"), ("id", "{student}")],
    ),
    (
        "POST /admin/students/bulk/run",
        All(&["delete_students"]),
        &[
            ("act", "delete"),
            ("id", "{student}"),
            ("upto", "{student}"),
        ],
    ),
    (
        "POST /admin/students/bulk/confirmed",
        All(&["delete_students"]),
        &[
            ("act", "delete"),
            ("id", "{student}"),
            ("upto", "{student}"),
        ],
    ),
    ("GET /admin/students/import", All(&["add_students"]), &[]),
    ("POST /admin/students/import", All(&["add_students"]), &[]),
    (
        "GET /admin/students/import/preview/<id>",
        All(&["add_students"]),
        &[],
    ),
    (
        "POST /admin/students/import/preview/<id>",
        All(&["add_students"]),
        &[],
    ),
    ("GET /admin/tokens", All(&["view_tokens"]), &[]),
    ("GET /admin/tokens/bulk", All(&["view_tokens"]), &[]),
    ("GET /admin/tokens/bulk/run", All(&["view_tokens"]), &[]),
    (
        "GET /admin/tokens/bulk/confirmed",
        All(&["view_tokens"]),
        &[],
    ),
    (
        "POST /admin/tokens/bulk",
        All(&["view_tokens", "delete_tokens"]),
        &[("act", "revoke"), ("id", "1")],
    ),
    (
        "POST /admin/tokens/bulk/run",
        All(&["view_tokens", "change_tokens"]),
        &[
            ("act", "extend"),
            ("answer", "90"),
            ("id", "1"),
            ("expected", "1"),
        ],
    ),
    (
        "POST /admin/tokens/bulk/confirmed",
        All(&["view_tokens", "delete_tokens"]),
        &[("act", "revoke"), ("id", "1"), ("expected", "1")],
    ),
    ("GET /admin/tokens/export", All(&["view_tokens"]), &[]),
    (
        "POST /admin/tokens/export",
        All(&["view_tokens"]),
        &[("id", "1")],
    ),
    ("GET /admin/tokens/new", All(&["add_tokens"]), &[]),
    (
        "POST /admin/tokens/new",
        All(&["add_tokens"]),
        &[
            ("owner", "{name}"),
            ("kind", "named"),
            ("name", "CI"),
            ("expires", "30"),
            ("access", "full"),
        ],
    ),
    ("GET /admin/tokens/<id>", All(&["view_tokens"]), &[]),
    (
        "POST /admin/tokens/<id>",
        All(&["change_tokens"]),
        &[("name", "Other")],
    ),
    ("GET /admin/tokens/<id>/created", All(&["view_tokens"]), &[]),
    (
        "HEAD /admin/tokens/<id>/created",
        All(&["view_tokens"]),
        &[],
    ),
    ("GET /admin/tokens/<id>/exists", All(&["add_tokens"]), &[]),
    (
        "GET /admin/tokens/<id>/extend",
        All(&["change_tokens"]),
        &[],
    ),
    (
        "POST /admin/tokens/<id>/extend",
        All(&["change_tokens"]),
        &[("expires", "90")],
    ),
    (
        "GET /admin/tokens/<id>/rotate",
        All(&["change_tokens"]),
        &[],
    ),
    (
        "POST /admin/tokens/<id>/rotate",
        All(&["change_tokens"]),
        &[("grace", "0")],
    ),
    (
        "GET /admin/tokens/<id>/revoke",
        All(&["delete_tokens"]),
        &[],
    ),
    (
        "POST /admin/tokens/<id>/revoke",
        All(&["delete_tokens"]),
        &[],
    ),
    ("POST /admin/tokens/<id>/show", All(&["add_tokens"]), &[]),
    ("GET /admin/users", All(&["view_users"]), &[]),
    ("GET /admin/users/suggest", All(&["view_users"]), &[]),
    ("GET /admin/users/export", All(&["view_users"]), &[]),
    (
        "POST /admin/users/export",
        All(&["view_users"]),
        &[("id", "{user}")],
    ),
    ("GET /admin/users/new", All(&["add_users"]), &[]),
    (
        "POST /admin/users/new",
        All(&["add_users"]),
        &[
            ("username", "new.{name}"),
            ("is_active", "on"),
            ("password", PASSWORD),
            ("confirm_password", PASSWORD),
        ],
    ),
    ("GET /admin/users/<id>", All(&["view_users"]), &[]),
    (
        "POST /admin/users/<id>",
        All(&["change_users"]),
        &[
            ("username", "{name}"),
            ("first_name", "Ann"),
            ("is_active", "on"),
            ("version", "1"),
        ],
    ),
    ("GET /admin/users/<id>/delete", All(&["delete_users"]), &[]),
    ("POST /admin/users/<id>/delete", All(&["delete_users"]), &[]),
    ("GET /admin/users/<id>/disable", All(&["change_users"]), &[]),
    (
        "POST /admin/users/<id>/disable",
        All(&["change_users"]),
        &[],
    ),
    ("POST /admin/users/<id>/enable", All(&["change_users"]), &[]),
    (
        "GET /admin/users/<id>/history",
        All(&["view_users", "view_audit"]),
        &[],
    ),
    ("GET /admin/users/<id>/link", All(&["view_users"]), &[]),
    ("HEAD /admin/users/<id>/link", All(&["view_users"]), &[]),
    (
        "POST /admin/users/<id>/link",
        All(&["change_users"]),
        &[("how", "show")],
    ),
    (
        "GET /admin/users/<id>/password",
        All(&["change_users"]),
        &[],
    ),
    (
        "POST /admin/users/<id>/password",
        All(&["change_users"]),
        &[("password", PASSWORD), ("confirm_password", PASSWORD)],
    ),
    (
        "POST /admin/users/<id>/sessions/<session_id>/end",
        All(&["delete_sessions"]),
        &[],
    ),
    (
        "POST /admin/users/<id>/sign-out",
        All(&["delete_sessions"]),
        &[],
    ),
    ("POST /admin/users/<id>/unlock", All(&["change_users"]), &[]),
    (
        "POST /admin/users/<id>/verify-email",
        All(&["change_users"]),
        &[],
    ),
    ("GET /admin/users/bulk", All(&["view_users"]), &[]),
    ("GET /admin/users/bulk/run", All(&["view_users"]), &[]),
    ("GET /admin/users/bulk/confirmed", All(&["view_users"]), &[]),
    (
        "POST /admin/users/bulk",
        All(&["view_users", "change_users"]),
        &[("act", "disable"), ("id", "{user}")],
    ),
    (
        "POST /admin/users/bulk/run",
        All(&["view_users", "change_users"]),
        &[("act", "enable"), ("id", "{user}"), ("upto", "{user}")],
    ),
    (
        "POST /admin/users/bulk/run",
        All(&["view_users", "delete_sessions"]),
        &[("act", "sign-out"), ("id", "{user}"), ("upto", "{user}")],
    ),
    (
        "POST /admin/users/bulk/confirmed",
        All(&["view_users", "delete_tokens"]),
        &[
            ("act", "revoke-tokens"),
            ("id", "{user}"),
            ("upto", "{user}"),
        ],
    ),
    (
        "POST /admin/users/bulk/confirmed",
        All(&["view_users", "delete_users"]),
        &[("act", "delete"), ("id", "{user}"), ("upto", "{user}")],
    ),
];
