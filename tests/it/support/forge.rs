//! JWTs that nobody handed out: made here, byte by byte, so that the application's own signing is
//! not what judges it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// HS256 over `message`, in base64url.
pub fn hs256(message: &str, key: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// A JWT of these claims under this key.
pub fn forged(claims: &Value, key: &str) -> String {
    forged_with_header(r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string(), key)
}

pub fn forged_with_header(header: &str, payload: &str, key: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", part(header), part(payload));
    let signature = hs256(&message, key);
    format!("{message}.{signature}")
}

/// What a JWT says of itself.
#[track_caller]
pub fn header_of(jwt: &str) -> Value {
    let header = jwt.split('.').next().expect("a JWT has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// What a JWT says; its signature is not looked at.
#[track_caller]
pub fn claims_of(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).expect("a JWT has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
