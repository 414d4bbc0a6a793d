//! What a token may be used for. JWTs and browser sessions may do all that their user may.

use std::fmt;

/// One thing a token may be used for; never more than its user may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    StudentsRead,
    StudentsWrite,
    UsersRead,
    UsersWrite,
    TokensManage,
    /// Asking what somebody's token is worth.
    TokensIntrospect,
    /// What the server counts about itself.
    MetricsRead,
}

impl Scope {
    pub const ALL: [Self; 7] = [
        Self::StudentsRead,
        Self::StudentsWrite,
        Self::UsersRead,
        Self::UsersWrite,
        Self::TokensManage,
        Self::TokensIntrospect,
        Self::MetricsRead,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::StudentsRead => "students:read",
            Self::StudentsWrite => "students:write",
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::TokensManage => "tokens:manage",
            Self::TokensIntrospect => "tokens:introspect",
            Self::MetricsRead => "metrics:read",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::StudentsRead => 1,
            Self::StudentsWrite => 2,
            Self::UsersRead => 4,
            Self::UsersWrite => 8,
            Self::TokensManage => 16,
            Self::TokensIntrospect => 32,
            Self::MetricsRead => 64,
        }
    }
}

/// Some scopes, or all there are and will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// What default tokens, JWTs and sessions carry.
    pub const FULL: Self = Self(u8::MAX);
    const FULL_NAME: &'static str = "full";

    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | scope.bit()))
    }

    /// From names separated by blanks; `None` if one of them does not exist. No names: no scopes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        words.try_fold(Self(0), |all, word| Some(all.and(Self::named(word)?)))
    }

    /// The first of these words that names no scope.
    pub fn unknown_in(text: &str) -> Option<&str> {
        text.split_whitespace()
            .find(|word| Self::named(word).is_none())
    }

    fn named(name: &str) -> Option<Self> {
        if name == Self::FULL_NAME {
            return Some(Self::FULL);
        }
        let scope = Scope::ALL.into_iter().find(|s| s.as_str() == name)?;
        Some(Self(scope.bit()))
    }

    /// These and those together.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether all of `others` are among these.
    pub fn include(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Their names; `full` for all.
    pub fn names(self) -> Vec<&'static str> {
        if self == Self::FULL {
            return vec![Self::FULL_NAME];
        }
        let scopes = Scope::ALL.into_iter();
        scopes.filter(|s| self.has(*s)).map(Scope::as_str).collect()
    }

    /// For services that look for the one they need: with full access every name there is, too.
    pub fn spelled_out(self) -> String {
        let full = (self == Self::FULL).then_some(Self::FULL_NAME);
        let has = Scope::ALL.into_iter().filter(|scope| self.has(*scope));
        let names: Vec<&str> = full.into_iter().chain(has.map(Scope::as_str)).collect();
        names.join(" ")
    }

    /// The first of these that `others` lack.
    pub fn missing_in(self, others: Self) -> Option<&'static str> {
        if others.include(self) {
            return None;
        }
        let mut wanted = Scope::ALL.into_iter().filter(|scope| self.has(*scope));
        let missing = wanted.find(|scope| !others.has(*scope));
        Some(missing.map_or(Self::FULL_NAME, Scope::as_str))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for text in [
            "full",
            "",
            "students:read",
            "students:read users:write tokens:manage",
        ] {
            assert_eq!(Scopes::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "students:read students:eat",
            "full nonsense",
            "nonsense full",
        ] {
            assert_eq!(Scopes::parse(bad), None, "{bad}");
        }
        assert_eq!(Scopes::parse("students:read full"), Some(Scopes::FULL));
    }

    #[test]
    fn full_has_all_and_some_have_some() {
        assert!(Scope::ALL.into_iter().all(|scope| Scopes::FULL.has(scope)));
        let read = Scopes::of([Scope::StudentsRead]);
        assert!(read.has(Scope::StudentsRead) && !read.has(Scope::StudentsWrite));
        assert!(Scopes::FULL.include(read) && !read.include(Scopes::FULL));
        assert_eq!(read.missing_in(Scopes::FULL), None);
        assert_eq!(Scopes::FULL.missing_in(read), Some("students:write"));
        // Full access is more than all there is today.
        assert_eq!(
            Scopes::FULL.missing_in(Scopes::of(Scope::ALL)),
            Some("full")
        );
        assert!(
            Scopes::FULL
                .spelled_out()
                .starts_with("full students:read ")
        );
        assert_eq!(read.spelled_out(), "students:read");
    }
}
