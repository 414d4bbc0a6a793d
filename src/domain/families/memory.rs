//! What this node saw last of each family, so that a refresh need not read it first. Only a hint:
//! the conditional update in `raise` decides, and whoever loses there reads the row.

use std::sync::Arc;

use moka::sync::Cache;

use super::{Family, raise::Waiting};

/// Families remembered at most; one takes about 400 bytes.
const CAPACITY: u64 = 50_000;

#[derive(Debug)]
pub struct Memory {
    seen: Cache<i64, Arc<Family>>,
    pub(super) waiting: Waiting,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            seen: Cache::new(CAPACITY),
            waiting: Waiting::default(),
        }
    }
}

impl Memory {
    pub(super) fn find(&self, handle: i64) -> Option<Arc<Family>> {
        self.seen.get(&handle)
    }

    /// Also before a commit, and in any order: what is wrong costs one statement that finds nothing.
    pub(super) fn keep(&self, family: Family) {
        self.seen.insert(family.handle, Arc::new(family));
    }
}
