//! The calls around the walks: named tokens, what services next door ask, and what operators look at.

use rocket::http::Method::{Delete, Patch, Post};

use super::{
    fields::{Field, Kind, field},
    operations::{NONE, Operation, Tag, json, nothing, text},
};
use crate::domain::{
    scopes::Scope,
    tokens::{LONGEST, MOST_GRACE},
};

const PRESENTED: &[Field] = &[
    field(
        "token",
        Kind::Text(None),
        "lk_0CrSq…",
        "An API token, an access token or a refresh token.",
    ),
    field(
        "token_type_hint",
        Kind::Ignored,
        "access_token",
        "Not needed, and not looked at.",
    )
    .optional(),
];

const OWNER: Field = field(
    "owner",
    Kind::Text(None),
    "ann",
    "Whose token; without it the caller's own. Only staff may name another.",
)
.optional();
const TOKEN_NAME: Field = field(
    "name",
    Kind::Text(Some(100)),
    "reader",
    "What the token is for. `default` is the name of the one that get-or-create gives.",
);

const NEEDS_A_SCOPE: &[Field] = &[
    field(
        "scope",
        Kind::Text(None),
        "students:read",
        "The credential must have it. Several: separated by blanks, or repeated.",
    )
    .optional(),
    field("staff", Kind::Flag, "true", "Only staff and superusers.").optional(),
    field(
        "redirect",
        Kind::Flag,
        "true",
        "A browser that is not signed in is sent to the sign-in page.",
    )
    .optional(),
];

pub(super) const CALLS: &[Operation] = &[
    Operation {
        path: "/api/tokens",
        id: "list_tokens",
        tag: Tag::Tokens,
        summary: "API tokens",
        about: "Those that are not revoked, the newest hundred.",
        query: &[OWNER],
        scope: Some(Scope::TokensManage),
        success: json(200, "The tokens, without their keys.", "TokenList"),
        also: &[400],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/tokens",
        id: "create_token",
        tag: Tag::Tokens,
        summary: "Make a named token",
        about: "A token hands out no scope that it lacks, and makes none that outlives it.",
        body: &[
            TOKEN_NAME,
            OWNER,
            field(
                "expires_in",
                Kind::Integer(1, LONGEST),
                "86400",
                "Seconds; without it the token does not expire, unless the server limits its life.",
            )
            .optional(),
            field(
                "scopes",
                Kind::Words,
                "students:read",
                "What it may be used for; without it, all that the caller may.",
            )
            .optional(),
        ],
        scope: Some(Scope::TokensManage),
        success: json(201, "The token with its key, this once.", "ApiToken"),
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/tokens/burn",
        id: "burn_token",
        tag: Tag::Tokens,
        summary: "End a leaked key",
        about: "Whoever holds a key may end it: it needs no other credential.",
        body: &[field(
            "token",
            Kind::Text(None),
            "lk_0CrSq…",
            "The key itself.",
        )],
        success: json(
            200,
            "It counts no longer. Unknown keys are answered alike.",
            "Empty",
        ),
        also: &[429],
        ..NONE
    },
    Operation {
        path: "/api/tokens/<id>",
        id: "get_token_facts",
        tag: Tag::Tokens,
        summary: "One token",
        scope: Some(Scope::TokensManage),
        success: json(200, "The token and how often it was used.", "ApiToken"),
        ..NONE
    },
    Operation {
        method: Patch,
        path: "/api/tokens/<id>",
        id: "change_token",
        tag: Tag::Tokens,
        summary: "Rename or extend a token",
        about: "What is not sent stays as it is; so does the key.",
        body: &[
            TOKEN_NAME.optional(),
            field(
                "expires_in",
                Kind::Integer(1, LONGEST),
                "7776000",
                "Another end, in seconds from now; null: never, unless the server limits its life.",
            )
            .optional(),
        ],
        scope: Some(Scope::TokensManage),
        success: json(200, "The token.", "ApiToken"),
        also: &[409],
        ..NONE
    },
    Operation {
        method: Delete,
        path: "/api/tokens/<id>",
        id: "revoke_token",
        tag: Tag::Tokens,
        summary: "Revoke a token",
        scope: Some(Scope::TokensManage),
        success: nothing(204, "It counts no longer."),
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/tokens/<id>/rotate",
        id: "rotate_token",
        tag: Tag::Tokens,
        summary: "Rotate a token",
        about: "A new key under the same name.",
        body: &[field(
            "grace",
            Kind::Integer(0, MOST_GRACE),
            "3600",
            "Seconds for which the old key works on.",
        )
        .optional()],
        scope: Some(Scope::TokensManage),
        success: json(200, "The token with its new key, this once.", "ApiToken"),
        also: &[409],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/introspect",
        id: "introspect",
        tag: Tag::NextDoor,
        summary: "What a token is worth (RFC 7662)",
        about: "Staff may ask about everybody's tokens, others about their own; all else is not active.",
        body: PRESENTED,
        scope: Some(Scope::TokensIntrospect),
        success: json(200, "What it is worth.", "Introspection"),
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/revoke",
        id: "revoke",
        tag: Tag::NextDoor,
        summary: "End a token (RFC 7009)",
        about: "With a JWT ends the whole sign-in. Unknown tokens are answered alike.",
        body: PRESENTED,
        scope: Some(Scope::TokensManage),
        success: nothing(200, "It counts no longer."),
        ..NONE
    },
    Operation {
        path: "/auth/verify",
        id: "forward_auth",
        tag: Tag::NextDoor,
        summary: "Who is calling, for proxies",
        about: "For nginx auth_request, Caddy forward_auth and Traefik ForwardAuth. Any method; nothing of the body is read.",
        query: NEEDS_A_SCOPE,
        success: nothing(
            200,
            "A valid credential that may do what is asked: who it is, in headers.",
        ),
        also: &[401, 403],
        ..NONE
    },
    Operation {
        path: "/.well-known/jwks.json",
        id: "jwks",
        tag: Tag::NextDoor,
        summary: "Public keys (RFC 7517)",
        success: json(200, "The keys that verify what is signed here.", "Jwks"),
        ..NONE
    },
    Operation {
        path: "/.well-known/oauth-authorization-server",
        id: "oauth_metadata",
        tag: Tag::NextDoor,
        summary: "Where things are (RFC 8414)",
        success: json(200, "The metadata.", "Metadata"),
        also: &[404],
        ..NONE
    },
    Operation {
        path: "/.well-known/openid-configuration",
        id: "openid_metadata",
        tag: Tag::NextDoor,
        summary: "Where things are, for those who look here",
        success: json(200, "The metadata.", "Metadata"),
        also: &[404],
        ..NONE
    },
    Operation {
        path: "/status-lists",
        id: "status_lists",
        tag: Tag::NextDoor,
        summary: "The lists of what is revoked",
        about: "Where the setting `jwt_status_list` is on.",
        success: json(200, "Their addresses.", "StatusLists"),
        also: &[404],
        ..NONE
    },
    Operation {
        path: "/status-lists/<number>",
        id: "status_list",
        tag: Tag::NextDoor,
        summary: "One list of what is revoked (IETF Token Status List)",
        success: text("The signed list.", "application/statuslist+jwt"),
        also: &[404],
        ..NONE
    },
    Operation {
        path: "/metrics",
        id: "metrics",
        summary: "What the server counts about itself, for Prometheus",
        about: "For staff.",
        scope: Some(Scope::MetricsRead),
        success: text("The figures.", "application/openmetrics-text"),
        ..NONE
    },
    Operation {
        path: "/healthz",
        id: "healthz",
        summary: "Whether the server is alive",
        success: text("It is.", "text/plain"),
        ..NONE
    },
    Operation {
        path: "/readyz",
        id: "readyz",
        summary: "Whether the server is ready",
        about: "The database answers, its schema is up to date, and nobody told the server to stop. A node that does not hear the others \
                is ready, and says so: it asks the database at each check.",
        success: json(200, "It is.", "Readiness"),
        also: &[503],
        ..NONE
    },
    Operation {
        path: "/openapi.json",
        id: "openapi",
        summary: "This description",
        success: json(200, "OpenAPI 3.1.", "Document"),
        ..NONE
    },
];
