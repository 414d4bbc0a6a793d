//! What the check path remembers, so that a warm check touches memory only: who a credential
//! belongs to, and that a token is unknown. Every commit says whose credentials it affects, and
//! nothing that was loaded before is believed about them any more.
//!
//! Each entry carries the number of the last change when its loading began. A change of a user raises the number and
//! writes it beside the user; an entry with a smaller one is stale: no slow reader puts back what a change dropped.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use moka::sync::Cache;

use crate::{
    domain::{permissions::Permissions, scopes::Scopes},
    echo::Echo,
    entity::user::Model as User,
    keys::Digest,
};

/// Credentials remembered at most; one takes about half a kilobyte.
const CAPACITY: u64 = 100_000;
/// Nothing is believed for longer, whatever went wrong with the news.
const BACKSTOP: Duration = Duration::from_mins(5);
/// Changed users remembered by name; beyond that everything is dropped at once.
const CHANGED: usize = 100_000;
/// A larger answer is not kept.
const ANSWER_BYTES: usize = 1024 * 1024;

/// Whose credentials a change affects: every commit must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Affects {
    /// Nobody's: no check would end otherwise than before.
    Nobody,
    User(i64),
    /// Few enough for one message of PostgreSQL's NOTIFY, which is 8000 bytes: 300.
    Users(Vec<i64>),
    /// A token that was unknown is there now.
    Unknown,
    /// Nobody's, but pauses of sign-in that other nodes may count by themselves have been lifted: what
    /// they are counted by, at most a hundred.
    Forgiven(Vec<Digest>),
    /// The sample data, whose answer is remembered as well.
    Students,
    /// Nobody's: settings, which every process reads anew.
    Settings,
    /// Anything: for news that cannot be read, and for changes from outside.
    Everything,
}

/// Taken before loading; says how new the loaded is.
#[derive(Clone, Copy, Debug)]
pub struct Stamp(u64);

#[derive(Clone, Debug)]
pub enum Verdict {
    Known {
        user: Arc<User>,
        /// What groups give.
        permissions: Permissions,
        scopes: Scopes,
        /// Of an API token.
        token: Option<TokenFacts>,
    },
    Unknown,
}

/// What is told of an API token beside whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// For the notes on its use.
    pub id: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds; None: never.
    pub expires_at: Option<i64>,
}

#[derive(Debug)]
struct Entry {
    loaded: u64,
    verdict: Verdict,
    /// Unix seconds; the credential's own end.
    until: i64,
}

#[derive(Debug)]
pub struct Checks {
    entries: Cache<Digest, Arc<Entry>>,
    state: RwLock<State>,
    echo: Echo,
}

#[derive(Debug, Default)]
struct State {
    /// False: news of other nodes may be missing, so nothing is believed.
    is_deaf: bool,
    last: u64,
    everything: u64,
    unknown: u64,
    students: u64,
    users: HashMap<i64, u64>,
    answer: Option<(u64, Arc<[u8]>)>,
    groups: Option<(u64, GroupNames)>,
}

/// Id and name of each group that is offered.
pub type GroupNames = Arc<[(i64, String)]>;

impl Default for Checks {
    fn default() -> Self {
        let entries = Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_live(BACKSTOP)
            .build();
        Self {
            entries,
            state: RwLock::default(),
            echo: Echo::default(),
        }
    }
}

impl Checks {
    pub fn stamp(&self) -> Stamp {
        Stamp(self.read().last)
    }

    /// Whether nothing that concerns everybody has changed since.
    pub fn is_current(&self, stamp: Stamp) -> bool {
        let state = self.read();
        !state.is_deaf && stamp.0 >= state.everything
    }

    /// Whether nothing at all has changed since.
    pub fn is_unchanged(&self, stamp: Stamp) -> bool {
        let state = self.read();
        !state.is_deaf && stamp.0 == state.last
    }

    /// What is remembered of a credential and still true at `now` (Unix seconds).
    pub fn find(&self, credential: &Digest, now: i64) -> Option<Verdict> {
        let entry = self.entries.get(credential)?;
        let state = self.read();
        let changed = match &entry.verdict {
            Verdict::Known { user, .. } => state.users.get(&user.id).copied().unwrap_or(0),
            Verdict::Unknown => state.unknown,
        };
        let fresh = !state.is_deaf && entry.loaded >= changed.max(state.everything);
        (fresh && now < entry.until).then(|| entry.verdict.clone())
    }

    /// How many credentials are remembered, about.
    pub fn count(&self) -> u64 {
        self.entries.entry_count()
    }

    pub fn keep(&self, credential: Digest, stamp: Stamp, verdict: Verdict, until: i64) {
        if !self.read().is_deaf {
            self.entries.insert(
                credential,
                Arc::new(Entry {
                    loaded: stamp.0,
                    verdict,
                    until,
                }),
            );
        }
    }

    /// The answer of the list of students, as JSON.
    pub fn find_students(&self) -> Option<Arc<[u8]>> {
        let state = self.read();
        let (loaded, answer) = state.answer.as_ref()?;
        let fresh = !state.is_deaf && *loaded >= state.students.max(state.everything);
        fresh.then(|| answer.clone())
    }

    pub fn keep_students(&self, stamp: Stamp, answer: Arc<[u8]>) {
        let mut state = self.write();
        if !state.is_deaf && answer.len() <= ANSWER_BYTES {
            state.answer = Some((stamp.0, answer));
        }
    }

    /// For filters: lists of users would ask for them each time. A change of them is a change of everything.
    pub fn find_groups(&self) -> Option<GroupNames> {
        let state = self.read();
        let (loaded, names) = state.groups.as_ref()?;
        (!state.is_deaf && *loaded >= state.everything).then(|| names.clone())
    }

    pub fn keep_groups(&self, stamp: Stamp, names: GroupNames) {
        let mut state = self.write();
        if !state.is_deaf {
            state.groups = Some((stamp.0, names));
        }
    }

    pub fn changed(&self, affects: Affects) {
        if matches!(
            affects,
            Affects::Nobody | Affects::Forgiven(_) | Affects::Settings
        ) {
            return;
        }
        let mut state = self.write();
        state.last += 1;
        let last = state.last;
        match affects {
            Affects::Nobody | Affects::Forgiven(_) | Affects::Settings => {}
            Affects::User(id) if state.users.len() < CHANGED => {
                state.users.insert(id, last);
            }
            Affects::Users(ids) if state.users.len() + ids.len() <= CHANGED => {
                state.users.extend(ids.into_iter().map(|id| (id, last)));
            }
            Affects::Unknown => state.unknown = last,
            Affects::Students => state.students = last,
            Affects::User(_) | Affects::Users(_) | Affects::Everything => {
                state.everything = last;
                state.users.clear();
            }
        }
    }

    /// Whether the news of other nodes arrive. Going deaf and hearing again both drop everything.
    pub fn hear(&self, hears: bool) {
        self.changed(Affects::Everything);
        self.write().is_deaf = !hears;
        self.echo.is_lost();
    }

    pub fn echo(&self) -> &Echo {
        &self.echo
    }

    pub fn is_deaf(&self) -> bool {
        self.read().is_deaf
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Affects {
    /// For the other nodes; `None`: nothing they need to know.
    pub fn write(&self) -> Option<String> {
        match self {
            Self::Nobody => None,
            Self::User(id) => Some(format!("user {id}")),
            Self::Users(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                Some(format!("users {}", ids.join(" ")))
            }
            Self::Forgiven(digests) => {
                let digests: Vec<String> = digests.iter().map(hex::encode).collect();
                Some(format!("forgiven {}", digests.join(" ")))
            }
            Self::Unknown => Some("unknown".to_owned()),
            Self::Students => Some("students".to_owned()),
            Self::Settings => Some("settings".to_owned()),
            Self::Everything => Some("everything".to_owned()),
        }
    }

    /// What cannot be read may mean anything.
    pub fn read(text: &str) -> Self {
        match text.split_once(' ') {
            Some(("user", id)) => id.parse().map_or(Self::Everything, Self::User),
            Some(("users", ids)) => {
                let ids: Result<_, _> = ids.split(' ').map(str::parse).collect();
                ids.map_or(Self::Everything, Self::Users)
            }
            Some(("forgiven", digests)) => {
                let read = |text: &str| hex::decode(text).ok()?.try_into().ok();
                let digests: Option<_> = digests.split(' ').map(read).collect();
                digests.map_or(Self::Everything, Self::Forgiven)
            }
            None if text == "unknown" => Self::Unknown,
            None if text == "students" => Self::Students,
            None if text == "settings" => Self::Settings,
            _ => Self::Everything,
        }
    }
}

#[cfg(test)]
mod tests;
