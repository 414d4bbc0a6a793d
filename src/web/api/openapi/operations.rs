//! What a call is: what it is for, what goes in, what comes out. The calls themselves are tables
//! beside this file; addresses, methods and how errors look stand in `endpoints`. A test compares
//! all of it with the routes, so that none is missing and none is made up.

use rocket::http::Method::{self, Get};

use super::{fields::Field, services, walks};
use crate::domain::scopes::Scope;

/// All calls, in the order of the five walks.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    walks::CALLS.iter().chain(services::CALLS)
}

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

pub(super) const NONE: Operation = Operation {
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

pub(super) const fn json(status: u16, about: &'static str, schema: &'static str) -> Success {
    Success {
        status,
        about,
        content: Content::Json(schema),
    }
}

pub(super) const fn nothing(status: u16, about: &'static str) -> Success {
    Success {
        status,
        about,
        content: Content::Nothing,
    }
}

pub(super) const fn text(about: &'static str, media_type: &'static str) -> Success {
    Success {
        status: 200,
        about,
        content: Content::Text(media_type),
    }
}
