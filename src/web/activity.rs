//! A line of the audit log in words, for the panel: who did what to what, and why.

use serde::Serialize;
use serde_json::Value;

use crate::{
    domain::audit::AuditEvent,
    web::{filters, words::Person},
};

/// One line of the audit log as a sentence: person, verb, object.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    person: Person,
    verb: String,
    object: String,
    /// Why, where the server acted by itself.
    because: Option<String>,
    /// The object's page, where it has one.
    href: Option<String>,
    address: Option<String>,
    at: i64,
    /// The event's own page.
    line: String,
    failed: bool,
    request: Option<String>,
    /// Where it stands in the chain.
    place: Option<i64>,
}

impl Activity {
    pub fn of(event: &AuditEvent) -> Self {
        // Nobody is signed in while a person signs in or registers: the object is who acted.
        let about_person = matches!(event.object_type.as_str(), "user" | "session" | "jwt");
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
                    "user" | "session" | "jwt" => Some(format!("/admin/users/{id}/")),
                    "signing_key" => Some("/admin/keys/".to_owned()),
                    "token" => Some(format!("/admin/tokens/{id}/")),
                    "group" => Some(format!("/admin/groups/{id}/")),
                    "student" => Some(format!("/admin/students/{id}/")),
                    _ => None,
                });
        Self {
            person: Person::named(name, name),
            verb: verb(&event.action, alone),
            object: if alone { String::new() } else { object(event) },
            because: because(event),
            href,
            address: event.address.clone(),
            at: event.at,
            line: format!("/admin/audit/{}/", event.id),
            failed: event.failed,
            request: event.request_id.clone(),
            place: event.seq,
        }
    }

    /// In plain text.
    pub fn sentence(&self) -> String {
        let text = format!("{} {} {}", self.person.name(), self.verb, self.object);
        text.trim_end().to_owned()
    }

    pub fn sample() -> Self {
        Self::of(&sample_event())
    }

    /// The same on the page of the object, which needs no naming there.
    pub fn of_this(event: &AuditEvent) -> Self {
        let mut line = Self::of(event);
        if !std::mem::take(&mut line.object).is_empty() {
            let verb = line.verb.trim_end_matches(':');
            let verb = [" user", " token", " group", " student"]
                .into_iter()
                .find_map(|noun| verb.strip_suffix(noun))
                .unwrap_or(verb);
            let noun = match event.object_type.as_str() {
                "user" | "session" | "jwt" => "account",
                noun => noun,
            };
            line.verb = format!("{verb} this {noun}");
        }
        line
    }
}

/// What an event tells beyond its act: what was there before and after, and facts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Changes {
    fields: Vec<Field>,
    facts: Vec<Fact>,
}

#[derive(Clone, Debug, Serialize)]
struct Field {
    name: String,
    from: String,
    to: String,
}

#[derive(Clone, Debug, Serialize)]
struct Fact {
    name: String,
    value: String,
}

impl Changes {
    pub fn of(event: &AuditEvent) -> Self {
        let mut changes = Self::default();
        let Ok(Value::Object(detail)) = serde_json::from_str(&event.detail) else {
            return changes;
        };
        for (name, value) in detail {
            let spelled = name.replace('_', " ");
            match (value.get("from"), value.get("to")) {
                (Some(from), Some(to)) => changes.fields.push(Field {
                    name: spelled,
                    from: of_field(&name, from),
                    to: of_field(&name, to),
                }),
                _ => changes.facts.push(Fact {
                    name: spelled,
                    value: of_time(&name, &value).unwrap_or_else(|| plain(&value)),
                }),
            }
        }
        changes
    }
}

/// Whether an account is active, staff or superuser is written as text where it changes.
fn of_field(name: &str, value: &Value) -> String {
    match (name, value.as_str()) {
        ("active" | "staff" | "superuser", Some("true")) => "yes".to_owned(),
        ("active" | "staff" | "superuser", Some("false")) => "no".to_owned(),
        _ => of_time(name, value).unwrap_or_else(|| plain(value)),
    }
}

/// What is stored in Unix seconds. `expired` is an end as it was, in events of older versions.
fn of_time(name: &str, value: &Value) -> Option<String> {
    match (name, value) {
        ("expires" | "expired", Value::Null) => Some("never".to_owned()),
        // The first key of all.
        ("signs_from", Value::Number(at)) if at.as_i64() == Some(0) => {
            Some("the beginning".to_owned())
        }
        ("expires" | "expired" | "until" | "signs_from", Value::Number(at)) => {
            at.as_i64().map(filters::utc)
        }
        _ => None,
    }
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => {
            let part = |(name, value): (&String, &Value)| format!("{name} {}", plain(value));
            parts.iter().map(part).collect::<Vec<_>>().join(", ")
        }
        Value::Number(n) => n.to_string(),
    }
}

pub fn sample_event() -> AuditEvent {
    AuditEvent {
        id: 1,
        at: 1_700_000_000,
        actor_id: Some(1),
        actor: "<b>sam</b>".to_owned(),
        via: "web".to_owned(),
        action: "token.created".to_owned(),
        object_type: "token".to_owned(),
        object_id: Some(2),
        object: "<i>CI</i>".to_owned(),
        address: Some("192.0.2.1".to_owned()),
        request_id: Some("0123456789abcdef".to_owned()),
        detail: r#"{"owner": "<u>ann</u>"}"#.to_owned(),
        failed: true,
        seq: None,
        hash: None,
    }
}

fn because(event: &AuditEvent) -> Option<String> {
    let detail: Value = serde_json::from_str(&event.detail).unwrap_or_default();
    let days = detail["days"].as_i64()?;
    (detail["because"] == "unused").then(|| match days {
        1 => "not used for a day".to_owned(),
        days => format!("not used for {days} days"),
    })
}

/// Tokens go by whose they are too: most are called "default".
fn object(event: &AuditEvent) -> String {
    let detail: Value = serde_json::from_str(&event.detail).unwrap_or_default();
    match (event.object_type.as_str(), detail["owner"].as_str()) {
        ("token", Some(owner)) => format!("“{}” of {owner}", event.object),
        _ => event.object.clone(),
    }
}

/// What the person did. `alone`: no object follows.
fn verb(action: &str, alone: bool) -> String {
    known(action, alone).map_or_else(|| action.replace(['.', '_'], " "), str::to_owned)
}

/// Whether there are words for an action.
#[cfg(test)]
pub fn is_known(action: &str) -> bool {
    known(action, true).is_some() && known(action, false).is_some()
}

fn known(action: &str, alone: bool) -> Option<&'static str> {
    Some(match (action, alone) {
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
        ("user.link_made", true) => "got a one-time link",
        ("user.link_made", false) => "made a one-time link for",
        ("user.email_verified", _) => "confirmed the e-mail address",
        ("user.signed_out_everywhere", true) => "signed out everywhere",
        ("user.signed_out_everywhere", false) => "signed out everywhere:",
        ("user.bulk" | "token.bulk" | "session.bulk" | "student.bulk", _) => "asked for:",
        ("user.locked", true) => "was locked out for a while",
        ("user.locked", false) => "locked out",
        ("user.unlocked", _) => "unlocked user",
        ("user.login_failed", true) => "failed to sign in",
        ("user.login_failed", false) => "failed to sign in as",
        ("session.started", true) => "signed in",
        ("session.started", false) => "signed in as",
        ("session.ended", true) => "signed out",
        ("session.ended", false) => "ended a session of",
        ("session.others_ended", _) => "signed out of all other browsers",
        ("session.confirmed", true) => "confirmed the password",
        ("session.confirmed", false) => "confirmed the password of",
        ("session.confirmation_ended", _) => "asked to be asked for the password again",
        ("jwt.issued", true) => "signed in to the API",
        ("jwt.issued", false) => "signed in to the API as",
        ("jwt.family_ended", true) => "ended the own JWTs",
        ("jwt.family_ended", false) => "ended JWTs of",
        ("jwt.replayed", true) => "sent a refresh token a second time",
        ("jwt.replayed", false) => "sent a refresh token a second time, of",
        ("import.started", _) => "began an import from",
        ("import.finished", _) => "finished an import from",
        ("database.moved", _) => "moved the database to the",
        ("database.imported", _) => "imported the database",
        ("token.created", _) => "created token",
        ("token.rotated", _) => "rotated token",
        ("token.revoked", _) => "revoked token",
        ("token.burned", _) => "burned token",
        ("token.renamed", _) => "renamed token",
        ("token.extended", _) => "changed the end of token",
        ("token.shown", _) => "looked at the key of token",
        ("signing_key.rotated", _) => "rotated to signing key",
        ("signing_key.created", _) => "made signing key",
        ("signing_key.superseded", _) => "replaced signing key",
        ("signing_key.shared", _) => "took over signing key",
        ("signing_key.revoked", _) => "revoked signing key",
        ("group.created", _) => "made group",
        ("group.changed", _) => "edited group",
        ("group.deleted", _) => "deleted group",
        ("student.created", _) => "added student",
        ("student.changed", _) => "edited student",
        ("student.deleted", _) => "deleted student",
        ("student.imported", _) => "imported students from",
        ("setting.changed", _) => "changed settings:",
        ("mail.retried", _) => "sent letters again",
        ("mail.dropped", _) => "threw letters away",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_utc_whatever_event_has_them() {
        let told = |detail: &str| {
            let changes = Changes::of(&AuditEvent {
                detail: detail.to_owned(),
                ..sample_event()
            });
            let fields = changes.fields.into_iter();
            let fields = fields.map(|f| format!("{}: {} > {}", f.name, f.from, f.to));
            let facts = changes.facts.into_iter();
            let facts = facts.map(|f| format!("{}: {}", f.name, f.value));
            fields.chain(facts).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(
            told(r#"{"expires": {"from": null, "to": 1796351675}}"#),
            "expires: never > 2026-12-04 02:34 UTC"
        );
        // As events of older versions have it.
        assert_eq!(
            told(r#"{"expires": 1796351675, "expired": null}"#),
            "expires: 2026-12-04 02:34 UTC, expired: never"
        );
        assert_eq!(
            told(r#"{"until": 1795747440, "signs_from": 1795746983, "n": 1795746983}"#),
            "until: 2026-11-27 02:44 UTC, signs from: 2026-11-27 02:36 UTC, n: 1795746983"
        );
    }
}
