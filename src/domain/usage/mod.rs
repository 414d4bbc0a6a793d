//! When, from where and how often tokens are used. Noted in memory by the check path, which never
//! writes; written in batches by the server's timer and at shutdown, which is `store`.

mod store;

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

pub use store::{DayUses, Uses, flush, sweep, uses_of};

/// Seconds.
const DAY: i64 = 86_400;
/// Tokens noted between two flushes at most; one takes about 150 bytes. Uses of further tokens are
/// not noted until the next flush, which says how many.
const CAPACITY: usize = 100_000;

#[derive(Debug, Default)]
pub struct Usage(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    tokens: HashMap<i64, Use>,
    /// Uses for which there was no room.
    unnoted: u64,
}

/// What was seen of one token since the last flush.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Use {
    /// Unix seconds.
    at: i64,
    address: String,
    /// Midnight UTC in Unix seconds, and the uses after it; the day noted last stands last.
    days: Vec<(i64, i64)>,
}

impl Use {
    fn add(&mut self, day: i64, n: i64) {
        match self.days.iter_mut().rev().find(|(known, _)| *known == day) {
            Some((_, count)) => *count += n,
            None => self.days.push((day, n)),
        }
    }
}

/// Midnight UTC before `at`; both in Unix seconds.
fn day_of(at: i64) -> i64 {
    at - at.rem_euclid(DAY)
}

impl Usage {
    pub fn note(&self, token_id: i64, at: i64, address: &str) {
        let mut noted = self.noted();
        if let Some(seen) = noted.tokens.get_mut(&token_id) {
            seen.at = at;
            if seen.address != address {
                address.clone_into(&mut seen.address);
            }
            seen.add(day_of(at), 1);
        } else if noted.tokens.len() < CAPACITY {
            let seen = Use {
                at,
                address: address.to_owned(),
                days: vec![(day_of(at), 1)],
            };
            noted.tokens.insert(token_id, seen);
        } else {
            noted.unnoted += 1;
        }
    }

    /// What could not be written; a later use that was noted meanwhile stays the last one.
    fn put_back(&self, token_id: i64, old: Use) {
        let mut noted = self.noted();
        match noted.tokens.get_mut(&token_id) {
            Some(newer) => old.days.iter().for_each(|(day, n)| newer.add(*day, *n)),
            None => {
                noted.tokens.insert(token_id, old);
            }
        }
    }

    fn take(&self) -> Noted {
        mem::take(&mut self.noted())
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_435_200;

    #[test]
    fn uses_are_counted_by_day() {
        let usage = Usage::default();
        for at in [NOON, NOON + 1, NOON + DAY, NOON] {
            usage.note(7, at, "::1");
        }
        let midnight = NOON - DAY / 2;
        let seen = usage.take().tokens.remove(&7).unwrap();
        assert_eq!(seen.days, [(midnight, 3), (midnight + DAY, 1)]);
    }

    #[test]
    fn what_is_put_back_adds_up_and_leaves_the_newer_use_the_last() {
        let usage = Usage::default();
        usage.note(7, NOON, "192.0.2.1");
        let old = usage.take().tokens.remove(&7).unwrap();
        usage.note(7, NOON + 5, "192.0.2.2");
        usage.put_back(7, old);
        let seen = usage.take().tokens.remove(&7).unwrap();
        assert_eq!((seen.at, seen.address.as_str()), (NOON + 5, "192.0.2.2"));
        assert_eq!(seen.days, [(NOON - DAY / 2, 2)]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_not_noted_is_counted() {
        let usage = Usage::default();
        for id in 0..i64::try_from(CAPACITY).unwrap() + 3 {
            usage.note(id, NOON, "::1");
        }
        usage.note(0, NOON, "::1");
        let noted = usage.take();
        assert_eq!((noted.tokens.len(), noted.unnoted), (CAPACITY, 3));
        assert_eq!(noted.tokens[&0].days[0].1, 2, "a known one is still noted");
    }
}
