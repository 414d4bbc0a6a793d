//! What a page says about people, tokens and events: records of the domain turned into words.

use serde::Serialize;

use crate::{
    domain::{
        audit::AuditEvent,
        paging::Count,
        scopes::Scopes,
        signing_keys,
        tokens::{self, Token, TokenState},
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
    pub fn user(user: &User) -> Self {
        if user.is_active {
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

/// `412`, or `over 10,000` where counting stopped.
pub fn count(count: Count) -> String {
    let n = filters::number(count.n);
    if count.exact { n } else { format!("over {n}") }
}

/// `1 token`, `2 tokens`.
pub fn counted(n: Count, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        count(n),
        if n.exact && n.n == 1 { one } else { many }
    )
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

/// A token as every page shows it; never its key.
#[derive(Clone, Debug, Serialize)]
pub struct TokenFacts {
    pub id: i64,
    pub href: String,
    pub name: String,
    pub is_default: bool,
    pub is_active: bool,
    pub prefix: String,
    /// What it may be used for.
    pub access: String,
    pub state: Tag,
    pub owner: String,
    pub owner_href: String,
    pub created: i64,
    pub created_by: String,
    pub expires: Option<i64>,
    pub last_used: Option<i64>,
    pub last_address: Option<String>,
    pub revoked: Option<i64>,
    pub revoked_by: String,
}

impl TokenFacts {
    pub fn of(token: &Token, owner: &str, now: i64) -> Self {
        let state = tokens::state(token, now);
        Self {
            id: token.id,
            href: format!("/admin/tokens/{}/", token.id),
            name: if token.is_default {
                "Default token".to_owned()
            } else {
                token.name.clone()
            },
            is_default: token.is_default,
            is_active: matches!(state, TokenState::Active),
            prefix: token.prefix.clone(),
            access: match tokens::scopes(token) {
                Scopes::FULL => "Full access".to_owned(),
                some => some.to_string(),
            },
            state: Tag::token(state),
            owner: owner.to_owned(),
            owner_href: format!("/admin/users/{}/", token.user_id),
            created: token.created_at,
            created_by: someone(&token.created_by),
            expires: token.expires_at,
            last_used: token.last_used_at,
            last_address: token.last_used_address.clone(),
            revoked: token.revoked_at,
            revoked_by: someone(token.revoked_by.as_deref().unwrap_or_default()),
        }
    }
}

fn someone(name: &str) -> String {
    if name.is_empty() {
        "someone".to_owned()
    } else {
        name.to_owned()
    }
}

/// One line of the audit log as a sentence: person, verb, object.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    person: Person,
    verb: String,
    object: String,
    /// The object's page, where it has one.
    href: Option<String>,
    address: Option<String>,
    at: i64,
}

impl Activity {
    pub fn of(event: &AuditEvent) -> Self {
        // Nobody is signed in while a person signs in or registers: the object is who acted.
        let about_person = matches!(event.object_type.as_str(), "user" | "session");
        let nobody = event.actor.is_empty();
        let name = match (nobody, about_person && !event.object.is_empty()) {
            (true, true) => event.object.as_str(),
            (true, false) => "Someone",
            (false, _) => event.actor.as_str(),
        };
        let alone = about_person && (nobody || event.actor == event.object);
        let gone = event.action.ends_with(".deleted");
        let href =
            event
                .object_id
                .filter(|_| !gone)
                .and_then(|id| match event.object_type.as_str() {
                    "user" | "session" => Some(format!("/admin/users/{id}/")),
                    "token" => Some(format!("/admin/tokens/{id}/")),
                    "student" => Some(format!("/admin/students/{id}/")),
                    _ => None,
                });
        Self {
            person: Person::named(name, name),
            verb: verb(&event.action, alone),
            object: if alone { String::new() } else { object(event) },
            href,
            address: event.address.clone(),
            at: event.at,
        }
    }
    /// The same on the page of the object, which needs no naming there.
    pub fn of_this(event: &AuditEvent) -> Self {
        let mut line = Self::of(event);
        if !std::mem::take(&mut line.object).is_empty() {
            let verb = line.verb.trim_end_matches(':');
            let verb = [" user", " token", " student"]
                .into_iter()
                .find_map(|noun| verb.strip_suffix(noun))
                .unwrap_or(verb);
            let noun = match event.object_type.as_str() {
                "user" | "session" => "account",
                noun => noun,
            };
            line.verb = format!("{verb} this {noun}");
        }
        line
    }
}

/// Tokens go by whose they are too: most are called "default".
fn object(event: &AuditEvent) -> String {
    let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
    match (event.object_type.as_str(), detail["owner"].as_str()) {
        ("token", Some(owner)) => format!("“{}” of {owner}", event.object),
        _ => event.object.clone(),
    }
}

/// What the person did. `alone`: no object follows.
fn verb(action: &str, alone: bool) -> String {
    let text = match (action, alone) {
        ("user.set_up", _) => "set up this server",
        ("user.created", true) => "was added",
        ("user.created", false) => "added user",
        ("user.registered", true) => "registered",
        ("user.registered", false) => "registered user",
        ("user.changed", true) => "edited the own account",
        ("user.changed", false) => "edited user",
        ("user.deleted", _) => "deleted user",
        ("user.enabled", _) => "enabled user",
        ("user.disabled", _) => "disabled user",
        ("user.password_changed", true) => "set a new password",
        ("user.password_changed", false) => "set a password for",
        ("user.signed_out_everywhere", true) => "signed out everywhere",
        ("user.signed_out_everywhere", false) => "signed out everywhere:",
        ("user.login_failed", true) => "failed to sign in",
        ("user.login_failed", false) => "failed to sign in as",
        ("session.started", true) => "signed in",
        ("session.started", false) => "signed in as",
        ("session.ended", true) => "signed out",
        ("session.ended", false) => "ended a session of",
        ("token.created", _) => "created token",
        ("token.rotated", _) => "rotated token",
        ("token.revoked", _) => "revoked token",
        ("signing_key.rotated", _) => "called up signing key",
        ("signing_key.revoked", _) => "revoked signing key",
        ("student.created", _) => "added student",
        ("student.changed", _) => "edited student",
        ("student.deleted", _) => "deleted student",
        (other, _) => return other.replace(['.', '_'], " "),
    };
    text.to_owned()
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
    fn devices_are_told_apart() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(device(linux).0, "Firefox on Linux");
        assert_eq!(device("curl/8.9").0, "curl");
        assert_eq!(device("").0, "Unknown device");
    }
}
