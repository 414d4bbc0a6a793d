//! Password strings that Django itself made, and strings that nobody should have made.

use serde_json::Value;

use super::{Refused, Stored};
use crate::secret::Password;

/// Made by `tests/django/hashes.py`.
const MADE_BY_DJANGO: &str = include_str!("../../../tests/vectors/django/hashes.json");

fn refused(text: &str) -> Refused {
    Stored::parse(text).expect_err(text)
}

#[test]
fn what_django_made_is_recognised_and_only_its_password_matches() {
    let file: Value = serde_json::from_str(MADE_BY_DJANGO).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let encoded = text("encoded");
        let stored = Stored::parse(encoded).unwrap();
        assert_eq!(stored.name(), text("algorithm"), "{encoded}");
        assert!(
            stored.matches(&Password::new(text("password"))),
            "{encoded}"
        );
        // A costly comparison once a format is enough.
        if seen.insert(stored.name()) {
            let other = text("password").to_uppercase();
            assert!(!stored.matches(&Password::new(other)), "{encoded}");
        }
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
}

#[test]
fn a_changed_hash_matches_nothing() {
    let file: Value = serde_json::from_str(MADE_BY_DJANGO).unwrap();
    let cheap = file["vectors"].as_array().unwrap().iter().filter(|vector| {
        let encoded = vector["encoded"].as_str().unwrap();
        ["pbkdf2_sha256$1$", "argon2$argon2i$", "bcrypt$$2b$04$"]
            .iter()
            .any(|start| encoded.starts_with(start))
    });
    let mut looked_at = 0;
    for vector in cheap {
        let encoded = vector["encoded"].as_str().unwrap();
        let at = encoded.len() - 8;
        let other = if encoded.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        let changed = format!("{}{other}{}", &encoded[..at], &encoded[at + 1..]);
        let password = Password::new(vector["password"].as_str().unwrap());
        let matches = Stored::parse(&changed).is_ok_and(|stored| stored.matches(&password));
        assert!(!matches, "{changed}");
        looked_at += 1;
    }
    assert!(looked_at > 6);
}

#[test]
fn bcrypt_reads_72_bytes_as_it_always_did() {
    let stored = "bcrypt$$2b$04$bII1jS6yavbZa0pRE3vWFObWoCHHDIRPkKIdPVyplrDHMWSJy2ewG";
    let long = Password::new("y".repeat(5000));
    assert!(!Stored::parse(stored).unwrap().matches(&long));
}

#[test]
fn an_account_without_a_password_has_none_that_matches() {
    for text in ["", "!", "!VZ3bHXW0CzQqbqNfy6nn5mMHwYU1JUq1ZZPRfzAu"] {
        assert_eq!(refused(text), Refused::Unusable);
    }
}

#[test]
fn costs_that_would_stop_the_server_are_refused_unpaid() {
    let hash32 = "5yan7jk3h1lUGiiaGhmoDPBOyznm23U+cmEJbquRTxE=";
    let salted = "c2FsdHNhbHRzYWx0$U8rh56S7eXhKpDXh+KYmKNs28F4GCLg8Zjn7jxOgTRQ";
    let hash64 =
        "JvaHddemVNgSvjKA7ETX8f45QSFlTG20bBZSe5A0oH8ETiJHWcM/HxuFODmcooTlHONZGNcBZKq8tyBE50mXgw==";
    for text in [
        format!("pbkdf2_sha256$1000000000000$salt${hash32}"),
        format!("pbkdf2_sha256$4294967295$salt${hash32}"),
        format!("argon2$argon2id$v=19$m=4194304,t=1,p=1${salted}"),
        format!("argon2$argon2id$v=19$m=262144,t=4294967295,p=1${salted}"),
        format!("scrypt$1073741824$salt$8$1${hash64}"),
        format!("scrypt$2$salt$4294967295$1${hash64}"),
        format!("scrypt$16384$salt$8$4294967295${hash64}"),
        "bcrypt$$2b$31$N2kB/B/NG757SXma0YES0eV/iPM9XH1HDmypRBEzBJhHZ8/eiWD9G".to_owned(),
    ] {
        assert_eq!(refused(&text), Refused::TooCostly, "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_unknown_and_breaks_nothing() {
    let hash32 = "5yan7jk3h1lUGiiaGhmoDPBOyznm23U+cmEJbquRTxE=";
    for text in [
        "a password in plain text".to_owned(),
        "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99".to_owned(),
        "sha1$salt$5f4dcc3b5aa765d61d8327deb882cf99".to_owned(),
        "5f4dcc3b5aa765d61d8327deb882cf99".to_owned(),
        "$argon2id$".to_owned(),
        "pbkdf2_sha256$".to_owned(),
        "pbkdf2_sha256$1$salt".to_owned(),
        format!("pbkdf2_sha256$0$salt${hash32}"),
        format!("pbkdf2_sha256$-1$salt${hash32}"),
        format!("pbkdf2_sha256$1$$${hash32}"),
        format!("pbkdf2_sha1$1$salt${hash32}"),
        "pbkdf2_sha256$1$salt$not base64".to_owned(),
        "argon2$argon2id$v=19$m=8,t=1,p=1$".to_owned(),
        "argon2$argon2xx$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$U8rh56S7eXhKpDXh".to_owned(),
        "argon2$argon2id$v=99$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$U8rh56S7eXhKpDXh+KYm".to_owned(),
        "bcrypt$".to_owned(),
        "bcrypt$$2x$04$bII1jS6yavbZa0pRE3vWFObWoCHHDIRPkKIdPVyplrDHMWSJy2ewG".to_owned(),
        "bcrypt$$2b$éé$bII1jS6yavbZa0pRE3vWFObWoCHHDIRPkKIdPVyplrDHMWSJy2ewG".to_owned(),
        format!("scrypt$16384$salt$8${hash32}"),
        format!("scrypt$0$salt$8$1${hash32}"),
        format!("scrypt$16383$salt$8$1${hash32}"),
        "é".repeat(1000),
    ] {
        assert_eq!(refused(&text), Refused::Unknown, "{text}");
    }
}
