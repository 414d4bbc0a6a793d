//! `generate-token/`: signs what an anonymous caller gives. It is data with a signature, never a
//! credential: it lacks `token_type` and `jti`, and by default its key is a key of its own.

use serde::Serialize;

use crate::{
    app::App,
    config::JwtAlgorithm,
    domain::jwt::{self, Key},
    error::Result,
    secret::Jwt,
};

/// Seconds a signature is good for.
const LIFETIME: i64 = 3600;

/// The claims, as text whatever they look like.
#[derive(Debug, Serialize)]
pub struct GivenData {
    pub firstname: String,
    pub lastname: String,
    pub age: String,
}

#[derive(Serialize)]
struct Signed<'a> {
    #[serde(flatten)]
    data: &'a GivenData,
    exp: i64,
    iat: i64,
}

pub fn sign(app: &App, data: &GivenData) -> Result<Jwt> {
    let iat = app.now();
    let key = Key::new("", JwtAlgorithm::Hs256, app.keys.signed_data_key())?;
    jwt::sign(
        &Signed {
            data,
            exp: iat + LIFETIME,
            iat,
        },
        &key,
    )
}
