//! Every call there is: what it is for, what goes in, what comes out. Addresses, methods and how
//! errors look stand in `endpoints`; handlers are beside it. A test compares this table with the
//! routes, so that none is missing and none is made up.

use rocket::http::Method::{self, Delete, Get, Patch, Post, Put};

use super::fields::{Field, Kind, field};
use crate::domain::{
    scopes::Scope,
    tokens::{LONGEST, MOST_GRACE},
};

#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub method: Method,
    /// As the router has it, without the final slash.
    pub path: &'static str,
    pub id: &'static str,
    pub tag: Tag,
    pub summary: &'static str,
    pub about: &'static str,
    pub query: &'static [Field],
    pub body: &'static [Field],
    /// The scope that a credential needs; none: the call needs no credential, or any will do.
    pub scope: Option<Scope>,
    pub success: Success,
    /// Statuses beside those that follow from the address, the body and the credential.
    pub also: &'static [u16],
}

#[derive(Clone, Copy, Debug)]
pub struct Success {
    pub status: u16,
    pub about: &'static str,
    pub content: Content,
}

#[derive(Clone, Copy, Debug)]
pub enum Content {
    Nothing,
    /// JSON of the schema of that name.
    Json(&'static str),
    /// A text of this media type.
    Text(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    Register,
    Students,
    SignedData,
    GetToken,
    Jwt,
    Tokens,
    NextDoor,
    Operation,
}

impl Tag {
    pub const ALL: [Self; 8] = [
        Self::Register,
        Self::Students,
        Self::SignedData,
        Self::GetToken,
        Self::Jwt,
        Self::Tokens,
        Self::NextDoor,
        Self::Operation,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "Register",
            Self::Students => "Students",
            Self::SignedData => "Sign given data",
            Self::GetToken => "Get or create a token",
            Self::Jwt => "JWTs",
            Self::Tokens => "API tokens",
            Self::NextDoor => "For the service next door",
            Self::Operation => "Operation",
        }
    }
}

const NONE: Operation = Operation {
    method: Get,
    path: "",
    id: "",
    tag: Tag::Operation,
    summary: "",
    about: "",
    query: &[],
    body: &[],
    scope: None,
    success: json(200, "Done.", "Empty"),
    also: &[],
};

const fn json(status: u16, about: &'static str, schema: &'static str) -> Success {
    Success {
        status,
        about,
        content: Content::Json(schema),
    }
}

const fn nothing(status: u16, about: &'static str) -> Success {
    Success {
        status,
        about,
        content: Content::Nothing,
    }
}

const fn text(about: &'static str, media_type: &'static str) -> Success {
    Success {
        status: 200,
        about,
        content: Content::Text(media_type),
    }
}

const USERNAME: Field = field("username", Kind::Text(None), "ann", "The account's name.");
const PASSWORD: Field = field(
    "password",
    Kind::Password,
    "correct horse 9",
    "Not a character of it is trimmed.",
);
const CREDENTIALS: &[Field] = &[USERNAME, PASSWORD];
const REFRESH: &[Field] = &[field(
    "refresh",
    Kind::Text(None),
    "eyJhbGciOi…",
    "A refresh token.",
)];
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

/// Django's `IntegerField`.
const ROLL: Kind = Kind::Integer(-2_147_483_648, 2_147_483_647);
const STUDENT: &[Field] = &[
    field("name", Kind::Text(Some(100)), "Nikhil Patil", "The name."),
    field("roll", ROLL, "101", "The roll number."),
    field("city", Kind::Text(Some(100)), "Nandurbar", "The city."),
];
const STUDENT_PART: &[Field] = &[
    STUDENT[0].optional(),
    STUDENT[1].optional(),
    STUDENT[2].optional(),
];

const GIVEN: &[Field] = &[
    field(
        "firstname",
        Kind::Text(Some(255)),
        "Ada",
        "A claim. The name in any case: Firstname works.",
    ),
    field("lastname", Kind::Text(Some(255)), "Lovelace", "A claim."),
    field(
        "age",
        Kind::Text(Some(255)),
        "36",
        "A claim, signed as text.",
    ),
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

/// All of them, in the order of the five walks.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        method: Post,
        path: "/registerapi",
        id: "register",
        tag: Tag::Register,
        summary: "Register a user",
        about: "Makes an ordinary account and signs it in. The password must pass Django's four validators.",
        body: &[
            field(
                "username",
                Kind::Username,
                "ann",
                "Letters, digits and @ . + - _; unique without regard to case.",
            ),
            PASSWORD,
            field(
                "confirm_password",
                Kind::Password,
                "correct horse 9",
                "The same again.",
            ),
        ],
        scope: Some(Scope::UsersWrite),
        success: json(200, "The account's first pair of JWTs.", "TokenPair"),
        also: &[429, 503],
        ..NONE
    },
    Operation {
        path: "/studentapi",
        id: "list_students",
        tag: Tag::Students,
        summary: "All students",
        scope: Some(Scope::StudentsRead),
        success: json(200, "All of them, by id.", "StudentList"),
        ..NONE
    },
    Operation {
        method: Post,
        path: "/studentapi",
        id: "create_student",
        tag: Tag::Students,
        summary: "Add a student",
        about: "For staff that may add students.",
        body: STUDENT,
        scope: Some(Scope::StudentsWrite),
        success: json(201, "The new student.", "Student"),
        ..NONE
    },
    Operation {
        path: "/studentapi/<id>",
        id: "get_student",
        tag: Tag::Students,
        summary: "One student",
        scope: Some(Scope::StudentsRead),
        success: json(200, "The student.", "Student"),
        ..NONE
    },
    Operation {
        method: Put,
        path: "/studentapi/<id>",
        id: "replace_student",
        tag: Tag::Students,
        summary: "Replace a student",
        about: "For staff that may change students.",
        body: STUDENT,
        scope: Some(Scope::StudentsWrite),
        success: json(200, "The student as it is now.", "Student"),
        ..NONE
    },
    Operation {
        method: Patch,
        path: "/studentapi/<id>",
        id: "change_student",
        tag: Tag::Students,
        summary: "Change a student",
        about: "Only what is named changes. For staff that may change students.",
        body: STUDENT_PART,
        scope: Some(Scope::StudentsWrite),
        success: json(200, "The student as it is now.", "Student"),
        ..NONE
    },
    Operation {
        method: Delete,
        path: "/studentapi/<id>",
        id: "delete_student",
        tag: Tag::Students,
        summary: "Delete a student",
        about: "For staff that may delete students.",
        scope: Some(Scope::StudentsWrite),
        success: nothing(204, "It is gone."),
        ..NONE
    },
    Operation {
        path: "/generate-token",
        id: "sign_query",
        tag: Tag::SignedData,
        summary: "Sign given data",
        about: "Signed data, good for an hour. It is never a credential.",
        query: GIVEN,
        success: json(200, "The data as a JWT.", "SignedData"),
        also: &[400, 404, 429],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/generate-token",
        id: "sign_body",
        tag: Tag::SignedData,
        summary: "Sign given data",
        about: "The same with a body. What the body does not name may stand in the query.",
        body: GIVEN,
        success: json(200, "The data as a JWT.", "SignedData"),
        also: &[404, 429],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/get-token",
        id: "get_token",
        tag: Tag::GetToken,
        summary: "Get or create a user's token",
        about: "The default token of whoever's password it is: the same key each time.",
        body: CREDENTIALS,
        scope: Some(Scope::TokensManage),
        success: json(200, "The key.", "TokenEnvelope"),
        also: &[429, 503],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/login",
        id: "login",
        tag: Tag::GetToken,
        summary: "Get or create a user's token",
        about: "As `/get-token/`, with a JSON body. A form on this address is the sign-in page's.",
        body: CREDENTIALS,
        scope: Some(Scope::TokensManage),
        success: json(200, "The key.", "TokenEnvelope"),
        also: &[429, 503],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api-token-auth",
        id: "obtain_auth_token",
        tag: Tag::GetToken,
        summary: "Get or create a token, as in Django REST framework",
        body: CREDENTIALS,
        success: json(200, "The key.", "AuthToken"),
        also: &[429, 503],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/token",
        id: "obtain_pair",
        tag: Tag::Jwt,
        summary: "Sign in for a pair of JWTs",
        body: CREDENTIALS,
        success: json(200, "A new pair.", "TokenPair"),
        also: &[401, 429, 503],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/token/refresh",
        id: "refresh",
        tag: Tag::Jwt,
        summary: "Refresh",
        about: "A refresh token used again within ten seconds gets the same answer; later, it ends the sign-in.",
        body: REFRESH,
        success: json(
            200,
            "A new access token and, with rotation, the next refresh token.",
            "Refreshed",
        ),
        also: &[401],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/token/verify",
        id: "verify",
        tag: Tag::Jwt,
        summary: "Whether a JWT counts",
        body: &[field(
            "token",
            Kind::Text(None),
            "eyJhbGciOi…",
            "An access or a refresh token.",
        )],
        success: json(200, "It does.", "Empty"),
        also: &[401],
        ..NONE
    },
    Operation {
        method: Post,
        path: "/api/token/blacklist",
        id: "blacklist",
        tag: Tag::Jwt,
        summary: "End a sign-in",
        about: "Its access tokens end with it.",
        body: REFRESH,
        success: json(200, "It has ended.", "Empty"),
        also: &[401],
        ..NONE
    },
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
        id: "rename_token",
        tag: Tag::Tokens,
        summary: "Rename a token",
        body: &[TOKEN_NAME],
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
        success: text("It is.", "text/plain"),
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
