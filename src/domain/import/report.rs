//! What an import finds and does, in numbers and in sentences. How it is shown is the command's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::django_hashes::{Refused, Stored};

/// Sentences kept of a kind; the rest is counted.
const KEPT: usize = 100;

/// What became of one table's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub read: u64,
    /// Written, or to be written by the real run.
    pub new: u64,
    pub there: u64,
    /// In conflict, or without the user they belong to.
    pub left_out: u64,
}

impl Tally {
    fn json(self) -> Value {
        json!({
            "read": self.read, "new": self.new, "there": self.there, "left_out": self.left_out,
        })
    }
}

/// Sentences by kind, each with the number of all there were.
#[derive(Debug, Default)]
pub struct Findings(BTreeMap<&'static str, (u64, Vec<String>)>);

impl Findings {
    pub(super) fn add(&mut self, kind: &'static str, text: String) {
        let (count, texts) = self.0.entry(kind).or_default();
        *count += 1;
        if texts.len() < KEPT {
            texts.push(text);
        }
    }

    pub fn count(&self) -> u64 {
        self.0.values().map(|(count, _)| count).sum()
    }

    /// Kind, how many, and the first of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64, &[String])> {
        self.0
            .iter()
            .map(|(kind, (count, texts))| (*kind, *count, texts.as_slice()))
    }
}

/// What is known of the key that both servers are to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFinding {
    /// It signed Django's newest refresh token.
    Fits,
    /// There is no token to try it on.
    Untried,
    /// Another key did.
    DoesNotFit,
}

#[derive(Debug, Default)]
pub struct Report {
    pub users: Tally,
    /// With those that are made for permissions without a group.
    pub groups: Tally,
    pub tokens: Tally,
    /// Of refresh tokens that have not expired.
    pub refresh_tokens: Tally,
    pub blacklisted: u64,
    pub students: Option<Tally>,
    /// What cannot be taken over as it is.
    pub conflicts: Findings,
    /// What is taken over, and should be known.
    pub notices: Findings,
    /// Password hashes by kind.
    pub hashes: BTreeMap<&'static str, u64>,
    /// What there is in Django and has no place here.
    pub not_imported: Vec<String>,
    /// Of the key that was given.
    pub key: Option<KeyFinding>,
}

impl Report {
    /// Counts a password string; says whose cannot be compared with anything.
    pub(super) fn note_hash(&mut self, password: &str, who: &str) {
        let kind = match Stored::parse(password) {
            Ok(stored) => stored.name(),
            Err(Refused::Unusable) => "unusable",
            Err(refused) => {
                self.notices.add(
                    "unknown or too costly password hash: no sign-in until a new one is set",
                    who.to_owned(),
                );
                if refused == Refused::TooCostly {
                    "too costly"
                } else {
                    "unknown"
                }
            }
        };
        *self.hashes.entry(kind).or_default() += 1;
    }

    /// For the audit: numbers alone.
    pub(super) fn json(&self) -> Value {
        json!({
            "users": self.users.json(),
            "groups": self.groups.json(),
            "tokens": self.tokens.json(),
            "refresh_tokens": self.refresh_tokens.json(),
            "blacklisted": self.blacklisted,
            "students": self.students.map(Tally::json),
            "conflicts": self.conflicts.count(),
        })
    }
}
