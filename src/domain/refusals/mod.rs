//! "Why was I refused?" Every request that the API answers with 401 or 403 is noted in memory, never in
//! the database; `store` writes them in batches beside the uses of tokens. What is kept tells what was
//! wrong, in words of ours, and never holds what was sent: `reason` are the words, `shown` reads headers,
//! `look` finds out, `inspect` does so for what somebody pastes.
//!
//! A flood costs bounded memory and rows: so many between two flushes, so many of them from one
//! address, so many rows in all. How many were not kept is kept.

mod inspect;
mod look;
mod reason;
pub mod shown;
mod store;

use std::{
    collections::HashMap,
    mem,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

pub use inspect::{Finding, LineNote, Pasted, Sort, inspect};
use look::{Look, look};
pub use reason::{Detail, Reason};
use shown::Shown;
pub use store::{RefusalFilter, RefusalRow, Told, find_request, flush, list, sweep, tell};

pub use crate::entity::refusal::Model as Refusal;
use crate::{
    app::App,
    error::{AuthFailure, Error, JwtFault},
};

/// Noted between two flushes at most; one takes about 600 bytes.
const CAPACITY: usize = 1000;
/// Of these from one address, so that a flood from one place hides no others.
const FROM_ONE: u32 = 50;

/// The request that was refused, without anything that it said in secret.
#[derive(Clone, Debug)]
pub struct Request {
    pub id: String,
    pub status: u16,
    pub method: &'static str,
    /// Without the query, and with its odd segments taken out.
    pub path: String,
    pub address: IpAddr,
    /// The header that a credential came in; empty: none.
    pub header: &'static str,
}

#[derive(Debug, Default)]
pub struct Refusals(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    /// Taken, or about to be.
    places: usize,
    from: HashMap<IpAddr, u32>,
    all: Vec<Entry>,
    not_kept: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    at: i64,
    request: Request,
    scheme: &'static str,
    look: Look,
}

impl Refusals {
    /// Whether there is room for one more; takes the place.
    fn admit(&self, address: IpAddr) -> bool {
        let mut noted = self.noted();
        let full = noted.places >= CAPACITY;
        let from = noted.from.get(&address).copied().unwrap_or(0);
        if full || from >= FROM_ONE {
            noted.not_kept += 1;
            return false;
        }
        noted.from.insert(address, from + 1);
        noted.places += 1;
        true
    }

    fn add(&self, entry: Entry) {
        self.noted().all.push(entry);
    }

    fn take(&self) -> Noted {
        mem::take(&mut self.noted())
    }

    /// What could not be written, as far as there is room.
    fn put_back(&self, mut old: Noted) {
        let mut noted = self.noted();
        let room = CAPACITY.saturating_sub(noted.all.len());
        let lost = old.all.len().saturating_sub(room);
        old.all.truncate(room);
        noted.places += old.all.len();
        noted.not_kept += old.not_kept + lost as u64;
        noted.all.append(&mut old.all);
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes a refusal. Asks the database nothing, writes nothing; costs a signature at most, and that not
/// oftener than there is room.
pub async fn note(app: &App, request: Request, shown: &Shown, error: &Error) {
    if !app.refusals.admit(request.address) {
        app.metrics.refusal_not_kept();
        return;
    }
    let found = match look(app, shown).await {
        Ok(found) => found,
        Err(e) => {
            tracing::error!(request.id = request.id, error = %e, "cannot tell why a request was refused");
            Look::default()
        }
    };
    let look = judged(found, error);
    app.metrics.refusal(look.reason.map_or("-", Reason::as_str));
    let scheme = scheme_of(shown);
    let at = app.now();
    app.refusals.add(Entry {
        at,
        request,
        scheme,
        look,
    });
}

/// The error says what the request was refused for; the look, what is wrong with its credential.
fn judged(mut look: Look, error: &Error) -> Look {
    let decided = match error {
        Error::MissingScope(scope) => Some((Reason::ScopeMissing, Detail::what(*scope))),
        Error::MissingPermission(p) => {
            Some((Reason::PermissionMissing, Detail::what(p.to_string())))
        }
        Error::CsrfFailed(why) => Some((Reason::CsrfFailed, Detail::what(*why))),
        Error::InvalidCredentials { .. } => Some((Reason::WrongPassword, Detail::default())),
        Error::UnknownRequirement(_) => Some((Reason::UnknownRequirement, Detail::default())),
        Error::PermissionDenied => Some((Reason::NotAllowed, Detail::default())),
        _ => None,
    };
    if let Some((reason, detail)) = decided {
        look.reason = Some(reason);
        look.detail = detail;
        return look;
    }
    if look.reason.is_none() {
        use AuthFailure as A;
        look.reason = Some(match error {
            Error::NoActiveAccount
            | Error::AuthenticationFailed(A::TokenUserInactive | A::UserInactive) => {
                Reason::UserInactive
            }
            Error::AuthenticationFailed(A::TokenUnknown) => Reason::TokenUnknown,
            Error::AuthenticationFailed(A::UserNotFound) | Error::JwtRefused(JwtFault::Invalid) => {
                Reason::UserGone
            }
            Error::AuthenticationFailed(A::Bearer(JwtFault::Blacklisted))
            | Error::JwtRefused(JwtFault::Blacklisted) => Reason::SignedOut,
            _ => Reason::NotAllowed,
        });
    }
    look
}

fn scheme_of(shown: &Shown) -> &'static str {
    match shown {
        Shown::Nothing(_) | Shown::Empty | Shown::Bare(_) => "",
        Shown::Token(_) => "Token",
        Shown::Bearer(_) => "Bearer",
        Shown::Refresh(_) | Shown::AnyJwt(_) => "body",
        Shown::Misspelt(..) | Shown::OtherScheme("") => "other",
        Shown::Malformed(scheme, _) | Shown::Quoted(scheme, _) | Shown::OtherScheme(scheme) => {
            scheme
        }
        Shown::Session(_) => "session",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn a_flood_from_one_place_leaves_room_for_others_and_is_counted() {
        let refusals = Refusals::default();
        let kept = (0..10_000).filter(|_| refusals.admit(address(1))).count();
        assert_eq!(kept, 50);
        assert!(refusals.admit(address(2)));
        assert_eq!(refusals.take().not_kept, 9950);
        assert!(
            refusals.admit(address(1)),
            "after a flush there is room again"
        );
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded() {
        let refusals = Refusals::default();
        let kept = (0..100_000).filter(|n| refusals.admit(address(*n))).count();
        assert_eq!(kept, CAPACITY);
        let noted = refusals.take();
        assert_eq!(noted.not_kept, 99_000);
        assert!(noted.from.len() <= CAPACITY);
    }
}
