//! What was typed into the form, what it means, and what the person saw before. Two people who change different
//! settings do not get in each other's way: only what one changed is saved.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use crate::{
    domain::settings::{self, Given, Kind, Setting, Settings, TABLE, TIMES, Unit, Value, Wish},
    error::FieldErrors,
    web::{form::FormState, guards::CsrfForm},
};

/// The field that holds what the form showed at first.
pub(super) const SEEN: &str = "seen";

/// The longest number that is read, with room for blanks.
const DIGITS: usize = 30;

/// What the form showed at first, by the names of settings.
pub(super) struct Seen(HashMap<&'static str, Value>);

impl Seen {
    pub(super) fn of(settings: &Settings) -> Self {
        let all = TABLE.iter();
        Self(all.map(|one| (one.name, one.of(settings))).collect())
    }

    /// What cannot be read was not seen: it came from no page of ours.
    pub(super) fn read(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        let known = pairs.filter_map(|(name, value)| {
            let setting = settings::find(&name)?;
            Some((setting.name, setting.kind.read(&value).ok()?))
        });
        Self(known.collect())
    }

    pub(super) fn write(&self) -> String {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_unstable_by_key(|(name, _)| **name);
        let pairs = all
            .into_iter()
            .map(|(name, value)| (*name, value.to_string()));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }
}

pub(super) struct Typed {
    /// The texts of the fields.
    pub(super) form: FormState,
    pub(super) seen: Seen,
    pub(super) errors: FieldErrors,
    values: BTreeMap<&'static str, Value>,
}

impl Typed {
    /// A form that nobody has touched.
    pub(super) fn of(settings: &Settings) -> Self {
        let mut typed = Self {
            form: FormState::default(),
            seen: Seen::of(settings),
            errors: FieldErrors::default(),
            values: BTreeMap::new(),
        };
        for setting in TABLE {
            typed.put(setting, setting.of(settings));
        }
        typed
    }

    /// A setting that is fixed is read where somebody sends one all the same: it is refused by name.
    pub(super) fn read(form: &CsrfForm, given: &Given, seen: Seen) -> Self {
        let mut typed = Self {
            form: FormState::default(),
            seen,
            errors: FieldErrors::default(),
            values: BTreeMap::new(),
        };
        for setting in TABLE {
            let was_there = typed.seen.0.contains_key(setting.name) && given.by(setting).is_none();
            typed.read_one(form, setting, was_there);
        }
        typed
    }

    /// `was_there`: a box that is not ticked sends nothing.
    fn read_one(&mut self, form: &CsrfForm, setting: &'static Setting, was_there: bool) {
        let text = form.opt(setting.name);
        if let Kind::Flag = setting.kind {
            if was_there || text.is_some() {
                self.put(setting, Value::Flag(form.flag(setting.name)));
            }
            return;
        }
        let Some(text) = text else { return };
        let unit = is_time(setting).then(|| form.opt(setting.unit_field).unwrap_or("second"));
        match value(setting, text, unit) {
            Ok(value) => self.put(setting, value),
            Err(why) => self.errors.push(setting.name, why),
        }
        // As it was typed, whatever it is.
        let mut typed = std::mem::take(&mut self.form).with(setting.name, text);
        if let Some(unit) = unit {
            typed = typed.with(setting.unit_field, unit);
        }
        self.form = typed;
    }

    fn put(&mut self, setting: &'static Setting, value: Value) {
        let form = std::mem::take(&mut self.form);
        self.form = match (&value, is_time(setting)) {
            (Value::Flag(on), _) => form.flag(setting.name, *on),
            (Value::Number(n), true) => {
                let (n, unit) = match settings::largest(*n) {
                    // Where 0 stands for no end, nobody thinks in seconds.
                    (0, _) if has_zero(setting) => (0, "day"),
                    other => other,
                };
                form.with(setting.name, n.to_string())
                    .with(setting.unit_field, unit)
            }
            (value, _) => form.with(setting.name, value.to_string()),
        };
        self.values.insert(setting.name, value);
    }

    /// The setting or the group of this name goes to its defaults in the form. False: there is none.
    pub(super) fn reset(&mut self, what: &str) -> bool {
        let named: Vec<&Setting> = TABLE
            .iter()
            .filter(|setting| setting.name == what || setting.group.as_str() == what)
            .collect();
        for setting in &named {
            self.put(setting, setting.default());
        }
        !named.is_empty()
    }

    /// What differs from what was seen.
    pub(super) fn wishes(&self) -> Vec<Wish> {
        let all = TABLE.iter().filter_map(|setting| {
            let value = self.values.get(setting.name)?.clone();
            let seen = self.seen.0.get(setting.name).cloned();
            (seen.as_ref() != Some(&value)).then_some(Wish {
                setting,
                value,
                seen,
            })
        });
        all.collect()
    }

    /// The same wishes over what is saved now.
    pub(super) fn over(&self, settings: &Settings) -> Self {
        let mut over = Self::of(settings);
        for wish in self.wishes() {
            over.put(wish.setting, wish.value);
        }
        over
    }

    /// With what else was wrong.
    pub(super) fn refused(mut self, more: &FieldErrors) -> Self {
        for (name, messages) in more.iter() {
            for message in messages {
                self.errors.push(name, message.as_str());
            }
        }
        self.form = self.form.refused(&self.errors, &LABELS);
        self
    }
}

static LABELS: LazyLock<Vec<(&'static str, &'static str)>> =
    LazyLock::new(|| TABLE.iter().map(|one| (one.name, one.label)).collect());

/// Whether its form says in which unit the number is.
pub(super) fn is_time(setting: &Setting) -> bool {
    matches!(
        setting.kind,
        Kind::Number {
            unit: Unit::Seconds,
            ..
        }
    )
}

fn has_zero(setting: &Setting) -> bool {
    matches!(setting.kind, Kind::Number { zero, .. } if !zero.is_empty())
}

/// What a text means, or what to type instead.
fn value(setting: &Setting, text: &str, unit: Option<&str>) -> Result<Value, String> {
    let kind = setting.kind;
    let Kind::Number { .. } = kind else {
        return kind.read(text.trim()).map_err(|why| format!("It {why}."));
    };
    let length = match unit {
        Some(unit) => TIMES
            .into_iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, length)| length)
            .ok_or("Choose a unit of the list.")?,
        None => 1,
    };
    let text = text.trim();
    let is_number = !text.is_empty()
        && text.len() <= DIGITS
        && text
            .trim_start_matches('-')
            .bytes()
            .all(|b| b.is_ascii_digit());
    if !is_number {
        return Err("Type a whole number.".to_owned());
    }
    let (least, most) = kind.bounds_in_words().unwrap_or_default();
    let beyond = || {
        if has_zero(setting) {
            format!("0, or between {least} and {most}.")
        } else {
            format!("Between {least} and {most}.")
        }
    };
    let number: i64 = text.parse().map_err(|_| beyond())?;
    let value = Value::Number(number.checked_mul(length).ok_or_else(beyond)?);
    match kind.complaint(&value) {
        Some(_) => Err(beyond()),
        None => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str, unit: Option<&str>) -> Result<Value, String> {
        value(settings::find(name).unwrap(), text, unit)
    }

    #[test]
    fn a_number_is_read_in_its_unit() {
        for (text, unit, seconds) in [
            ("5", Some("minute"), 300),
            (" 2 ", Some("hour"), 7200),
            ("300", None, 300),
        ] {
            let value = read("invitation_lifetime", text, unit);
            assert_eq!(value, Ok(Value::Number(seconds)));
        }
        assert_eq!(read("login_tries", "5", None), Ok(Value::Number(5)));
    }

    #[test]
    fn what_is_no_number_or_too_great_is_told_so() {
        let beyond = "Between 5 minutes and 30 days.";
        for (text, unit, why) in [
            ("", "day", "Type a whole number."),
            ("1.5", "day", "Type a whole number."),
            ("5", "fortnight", "Choose a unit of the list."),
            ("31", "day", beyond),
            ("-1", "day", beyond),
            ("299", "second", beyond),
            ("99999999999999999999", "day", beyond),
            ("9223372036854775807", "day", beyond),
        ] {
            let refused = read("invitation_lifetime", text, Some(unit));
            assert_eq!(refused, Err(why.to_owned()), "{text} {unit}");
        }
    }

    #[test]
    fn no_life_is_so_short_that_it_locks_everybody_out() {
        let beyond = "0, or between 1 hour and 36500 days.";
        let refused = read("token_longest_life", "1", Some("second"));
        assert_eq!(refused, Err(beyond.to_owned()));
        for (text, unit, seconds) in [("0", "second", 0), ("0", "day", 0), ("1", "hour", 3600)] {
            let value = read("token_longest_life", text, Some(unit));
            assert_eq!(value, Ok(Value::Number(seconds)));
        }
        for name in ["session_lifetime", "session_idle_lifetime"] {
            assert!(read(name, "299", Some("second")).is_err(), "{name}");
            assert!(read(name, "5", Some("minute")).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_was_seen_comes_back_and_nonsense_was_not_seen() {
        let settings = Settings {
            contact: "Room & <12>=".to_owned(),
            ..Settings::default()
        };
        let seen = Seen::of(&settings);
        assert_eq!(Seen::read(&seen.write()).0, seen.0);
        assert!(Seen::read("login_tries=many&x=1&%FF").0.is_empty());
    }
}
