//! Keys that sign and verify JWTs, each pinned to one algorithm (RFC 8725, 3.1), and the ring of
//! those that count at the moment. Where they are kept and when they change is `signing_keys`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, crypto,
    jwk::{Jwk, KeyAlgorithm, PublicKeyUse},
};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey};
use serde_json::Value;

use crate::{
    config::JwtAlgorithm,
    error::{Error, Result},
    secret::{self, SecretBytes},
};

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, 7).
const ED25519_PKCS8: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
/// The same for a P-256 key (RFC 5915, RFC 5958).
const P256_PKCS8: &[u8] = b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";
/// RFC 7518, 3.3 asks for at least so many.
const RSA_BITS: usize = 2048;

pub struct Key {
    /// Empty: of tokens whose header names no key.
    pub kid: String,
    pub algorithm: JwtAlgorithm,
    /// Unix seconds; it signs what is issued from then on, until the next one does.
    pub activates_at: i64,
    /// Unix seconds; from then on nothing it signed is accepted. `i64::MAX`: not decided.
    pub retires_at: i64,
    /// Another server signs with it, too: what no family knows may still be good.
    pub is_shared: bool,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:?}, {})", self.kid, self.algorithm.as_str())
    }
}

impl Key {
    /// `private`: the secret itself for HS256, PKCS #8 for `EdDSA` and ES256, PKCS #1 for RS256.
    pub fn new(kid: &str, algorithm: JwtAlgorithm, private: &SecretBytes) -> Result<Self> {
        let bytes = private.expose();
        let encoding = match algorithm {
            JwtAlgorithm::Hs256 => EncodingKey::from_secret(bytes),
            JwtAlgorithm::EdDsa => EncodingKey::from_ed_der(bytes),
            JwtAlgorithm::Es256 => EncodingKey::from_ec_der(bytes),
            JwtAlgorithm::Rs256 => EncodingKey::from_rsa_der(bytes),
        };
        let decoding = match algorithm {
            JwtAlgorithm::Hs256 => DecodingKey::from_secret(bytes),
            _ => Jwk::from_encoding_key(&encoding, named(algorithm))
                .and_then(|jwk| DecodingKey::from_jwk(&jwk))
                .map_err(Error::internal)?,
        };
        Ok(Self {
            kid: kid.to_owned(),
            algorithm,
            activates_at: 0,
            retires_at: i64::MAX,
            is_shared: false,
            encoding,
            decoding,
        })
    }

    /// One that verifies other people's tokens.
    #[cfg(test)]
    pub(super) fn verifying(algorithm: JwtAlgorithm, jwk: &Value) -> Self {
        let jwk: Jwk = serde_json::from_value(jwk.clone()).unwrap();
        let mut key = Self::new("", JwtAlgorithm::Hs256, &SecretBytes::new(vec![0; 32])).unwrap();
        key.algorithm = algorithm;
        key.decoding = DecodingKey::from_jwk(&jwk).unwrap();
        key
    }

    /// The private half of a new key. RSA takes about a tenth of a second.
    pub fn generate(algorithm: JwtAlgorithm) -> Result<SecretBytes> {
        let after = |prefix: &[u8]| -> Result<SecretBytes> {
            let random = SecretBytes::new(secret::random::<32>()?.to_vec());
            Ok(SecretBytes::new([prefix, random.expose()].concat()))
        };
        match algorithm {
            JwtAlgorithm::Hs256 => after(b""),
            JwtAlgorithm::EdDsa => after(ED25519_PKCS8),
            JwtAlgorithm::Es256 => loop {
                // One in four billion is no number below the curve's order.
                let private = after(P256_PKCS8)?;
                if Self::new("", algorithm, &private).is_ok() {
                    return Ok(private);
                }
            },
            JwtAlgorithm::Rs256 => {
                let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS)
                    .map_err(Error::internal)?;
                let der = key.to_pkcs1_der().map_err(Error::internal)?;
                Ok(SecretBytes::new(der.as_bytes().to_vec()))
            }
        }
    }

    /// What the world may know of it (RFC 7517); `None` for a shared secret.
    pub fn public(&self) -> Result<Option<Value>> {
        if self.algorithm == JwtAlgorithm::Hs256 {
            return Ok(None);
        }
        let algorithm = named(self.algorithm);
        let mut jwk = Jwk::from_encoding_key(&self.encoding, algorithm).map_err(Error::internal)?;
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_algorithm = Some(KeyAlgorithm::from(algorithm));
        jwk.common.key_id = Some(self.kid.clone());
        serde_json::to_value(jwk).map(Some).map_err(Error::internal)
    }

    /// The first segment of what it signs; `typ` says what that is (RFC 8725, 3.11).
    pub(super) fn header(&self, typ: &str) -> String {
        let algorithm = self.algorithm.as_str();
        // In the order in which the Django stack writes it.
        let header = if self.kid.is_empty() {
            format!(r#"{{"alg":"{algorithm}","typ":"{typ}"}}"#)
        } else {
            format!(
                r#"{{"alg":"{algorithm}","typ":"{typ}","kid":"{}"}}"#,
                self.kid
            )
        };
        URL_SAFE_NO_PAD.encode(header)
    }

    pub(super) fn sign(&self, message: &str) -> Result<String> {
        crypto::sign(message.as_bytes(), &self.encoding, named(self.algorithm))
            .map_err(Error::internal)
    }

    pub(super) fn verifies(&self, message: &str, signature: &str) -> bool {
        let signature = signature.trim_end_matches('=');
        crypto::verify(
            signature,
            message.as_bytes(),
            &self.decoding,
            named(self.algorithm),
        )
        .is_ok_and(|good| good)
    }
}

fn named(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::Hs256 => Algorithm::HS256,
        JwtAlgorithm::EdDsa => Algorithm::EdDSA,
        JwtAlgorithm::Es256 => Algorithm::ES256,
        JwtAlgorithm::Rs256 => Algorithm::RS256,
    }
}

/// The keys that count: one signs, some still verify, one waits.
#[derive(Debug, Default)]
pub struct Ring {
    kept: Vec<Key>,
    /// The key of a setting: where there is one, it signs.
    fixed: Option<Key>,
}

impl Ring {
    pub fn new(kept: Vec<Key>, fixed: Option<Key>) -> Self {
        Self { kept, fixed }
    }

    /// The key that signs what is issued at `at` (Unix seconds). It depends on the time alone, so
    /// what is answered again is the same, also when keys have changed meanwhile. Where the key of
    /// that time was taken away, another; never one that has retired.
    pub fn signer(&self, at: i64) -> Option<&Key> {
        let live = || self.kept.iter().filter(|key| at < key.retires_at);
        let active = || live().filter(|key| key.activates_at <= at);
        self.fixed
            .as_ref()
            .or_else(|| active().max_by_key(|key| key.activates_at))
            .or_else(|| live().min_by_key(|key| key.activates_at))
    }

    /// Those that may have signed a token of this `kid` by `now`. One that nobody has is the
    /// kid-less key's to judge: another server under a shared secret may write its own.
    pub(super) fn verifiers(&self, kid: Option<&str>, now: i64) -> impl Iterator<Item = &Key> {
        let kid = kid.filter(|kid| self.knows(kid)).unwrap_or_default();
        let counts = move |key: &&Key| key.kid == kid && now < key.retires_at;
        self.iter().filter(counts)
    }

    pub fn knows(&self, kid: &str) -> bool {
        self.iter().any(|key| key.kid == kid)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.kept.iter().chain(&self.fixed)
    }
}
