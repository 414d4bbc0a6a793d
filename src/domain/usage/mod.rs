//! When, from where and how often tokens are used. Noted in memory by the check path, which never
//! writes; written in batches by the server's timer and at shutdown, which is `store`. What is read back
//! is in `seen`.

mod seen;
mod store;

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

pub use seen::{Address, DayUses, Recent, Uses, addresses_of, uses_of};
pub use store::{flush, sweep};

/// Seconds.
const DAY: i64 = 86_400;
/// Seconds for which uses are counted together; a day is a whole number of them.
const SLOT: i64 = 600;
/// Tokens noted between two flushes at most; one takes about 250 bytes. Uses of further tokens are
/// not noted until the next flush, which says how many.
const CAPACITY: usize = 100_000;
/// Addresses that are kept of a token, in memory and in the database: the latest.
const ADDRESSES: usize = 20;

#[derive(Debug, Default)]
pub struct Usage(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    tokens: HashMap<i64, Use>,
    /// Uses for which there was no room.
    unnoted: u64,
}

/// What was seen of one token since the last flush.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Use {
    /// The start of a slot in Unix seconds, and the uses in it; the slot noted last stands last.
    slots: Vec<(i64, i64)>,
    /// The address noted last stands last.
    from: Vec<From>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct From {
    address: String,
    /// Unix seconds.
    at: i64,
    count: i64,
}

impl Use {
    fn add(&mut self, slot: i64, n: i64) {
        match self
            .slots
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == slot)
        {
            Some((_, count)) => *count += n,
            None => self.slots.push((slot, n)),
        }
    }

    fn see(&mut self, address: &str, at: i64, n: i64) {
        if let Some(last) = self.from.last_mut().filter(|last| last.address == address) {
            last.at = last.at.max(at);
            last.count += n;
            return;
        }
        let known = self.from.iter().position(|from| from.address == address);
        let from = match known {
            Some(place) => {
                let old = self.from.remove(place);
                From {
                    at: old.at.max(at),
                    count: old.count + n,
                    ..old
                }
            }
            None => From {
                address: address.to_owned(),
                at,
                count: n,
            },
        };
        if self.from.len() == ADDRESSES {
            self.from.remove(0);
        }
        self.from.push(from);
    }

    /// The latest use: when and from where.
    fn last(&self) -> Option<(i64, &str)> {
        self.from
            .last()
            .map(|from| (from.at, from.address.as_str()))
    }

    /// Midnight UTC in Unix seconds, and the uses after it.
    fn days(&self) -> Vec<(i64, i64)> {
        let mut days: Vec<(i64, i64)> = Vec::with_capacity(1);
        for (slot, n) in &self.slots {
            let day = day_of(*slot);
            match days.iter_mut().find(|(known, _)| *known == day) {
                Some((_, count)) => *count += n,
                None => days.push((day, *n)),
            }
        }
        days
    }
}

/// Midnight UTC before `at`; both in Unix seconds.
fn day_of(at: i64) -> i64 {
    at - at.rem_euclid(DAY)
}

fn slot_of(at: i64) -> i64 {
    at - at.rem_euclid(SLOT)
}

impl Usage {
    pub fn note(&self, token_id: i64, at: i64, address: &str) {
        let mut noted = self.noted();
        if let Some(seen) = noted.tokens.get_mut(&token_id) {
            seen.see(address, at, 1);
            seen.add(slot_of(at), 1);
        } else if noted.tokens.len() < CAPACITY {
            let mut seen = Use::default();
            seen.see(address, at, 1);
            seen.add(slot_of(at), 1);
            noted.tokens.insert(token_id, seen);
        } else {
            noted.unnoted += 1;
        }
    }

    /// What could not be written; a later use that was noted meanwhile stays the last one.
    fn put_back(&self, token_id: i64, mut old: Use) {
        let mut noted = self.noted();
        if let Some(newer) = noted.tokens.remove(&token_id) {
            newer.slots.iter().for_each(|(slot, n)| old.add(*slot, *n));
            for from in &newer.from {
                old.see(&from.address, from.at, from.count);
            }
        }
        noted.tokens.insert(token_id, old);
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
    fn uses_are_counted_by_slot_and_day() {
        let usage = Usage::default();
        for at in [NOON, NOON + 1, NOON + SLOT, NOON + DAY, NOON] {
            usage.note(7, at, "::1");
        }
        let midnight = NOON - DAY / 2;
        let seen = usage.take().tokens.remove(&7).unwrap();
        assert_eq!(seen.slots, [(NOON, 3), (NOON + SLOT, 1), (NOON + DAY, 1)]);
        assert_eq!(seen.days(), [(midnight, 4), (midnight + DAY, 1)]);
    }

    #[test]
    fn the_latest_addresses_are_kept_each_with_its_count() {
        let usage = Usage::default();
        for n in 0..30 {
            usage.note(7, NOON + n, &format!("192.0.2.{n}"));
        }
        usage.note(7, NOON + 40, "192.0.2.15");
        let seen = usage.take().tokens.remove(&7).unwrap();
        assert_eq!(seen.from.len(), ADDRESSES);
        assert_eq!(seen.last(), Some((NOON + 40, "192.0.2.15")));
        assert_eq!(seen.from.last().unwrap().count, 2);
        assert!(seen.from.iter().all(|from| from.address != "192.0.2.9"));
    }

    #[test]
    fn what_is_put_back_adds_up_and_leaves_the_newer_use_the_last() {
        let usage = Usage::default();
        usage.note(7, NOON, "192.0.2.1");
        let old = usage.take().tokens.remove(&7).unwrap();
        usage.note(7, NOON + 5, "192.0.2.2");
        usage.put_back(7, old);
        let seen = usage.take().tokens.remove(&7).unwrap();
        assert_eq!(seen.last(), Some((NOON + 5, "192.0.2.2")));
        assert_eq!(
            (seen.slots.as_slice(), seen.from.len()),
            (&[(NOON, 2)][..], 2)
        );
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
        assert_eq!(noted.tokens[&0].slots[0].1, 2, "a known one is still noted");
    }
}
