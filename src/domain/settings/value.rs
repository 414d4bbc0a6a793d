//! What a setting can be: its kind with its bounds, a value, and both as text. As text a value looks alike
//! everywhere: in the environment, in `Rocket.toml`, in the database and at the command line.

use std::fmt;

/// A switch, a whole number, or a line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Flag(bool),
    Number(i64),
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(on) => write!(f, "{on}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What can be kept in a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Flag,
    Number {
        least: i64,
        most: i64,
        unit: Unit,
        /// What 0 means where it is no number of anything, and allowed whatever is the least; empty: it is one.
        zero: &'static str,
    },
    /// One line of so many characters at most.
    Text {
        most: usize,
    },
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Days,
    Tries,
}

impl Kind {
    /// The value that a text spells, or what is wrong with it.
    pub fn read(self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::Flag => match text.trim() {
                "true" => Value::Flag(true),
                "false" => Value::Flag(false),
                _ => return Err(format!("{text:?} is neither true nor false")),
            },
            Self::Number { .. } => {
                let number = text.trim().parse();
                Value::Number(number.map_err(|_| format!("{text:?} is not a whole number"))?)
            }
            Self::Text { .. } => Value::Text(text.to_owned()),
        };
        match self.complaint(&value) {
            Some(problem) => Err(problem),
            None => Ok(value),
        }
    }

    /// What is wrong with a value.
    pub fn complaint(self, value: &Value) -> Option<String> {
        match (self, value) {
            (Self::Flag, Value::Flag(_)) => None,
            (Self::Number { zero, .. }, Value::Number(0)) if !zero.is_empty() => None,
            (
                Self::Number {
                    least, most, zero, ..
                },
                Value::Number(n),
            ) => {
                let bounds = if zero.is_empty() {
                    format!("{n} is not between {least} and {most}")
                } else {
                    format!("{n} is neither 0 nor between {least} and {most}")
                };
                (!(least..=most).contains(n)).then_some(bounds)
            }
            (Self::Text { most }, Value::Text(text)) => {
                if text.chars().any(char::is_control) {
                    Some("must be one line".to_owned())
                } else {
                    let too_long = text.chars().count() > most;
                    too_long.then(|| format!("must have at most {most} characters"))
                }
            }
            _ => Some("is of another kind".to_owned()),
        }
    }

    /// A value as people say it.
    pub fn in_words(self, value: &Value) -> String {
        match (self, value) {
            (_, Value::Flag(true)) => "Yes".to_owned(),
            (_, Value::Flag(false)) => "No".to_owned(),
            (Self::Number { zero, .. }, Value::Number(0)) if !zero.is_empty() => zero.to_owned(),
            (Self::Number { unit, .. }, Value::Number(n)) => unit.in_words(*n),
            (_, Value::Text(text)) if text.is_empty() => "Nothing".to_owned(),
            (_, other) => other.to_string(),
        }
    }

    /// Both ends of what is allowed as people say them; None where there are none.
    pub fn bounds_in_words(self) -> Option<(String, String)> {
        match self {
            Self::Number {
                least, most, unit, ..
            } => Some((unit.in_words(least), unit.in_words(most))),
            Self::Flag | Self::Text { .. } => None,
        }
    }
}

impl Unit {
    fn in_words(self, n: i64) -> String {
        let (n, unit) = match self {
            Self::Seconds => largest(n),
            Self::Days => (n, "day"),
            Self::Tries if n == 1 => (n, "try"),
            Self::Tries => return format!("{n} tries"),
        };
        format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
    }
}

/// Units of time and their seconds, the longest first.
pub const TIMES: [(&str, i64); 4] = [
    ("day", 86_400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
];

/// So many seconds in the longest unit of which they are a whole number.
pub fn largest(seconds: i64) -> (i64, &'static str) {
    let whole = TIMES
        .into_iter()
        .find(|(_, length)| seconds != 0 && seconds % length == 0);
    whole.map_or((seconds, "second"), |(unit, length)| {
        (seconds / length, unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Kind = Kind::Number {
        least: 60,
        most: 86_400 * 10,
        unit: Unit::Seconds,
        zero: "For ever",
    };

    const PAUSE: Kind = Kind::Number {
        least: 60,
        most: 86_400 * 10,
        unit: Unit::Seconds,
        zero: "",
    };

    #[test]
    fn a_value_is_read_as_it_is_written() {
        for (kind, text) in [
            (LIFE, "0"),
            (Kind::Flag, "true"),
            (Kind::Flag, "false"),
            (LIFE, "3600"),
            (Kind::Text { most: 9 }, "Room <12>"),
            (Kind::Text { most: 9 }, ""),
        ] {
            assert_eq!(kind.read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_value_is_told_why() {
        for (kind, text, why) in [
            (Kind::Flag, "yes", "\"yes\" is neither true nor false"),
            (LIFE, "1h", "\"1h\" is not a whole number"),
            (
                LIFE,
                "99999999999999999999",
                "\"99999999999999999999\" is not a whole number",
            ),
            (LIFE, "-1", "-1 is neither 0 nor between 60 and 864000"),
            (LIFE, "59", "59 is neither 0 nor between 60 and 864000"),
            (PAUSE, "59", "59 is not between 60 and 864000"),
            (PAUSE, "864001", "864001 is not between 60 and 864000"),
            (
                Kind::Text { most: 3 },
                "room",
                "must have at most 3 characters",
            ),
            (Kind::Text { most: 9 }, "a\nb", "must be one line"),
        ] {
            assert_eq!(kind.read(text).unwrap_err(), why);
        }
    }

    #[test]
    fn numbers_are_told_in_the_longest_whole_unit() {
        for (n, words) in [
            (0, "For ever"),
            (1, "1 second"),
            (90, "90 seconds"),
            (900, "15 minutes"),
            (3600, "1 hour"),
            (86_400 * 3, "3 days"),
        ] {
            assert_eq!(LIFE.in_words(&Value::Number(n)), words);
        }
        assert_eq!(Unit::Tries.in_words(1), "1 try");
        assert_eq!(Unit::Days.in_words(1), "1 day");
    }
}
