//! What exactly is wrong with a JWT. Clients are told the coarser `JwtFault`, as SimpleJWT has it;
//! this is for those who look into why it was refused.

use crate::error::JwtFault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    TooLong,
    /// Not three parts of base64 with JSON objects inside.
    Unreadable,
    /// A header without an algorithm, or with one that is no text.
    Header,
    /// Its header says that it is something else than a JWT for us.
    AnotherUse,
    /// It names a key that nobody has here.
    UnknownKey,
    /// The key it names signs by another algorithm.
    Algorithm,
    Signature,
    /// Well signed, but a claim is of the wrong kind.
    Claims,
    /// `iat` or `nbf` lies so many seconds ahead.
    NotYet {
        ahead: i64,
    },
    /// Unix seconds of its `exp`.
    Expired {
        at: i64,
    },
    Issuer,
    Audience,
    NoExpiry,
    NoId,
}

impl Flaw {
    /// Whether what the token says was signed by a key of ours.
    pub fn is_signed(self) -> bool {
        matches!(
            self,
            Self::Claims
                | Self::NotYet { .. }
                | Self::Expired { .. }
                | Self::Issuer
                | Self::Audience
                | Self::NoExpiry
                | Self::NoId
        )
    }
}

impl From<Flaw> for JwtFault {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Expired { .. } => Self::Expired,
            Flaw::NoExpiry => Self::NoExpiry,
            Flaw::NoId => Self::NoId,
            _ => Self::Invalid,
        }
    }
}
