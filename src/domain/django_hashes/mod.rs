//! Password strings as Django 4.2 to 5.x writes them (`django/contrib/auth/hashers.py`): read, held
//! to limits, compared. When they are compared, and that a right password gets a new hash, is
//! `hashing` and `login`.
//!
//! What is stored was written by another program, so its costs are a stranger's: beyond the limits
//! below it is refused without being computed. Formats that were weak when Django dropped them
//! (MD5, SHA-1 without rounds, crypt) are not read.

#[cfg(test)]
mod tests;

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version, password_hash::phc::PasswordHash};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::{keys::same, secret::Password};

/// PBKDF2 rounds; Django 5.2 uses a million.
const ROUNDS_MAX: u32 = 10_000_000;
/// KiB that one Argon2 or scrypt computation may hold; Django's Argon2 uses 102400.
const MEMORY_MAX: u64 = 256 * 1024;
/// KiB written by one computation in all its passes.
const WORK_MAX: u64 = 4 * MEMORY_MAX;
/// The logarithm of bcrypt's rounds; Django uses 12, and each step doubles the time.
const BCRYPT_MAX: u32 = 15;
/// Bytes that bcrypt reads; what follows never counted.
const BCRYPT_BYTES: usize = 72;

/// Stored for an account without a password, as Django marks one.
pub const UNUSABLE: &str = "!";

/// Why a stored string cannot be compared with anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// `!…`, or nothing: Django's mark of an account without a password.
    Unusable,
    Unknown,
    TooCostly,
}

/// A stored string that can be compared.
pub struct Stored<'a>(Kind<'a>);

enum Kind<'a> {
    Pbkdf2Sha256(Pbkdf2<'a>),
    Pbkdf2Sha1(Pbkdf2<'a>),
    Argon2(Box<Argon2Hash>),
    BcryptSha256(&'a str),
    Bcrypt(&'a str),
    Scrypt {
        params: scrypt::Params,
        salt: &'a str,
        expected: Vec<u8>,
    },
}

struct Pbkdf2<'a> {
    rounds: u32,
    salt: &'a str,
    expected: Vec<u8>,
}

struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    hash: PasswordHash,
}

/// The name alone: hashes stay out of logs.
impl fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether one computation at this cost is within the limits.
pub fn is_affordable(params: &Params) -> bool {
    let memory = u64::from(params.m_cost());
    memory <= MEMORY_MAX && memory * u64::from(params.t_cost()) <= WORK_MAX
}

impl<'a> Stored<'a> {
    /// Reads what Django wrote.
    pub fn parse(text: &'a str) -> Result<Self, Refused> {
        if text.is_empty() || text.starts_with('!') {
            return Err(Refused::Unusable);
        }
        let (algorithm, rest) = text.split_once('$').ok_or(Refused::Unknown)?;
        let kind = match algorithm {
            "pbkdf2_sha256" => Kind::Pbkdf2Sha256(Pbkdf2::parse(rest, 32)?),
            "pbkdf2_sha1" => Kind::Pbkdf2Sha1(Pbkdf2::parse(rest, 20)?),
            "argon2" => Kind::Argon2(Box::new(Argon2Hash::parse(rest)?)),
            "bcrypt_sha256" => Kind::BcryptSha256(bcrypt_hash(rest)?),
            "bcrypt" => Kind::Bcrypt(bcrypt_hash(rest)?),
            "scrypt" => scrypt_hash(rest)?,
            _ => return Err(Refused::Unknown),
        };
        Ok(Self(kind))
    }

    /// As Django's hashers call themselves.
    pub fn name(&self) -> &'static str {
        match self.0 {
            Kind::Pbkdf2Sha256(_) => "pbkdf2_sha256",
            Kind::Pbkdf2Sha1(_) => "pbkdf2_sha1",
            Kind::Argon2(_) => "argon2",
            Kind::BcryptSha256(_) => "bcrypt_sha256",
            Kind::Bcrypt(_) => "bcrypt",
            Kind::Scrypt { .. } => "scrypt",
        }
    }

    /// Takes as long as the stored cost says, and compares in constant time.
    pub fn matches(&self, password: &Password) -> bool {
        let password = password.expose().as_bytes();
        match &self.0 {
            Kind::Pbkdf2Sha256(stored) => {
                let (salt, rounds) = (stored.salt.as_bytes(), stored.rounds);
                let found = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, salt, rounds);
                same(&found, &stored.expected)
            }
            Kind::Pbkdf2Sha1(stored) => {
                let (salt, rounds) = (stored.salt.as_bytes(), stored.rounds);
                let found = pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(password, salt, rounds);
                same(&found, &stored.expected)
            }
            Kind::Argon2(stored) => stored.matches(password),
            Kind::BcryptSha256(hash) => {
                let digest = hex::encode(Sha256::digest(password));
                bcrypt::verify(digest, hash).unwrap_or(false)
            }
            Kind::Bcrypt(hash) => {
                let read = &password[..password.len().min(BCRYPT_BYTES)];
                bcrypt::verify(read, hash).unwrap_or(false)
            }
            Kind::Scrypt {
                params,
                salt,
                expected,
            } => {
                let mut found = vec![0; expected.len()];
                scrypt::scrypt(password, salt.as_bytes(), params, &mut found).is_ok()
                    && same(&found, expected)
            }
        }
    }
}

impl<'a> Pbkdf2<'a> {
    /// `<rounds>$<salt>$<base64>`.
    fn parse(rest: &'a str, length: usize) -> Result<Self, Refused> {
        let (rounds, rest) = rest.split_once('$').ok_or(Refused::Unknown)?;
        let (salt, hash) = rest.split_once('$').ok_or(Refused::Unknown)?;
        let rounds = number(rounds)?;
        if rounds > ROUNDS_MAX {
            return Err(Refused::TooCostly);
        }
        let expected = decoded(hash, length)?;
        if rounds == 0 || salt.is_empty() {
            return Err(Refused::Unknown);
        }
        Ok(Self {
            rounds,
            salt,
            expected,
        })
    }
}

impl Argon2Hash {
    /// A PHC string without its first `$`: `argon2id$v=19$m=102400,t=2,p=8$<salt>$<hash>`.
    fn parse(rest: &str) -> Result<Self, Refused> {
        let unknown = |_| Refused::Unknown;
        let hash = PasswordHash::new(&format!("${rest}")).map_err(|_| Refused::Unknown)?;
        let algorithm = Algorithm::new(hash.algorithm.as_str()).map_err(|_| Refused::Unknown)?;
        // Strings from before version 1.3 name none.
        let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from);
        let version = version.map_err(|_| Refused::Unknown)?;
        let params = Params::try_from(&hash).map_err(unknown)?;
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(Refused::Unknown);
        }
        if !is_affordable(&params) {
            return Err(Refused::TooCostly);
        }
        Ok(Self {
            algorithm,
            version,
            params,
            hash,
        })
    }

    fn matches(&self, password: &[u8]) -> bool {
        let (Some(salt), Some(expected)) = (self.hash.salt, self.hash.hash) else {
            return false;
        };
        let expected = expected.as_bytes();
        let mut found = vec![0; expected.len()];
        Argon2::new(self.algorithm, self.version, self.params.clone())
            .hash_password_into(password, &salt, &mut found)
            .is_ok()
            && same(&found, expected)
    }
}

/// A bcrypt string whose cost is bearable: `$2b$12$…`.
fn bcrypt_hash(text: &str) -> Result<&str, Refused> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| Refused::Unknown)?;
    // `2x` marks hashes of a faulty implementation.
    if !["$2a$", "$2b$", "$2y$"].iter().any(|v| text.starts_with(v)) {
        return Err(Refused::Unknown);
    }
    if parts.get_cost() > BCRYPT_MAX {
        return Err(Refused::TooCostly);
    }
    Ok(text)
}

/// `<N>$<salt>$<r>$<p>$<base64>`.
fn scrypt_hash(rest: &str) -> Result<Kind<'_>, Refused> {
    let parts: Vec<&str> = rest.splitn(5, '$').collect();
    let [n, salt, r, p, hash] = parts[..] else {
        return Err(Refused::Unknown);
    };
    let expected = decoded(hash, 64)?;
    let (n, r, p) = (number(n)?, number(r)?, number(p)?);
    if !n.is_power_of_two() || n < 2 {
        return Err(Refused::Unknown);
    }
    let memory = u64::from(n).saturating_mul(u64::from(r)) / 8;
    if memory > MEMORY_MAX || memory.max(1).saturating_mul(u64::from(p)) > WORK_MAX {
        return Err(Refused::TooCostly);
    }
    // Below 2^32, so the logarithm fits.
    let log_n = u8::try_from(n.ilog2()).map_err(|_| Refused::Unknown)?;
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| Refused::Unknown)?;
    Ok(Kind::Scrypt {
        params,
        salt,
        expected,
    })
}

/// Digits that do not fit are a cost that nobody can pay.
fn number(text: &str) -> Result<u32, Refused> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refused::Unknown);
    }
    text.parse().map_err(|_| Refused::TooCostly)
}

fn decoded(text: &str, length: usize) -> Result<Vec<u8>, Refused> {
    let bytes = STANDARD.decode(text).map_err(|_| Refused::Unknown)?;
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(Refused::Unknown)
    }
}
