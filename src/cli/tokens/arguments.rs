//! What is typed after `tokens`, read: times and scopes.

use crate::domain::{
    scopes::{Scope, Scopes},
    tokens::{LONGEST, MOST_GRACE},
};

/// `90d`, `12h`, `30m`, `45s`, `2w`, or seconds alone.
fn seconds(text: &str) -> Result<i64, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd', 'w']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let one = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => 1,
    };
    let number = number.parse::<u32>();
    let number = number.map_err(|_| "write it as 90d, 12h, 30m, 45s or 2w".to_owned())?;
    Ok(i64::from(number) * one)
}

/// A time that a token may live for, in seconds.
pub fn life(text: &str) -> Result<i64, String> {
    match seconds(text)? {
        0 => Err("a token must live for a second at least".to_owned()),
        n if n > LONGEST => Err("a hundred years are the most; leave it out for ever".to_owned()),
        n => Ok(n),
    }
}

/// A time that an old key may work on for, in seconds.
pub fn grace(text: &str) -> Result<i64, String> {
    let n = seconds(text)?;
    if n > MOST_GRACE {
        return Err("a week is the most".to_owned());
    }
    Ok(n)
}

/// Scopes by their names, separated by blanks.
pub fn scopes(text: &str) -> Result<Scopes, String> {
    Scopes::parse(text).ok_or_else(|| {
        format!(
            "there is no scope {:?}; there are full, {}",
            Scopes::unknown_in(text).unwrap_or_default(),
            Scope::ALL.map(Scope::as_str).join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_with_a_unit() {
        for (text, expected) in [
            ("90d", 90 * 86_400),
            ("12h", 43_200),
            ("30m", 1800),
            ("45s", 45),
            ("45", 45),
            ("2w", 14 * 86_400),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for bad in ["", "d", "-1d", "1.5h", "1 d", "soon", "99999999999d", "1é"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert!(life("0").is_err() && life("101w").is_ok() && life("40000d").is_err());
        assert!(grace("0").is_ok() && grace("8d").is_err());
    }

    #[test]
    fn a_scope_that_does_not_exist_is_named() {
        assert!(scopes("students:read tokens:manage").is_ok());
        for bad in ["students:eat", "full students:eat"] {
            let said = scopes(bad).unwrap_err();
            assert!(
                said.contains("\"students:eat\"") && said.contains("students:read"),
                "{said}"
            );
        }
    }
}
