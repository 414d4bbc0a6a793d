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
}

impl Scope {
    pub const ALL: [Self; 5] = [
        Self::StudentsRead,
        Self::StudentsWrite,
        Self::UsersRead,
        Self::UsersWrite,
        Self::TokensManage,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::StudentsRead => "students:read",
            Self::StudentsWrite => "students:write",
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::TokensManage => "tokens:manage",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::StudentsRead => 1,
            Self::StudentsWrite => 2,
            Self::UsersRead => 4,
            Self::UsersWrite => 8,
            Self::TokensManage => 16,
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

    /// From names separated by blanks; `None` for one that does not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = 0;
        for name in text.split_whitespace() {
            if name == Self::FULL_NAME {
                return Some(Self::FULL);
            }
            all |= Scope::ALL
                .into_iter()
                .find(|scope| scope.as_str() == name)?
                .bit();
        }
        Some(Self(all))
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
        assert_eq!(Scopes::parse("students:read students:eat"), None);
    }

    #[test]
    fn full_has_all_and_some_have_some() {
        assert!(Scope::ALL.into_iter().all(|scope| Scopes::FULL.has(scope)));
        let read = Scopes::of([Scope::StudentsRead]);
        assert!(read.has(Scope::StudentsRead) && !read.has(Scope::StudentsWrite));
        assert!(Scopes::FULL.include(read) && !read.include(Scopes::FULL));
    }
}
