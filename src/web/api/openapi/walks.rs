//! The calls of the five walks: registering, fetching data, signing given data, getting a token,
//! and JWTs.

use rocket::http::Method::{Delete, Patch, Post, Put};

use super::{
    fields::{Field, Kind, field},
    operations::{NONE, Operation, Tag, json, nothing},
};
use crate::domain::scopes::Scope;

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

pub(super) const CALLS: &[Operation] = &[
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
];
