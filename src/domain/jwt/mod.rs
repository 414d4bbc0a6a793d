//! JWTs in SimpleJWT's form: making them, and judging them in its order. Signatures and times only;
//! whether what is signed still counts is `families` and `authentication`. RFC 8725 is the
//! checklist: algorithm pinned a key, `typ`, `crit`, nothing fetched from where a header says.

mod flaw;
mod key;
#[cfg(test)]
mod tests;

use base64::{
    Engine, alphabet,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD,
    },
};
pub use flaw::Flaw;
pub use key::{Key, Ring};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    config::{Config, JwtAlgorithm},
    domain::status_lists::Status,
    error::{Error, JwtFault, Result},
    secret::{Jwt, SecretBytes},
};

/// Longer ones are refused unread.
const MAX_BYTES: usize = 8 * 1024;
/// How far ahead another node's clock may be, in seconds.
const CLOCK_SKEW: i64 = 5;
/// What the header of access and refresh tokens calls them.
pub const TYPE: &str = "JWT";

/// Accepts base64 with and without padding, as PyJWT does.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Access,
    Refresh,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// What a session JWT says. Field order is what clients of the Django stack see.
#[derive(Debug, Serialize)]
pub struct NewClaims<'a> {
    pub token_type: &'static str,
    pub exp: i64,
    pub iat: i64,
    pub jti: &'a str,
    /// As text, as SimpleJWT 5.5 writes it.
    pub user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

/// One is written as text, several as a list (RFC 7519, 4.1.3).
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
}

impl<'a> Audience<'a> {
    pub fn of(config: &'a Config) -> Option<Self> {
        match config.jwt_audience.as_slice() {
            [] => None,
            [one] => Some(Self::One(one)),
            several => Some(Self::Several(several)),
        }
    }
}

/// A JWT whose signature and times are good.
#[derive(Clone, Debug)]
pub struct Claims {
    pub jti: String,
    /// 0 where the token does not say.
    pub issued_at: i64,
    /// When it is refused: its `exp` and the leeway.
    pub expires_at: i64,
    /// Another server may have signed it.
    pub is_shared: bool,
    user_id: Option<Value>,
    token_type: Option<Value>,
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    User(i64),
    /// There is a claim, but no account can have it.
    Nobody,
    /// There is no claim.
    Missing,
}

impl Claims {
    pub fn expect(self, kind: Kind) -> Result<Self, JwtFault> {
        match &self.token_type {
            None => Err(JwtFault::NoType),
            Some(Value::String(t)) if t == kind.as_str() => Ok(self),
            Some(_) => Err(JwtFault::WrongType),
        }
    }

    /// The kind that it says it is, if it says one.
    pub fn says(&self) -> Option<&str> {
        self.token_type.as_ref()?.as_str()
    }

    /// Whether it is one of a pair, of either kind.
    pub fn is_of_a_sign_in(&self) -> bool {
        let kind = self.token_type.as_ref().and_then(Value::as_str);
        [Kind::Access, Kind::Refresh]
            .into_iter()
            .any(|one| kind == Some(one.as_str()))
    }

    pub fn subject(&self) -> Subject {
        let id = match &self.user_id {
            None => return Subject::Missing,
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(Value::Number(n)) => n.as_i64(),
            Some(_) => None,
        };
        id.map_or(Subject::Nobody, Subject::User)
    }
}

/// Whether this HS256 secret made the signature. Looks at nothing else, so this accepts no token.
pub fn is_signed_with(jwt: &Jwt, secret: &SecretBytes) -> Result<bool> {
    let key = Key::new("", JwtAlgorithm::Hs256, secret)?;
    let parts = jwt.expose().rsplit_once('.');
    Ok(parts.is_some_and(|(message, signature)| key.verifies(message, signature)))
}

/// Signs `claims`.
pub fn sign(claims: &impl Serialize, key: &Key) -> Result<Jwt> {
    sign_as(TYPE, claims, key)
}

/// Signs what is no access or refresh token and says so in its header.
pub fn sign_as(typ: &str, claims: &impl Serialize, key: &Key) -> Result<Jwt> {
    let payload = serde_json::to_vec(claims).map_err(Error::internal)?;
    let message = format!("{}.{}", key.header(typ), URL_SAFE_NO_PAD.encode(payload));
    let signature = key.sign(&message)?;
    Ok(Jwt::new(format!("{message}.{signature}")))
}

/// A JWT taken apart, before anything in it is believed.
#[derive(Debug)]
pub struct Unverified<'a> {
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
    algorithm: String,
    kid: Option<String>,
}

impl<'a> Unverified<'a> {
    /// `jku`, `x5u`, `jwk` and the like are not looked at (RFC 8725, 3.10); a `crit` that asks for
    /// more is refused (RFC 7515, 4.1.11), and so is what calls itself something else than a JWT.
    pub fn read(jwt: &'a Jwt) -> Result<Self, Flaw> {
        let token = jwt.expose();
        if token.len() > MAX_BYTES {
            return Err(Flaw::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Unreadable)?;
        // As much padding as base64 has: each spelling is remembered on its own.
        if signature.ends_with("===") {
            return Err(Flaw::Unreadable);
        }
        let (header, payload) = message.split_once('.').ok_or(Flaw::Unreadable)?;
        let header = object(header).ok_or(Flaw::Unreadable)?;
        if header.contains_key("crit") || !header.get("typ").is_none_or(is_jwt) {
            return Err(Flaw::AnotherUse);
        }
        let text = |name| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Flaw::Header),
        };
        Ok(Self {
            message,
            payload,
            signature,
            algorithm: text("alg")?.ok_or(Flaw::Header)?,
            kid: text("kid")?,
        })
    }

    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm is the key's; the token's word on it must agree (RFC 8725, 3.1).
    fn signed_by<'k>(&self, ring: &'k Ring, now: i64) -> Result<&'k Key, Flaw> {
        let mut flaw = Flaw::UnknownKey;
        for key in ring.verifiers(self.kid(), now) {
            if key.algorithm.as_str() != self.algorithm {
                flaw = Flaw::Algorithm;
            } else if key.verifies(self.message, self.signature) {
                return Ok(key);
            } else {
                flaw = Flaw::Signature;
            }
        }
        // The key without a name judged it in place of one that nobody has.
        let stranger = self.kid().is_some_and(|kid| !ring.knows(kid));
        Err(if stranger { Flaw::UnknownKey } else { flaw })
    }

    /// Judges signature and times, then `exp`, then `jti`, as SimpleJWT does. `now` in Unix seconds.
    pub fn verify(&self, ring: &Ring, config: &Config, now: i64) -> Result<Claims, JwtFault> {
        Ok(self.judge(ring, config, now)?)
    }

    /// The same, with all that can be said about what is wrong.
    pub fn judge(&self, ring: &Ring, config: &Config, now: i64) -> Result<Claims, Flaw> {
        let key = self.signed_by(ring, now)?;
        let mut claims = object(self.payload).ok_or(Flaw::Unreadable)?;
        times(&claims, config.jwt_leeway, now)?;
        parties(&claims, config)?;
        if !claims.contains_key("exp") {
            return Err(Flaw::NoExpiry);
        }
        let jti = match claims.remove("jti") {
            None => return Err(Flaw::NoId),
            Some(Value::String(jti))
                if !jti.is_empty() && jti.len() <= 255 && !jti.contains('\0') =>
            {
                jti
            }
            Some(_) => return Err(Flaw::Claims),
        };
        let expires_at = claims.get("exp").and_then(seconds).unwrap_or(0);
        Ok(Claims {
            jti,
            issued_at: claims.get("iat").and_then(seconds).unwrap_or(0),
            expires_at: expires_at.saturating_add(config.jwt_leeway),
            is_shared: key.is_shared,
            user_id: claims.remove("user_id"),
            token_type: claims.remove("token_type"),
        })
    }
}

/// RFC 7515, 4.1.9: a media type, in any case, whose `application/` may be left out.
fn is_jwt(typ: &Value) -> bool {
    let text = typ.as_str().unwrap_or_default().to_ascii_lowercase();
    text.strip_prefix("application/").unwrap_or(&text) == "jwt"
}

/// Issuer and audience, where settings name them.
fn parties(claims: &Map<String, Value>, config: &Config) -> Result<(), Flaw> {
    let issuer = claims.get("iss").and_then(Value::as_str);
    let named = |one: &Value| {
        let one = one.as_str().unwrap_or_default();
        config.jwt_audience.iter().any(|ours| ours == one)
    };
    let meant = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().any(named),
        Some(one) => named(one),
        None => false,
    };
    if config.jwt_issuer.is_some() && config.jwt_issuer.as_deref() != issuer {
        return Err(Flaw::Issuer);
    }
    if meant || config.jwt_audience.is_empty() {
        Ok(())
    } else {
        Err(Flaw::Audience)
    }
}

fn times(claims: &Map<String, Value>, leeway: i64, now: i64) -> Result<(), Flaw> {
    for name in ["iat", "nbf"] {
        if let Some(value) = claims.get(name) {
            let at = seconds(value).ok_or(Flaw::Claims)?;
            if at > now.saturating_add(CLOCK_SKEW.max(leeway)) {
                let ahead = at.saturating_sub(now);
                return Err(Flaw::NotYet { ahead });
            }
        }
    }
    if let Some(value) = claims.get("exp") {
        let at = seconds(value).ok_or(Flaw::Claims)?;
        if at.saturating_add(leeway) <= now {
            return Err(Flaw::Expired { at });
        }
    }
    Ok(())
}

/// A NumericDate (RFC 7519, 2): whole or with a fraction, which is dropped.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a date beyond i64 saturates"
)]
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|f| f as i64))
}

/// What a JWT says of itself, be it true or not: only for one that was judged, or is about to be.
pub(crate) fn unverified(jwt: &Jwt) -> Option<Map<String, Value>> {
    object(Unverified::read(jwt).ok()?.payload)
}

fn object(segment: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&LENIENT.decode(segment).ok()?).ok()
}
