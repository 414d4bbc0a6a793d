//! The page of the settings: a card a group, a row a setting, with its default and with who fixes it.

use serde::Serialize;

use super::typed::{Typed, is_time};
use crate::{
    app::App,
    domain::settings::{
        By, Given, Group, Ignored, Kept, Kind, Setting, Settings, TABLE, TIMES, Unit, Value,
    },
    error::FieldErrors,
    web::{
        form::FormState,
        page::{Page, View},
    },
};

#[derive(Serialize)]
pub(super) struct SettingsForm {
    form: FormState,
    cards: Vec<Card>,
    units: Vec<&'static str>,
    seen: String,
    is_dirty: bool,
    note: Option<Note>,
    theirs: Vec<Theirs>,
    ignored: Vec<Left>,
}

#[derive(Serialize)]
struct Note {
    kind: &'static str,
    title: String,
    text: &'static str,
}

/// What somebody else saved of the same.
#[derive(Serialize)]
pub(super) struct Theirs {
    label: &'static str,
    saved: String,
    yours: String,
}

/// A stored row that does not count.
#[derive(Serialize)]
struct Left {
    name: String,
    value: String,
    why: String,
}

#[derive(Serialize)]
struct Card {
    id: &'static str,
    title: &'static str,
    text: &'static str,
    rows: Vec<Row>,
    /// Whether something of it is not at its default.
    can_reset: bool,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    unit_field: &'static str,
    kind: &'static str,
    /// After a number that is no time.
    unit: &'static str,
    label: &'static str,
    hint: &'static str,
    usual: String,
    can_reset: bool,
    fixed: Option<Fixed>,
}

#[derive(Serialize)]
struct Fixed {
    value: String,
    by: String,
    is_file: bool,
    /// What is stored and waits; empty: nothing.
    waiting: String,
}

impl View for SettingsForm {
    const TEMPLATE: &'static str = "admin/settings/form.html";
    const NAV: &'static str = "settings";

    fn title(&self) -> String {
        "Settings".to_owned()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

impl SettingsForm {
    pub(super) fn of(app: &App, kept: &Kept, typed: Typed) -> Self {
        Self::under(&app.config.given, kept, typed)
    }

    fn under(given: &Given, kept: &Kept, typed: Typed) -> Self {
        let cards = Group::ALL.into_iter().map(|group| card(group, given, kept));
        Self {
            cards: cards.collect(),
            units: TIMES.iter().rev().map(|(unit, _)| *unit).collect(),
            seen: typed.seen.write(),
            is_dirty: !typed.wishes().is_empty() || !typed.errors.is_empty(),
            form: typed.form,
            note: None,
            theirs: Vec::new(),
            ignored: kept.ignored.iter().map(Left::of).collect(),
        }
    }

    /// Values that are not saved yet, and why they are there.
    pub(super) fn unsaved(self, title: &str, text: &'static str) -> Self {
        let note = Note {
            kind: "info",
            title: title.to_owned(),
            text,
        };
        Self {
            note: Some(note),
            is_dirty: true,
            ..self
        }
    }

    /// Beside what somebody else saved.
    pub(super) fn beside(self, title: String, theirs: Vec<Theirs>) -> Self {
        let note = Note {
            kind: "warn",
            title,
            text: "Nothing of yours is saved yet. To save again is to overwrite it.",
        };
        Self {
            note: Some(note),
            is_dirty: true,
            theirs,
            ..self
        }
    }
}

impl Theirs {
    pub(super) fn of(setting: &Setting, now: &Settings, yours: &Value) -> Self {
        Self {
            label: setting.label,
            saved: setting.kind.in_words(&setting.of(now)),
            yours: setting.kind.in_words(yours),
        }
    }
}

impl Left {
    fn of(row: &Ignored) -> Self {
        Self {
            name: row.name.clone(),
            value: row.value.clone(),
            why: row.why.clone(),
        }
    }
}

fn card(group: Group, given: &Given, kept: &Kept) -> Card {
    let (title, text) = words(group);
    let rows: Vec<Row> = TABLE
        .iter()
        .filter(|setting| setting.group == group)
        .map(|setting| row(setting, given, kept))
        .collect();
    Card {
        id: group.as_str(),
        title,
        text,
        can_reset: rows.iter().any(|row| row.can_reset),
        rows,
    }
}

fn words(group: Group) -> (&'static str, &'static str) {
    match group {
        Group::Accounts => (
            "Accounts",
            "Who can make one, and how long links in mail work.",
        ),
        Group::SignIn => (
            "Sign-in limits",
            "What happens after wrong passwords. A pause ends by itself, and the page of a user lifts it.",
        ),
        Group::Sessions => ("Sessions", "How long a browser stays signed in."),
        Group::Tokens => (
            "API tokens",
            "Default tokens have no end, whatever stands here.",
        ),
        Group::Jwts => ("JWTs", "What /api/token/ gives out."),
        Group::Retention => (
            "Retention",
            "How long the server keeps what it noted. The audit log is a chain and loses nothing: no setting shortens it.",
        ),
    }
}

fn row(setting: &'static Setting, given: &Given, kept: &Kept) -> Row {
    let kind = setting.kind;
    let fixed = given.by(setting).map(|by| Fixed {
        value: kind.in_words(&setting.of(&kept.settings)),
        by: by.to_string(),
        is_file: matches!(by, By::File(_)),
        waiting: kept
            .of(setting)
            .map_or_else(String::new, |value| kind.in_words(value)),
    });
    Row {
        name: setting.name,
        unit_field: setting.unit_field,
        kind: match kind {
            Kind::Flag => "flag",
            Kind::Number { .. } if is_time(setting) => "time",
            Kind::Number { .. } => "number",
            Kind::Text { .. } => "text",
        },
        unit: match kind {
            Kind::Number { unit, .. } => match unit {
                Unit::Days => "days",
                Unit::Tries => "tries",
                Unit::Seconds => "",
            },
            Kind::Flag | Kind::Text { .. } => "",
        },
        label: setting.label,
        hint: setting.hint,
        usual: kind.in_words(&setting.default()),
        can_reset: fixed.is_none() && setting.of(&kept.settings) != setting.default(),
        fixed,
    }
}

pub(super) fn samples(settings: &Settings) -> Vec<Page> {
    let mut given = Given::default();
    let tries = TABLE.iter().find(|one| one.name == "login_tries");
    if let Some(tries) = tries {
        given.fix(
            tries,
            Value::Number(5),
            By::Environment("LATCHKEY_LOGIN_TRIES".to_owned()),
        );
    }
    let changed = Settings {
        contact: "Sam <b>sam</b>, room 12".to_owned(),
        ..settings.clone()
    };
    let kept = Kept {
        settings: changed.clone(),
        stored: tries
            .map(|one| (one, Value::Number(20)))
            .into_iter()
            .collect(),
        ignored: vec![Ignored {
            name: "colour_of_the_shed".to_owned(),
            value: "<b>sam</b>".to_owned(),
            why: "there is no such setting".to_owned(),
        }],
    };
    let view = |typed| SettingsForm::under(&given, &kept, typed);
    let mut errors = FieldErrors::default();
    errors.push("login_pause", "Between 1 minute and 1 day.");
    let contact = TABLE.iter().find(|one| one.name == "contact");
    let theirs =
        contact.map(|one| Theirs::of(one, &changed, &Value::Text("<b>sam</b>".to_owned())));
    vec![
        Page::of(&view(Typed::of(&changed))),
        Page::of(&view(Typed::of(&changed).refused(&errors))),
        Page::of(
            &view(Typed::of(settings)).unsaved("These are the defaults", "Nothing is saved yet."),
        ),
        Page::of(&view(Typed::of(settings)).beside(
            "daniel.brandt changed the same 2 min ago".to_owned(),
            theirs.into_iter().collect(),
        )),
    ]
}
