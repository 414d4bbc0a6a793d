//! The vocabulary of failure, in the words of Django REST framework and SimpleJWT.
//! It knows no HTTP library: how a failure looks outside is decided in `web/error.rs`.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, SqlErr};

use crate::domain::permissions::Permission;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error("no credential was given")]
    NotAuthenticated,
    /// A credential was given and refused.
    #[error("authentication failed: {0:?}")]
    AuthenticationFailed(AuthFailure),
    /// A JWT given in a body was refused.
    #[error("JWT refused: {0:?}")]
    JwtRefused(JwtFault),
    /// A good refresh token of an account that cannot be used.
    #[error("the account of this token is not active")]
    NoActiveAccount,
    /// Wrong, unknown or inactive alike. `tries_left` before the pause, where it is counted.
    #[error("username and password do not match")]
    InvalidCredentials { tries_left: Option<u32> },
    #[error("permission denied")]
    PermissionDenied,
    /// A member of staff whom no group gives this.
    #[error("the permission to {0} is missing")]
    MissingPermission(Permission),
    /// The password must be shown again first. `act` is what waits for it, in the words of its
    /// button; `refused` is what a password met that was shown.
    #[error("the password was not shown lately")]
    Unconfirmed {
        act: String,
        refused: Option<Box<Error>>,
    },
    /// A good token that may not be used for this; the scope it lacks.
    #[error("the credential lacks the scope {0}")]
    MissingScope(&'static str),
    /// A proxy asks for something that does not exist, so nobody has it.
    #[error("no such requirement: {0}")]
    UnknownRequirement(String),
    #[error("CSRF failed: {0}")]
    CsrfFailed(&'static str),
    #[error("not found")]
    NotFound,
    #[error("invalid input: {0:?}")]
    Validation(FieldErrors),
    #[error("cannot be parsed: {0}")]
    Parse(String),
    /// RFC 7009, 2.2.1: a token of ours, but of a kind that is not revoked.
    #[error("tokens of this kind are not revoked")]
    UnsupportedTokenType,
    /// Seconds until the next try is welcome.
    #[error("throttled for {retry_after} s")]
    Throttled { retry_after: u64 },
    /// Password hashing has no room. Seconds until it may have.
    #[error("busy for {retry_after} s")]
    Busy { retry_after: u64 },
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("no acceptable representation")]
    NotAcceptable,
    #[error("unsupported media type {0:?}")]
    UnsupportedMediaType(String),
    #[error("body too large")]
    TooLarge,
    #[error("conflict: {0}")]
    Conflict(String),
    #[error("this is the only superuser")]
    LastSuperuser,
    /// Ours to fix. Its text goes to the log, never to a client.
    #[error("internal: {0}")]
    Internal(Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Arc::new(source))
    }

    /// One message on one field.
    pub fn field(name: &'static str, message: impl Into<String>) -> Self {
        let mut errors = FieldErrors::default();
        errors.push(name, message);
        Self::Validation(errors)
    }
}

impl From<DbErr> for Error {
    /// What two people did at once is theirs to sort out, not a fault of ours.
    fn from(e: DbErr) -> Self {
        let gone = matches!(e, DbErr::RecordNotUpdated)
            || matches!(e.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)));
        if gone {
            return Self::Conflict("It was deleted meanwhile.".to_owned());
        }
        // PostgreSQL: serialization_failure, deadlock_detected.
        if matches!(sql_state(&e).as_deref(), Some("40001" | "40P01")) {
            return Self::Conflict(
                "Somebody changed the same at this moment. Try again.".to_owned(),
            );
        }
        Self::internal(e)
    }
}

fn sql_state(e: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e))) = e else {
        return None;
    };
    Some(e.as_database_error()?.code()?.into_owned())
}

/// Why a credential in a header was refused. All but the first four are told apart only where
/// the Django stack tells them apart too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    TokenHeaderEmpty,
    TokenHeaderSpaces,
    TokenHeaderCharacters,
    BearerHeader,
    TokenUnknown,
    TokenUserInactive,
    Bearer(JwtFault),
    NoUserId,
    UserNotFound,
    UserInactive,
}

impl AuthFailure {
    /// Whether the Bearer scheme was tried; its challenge then comes first.
    pub fn is_bearer(self) -> bool {
        !matches!(
            self,
            Self::TokenHeaderEmpty
                | Self::TokenHeaderSpaces
                | Self::TokenHeaderCharacters
                | Self::TokenUnknown
                | Self::TokenUserInactive
        )
    }

    pub fn detail(self) -> &'static str {
        match self {
            Self::TokenHeaderEmpty => "Invalid token header. No credentials provided.",
            Self::TokenHeaderSpaces => {
                "Invalid token header. Token string should not contain spaces."
            }
            Self::TokenHeaderCharacters => {
                "Invalid token header. Token string should not contain invalid characters."
            }
            Self::BearerHeader => "Authorization header must contain two space-delimited values",
            Self::TokenUnknown => "Invalid token.",
            Self::TokenUserInactive => "User inactive or deleted.",
            Self::Bearer(_) => "Given token not valid for any token type",
            Self::NoUserId => "Token contained no recognizable user identification",
            Self::UserNotFound => "User not found",
            Self::UserInactive => "User is inactive",
        }
    }

    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::BearerHeader => Some("bad_authorization_header"),
            Self::Bearer(_) | Self::NoUserId => Some("token_not_valid"),
            Self::UserNotFound => Some("user_not_found"),
            Self::UserInactive => Some("user_inactive"),
            _ => None,
        }
    }
}

/// What is wrong with a JWT, in SimpleJWT's order of judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtFault {
    Invalid,
    Expired,
    NoExpiry,
    NoId,
    NoType,
    WrongType,
    /// Its refresh family was ended: logout, rotation, replay, password change.
    Blacklisted,
}

impl JwtFault {
    pub fn message(self) -> &'static str {
        match self {
            Self::Invalid => "Token is invalid",
            Self::Expired => "Token is expired",
            Self::NoExpiry => "Token has no 'exp' claim",
            Self::NoId => "Token has no id",
            Self::NoType => "Token has no type",
            Self::WrongType => "Token has wrong type",
            Self::Blacklisted => "Token is blacklisted",
        }
    }
}

/// Messages a field, in the order in which the fields were judged.
/// The key `non_field_errors` speaks of the input as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(&'static str, Vec<String>)>);

impl FieldErrors {
    pub fn push(&mut self, field: &'static str, message: impl Into<String>) {
        let message = message.into();
        match self.0.iter_mut().find(|(name, _)| *name == field) {
            Some((_, messages)) => messages.push(message),
            None => self.0.push((field, vec![message])),
        }
    }

    /// With these as well.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        for (field, messages) in others.0 {
            for message in messages {
                self.push(field, message);
            }
        }
        self
    }

    pub fn get(&self, field: &str) -> &[String] {
        self.0
            .iter()
            .find(|(name, _)| *name == field)
            .map_or(&[], |(_, messages)| messages)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same under the name that a field has elsewhere.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &'static str) -> Self {
        for (name, _) in &mut self.0 {
            if *name == from {
                *name = to;
            }
        }
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.0
            .iter()
            .map(|(name, messages)| (*name, messages.as_slice()))
    }

    /// The value, if nothing was complained about.
    pub fn into_result<T>(self, value: impl FnOnce() -> T) -> Result<T> {
        if self.is_empty() {
            Ok(value())
        } else {
            Err(Error::Validation(self))
        }
    }
}
