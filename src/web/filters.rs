//! Tera filters: times and numbers in words. Times are Unix seconds; "now" comes from the page,
//! so that a test can stop the clock.

use std::collections::HashMap;

use rocket_dyn_templates::tera::{self, Tera, Value};
use time::OffsetDateTime;

type Arguments = HashMap<String, Value>;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

pub fn register(tera: &mut Tera) {
    tera.register_filter("ago", |v: &Value, a: &Arguments| {
        Ok(ago(seconds(v)?, argument(a, "now")?).into())
    });
    tera.register_filter("until", |v: &Value, a: &Arguments| {
        Ok(until(seconds(v)?, argument(a, "now")?).into())
    });
    tera.register_filter(
        "day",
        |v: &Value, _: &Arguments| Ok(day(seconds(v)?).into()),
    );
    tera.register_filter(
        "utc",
        |v: &Value, _: &Arguments| Ok(utc(seconds(v)?).into()),
    );
    tera.register_filter(
        "iso",
        |v: &Value, _: &Arguments| Ok(iso(seconds(v)?).into()),
    );
    tera.register_filter("number", |v: &Value, _: &Arguments| {
        Ok(number(v.as_u64().unwrap_or_default()).into())
    });
    tera.register_filter("plural", |v: &Value, a: &Arguments| {
        let n = v.as_u64().unwrap_or_default();
        let word = a
            .get(if n == 1 { "one" } else { "many" })
            .and_then(Value::as_str);
        Ok(format!("{} {}", number(n), word.unwrap_or_default()).into())
    });
}

fn seconds(value: &Value) -> tera::Result<i64> {
    value
        .as_i64()
        .ok_or_else(|| tera::Error::msg("a time is a number of seconds"))
}

fn argument(arguments: &Arguments, name: &str) -> tera::Result<i64> {
    seconds(arguments.get(name).unwrap_or(&Value::Null))
}

/// `4 min ago`; after two months the day itself.
pub fn ago(at: i64, now: i64) -> String {
    match now - at {
        passed if passed < -MINUTE => day(at),
        passed if passed < MINUTE => "just now".to_owned(),
        passed if passed < HOUR => format!("{} min ago", passed / MINUTE),
        passed if passed < DAY => format!("{} h ago", passed / HOUR),
        passed if passed < 2 * DAY => "yesterday".to_owned(),
        passed if passed < 60 * DAY => format!("{} days ago", passed / DAY),
        _ => day(at),
    }
}

/// `in 90 days`.
pub fn until(at: i64, now: i64) -> String {
    // Half a minute up, so that "in 90 days" is not "in 89 days" a second later.
    match at - now + MINUTE / 2 {
        left if left <= MINUTE / 2 => "expired".to_owned(),
        left if left < HOUR => format!("in {} min", (left / MINUTE).max(1)),
        left if left < 2 * DAY => format!("in {} h", left / HOUR),
        left => format!("in {} days", left / DAY),
    }
}

fn moment(at: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2 Mar 2024`.
pub fn day(at: i64) -> String {
    let t = moment(at);
    format!("{} {:.3} {}", t.day(), t.month().to_string(), t.year())
}

/// `Monday 23 November 2026, 12:02 UTC`.
pub fn today(now: i64) -> String {
    let t = moment(now);
    format!(
        "{} {} {} {}, {:02}:{:02} UTC",
        t.weekday(),
        t.day(),
        t.month(),
        t.year(),
        t.hour(),
        t.minute()
    )
}

pub fn utc(at: i64) -> String {
    let t = moment(at);
    format!("{} {:02}:{:02} UTC", t.date(), t.hour(), t.minute())
}

pub fn iso(at: i64) -> String {
    let t = moment(at);
    format!(
        "{}T{:02}:{:02}:{:02}Z",
        t.date(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// Midnight UTC of a day as a date field sends it: `2026-11-25`.
pub fn midnight_of(day: &str) -> Option<i64> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    let date = time::Date::parse(day, &form).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp())
}

/// Two days, whichever was typed first.
pub fn in_order(from: Option<i64>, to: Option<i64>) -> (Option<i64>, Option<i64>) {
    match (from, to) {
        (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b))),
        other => other,
    }
}

/// `12,480`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_435_200; // 2026-11-23 12:00 UTC

    #[test]
    fn times_are_told_in_words() {
        for (before, words) in [
            (0, "just now"),
            (240, "4 min ago"),
            (2 * HOUR, "2 h ago"),
            (DAY + HOUR, "yesterday"),
            (12 * DAY, "12 days ago"),
            (400 * DAY, "19 Oct 2025"),
        ] {
            assert_eq!(ago(NOW - before, NOW), words);
        }
        assert_eq!(until(NOW + 90 * DAY, NOW + 2), "in 90 days");
        assert_eq!(until(NOW - 1, NOW), "expired");
        assert_eq!(utc(NOW), "2026-11-23 12:00 UTC");
        assert_eq!(iso(NOW), "2026-11-23T12:00:00Z");
        assert_eq!(today(NOW), "Monday 23 November 2026, 12:00 UTC");
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(number(7), "7");
        assert_eq!(number(999), "999");
        assert_eq!(number(12_480), "12,480");
        assert_eq!(number(1_000_000), "1,000,000");
    }
}
