//! What a page says about people, tokens and events: records of the domain turned into words.

mod token_facts;

use serde::Serialize;
pub use token_facts::TokenFacts;

use crate::{
    domain::{
        health::Verdict,
        paging::{Count, EXACT},
        signing_keys,
        tokens::TokenState,
        users::User,
    },
    web::filters,
};

/// A state in one word; `kind` is its colour.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tag {
    kind: &'static str,
    word: &'static str,
}

impl Tag {
    pub fn user(user: &User, is_locked: bool) -> Self {
        if user.is_active && is_locked {
            Self {
                kind: "bad",
                word: "Locked",
            }
        } else if user.is_active {
            Self {
                kind: "ok",
                word: "Active",
            }
        } else {
            Self {
                kind: "off",
                word: "Disabled",
            }
        }
    }

    pub fn signing_key(state: signing_keys::KeyState) -> Self {
        use signing_keys::KeyState::{Current, Next, Previous, Retired};
        let (kind, word) = match state {
            Next => ("accent", "Next"),
            Current => ("ok", "Signs"),
            Previous => ("warn", "Previous"),
            Retired => ("off", "Retired"),
        };
        Self { kind, word }
    }

    pub fn health(verdict: Verdict) -> Self {
        let (kind, word) = match verdict {
            Verdict::Good => ("ok", "OK"),
            Verdict::Look => ("warn", "Worth a look"),
            Verdict::Bad => ("bad", "Needs you"),
        };
        Self { kind, word }
    }

    pub fn token(state: TokenState) -> Self {
        match state {
            TokenState::Active => Self {
                kind: "ok",
                word: "Active",
            },
            TokenState::Expired => Self {
                kind: "warn",
                word: "Expired",
            },
            TokenState::Revoked => Self {
                kind: "off",
                word: "Revoked",
            },
        }
    }

    /// A token that was rotated and is in its grace time.
    const ROTATED: Self = Self {
        kind: "warn",
        word: "Rotated",
    };
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Role {
    word: &'static str,
    accent: bool,
}

impl Role {
    pub fn of(user: &User) -> Self {
        match (user.is_superuser, user.is_staff) {
            (true, _) => Self {
                word: "Superuser",
                accent: true,
            },
            (false, true) => Self {
                word: "Staff",
                accent: true,
            },
            (false, false) => Self {
                word: "User",
                accent: false,
            },
        }
    }
}

#[cfg(test)]
impl Role {
    pub fn sample() -> Self {
        Self {
            word: "Superuser",
            accent: true,
        }
    }
}

/// A name with the two letters and the colour that stand for it.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    name: String,
    initials: String,
    face: &'static str,
}

impl Person {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn of(user: &User) -> Self {
        let full = full_name(user);
        Self::named(
            &user.username,
            if full.is_empty() {
                &user.username
            } else {
                &full
            },
        )
    }

    pub fn named(name: &str, spelled: &str) -> Self {
        let mut words = spelled
            .split([' ', '.', '_', '-', '@', '+'])
            .filter(|w| !w.is_empty());
        let first = words.next().unwrap_or("?");
        let initials: String = match words.next() {
            Some(second) => first
                .chars()
                .take(1)
                .chain(second.chars().take(1))
                .collect(),
            None => first.chars().take(2).collect(),
        };
        let sum: usize = name.bytes().map(usize::from).sum();
        Self {
            name: name.to_owned(),
            initials: initials.to_uppercase(),
            face: ["a", "b", "c", "e"][sum % 4],
        }
    }
}

pub fn full_name(user: &User) -> String {
    format!("{} {}", user.first_name, user.last_name)
        .trim()
        .to_owned()
}

/// `412`; where counting stopped, `over 10,000`; what was counted a while ago, `about 1,000,000`.
pub fn count(count: Count) -> String {
    if count.exact {
        return filters::number(count.n);
    }
    if count.n <= EXACT {
        return format!("over {}", filters::number(count.n));
    }
    // To three digits: it is no longer what it was when it was counted.
    let unit = 10_u64.pow(count.n.ilog10().saturating_sub(2));
    let rounded = (count.n + unit / 2) / unit * unit;
    format!("about {}", filters::number(rounded))
}

/// `1 token`, `2 tokens`.
pub fn counted(n: Count, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        count(n),
        if n.exact && n.n == 1 { one } else { many }
    )
}

/// `1 token`, `2 sessions`; what there is none of is left out.
pub fn all_but_none(things: &[(Count, &str, &str)]) -> Vec<String> {
    things
        .iter()
        .filter(|(count, ..)| count.n > 0)
        .map(|(count, one, many)| counted(*count, one, many))
        .collect()
}

/// 0 stands for never.
pub fn known(at: i64) -> Option<i64> {
    (at > 0).then_some(at)
}

/// `Firefox on Linux`, and the icon of such a thing.
pub fn device(user_agent: &str) -> (String, &'static str) {
    let has = |word: &str| user_agent.contains(word);
    let first = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find(|(mark, _)| has(mark))
            .map(|(_, name)| *name)
    };
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    let icon = if matches!(system, Some("iPhone" | "iPad" | "Android")) {
        "sess"
    } else {
        "auto"
    };
    let name = match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Unknown device".to_owned(),
    };
    (name, icon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_the_name() {
        assert_eq!(Person::named("amara.okafor", "amara.okafor").initials, "AO");
        assert_eq!(Person::named("root", "root").initials, "RO");
        assert_eq!(Person::named("x", "Bence Horváth").initials, "BH");
        assert_eq!(Person::named("", "").initials, "?");
    }

    #[test]
    fn counts_say_how_sure_they_are() {
        let said = |n, exact| count(Count { n, exact });
        assert_eq!(said(10_000, true), "10,000");
        assert_eq!(said(10_000, false), "over 10,000");
        assert_eq!(said(25, false), "over 25");
        assert_eq!(said(10_001, false), "about 10,000");
        assert_eq!(said(1_234_567, false), "about 1,230,000");
        assert_eq!(said(999_999, false), "about 1,000,000");
    }

    #[test]
    fn devices_are_told_apart() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(device(linux).0, "Firefox on Linux");
        assert_eq!(device("curl/8.9").0, "curl");
        assert_eq!(device("").0, "Unknown device");
    }
}
