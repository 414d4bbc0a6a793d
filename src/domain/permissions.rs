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

    pub fn in_words(self) -> &'static str {
        match self {
            Self::Audit => "the audit log",
            other => other.as_str(),
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

    /// All that mean something, by record.
    pub fn all() -> impl Iterator<Item = Self> {
        Record::ALL
            .into_iter()
            .flat_map(|record| Act::ALL.map(|act| Self::new(act, record)))
            .filter(|permission| permission.exists())
    }

    /// Sessions begin by signing in and are not edited, and the audit log is only read.
    pub fn exists(self) -> bool {
        match self.record {
            Record::Users | Record::Tokens | Record::Students => true,
            Record::Sessions => matches!(self.act, Act::View | Act::Delete),
            Record::Audit => self.act == Act::View,
        }
    }

    /// `change_students`: in the database, in forms and at the command line.
    pub fn name(self) -> String {
        format!("{}_{}", self.act.as_str(), self.record.as_str())
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|permission| permission.name() == name)
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

    pub fn all() -> Self {
        Self::of(Permission::all())
    }

    pub fn of(all: impl IntoIterator<Item = Permission>) -> Self {
        Self(all.into_iter().fold(0, |set, p| set | p.bit()))
    }

    /// From names separated by blanks. One that means nothing here, as of a later version, gives nothing.
    pub fn read(names: &str) -> Self {
        Self::of(names.split_whitespace().filter_map(Permission::named))
    }

    /// Their names, separated by blanks.
    pub fn names(self) -> String {
        let names: Vec<String> = self.iter().map(Permission::name).collect();
        names.join(" ")
    }

    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(move |p| self.has(p.act, p.record))
    }

    /// Whether it is in the set.
    pub fn has(self, act: Act, record: Record) -> bool {
        self.0 & Permission::new(act, record).bit() != 0
    }

    /// Whether it lets somebody do this. Who may change a record sees it, as in Django: a form shows what it changes.
    pub fn allow(self, act: Act, record: Record) -> bool {
        self.has(act, record) || (act == Act::View && self.has(Act::Change, record))
    }

    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// These and those together.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These without those.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// What they allow, in words: "view and change users, view audit". Empty for none.
    pub fn in_words(self) -> String {
        let parts = Record::ALL.into_iter().filter_map(|record| {
            let acts: Vec<&str> = Act::ALL
                .into_iter()
                .filter(|act| self.has(*act, record))
                .map(Act::as_str)
                .collect();
            let acts = match acts.as_slice() {
                [] => return None,
                [.., _, _] if acts.len() == Act::ALL.len() => "manage".to_owned(),
                [first @ .., last] if !first.is_empty() => {
                    format!("{} and {last}", first.join(", "))
                }
                _ => acts.join(""),
            };
            Some(format!("{acts} {}", record.in_words()))
        });
        parts.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_stands_for_itself() {
        for permission in Permission::all() {
            let one = Permissions::of([permission]);
            for other in Permission::all() {
                assert_eq!(one.has(other.act, other.record), permission == other);
            }
            assert!(Permissions::all().has(permission.act, permission.record));
            assert!(!Permissions::NONE.has(permission.act, permission.record));
            assert_eq!(Permission::named(&permission.name()), Some(permission));
        }
    }

    #[test]
    fn who_may_change_a_record_sees_it_and_nothing_else_follows_from_another() {
        for permission in Permission::all() {
            let one = Permissions::of([permission]);
            for other in Permission::all() {
                let follows = permission.act == Act::Change
                    && other == Permission::new(Act::View, permission.record);
                let allows = one.allow(other.act, other.record);
                assert_eq!(
                    allows,
                    permission == other || follows,
                    "{permission} and {other}"
                );
            }
        }
    }

    #[test]
    fn sets_are_read_as_they_are_written_and_what_is_unknown_gives_nothing() {
        let some = Permissions::read("change_students view_audit");
        assert_eq!(some.names(), "change_students view_audit");
        assert_eq!(
            Permissions::read(&Permissions::all().names()),
            Permissions::all()
        );
        assert_eq!(
            Permissions::read("view_moon change_audit add_sessions"),
            Permissions::NONE
        );
    }

    #[test]
    fn what_a_set_allows_is_said_in_words() {
        let said = |names: &str| Permissions::read(names).in_words();
        assert_eq!(said(""), "");
        assert_eq!(said("view_audit"), "view the audit log");
        assert_eq!(
            said("view_users change_users delete_users view_sessions delete_sessions"),
            "view, change and delete users; view and delete sessions"
        );
        assert_eq!(
            said("view_students add_students change_students delete_students"),
            "manage students"
        );
    }
}
