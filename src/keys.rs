//! One server secret, one derived key for each purpose (HKDF-SHA256, RFC 5869), and what is done
//! with them: keyed digests and sealing. Signing of JWTs is `domain/jwt/`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{
    config::Config,
    error::{Error, Result},
    secret::{self, SecretBytes, SetupCode},
};

/// 32 bytes that name a secret without revealing it.
pub type Digest = [u8; 32];

/// The derived keys.
#[derive(Clone, Debug)]
pub struct Keyring {
    token: SecretBytes,
    session: SecretBytes,
    seal: SecretBytes,
    form: SecretBytes,
    csrf: SecretBytes,
    flash: SecretBytes,
    jti: SecretBytes,
    throttle: SecretBytes,
    jwt: SecretBytes,
    signed_data: SecretBytes,
    audit: SecretBytes,
    setup: SetupCode,
    fingerprint: String,
}

impl Keyring {
    pub fn new(secret: &SecretBytes, config: &Config) -> Result<Self> {
        let hkdf = Hkdf::<Sha256>::new(Some(b"latchkey"), secret.expose());
        let derive = |purpose: &str| -> Result<SecretBytes> {
            let mut key = vec![0; 32];
            hkdf.expand(purpose.as_bytes(), &mut key)
                .map_err(|_| Error::internal(std::io::Error::other("HKDF output too long")))?;
            Ok(SecretBytes::new(key))
        };
        let fixed = config.jwt_signing_key.clone();
        Ok(Self {
            token: derive("token digest")?,
            session: derive("session digest")?,
            seal: derive("seal")?,
            form: derive("form seal")?,
            csrf: derive("csrf")?,
            flash: derive("flash")?,
            jti: derive("jti")?,
            throttle: derive("throttle")?,
            jwt: derive("jwt HS256")?,
            signed_data: fixed.map_or_else(|| derive("signed data HS256"), Ok)?,
            audit: derive("audit checkpoint Ed25519")?,
            setup: match &config.setup_code {
                Some(code) => code.clone(),
                // Derived, so that every node prints the same one.
                None => {
                    SetupCode::new(URL_SAFE_NO_PAD.encode(&derive("setup code")?.expose()[..15]))
                }
            },
            fingerprint: hex::encode(&derive("fingerprint")?.expose()[..8]),
        })
    }

    /// Of a server with this secret.
    #[cfg(test)]
    pub fn of(secret: &str) -> Self {
        let env = [("LATCHKEY_SECRET_KEY".to_owned(), secret.to_owned())].into();
        let config = Config::load(&crate::config::figment(&env), &env).unwrap();
        Self::new(config.secret_key.as_ref().unwrap(), &config).unwrap()
    }

    /// What an API token is looked up by.
    pub fn token_digest(&self, key: &str) -> Digest {
        mac(&self.token, &[key.as_bytes()])
    }

    /// What marks a token key as made here.
    pub fn token_tag(&self, random: &str) -> Digest {
        mac(&self.token, &[b"tag", random.as_bytes()])
    }

    /// What an accepted JWT is remembered by.
    pub fn jwt_digest(&self, jwt: &str) -> Digest {
        mac(&self.token, &[b"jwt", jwt.as_bytes()])
    }

    /// What a browser session is looked up by.
    pub fn session_digest(&self, key: &str) -> Digest {
        mac(&self.session, &[key.as_bytes()])
    }

    /// What a throttle counts by: names and addresses do not stand in memory as text.
    pub fn throttle_digest(&self, parts: &[&[u8]]) -> Digest {
        mac(&self.throttle, parts)
    }

    /// The part of a `jti` that follows from its family, counter and kind.
    pub fn jti_tag(&self, parts: &[&[u8]]) -> Digest {
        mac(&self.jti, parts)
    }

    pub fn csrf_tag(&self, parts: &[&[u8]]) -> Digest {
        mac(&self.csrf, parts)
    }

    /// Signs the one-time message that follows a redirect.
    pub fn flash_key(&self) -> &SecretBytes {
        &self.flash
    }

    /// HS256 key of access and refresh tokens until it is first rotated.
    pub fn first_jwt_key(&self) -> &SecretBytes {
        &self.jwt
    }

    /// HS256 key of `generate-token/`.
    pub fn signed_data_key(&self) -> &SecretBytes {
        &self.signed_data
    }

    /// The 32 bytes of the Ed25519 key under the checkpoints of the audit log.
    pub fn audit_seed(&self) -> &SecretBytes {
        &self.audit
    }

    pub fn setup_code(&self) -> &SetupCode {
        &self.setup
    }

    /// Tells secrets apart without revealing them; stored so that a wrong secret is noticed.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Seals what is kept in the database. `owner` binds it to its row.
    pub fn seal(&self, plain: &[u8], owner: &str) -> Result<Vec<u8>> {
        seal(&self.seal, plain, owner)
    }

    pub fn unseal(&self, sealed: &[u8], owner: &str) -> Result<SecretBytes> {
        unseal(&self.seal, sealed, owner)
    }

    /// Seals a form that waits in the browser while the password is asked for. `owner` binds it to
    /// whose it is and where it goes.
    pub fn seal_form(&self, plain: &[u8], owner: &str) -> Result<Vec<u8>> {
        seal(&self.form, plain, owner)
    }

    pub fn unseal_form(&self, sealed: &[u8], owner: &str) -> Result<SecretBytes> {
        unseal(&self.form, sealed, owner)
    }
}

/// XChaCha20-Poly1305: nonce, then ciphertext.
fn seal(key: &SecretBytes, plain: &[u8], owner: &str) -> Result<Vec<u8>> {
    let nonce = secret::random::<24>()?;
    let sealed = cipher(key)?
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain,
                aad: owner.as_bytes(),
            },
        )
        .map_err(|_| sealing_failed())?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn unseal(key: &SecretBytes, sealed: &[u8], owner: &str) -> Result<SecretBytes> {
    let (nonce, text) = sealed
        .split_first_chunk::<24>()
        .ok_or_else(sealing_failed)?;
    let plain = cipher(key)?
        .decrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: text,
                aad: owner.as_bytes(),
            },
        )
        .map_err(|_| sealing_failed())?;
    Ok(SecretBytes::new(plain))
}

fn cipher(key: &SecretBytes) -> Result<XChaCha20Poly1305> {
    XChaCha20Poly1305::new_from_slice(key.expose()).map_err(|_| sealing_failed())
}

/// HMAC-SHA256 over length-prefixed parts, so that no two lists of parts read the same.
pub fn mac(key: &SecretBytes, parts: &[&[u8]]) -> Digest {
    let mut digest = [0; 32];
    // HMAC takes keys of any length: the error cannot happen, and an all-zero digest matches nothing.
    if let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose()) {
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        digest.copy_from_slice(&mac.finalize().into_bytes());
    }
    digest
}

/// Constant-time comparison.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

fn sealing_failed() -> Error {
    Error::internal(std::io::Error::other(
        "cannot unseal: was the server secret changed?",
    ))
}
