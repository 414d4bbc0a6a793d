//! What the server does by itself: when each job last ended, and whether it failed. In memory, of this process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A job of the server's timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Job {
    /// Uses of tokens and refused requests are written down.
    Flush,
    /// The audit log is sealed.
    Seal,
    /// Letters go out.
    Mail,
    /// What is over is cleared away.
    Sweep,
}

impl Job {
    pub const ALL: [Self; 4] = [Self::Flush, Self::Seal, Self::Mail, Self::Sweep];

    pub fn in_words(self) -> &'static str {
        match self {
            Self::Flush => "writing down uses and refusals",
            Self::Seal => "sealing the audit log",
            Self::Mail => "sending mail",
            Self::Sweep => "clearing away what is over",
        }
    }

    /// Seconds after which it should have ended again.
    pub(super) fn patience(self) -> i64 {
        match self {
            Self::Flush | Self::Seal => 120,
            Self::Mail => 600,
            Self::Sweep => 3 * 3600,
        }
    }
}

#[derive(Debug, Default)]
pub struct Jobs(Mutex<BTreeMap<Job, Ended>>);

/// How a job last ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// Unix seconds.
    pub(super) at: i64,
    pub(super) failed: bool,
}

impl Jobs {
    pub fn ended(&self, job: Job, at: i64, failed: bool) {
        self.all().insert(job, Ended { at, failed });
    }

    pub(super) fn last(&self, job: Job) -> Option<Ended> {
        self.all().get(&job).copied()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Job, Ended>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
