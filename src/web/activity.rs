//! A line of the audit log in words, for the panel: who did what to what, and why.

use serde::Serialize;

use crate::{domain::audit::AuditEvent, web::words::Person};

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
            because: because(event),
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

fn because(event: &AuditEvent) -> Option<String> {
    let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
    let days = detail["days"].as_i64()?;
    (detail["because"] == "unused").then(|| match days {
        1 => "not used for a day".to_owned(),
        days => format!("not used for {days} days"),
    })
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
        ("user.bulk" | "token.bulk" | "session.bulk" | "student.bulk", _) => "asked for:",
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
        ("token.created", _) => "created token",
        ("token.rotated", _) => "rotated token",
        ("token.revoked", _) => "revoked token",
        ("token.burned", _) => "burned token",
        ("token.renamed", _) => "renamed token",
        ("signing_key.rotated", _) => "rotated to signing key",
        ("signing_key.created", _) => "made signing key",
        ("signing_key.superseded", _) => "replaced signing key",
        ("signing_key.revoked", _) => "revoked signing key",
        ("student.created", _) => "added student",
        ("student.changed", _) => "edited student",
        ("student.deleted", _) => "deleted student",
        (other, _) => return other.replace(['.', '_'], " "),
    };
    text.to_owned()
}
