//! The keys that sign JWTs: kept sealed, read into a ring, and changed without a restart and
//! without signing anybody out. One signs, the next is published before it does, and those before
//! it verify until the last token they signed has expired. Rows are in `store`, what makes them fit
//! the settings in `provide`, rotation in `rotate`.
//!
//! Nothing flips a state: a key's times say what it is, so nodes whose clocks agree agree on keys.

mod provide;
mod rotate;
mod shared;
mod store;

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicI64, Ordering},
};

pub use provide::fit_settings;
pub use rotate::{revoke, rotate, sweep};
pub use shared::{Shared, is_shared, share};
pub use store::{PUBLISHED, list};

pub use crate::entity::signing_key::Model as SigningKey;
use crate::{
    app::App,
    checks::Stamp,
    domain::jwt::{Claims, Key, Ring, Unverified},
    error::{Error, Result},
    secret::Jwt,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, and will sign.
    Next,
    Current,
    /// Verifies what it signed.
    Previous,
    /// Nothing it signed is accepted any more.
    Retired,
}

impl KeyState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }
}

/// What each of `keys` is at `now` (Unix seconds), where no key is fixed by setting.
pub fn states(keys: &[SigningKey], now: i64) -> Vec<KeyState> {
    let active = |key: &&SigningKey| key.activates_at.is_some_and(|at| at <= now);
    let lives = |key: &SigningKey| key.retires_at.is_none_or(|at| now < at);
    let current = keys
        .iter()
        .filter(|key| active(key) && lives(key))
        .max_by_key(|key| (key.activates_at, key.id));
    let state = |key: &SigningKey| match key {
        key if !lives(key) => KeyState::Retired,
        // Also where it is about to retire: until then it signs.
        key if current.is_some_and(|current| current.id == key.id) => KeyState::Current,
        key if active(&key) => KeyState::Previous,
        _ => KeyState::Next,
    };
    keys.iter().map(state).collect()
}

/// All keys that are kept, and what each is under these settings. Reads only.
pub async fn judged(app: &App) -> Result<Vec<(SigningKey, KeyState)>> {
    let keys = list(app).await?;
    let mut states = states(&keys, app.now());
    if app.config.jwt_signing_key.is_some() {
        for state in &mut states {
            if *state == KeyState::Current {
                *state = KeyState::Previous;
            }
        }
    }
    Ok(keys.into_iter().zip(states).collect())
}

/// The first HS256 key has no id of its own.
pub fn name(key: &SigningKey) -> &str {
    if key.kid.is_empty() {
        "first"
    } else {
        &key.kid
    }
}

/// Whether another server shares it.
pub fn is_from_elsewhere(key: &SigningKey) -> bool {
    key.kid.starts_with(store::SHARED)
}

/// The ring in memory, and how new it is.
#[derive(Debug, Default)]
pub struct SigningKeys {
    ring: RwLock<Option<(Stamp, Arc<Ring>)>>,
    /// Unix seconds of the last reading that an unknown `kid` caused.
    reread_at: AtomicI64,
}

impl SigningKeys {
    fn remembered(&self, app: &App) -> Option<Arc<Ring>> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let (stamp, ring) = ring.as_ref()?;
        app.db.checks().is_current(*stamp).then(|| ring.clone())
    }
}

/// The keys that count; from memory unless something has changed.
pub async fn ring(app: &App) -> Result<Arc<Ring>> {
    match app.signing_keys.remembered(app) {
        Some(ring) => Ok(ring),
        None => load(app).await,
    }
}

/// Judges signature and times of a JWT. Fails with `JwtRefused`.
pub async fn verify(app: &App, jwt: &Jwt) -> Result<Claims> {
    let unverified = Unverified::read(jwt).map_err(|flaw| Error::JwtRefused(flaw.into()))?;
    let mut ring = ring(app).await?;
    if unverified.kid().is_some_and(|kid| !ring.knows(kid)) && may_reread(app) {
        // Another node may have rotated and its news be on their way.
        ring = load(app).await?;
    }
    unverified
        .verify(&ring, &app.config, app.now())
        .map_err(Error::JwtRefused)
}

/// Once a second: whoever makes up names of keys must not make us ask the database each time.
fn may_reread(app: &App) -> bool {
    let now = app.now();
    app.signing_keys.reread_at.swap(now, Ordering::Relaxed) != now
}

/// Fails only where somebody emptied the table by hand.
pub fn signer(ring: &Ring, at: i64) -> Result<&Key> {
    let none = || Error::internal(std::io::Error::other("there is no key to sign with"));
    ring.signer(at).ok_or_else(none)
}

/// What others check signatures with: of asymmetric keys that sign, will or did (RFC 7517).
pub async fn public(app: &App) -> Result<Vec<serde_json::Value>> {
    let ring = ring(app).await?;
    let now = app.now();
    let counts = ring.iter().filter(|key| now < key.retires_at);
    counts.filter_map(|key| key.public().transpose()).collect()
}

async fn load(app: &App) -> Result<Arc<Ring>> {
    let stamp = app.db.checks().stamp();
    let mut rows = list(app).await?;
    // Never to make rows fit settings: nodes with different ones would undo each other's work.
    if store::signing(&rows).is_none() && app.config.jwt_signing_key.is_none() {
        fit_settings(app).await?;
        rows = list(app).await?;
    }
    let counts = |row: &&SigningKey| {
        !row.sealed.is_empty() && row.retires_at.is_none_or(|at| app.now() < at)
    };
    let kept = rows.iter().filter(counts);
    let kept = kept
        .map(|row| store::open(app, row))
        .collect::<Result<Vec<_>>>()?;
    let ring = Arc::new(Ring::new(kept, store::fixed(app)?));
    let mut remembered = app
        .signing_keys
        .ring
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    *remembered = Some((stamp, ring.clone()));
    Ok(ring)
}
