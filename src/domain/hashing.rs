//! The hashing governor: Argon2id for passwords, bounded in memory, off the async threads, with a
//! queue that says no before it grows without end (OWASP Password Storage Cheat Sheet). The threads
//! themselves are `hashing/threads.rs`.

mod threads;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use tokio::{sync::Semaphore, time::timeout};

use self::threads::{Memory, Threads};
use crate::{
    config::Config,
    domain::django_hashes::{self, Stored},
    error::{Error, Result},
    keys::same,
    secret::{self, Password},
};

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub matches: bool,
    /// The stored hash is of another kind or cost than new ones are.
    pub outdated: bool,
}

#[derive(Clone, Debug)]
pub struct Hasher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    params: Params,
    permits: Arc<Semaphore>,
    places: AtomicUsize,
    all_places: usize,
    /// Turned away since the start: the queue was full, or too slow.
    refused: AtomicU64,
    deadline: Duration,
    threads: Threads,
    /// What an unknown user's password is compared with, so that it costs the same.
    dummy: String,
}

impl Hasher {
    pub fn new(config: &Config) -> Result<Self> {
        let params = Params::new(config.hash_memory_kib, config.hash_iterations, 1, Some(32))
            .map_err(bad_hash)?;
        let all_places = config.hash_queue_length + config.hash_parallel;
        let dummy = encode(&params, &secret::random::<16>()?, &secret::random::<32>()?)?;
        Ok(Self(Arc::new(Inner {
            params,
            permits: Arc::new(Semaphore::new(config.hash_parallel)),
            places: AtomicUsize::new(all_places),
            all_places,
            refused: AtomicU64::new(0),
            deadline: Duration::from_secs(config.hash_queue_deadline),
            threads: Threads::start(config.hash_parallel)?,
            dummy,
        })))
    }

    /// A new encoded hash (PHC string). `Error::Busy` when the queue is full or too slow.
    pub async fn hash(&self, password: Password) -> Result<String> {
        let inner = self.0.clone();
        self.run(move |memory| {
            let salt = secret::random::<16>()?;
            let digest = digest(&inner.params, password.expose().as_bytes(), &salt, memory)?;
            encode(&inner.params, &salt, &digest)
        })
        .await
    }

    /// Whether any password could match: not where it is marked as unusable, as Django does for
    /// accounts that sign in otherwise, nor where the hash cannot be read.
    pub fn is_usable(&self, stored: &str) -> bool {
        self.0.own(stored).is_some() || Stored::parse(stored).is_ok()
    }

    /// Passwords that are being hashed or wait for it.
    pub fn under_way(&self) -> usize {
        let free = self.0.places.load(Ordering::SeqCst);
        self.0.all_places.saturating_sub(free)
    }

    /// Passwords that were turned away since the start.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Compares in constant time; `None` costs as much as a real hash and never matches.
    pub async fn verify(&self, stored: Option<String>, password: Password) -> Result<Verdict> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.0.dummy.clone());
        let inner = self.0.clone();
        self.run(move |memory| {
            let verdict = inner.compare(&stored, &password, memory)?;
            Ok(Verdict {
                matches: known && verdict.matches,
                ..verdict
            })
        })
        .await
    }

    /// Waits for a place, then works on a thread of its own.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = &self.0;
        let busy = || {
            inner.refused.fetch_add(1, Ordering::Relaxed);
            Error::Busy {
                retry_after: inner.deadline.as_secs().max(1),
            }
        };
        let taken = inner
            .places
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |free| {
                free.checked_sub(1)
            });
        if taken.is_err() {
            return Err(busy());
        }
        let place = Place(inner.clone());
        let permit = timeout(inner.deadline, inner.permits.clone().acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(Error::internal)?;
        let job = move |memory: &mut Memory| {
            let result = work(memory);
            drop((permit, place));
            result
        };
        inner.threads.run(job).await
    }
}

/// A place in the queue, given back when dropped.
struct Place(Arc<Inner>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.places.fetch_add(1, Ordering::SeqCst);
    }
}

impl Inner {
    fn compare(&self, stored: &str, password: &Password, memory: &mut Memory) -> Result<Verdict> {
        // Ours, or one that Django made.
        if let Some((hash, params)) = self.own(stored) {
            let outdated = params.m_cost() != self.params.m_cost()
                || params.t_cost() != self.params.t_cost()
                || params.p_cost() != self.params.p_cost();
            return Ok(Verdict {
                matches: matches(&hash, password, memory)?,
                outdated,
            });
        }
        if let Ok(foreign) = Stored::parse(stored) {
            return Ok(Verdict {
                matches: foreign.matches(password),
                outdated: true,
            });
        }
        // Unusable ("!"), unknown or too costly: as costly as any, never right.
        let dummy = PasswordHash::new(&self.dummy).map_err(bad_hash)?;
        matches(&dummy, password, memory)?;
        Ok(Verdict {
            matches: false,
            outdated: false,
        })
    }

    /// A hash of our own kind, at a cost that can be paid.
    fn own(&self, stored: &str) -> Option<(PasswordHash, Params)> {
        let hash = PasswordHash::new(stored).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
        let payable = django_hashes::is_affordable(&params)
            || (params.m_cost() <= self.params.m_cost() && work(&params) <= work(&self.params));
        (hash.algorithm.as_str() == "argon2id" && payable).then_some((hash, params))
    }
}

fn matches(hash: &PasswordHash, password: &Password, memory: &mut Memory) -> Result<bool> {
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
        return Ok(false);
    };
    let params = Params::try_from(hash).map_err(bad_hash)?;
    let digest = digest(&params, password.expose().as_bytes(), &salt, memory)?;
    Ok(same(&digest, expected.as_bytes()))
}

fn digest(params: &Params, password: &[u8], salt: &[u8], memory: &mut Memory) -> Result<Vec<u8>> {
    if memory.len() < params.block_count() {
        *memory = vec![Block::default(); params.block_count()];
    }
    let mut out = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, &mut out, memory)
        .map_err(bad_hash)?;
    Ok(out)
}

fn encode(params: &Params, salt: &[u8], digest: &[u8]) -> Result<String> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(bad_hash)?,
        salt: Some(Salt::new(salt).map_err(bad_hash)?),
        hash: Some(Output::new(digest).map_err(bad_hash)?),
    };
    Ok(hash.to_string())
}

fn bad_hash(e: impl std::fmt::Display) -> Error {
    Error::internal(std::io::Error::other(format!("password hash: {e}")))
}
