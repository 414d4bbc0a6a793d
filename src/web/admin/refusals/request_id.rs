//! A request id in whatever it was copied with.

use crate::domain::{refusals::shown::QUOTES, tokens};

/// What may be a request id and is no key: keys are never looked up as text. By itself, as the header of an
/// answer, or as the error page prints it.
pub fn request_id(text: &str) -> Option<&str> {
    let around = |c: char| c.is_whitespace() || QUOTES.contains(&c) || matches!(c, ':' | ',' | '.');
    let names = [
        "x-request-id",
        "request id",
        "request-id",
        "request_id",
        "request",
    ];
    let line = text.lines().map(|line| line.trim_matches(around));
    let mut after_name = line.filter_map(|line| {
        let rest = names.iter().find_map(|name| {
            let start = line.get(..name.len())?;
            let rest = &line[name.len()..];
            (start.eq_ignore_ascii_case(name) && rest.starts_with(around)).then_some(rest)
        });
        rest.map(|rest| rest.trim_matches(around))
    });
    let text = after_name
        .next()
        .unwrap_or_else(|| text.trim_matches(around));
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let fits = (8..=64).contains(&text.len()) && plain;
    Some(text).filter(|text| fits && !tokens::is_well_formed(text))
}

pub fn is_drawn_here(id: &str) -> bool {
    id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_found_in_what_surrounds_it() {
        let id = "707fa3b2c4d5e6f7";
        for text in [
            "707fa3b2c4d5e6f7",
            "X-Request-Id: 707fa3b2c4d5e6f7",
            "HTTP/1.1 401 Unauthorized\r\nx-request-id: 707fa3b2c4d5e6f7\r\nserver: x",
            "\"707fa3b2c4d5e6f7\"",
            "“707fa3b2c4d5e6f7”",
            "Request 707fa3b2c4d5e6f7",
            "\"request_id\": \"707fa3b2c4d5e6f7\"",
        ] {
            assert_eq!(request_id(text), Some(id), "{text}");
        }
        assert_eq!(request_id("707FA3B2C4D5E6F7"), Some("707FA3B2C4D5E6F7"));
        for text in ["Token 707fa3b2c4d5e6f7", "Request", "a b", ""] {
            assert_eq!(request_id(text), None, "{text}");
        }
    }
}
