//! The hashing governor: Argon2id for passwords, bounded in memory, off the async threads, with a
//! queue that says no before it grows without end (OWASP Password Storage Cheat Sheet).

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

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
    deadline: Duration,
    /// Buffers between two uses. Reusing them saves a third of the time and most of the memory
    /// that a login storm would take. They need no wiping: with two passes or more every block is
    /// overwritten by values that cost the whole computation to reach.
    buffers: Mutex<Vec<Vec<Block>>>,
    /// What an unknown user's password is compared with, so that it costs the same.
    dummy: String,
}

impl Hasher {
    pub fn new(config: &Config) -> Result<Self> {
        let params = Params::new(config.hash_memory_kib, config.hash_iterations, 1, Some(32))
            .map_err(bad_hash)?;
        let dummy = encode(&params, &secret::random::<16>()?, &secret::random::<32>()?)?;
        Ok(Self(Arc::new(Inner {
            params,
            permits: Arc::new(Semaphore::new(config.hash_parallel)),
            places: AtomicUsize::new(config.hash_queue_length + config.hash_parallel),
            deadline: Duration::from_secs(config.hash_queue_deadline),
            buffers: Mutex::default(),
            dummy,
        })))
    }

    /// A new encoded hash (PHC string). `Error::Busy` when the queue is full or too slow.
    pub async fn hash(&self, password: Password) -> Result<String> {
        let inner = self.0.clone();
        self.run(move || {
            let salt = secret::random::<16>()?;
            let digest = inner.digest(&inner.params, password.expose().as_bytes(), &salt)?;
            encode(&inner.params, &salt, &digest)
        })
        .await
    }

    /// Compares in constant time; `None` costs as much as a real hash and never matches.
    pub async fn verify(&self, stored: Option<String>, password: Password) -> Result<Verdict> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.0.dummy.clone());
        let inner = self.0.clone();
        self.run(move || {
            let verdict = inner.compare(&stored, &password)?;
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
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = &self.0;
        let busy = || Error::Busy {
            retry_after: inner.deadline.as_secs().max(1),
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
        spawn_blocking(move || {
            let result = work();
            drop((permit, place));
            result
        })
        .await
        .map_err(Error::internal)?
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
    fn compare(&self, stored: &str, password: &Password) -> Result<Verdict> {
        // Ours, or one that Django made.
        if let Some((hash, params)) = self.own(stored) {
            let outdated = params.m_cost() != self.params.m_cost()
                || params.t_cost() != self.params.t_cost()
                || params.p_cost() != self.params.p_cost();
            return Ok(Verdict {
                matches: self.matches(&hash, password)?,
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
        self.matches(&dummy, password)?;
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

    fn matches(&self, hash: &PasswordHash, password: &Password) -> Result<bool> {
        let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
            return Ok(false);
        };
        let params = Params::try_from(hash).map_err(bad_hash)?;
        let digest = self.digest(&params, password.expose().as_bytes(), &salt)?;
        Ok(same(&digest, expected.as_bytes()))
    }

    fn digest(&self, params: &Params, password: &[u8], salt: &[u8]) -> Result<Vec<u8>> {
        let mut buffer = self.buffers().pop().unwrap_or_default();
        if buffer.len() < params.block_count() {
            buffer = vec![Block::default(); params.block_count()];
        }
        let mut out = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        let result = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password, salt, &mut out, &mut buffer);
        self.buffers().push(buffer);
        result.map_err(bad_hash)?;
        Ok(out)
    }

    fn buffers(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
