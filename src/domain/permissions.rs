//! What staff may do: an act on a kind of record. Superusers may do everything; others have what
//! their groups give them. What a *token* may be used for is another question: see `scopes`.

use std::fmt;

/// The kinds of records that the panel and the API manage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    Users,
    Tokens,
    Sessions,
    Students,
    Audit,
}

/// Django's four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    View,
    Add,
    Change,
    Delete,
}

impl Record {
    pub const ALL: [Self; 5] = [
        Self::Users,
        Self::Tokens,
        Self::Sessions,
        Self::Students,
        Self::Audit,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Tokens => "tokens",
            Self::Sessions => "sessions",
            Self::Students => "students",
            Self::Audit => "audit",
        }
    }
}

impl Act {
    pub const ALL: [Self; 4] = [Self::View, Self::Add, Self::Change, Self::Delete];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Add => "add",
            Self::Change => "change",
            Self::Delete => "delete",
        }
    }
}

/// Reads as "change students", for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    pub record: Record,
    pub act: Act,
}

impl Permission {
    pub const fn new(act: Act, record: Record) -> Self {
        Self { record, act }
    }

    fn bit(self) -> u32 {
        1 << (self.record as u32 * 4 + self.act as u32)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.act.as_str(), self.record.as_str())
    }
}

/// A set of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(u32::MAX);

    pub fn of(all: impl IntoIterator<Item = Permission>) -> Self {
        Self(all.into_iter().fold(0, |set, p| set | p.bit()))
    }

    pub fn has(self, act: Act, record: Record) -> bool {
        self.0 & Permission::new(act, record).bit() != 0
    }

    /// These and those together.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_stands_for_itself() {
        for record in Record::ALL {
            for act in Act::ALL {
                let one = Permissions::of([Permission::new(act, record)]);
                for other in Record::ALL {
                    for deed in Act::ALL {
                        assert_eq!(one.has(deed, other), (act, record) == (deed, other));
                    }
                }
                assert!(Permissions::ALL.has(act, record) && !Permissions::NONE.has(act, record));
            }
        }
    }
}
