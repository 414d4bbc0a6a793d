//! How often one may try. Counted in memory in fixed windows, by keyed digests of names and
//! addresses; a pause always ends by itself, so no account is locked for ever.
//! Each node counts for itself: with N nodes an attacker has N times the tries, all of them few. A pause
//! of a name that has begun holds on all of them: see `login_pauses`.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    error::{Error, Result},
    keys::{Digest, Keyring},
};

/// A limit: so many in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    name: &'static str,
    limit: u32,
    window: i64,
}

impl Rule {
    pub fn limit(self) -> u32 {
        self.limit
    }

    #[must_use]
    pub fn after(self, tries: i64) -> Self {
        let limit = u32::try_from(tries).unwrap_or(self.limit);
        Self { limit, ..self }
    }

    /// `window` in seconds, which is also how long the pause lasts.
    #[must_use]
    pub fn within(self, window: i64) -> Self {
        Self { window, ..self }
    }

    /// Whether both count the same, perhaps with another limit.
    pub fn counts_as(self, other: Self) -> bool {
        self.name == other.name
    }
}

const MINUTE: i64 = 60;

/// Wrong passwords for one name from one address. Settings say how many, and how long the pause is.
pub const LOGIN_BY_ACCOUNT_AND_ADDRESS: Rule = Rule {
    name: "login account address",
    limit: 10,
    window: 15 * MINUTE,
};
/// Wrong passwords for one name from everywhere: high, so that a stranger cannot lock a person out.
pub const LOGIN_BY_ACCOUNT: Rule = Rule {
    name: "login account",
    limit: 100,
    window: 15 * MINUTE,
};
/// Wrong passwords from one address for all names.
pub const LOGIN_BY_ADDRESS: Rule = Rule {
    name: "login address",
    limit: 60,
    window: 15 * MINUTE,
};
/// Requests from one address that make the server hash a password, right or wrong.
pub const SIGN_IN: Rule = Rule {
    name: "sign in",
    limit: 200,
    window: MINUTE,
};
pub const REGISTER: Rule = Rule {
    name: "register",
    limit: 150,
    window: MINUTE,
};
pub const GENERATE_TOKEN: Rule = Rule {
    name: "generate token",
    limit: 100,
    window: MINUTE,
};
pub const BURN: Rule = Rule {
    name: "burn",
    limit: 100,
    window: MINUTE,
};
/// Wrong set-up codes.
pub const SETUP: Rule = Rule {
    name: "setup",
    limit: 20,
    window: 15 * MINUTE,
};

/// Asking for a link to set a new password, from one address.
pub const ASK_RESET: Rule = Rule {
    name: "ask reset",
    limit: 20,
    window: 15 * MINUTE,
};
/// Letters of one kind to one account.
pub const LETTERS: Rule = Rule {
    name: "letters",
    limit: 5,
    window: 60 * MINUTE,
};
/// Following one-time links from one address, good or not.
pub const FOLLOW_LINK: Rule = Rule {
    name: "follow link",
    limit: 100,
    window: 15 * MINUTE,
};

/// Tries of one kind that may be under way at once.
const UNDER_WAY: u32 = 64;
/// So many counters at most; one takes about 64 bytes.
const CAPACITY: usize = 50_000;

#[derive(Debug)]
pub struct Throttles {
    enabled: bool,
    windows: Mutex<HashMap<Digest, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: i64,
    count: u32,
    /// Tries that have begun and not ended.
    under_way: u32,
}

impl Throttles {
    pub fn new(enabled: bool) -> Self {
        Self {
            enabled,
            windows: Mutex::default(),
        }
    }

    /// Counts one try and gives those that are left, or `Error::Throttled`.
    /// It is counted before the outcome is known, so that parallel tries cannot slip through;
    /// `give_back` takes it back.
    pub fn take(&self, rule: Rule, key: Digest, now: i64) -> Result<u32> {
        if !self.enabled {
            return Ok(rule.limit);
        }
        let mut windows = self.windows();
        let window = open(&mut windows, rule, key, now);
        if window.count >= rule.limit {
            return Err(throttled(window, now));
        }
        window.count += 1;
        Ok(rule.limit - window.count)
    }

    pub fn give_back(&self, key: Digest) {
        if let Some(window) = self.windows().get_mut(&key) {
            window.count = window.count.saturating_sub(1);
        }
    }

    /// Begins a try whose outcome will count only if it is a failure; `leave` ends it. A few may be
    /// under way at once, so that many right passwords at the same moment are no attack; so many more
    /// wrong ones can slip in before the pause begins, once.
    pub fn enter(&self, rule: Rule, key: Digest, now: i64) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        let mut windows = self.windows();
        let window = open(&mut windows, rule, key, now);
        if window.count >= rule.limit {
            return Err(throttled(window, now));
        }
        if window.under_way >= UNDER_WAY {
            return Err(Error::Throttled { retry_after: 1 });
        }
        window.under_way += 1;
        Ok(())
    }

    /// Ends a try; gives the failures that are left and, if this one began a pause, when it ends.
    pub fn leave(&self, rule: Rule, key: Digest, now: i64, failed: bool) -> (u32, Option<i64>) {
        if !self.enabled {
            return (rule.limit, None);
        }
        let mut begun = None;
        let mut windows = self.windows();
        let window = open(&mut windows, rule, key, now);
        window.under_way = window.under_way.saturating_sub(1);
        if failed {
            window.count = window.count.saturating_add(1);
            if window.count == rule.limit {
                // The pause begins now and lasts as long as the rule says.
                window.ends = now + rule.window;
                begun = Some(window.ends);
            }
        }
        (rule.limit.saturating_sub(window.count), begun)
    }

    /// Forgives the failures so far.
    pub fn forgive(&self, key: Digest) {
        if let Some(window) = self.windows().get_mut(&key) {
            window.count = 0;
        }
    }

    /// Of these.
    pub fn forgive_all(&self, keys: &[Digest]) {
        for key in keys {
            self.forgive(*key);
        }
    }

    fn windows(&self) -> MutexGuard<'_, HashMap<Digest, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The window of a key, a new one where the old has ended.
fn open(windows: &mut HashMap<Digest, Window>, rule: Rule, key: Digest, now: i64) -> &mut Window {
    if windows.len() >= CAPACITY && !windows.contains_key(&key) {
        make_room(windows, now);
    }
    let ends = now + rule.window;
    let fresh = Window {
        ends,
        count: 0,
        under_way: 0,
    };
    let window = windows.entry(key).or_insert(fresh);
    if window.ends <= now {
        *window = Window {
            under_way: window.under_way,
            ..fresh
        };
    }
    window
}

fn throttled(window: &Window, now: i64) -> Error {
    let retry_after = u64::try_from(window.ends - now).unwrap_or(1).max(1);
    Error::Throttled { retry_after }
}

/// Drops what has ended; if that is too little, the half that ends first.
fn make_room(windows: &mut HashMap<Digest, Window>, now: i64) {
    windows.retain(|_, window| window.ends > now);
    if windows.len() >= CAPACITY {
        let mut ends: Vec<i64> = windows.values().map(|window| window.ends).collect();
        let (_, median, _) = ends.select_nth_unstable(CAPACITY / 2);
        let median = *median;
        let mut spare = CAPACITY / 2;
        windows.retain(|_, window| {
            let keep = window.ends > median || (window.ends == median && spare == 0);
            if !keep {
                spare = spare.saturating_sub(1);
            }
            keep
        });
    }
}

/// What a rule counts by: an address (IPv6 by /64, which one household has), a name, or both.
pub fn key(keys: &Keyring, rule: Rule, address: Option<IpAddr>, name: Option<&str>) -> Digest {
    let address = match address {
        Some(IpAddr::V4(a)) => a.octets().to_vec(),
        Some(IpAddr::V6(a)) => match a.to_ipv4_mapped() {
            Some(v4) => v4.octets().to_vec(),
            None => a.octets()[..8].to_vec(),
        },
        None => Vec::new(),
    };
    keys.throttle_digest(&[
        rule.name.as_bytes(),
        &address,
        name.unwrap_or_default().as_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        name: "test",
        limit: 3,
        window: 60,
    };

    #[test]
    fn the_pause_begins_after_the_limit_and_ends_by_itself() {
        let throttles = Throttles::new(true);
        for left in [2, 1, 0] {
            assert_eq!(throttles.take(RULE, [1; 32], 100).unwrap(), left);
        }
        let refused = throttles.take(RULE, [1; 32], 130).unwrap_err();
        assert!(
            matches!(refused, Error::Throttled { retry_after: 30 }),
            "{refused:?}"
        );
        assert!(
            throttles.take(RULE, [2; 32], 130).is_ok(),
            "another key is not concerned"
        );
        assert!(throttles.take(RULE, [1; 32], 160).is_ok());
    }

    #[test]
    fn many_right_ones_at_once_are_no_attack_and_many_wrong_ones_end_in_a_pause() {
        let throttles = Throttles::new(true);
        for _ in 0..UNDER_WAY {
            throttles.enter(RULE, [1; 32], 100).unwrap();
        }
        let refused = throttles.enter(RULE, [1; 32], 100).unwrap_err();
        assert!(matches!(refused, Error::Throttled { retry_after: 1 }));
        for _ in 0..UNDER_WAY {
            throttles.leave(RULE, [1; 32], 100, false);
        }
        throttles.enter(RULE, [1; 32], 100).unwrap();
        assert_eq!(throttles.leave(RULE, [1; 32], 100, true), (2, None));
        let begun: Vec<Option<i64>> = (0..10)
            .map(|_| throttles.leave(RULE, [1; 32], 100, true).1)
            .collect();
        assert_eq!(begun.iter().flatten().count(), 1, "it begins once");
        assert_eq!(begun[1], Some(160));
        let refused = throttles.enter(RULE, [1; 32], 110).unwrap_err();
        assert!(matches!(refused, Error::Throttled { retry_after: 50 }));
    }

    #[test]
    fn a_flood_of_keys_stays_within_bounds() {
        let throttles = Throttles::new(true);
        for n in 0..(CAPACITY as u64 + 10_000) {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            throttles.take(RULE, key, 100).unwrap();
        }
        assert!(throttles.windows().len() <= CAPACITY);
    }
}
