//! JWTs in SimpleJWT's form: making them, and judging them in its order. Signatures only; whether
//! what is signed still counts is `families` and `authentication`.

use base64::{
    Engine, alphabet,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD,
    },
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    error::{Error, JwtFault, Result},
    secret::{Jwt, SecretBytes},
};

/// Longer ones are refused unread (RFC 8725, 3.11 speaks of limits on untrusted input).
const MAX_BYTES: usize = 8 * 1024;
/// How far ahead another node's clock may be, in seconds.
const CLOCK_SKEW: i64 = 5;
/// `{"alg":"HS256","typ":"JWT"}`, in the order in which the Django stack writes it.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

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
}

/// A JWT whose signature and times are good.
#[derive(Debug)]
pub struct Claims {
    pub jti: String,
    /// 0 where the token does not say.
    pub issued_at: i64,
    pub expires_at: i64,
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

/// Signs `claims` with HS256.
pub fn sign(claims: &impl Serialize, key: &SecretBytes) -> Result<Jwt> {
    let payload = serde_json::to_vec(claims).map_err(Error::internal)?;
    let message = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(payload));
    let key = EncodingKey::from_secret(key.expose());
    let signature =
        crypto::sign(message.as_bytes(), &key, Algorithm::HS256).map_err(Error::internal)?;
    Ok(Jwt::new(format!("{message}.{signature}")))
}

/// Judges signature and times, then `exp`, then `jti`, as SimpleJWT does. `now` in Unix seconds.
/// The algorithm is pinned; `kid`, `jku`, `x5u` and the like are not looked at (RFC 8725, 3.1).
pub fn verify(jwt: &Jwt, key: &SecretBytes, now: i64) -> Result<Claims, JwtFault> {
    let token = jwt.expose();
    if token.len() > MAX_BYTES {
        return Err(JwtFault::Invalid);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(JwtFault::Invalid)?;
    let (header, payload) = message.split_once('.').ok_or(JwtFault::Invalid)?;
    let header = object(header)?;
    let pinned = header.get("alg").and_then(Value::as_str) == Some("HS256");
    if !pinned || header.contains_key("crit") {
        return Err(JwtFault::Invalid);
    }
    let key = DecodingKey::from_secret(key.expose());
    let signature = signature.trim_end_matches('=');
    let signed = crypto::verify(signature, message.as_bytes(), &key, Algorithm::HS256);
    if !signed.is_ok_and(|good| good) {
        return Err(JwtFault::Invalid);
    }
    let mut claims = object(payload)?;
    times(&claims, now)?;
    if !claims.contains_key("exp") {
        return Err(JwtFault::NoExpiry);
    }
    let jti = match claims.remove("jti") {
        None => return Err(JwtFault::NoId),
        Some(Value::String(jti)) if !jti.is_empty() && jti.len() <= 255 && !jti.contains('\0') => {
            jti
        }
        Some(_) => return Err(JwtFault::Invalid),
    };
    Ok(Claims {
        jti,
        issued_at: claims.get("iat").and_then(seconds).unwrap_or(0),
        expires_at: claims.get("exp").and_then(seconds).unwrap_or(0),
        user_id: claims.remove("user_id"),
        token_type: claims.remove("token_type"),
    })
}

fn times(claims: &Map<String, Value>, now: i64) -> Result<(), JwtFault> {
    for name in ["iat", "nbf"] {
        if let Some(value) = claims.get(name) {
            let at = seconds(value).ok_or(JwtFault::Invalid)?;
            if at > now.saturating_add(CLOCK_SKEW) {
                return Err(JwtFault::Invalid);
            }
        }
    }
    if let Some(value) = claims.get("exp") {
        let at = seconds(value).ok_or(JwtFault::Invalid)?;
        if at <= now {
            return Err(JwtFault::Expired);
        }
    }
    Ok(())
}

/// A NumericDate (RFC 7519, 2): whole or with a fraction, which is dropped.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a date beyond i64 saturates"
)]
pub(super) fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|f| f as i64))
}

/// What a JWT says of itself, be it true or not: only for one that was judged, or is about to be.
pub(super) fn unverified(jwt: &Jwt) -> Option<Map<String, Value>> {
    let text = jwt.expose();
    let segment = text.split('.').nth(1).filter(|_| text.len() <= MAX_BYTES)?;
    object(segment).ok()
}

fn object(segment: &str) -> Result<Map<String, Value>, JwtFault> {
    let bytes = LENIENT.decode(segment).map_err(|_| JwtFault::Invalid)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtFault::Invalid)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> SecretBytes {
        SecretBytes::new(b"a key of tests, thirty-two bytes".to_vec())
    }

    fn judge(claims: &Value) -> Result<Claims, JwtFault> {
        verify(&sign(claims, &key()).unwrap(), &key(), 1000)
    }

    #[test]
    fn the_header_is_the_one_clients_know() {
        assert_eq!(
            LENIENT.decode(HEADER).unwrap(),
            br#"{"alg":"HS256","typ":"JWT"}"#
        );
    }

    #[test]
    fn faults_come_in_the_order_of_simplejwt() {
        let cases = [
            (json!({"exp": 999, "nbf": 2000}), JwtFault::Invalid),
            (json!({"exp": 1000}), JwtFault::Expired),
            (json!({"exp": "2000", "jti": "a"}), JwtFault::Invalid),
            (json!({"exp": null, "jti": "a"}), JwtFault::Invalid),
            (json!({"jti": "a"}), JwtFault::NoExpiry),
            (json!({"exp": 2000}), JwtFault::NoId),
            (
                json!({"exp": 2000, "iat": 1900, "jti": "a"}),
                JwtFault::Invalid,
            ),
            (json!([1]), JwtFault::Invalid),
        ];
        for (claims, fault) in cases {
            assert_eq!(judge(&claims).unwrap_err(), fault, "{claims}");
        }
        let access = judge(&json!({"exp": 2000.5, "jti": "a", "token_type": "refresh"})).unwrap();
        assert_eq!(
            access.expect(Kind::Access).unwrap_err(),
            JwtFault::WrongType
        );
    }

    #[test]
    fn another_algorithm_or_a_critical_header_is_refused() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":2000,"jti":"a"}"#);
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"HS256","crit":["b64"]}"#,
        ] {
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
            let encoding = EncodingKey::from_secret(key().expose());
            let good = crypto::sign(message.as_bytes(), &encoding, Algorithm::HS256).unwrap();
            for token in [format!("{message}."), format!("{message}.{good}")] {
                assert_eq!(
                    verify(&Jwt::new(token), &key(), 1000).unwrap_err(),
                    JwtFault::Invalid
                );
            }
        }
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let good = sign(&json!({"exp": 2000, "jti": "a"}), &key()).unwrap();
        assert!(verify(&good, &key(), 1000).is_ok());
        let dot = good.expose().rfind('.').unwrap();
        for at in 0..dot {
            let mut bytes = good.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let bad = Jwt::new(String::from_utf8(bytes).unwrap());
            assert_eq!(
                verify(&bad, &key(), 1000).unwrap_err(),
                JwtFault::Invalid,
                "byte {at}"
            );
        }
    }

    #[test]
    fn the_subject_is_a_number_in_either_spelling() {
        for (user_id, subject) in [
            (json!("7"), Subject::User(7)),
            (json!(7), Subject::User(7)),
            (json!("seven"), Subject::Nobody),
            (json!(null), Subject::Nobody),
            (json!([7]), Subject::Nobody),
            (json!(1e300), Subject::Nobody),
        ] {
            let claims = judge(&json!({"exp": 2000, "jti": "a", "user_id": user_id})).unwrap();
            assert_eq!(claims.subject(), subject);
        }
    }
}
