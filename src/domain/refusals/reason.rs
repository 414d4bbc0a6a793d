//! Why a request was refused: one word for columns and filters, and the details that make a sentence.
//! The sentences themselves are the panel's.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name),*
        }

        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code),*
                }
            }
        }
    };
}

reasons! {
    /// Neither header is there.
    NoHeader = "no_header",
    /// A credential seems to be in a header that is not read.
    WrongHeader = "wrong_header",
    EmptyHeader = "empty_header",
    /// A key or a JWT with nothing before it.
    NoScheme = "no_scheme",
    SchemeMisspelt = "scheme_misspelt",
    OtherScheme = "other_scheme",
    /// A scheme with nothing behind it.
    NoValue = "no_value",
    Spaces = "spaces",
    Characters = "characters",
    /// Quotation marks around the credential.
    Quoted = "quoted",
    /// A JWT behind `Token`.
    JwtAsToken = "jwt_as_token",
    /// An API token behind `Bearer`.
    TokenAsBearer = "token_as_bearer",
    TokenChecksum = "token_checksum",
    /// Made by another server.
    TokenForeign = "token_foreign",
    TokenUnknown = "token_unknown",
    TokenRevoked = "token_revoked",
    TokenExpired = "token_expired",
    UserInactive = "user_inactive",
    UserGone = "user_gone",
    JwtUnreadable = "jwt_unreadable",
    JwtTooLong = "jwt_too_long",
    JwtHeader = "jwt_header",
    JwtUnknownKey = "jwt_unknown_key",
    JwtAlgorithm = "jwt_algorithm",
    JwtSignature = "jwt_signature",
    /// From `/generate-token/`.
    SignedData = "signed_data",
    JwtClaims = "jwt_claims",
    JwtNotYet = "jwt_not_yet",
    JwtExpired = "jwt_expired",
    JwtIssuer = "jwt_issuer",
    JwtAudience = "jwt_audience",
    JwtNoExpiry = "jwt_no_expiry",
    JwtNoId = "jwt_no_id",
    JwtNoType = "jwt_no_type",
    /// A refresh token in a header.
    RefreshAsAccess = "refresh_as_access",
    /// An access token where a refresh token belongs.
    AccessAsRefresh = "access_as_refresh",
    JwtWrongType = "jwt_wrong_type",
    JwtNoUser = "jwt_no_user",
    /// A password change, a disabled account, "sign out everywhere".
    SignedOut = "signed_out",
    /// The sign-in was ended: blacklist, revocation.
    FamilyEnded = "family_ended",
    FamilyReplayed = "family_replayed",
    /// No sign-in knows it.
    FamilyUnknown = "family_unknown",
    /// A refresh token that was exchanged before.
    RefreshSpent = "refresh_spent",
    WrongPassword = "wrong_password",
    ScopeMissing = "scope_missing",
    PermissionMissing = "permission_missing",
    NotAllowed = "not_allowed",
    CsrfFailed = "csrf_failed",
    UnknownRequirement = "unknown_requirement",
    /// Not one request, but how many were not kept.
    NotKept = "not_kept",
}

impl Reason {
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|reason| reason.as_str() == text)
    }
}

/// What makes a reason a sentence; each has few of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// Unix seconds: when it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Who ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// A scope, a permission, a header: a word of ours, never of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Seconds ahead, or how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<i64>,
}

impl Detail {
    pub fn at(at: i64) -> Self {
        Self {
            at: Some(at),
            ..Self::default()
        }
    }

    pub fn what(what: impl Into<String>) -> Self {
        Self {
            what: Some(what.into()),
            ..Self::default()
        }
    }

    pub fn n(n: i64) -> Self {
        Self {
            n: Some(n),
            ..Self::default()
        }
    }

    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_read_as_it_was_written() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
        }
        assert_eq!(Reason::parse("nonsense"), None);
    }
}
