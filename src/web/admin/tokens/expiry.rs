//! When a token is to end: the choices of a form, and what was chosen.

use serde::Serialize;
use time::{Date, format_description::well_known::Iso8601};

use crate::{
    app::App,
    domain::tokens,
    error::{Error, Result},
    web::{filters, guards::CsrfForm},
};

/// Days that are offered, as far as the server's settings allow.
const DAYS: [i64; 4] = [7, 30, 90, 365];
const DAY: i64 = 24 * 60 * 60;
/// The value of the server's limit where it is none of `DAYS`.
const LONGEST: &str = "longest";
/// The value of a day that is typed.
const ON: &str = "on";

/// An expiry to choose. `value` is a number of days; empty: never.
#[derive(Debug, Serialize)]
pub struct Expiry {
    pub value: String,
    pub label: String,
    #[serde(skip)]
    seconds: Option<i64>,
}

/// `limit`: seconds; `None`: for ever.
pub fn expiries(limit: Option<i64>) -> Vec<Expiry> {
    let allowed = DAYS
        .into_iter()
        .filter(|days| limit.is_none_or(|limit| days * DAY <= limit));
    let mut all: Vec<Expiry> = allowed
        .map(|days| Expiry {
            value: days.to_string(),
            label: match days {
                365 => "In a year".to_owned(),
                days => format!("In {days} days"),
            },
            seconds: Some(days * DAY),
        })
        .collect();
    all.push(Expiry {
        value: ON.to_owned(),
        label: "On a date…".to_owned(),
        seconds: None,
    });
    match limit {
        None => all.push(Expiry {
            value: String::new(),
            label: "Never".to_owned(),
            seconds: None,
        }),
        Some(limit) if !DAYS.contains(&(limit / DAY)) || limit % DAY != 0 => all.push(Expiry {
            value: LONGEST.to_owned(),
            label: format!("In {}, the longest", tokens::in_words(limit)),
            seconds: Some(limit),
        }),
        Some(_) => {}
    }
    all
}

/// Without a day that is typed.
pub fn lives(limit: Option<i64>) -> Vec<Expiry> {
    let mut lives = expiries(limit);
    lives.retain(|expiry| expiry.value != ON);
    lives
}

/// 90 days, or the longest where that is shorter.
pub fn usual(expiries: &[Expiry]) -> &str {
    let ninety = expiries.iter().find(|expiry| expiry.value == "90");
    let longest = expiries.iter().rev().find(|expiry| expiry.value != ON);
    let usual = ninety.or(longest);
    usual.map_or("", |expiry| expiry.value.as_str())
}

/// What the form of a new token begins with: a choice, and a day where that is what was chosen.
pub fn preselected(app: &App, expiries: &[Expiry]) -> (String, String) {
    let days = app.settings().token_default_days;
    let value = if days == 0 {
        String::new()
    } else {
        days.to_string()
    };
    if expiries.iter().any(|expiry| expiry.value == value) {
        return (value, String::new());
    }
    match tokens::longest_life(app) {
        Some(limit) if days == 0 || days * DAY > limit => {
            (usual(expiries).to_owned(), String::new())
        }
        _ => {
            let last = filters::iso(app.now() + days * DAY);
            (ON.to_owned(), last.chars().take(10).collect())
        }
    }
}

/// What a form chose, in Unix seconds; `None`: never.
pub fn chosen(app: &App, form: &CsrfForm) -> Result<Option<i64>> {
    if form.text("expires") == ON {
        let end = on(form.text("on"))?;
        if end - app.now() > tokens::LONGEST {
            return Err(Error::field("on", "A hundred years are the most."));
        }
        return Ok(Some(end));
    }
    let life = life(form.text("expires"), tokens::longest_life(app))?;
    Ok(life.map(|seconds| app.now() + seconds))
}

/// The last second of that day, UTC: midnight would be shown as the next one.
fn on(text: &str) -> Result<i64> {
    let date = Date::parse(text.trim(), &Iso8601::DATE)
        .map_err(|_| Error::field("on", "Type a date such as 2027-01-31."))?;
    Ok(date.midnight().assume_utc().unix_timestamp() + DAY - 1)
}

/// The life that was chosen, in seconds; `None`: for ever.
pub fn life(chosen: &str, limit: Option<i64>) -> Result<Option<i64>> {
    let offered = expiries(limit);
    let expiry = offered
        .iter()
        .find(|expiry| expiry.value == chosen && chosen != ON);
    expiry
        .map(|expiry| expiry.seconds)
        .ok_or_else(|| Error::field("expires", "Choose one of the list."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_one_of_the_list() {
        assert_eq!(life("", None).unwrap(), None);
        assert_eq!(life("7", None).unwrap(), Some(7 * DAY));
        for bad in ["8", "-7", "soon", "07", LONGEST] {
            assert!(life(bad, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_ends_with_its_last_second() {
        assert_eq!(
            filters::iso(on("2027-01-15").unwrap()),
            "2027-01-15T23:59:59Z"
        );
    }

    #[test]
    fn no_more_is_offered_than_is_allowed() {
        let offered = |limit| {
            let all = expiries(Some(limit));
            (
                all.iter().map(|e| e.value.clone()).collect::<Vec<_>>(),
                usual(&all).to_owned(),
            )
        };
        let words = |all: &[&str]| all.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            offered(90 * DAY),
            (words(&["7", "30", "90", ON]), "90".to_owned())
        );
        assert_eq!(
            offered(60 * DAY),
            (words(&["7", "30", ON, LONGEST]), LONGEST.to_owned())
        );
        assert_eq!(offered(3600), (words(&[ON, LONGEST]), LONGEST.to_owned()));
        assert_eq!(life(LONGEST, Some(3600)).unwrap(), Some(3600));
        assert!(life("", Some(60 * DAY)).is_err() && life("365", Some(60 * DAY)).is_err());
    }
}
