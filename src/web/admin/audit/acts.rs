//! The choices of the filters: every action that is written, and every kind of object, in words.

/// Sorted as people look for them: sign-in first.
pub(super) const ACTS: &[(&str, &str)] = &[
    ("", "Any act"),
    ("session.started", "Signed in"),
    ("user.login_failed", "Failed to sign in"),
    ("user.locked", "Locked"),
    ("user.unlocked", "Unlocked"),
    ("session.ended", "Session ended"),
    ("session.others_ended", "Other sessions ended"),
    ("session.bulk", "Bulk: sessions"),
    ("session.confirmed", "Password confirmed"),
    ("session.confirmation_ended", "Confirmation ended"),
    ("user.signed_out_everywhere", "Signed out everywhere"),
    ("jwt.issued", "JWTs issued"),
    ("jwt.family_ended", "JWTs ended"),
    ("jwt.replayed", "Refresh token replayed"),
    ("user.set_up", "Server set up"),
    ("user.registered", "Registered"),
    ("user.created", "User added"),
    ("user.changed", "User edited"),
    ("user.password_changed", "Password set"),
    ("user.link_made", "One-time link made"),
    ("user.email_verified", "E-mail confirmed"),
    ("user.enabled", "User enabled"),
    ("user.disabled", "User disabled"),
    ("user.deleted", "User deleted"),
    ("user.bulk", "Bulk or export: users"),
    ("group.created", "Group made"),
    ("group.changed", "Group edited"),
    ("group.deleted", "Group deleted"),
    ("token.created", "Token created"),
    ("token.renamed", "Token renamed"),
    ("token.rotated", "Token rotated"),
    ("token.revoked", "Token revoked"),
    ("token.burned", "Token burned"),
    ("token.extended", "Token’s end changed"),
    ("token.shown", "Token shown again"),
    ("token.bulk", "Bulk or export: tokens"),
    ("student.created", "Student added"),
    ("student.changed", "Student edited"),
    ("student.deleted", "Student deleted"),
    ("student.imported", "Students imported"),
    ("student.bulk", "Bulk or export: students"),
    ("signing_key.created", "Signing key made"),
    ("signing_key.rotated", "Signing keys rotated"),
    ("signing_key.superseded", "Signing key replaced"),
    ("signing_key.revoked", "Signing key revoked"),
    ("signing_key.shared", "Signing key taken over"),
    ("setting.changed", "Settings changed"),
    ("mail.retried", "Letters sent again"),
    ("mail.dropped", "Letters thrown away"),
    ("import.started", "Import begun"),
    ("import.finished", "Import finished"),
    ("database.moved", "Database moved"),
    ("database.imported", "Database imported"),
];

pub(super) const KINDS: &[(&str, &str)] = &[
    ("", "Any object"),
    ("user", "Users"),
    ("group", "Groups"),
    ("session", "Sessions"),
    ("jwt", "JWTs"),
    ("token", "Tokens"),
    ("student", "Students"),
    ("signing_key", "Signing keys"),
    ("setting", "Settings"),
    ("mail", "Letters"),
    ("import", "Imports"),
    ("database", "Databases"),
];

pub(super) const RESULTS: &[(&str, &str)] =
    &[("", "Any result"), ("ok", "Done"), ("failed", "Failed")];

pub(super) const TIMES: &[(&str, &str)] = &[
    ("", "Any time"),
    ("hour", "Last hour"),
    ("day", "Last 24 hours"),
    ("week", "Last 7 days"),
    ("month", "Last 30 days"),
    ("quarter", "Last 90 days"),
];

/// Of one of `TIMES`, in seconds.
pub(super) fn seconds(time: &str) -> Option<i64> {
    const DAY: i64 = 24 * 60 * 60;
    Some(match time {
        "hour" => 60 * 60,
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => 30 * DAY,
        "quarter" => 90 * DAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;
    use crate::web::activity;

    /// Texts of the sources that are an action: where an event is made, and any that begins with a kind of object, as
    /// the action of some events is chosen elsewhere.
    fn written() -> BTreeSet<String> {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut found = BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let lists_them = ["acts.rs", "activity.rs"].map(|name| path.ends_with(name));
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs")
                    && !lists_them.contains(&true)
                {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let parts: Vec<&str> = text.split('"').collect();
                    let actions = parts.windows(2).filter(|two| is_action(two[0], two[1]));
                    found.extend(actions.map(|two| two[1].to_owned()));
                }
            }
        }
        found
    }

    fn is_action(before: &str, text: &str) -> bool {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        let Some((kind, act)) = text.split_once('.') else {
            return false;
        };
        let is_known = KINDS.iter().any(|(name, _)| *name == kind);
        let is_made = before.trim_end().ends_with("Event::new(");
        (is_known || is_made) && is_word(kind) && is_word(act)
    }

    #[test]
    fn every_action_that_is_written_has_words() {
        let written = written();
        for action in &written {
            assert!(
                ACTS.iter().any(|(name, _)| name == action),
                "{action} is no choice of ACTS"
            );
            assert!(
                activity::is_known(action),
                "{action} has no verb in web/activity.rs"
            );
            let kind = action.split('.').next().unwrap();
            assert!(
                KINDS.iter().any(|(name, _)| *name == kind),
                "{kind} is no choice of KINDS"
            );
        }
        for (action, _) in ACTS.iter().skip(1) {
            assert!(written.contains(*action), "nothing writes {action}");
            assert!(activity::is_known(action), "{action}");
        }
    }
}
