//! What a new password must be: Django's four validators and their texts, in their order, and an
//! upper bound. Hashing is `hashing`; nothing here trims or normalises.

use std::{collections::HashMap, sync::LazyLock};

use crate::secret::Password;

pub const MIN_LENGTH: usize = 8;
/// Characters of a new password. Longer ones are no safer, and somebody has to hash them.
pub const MAX_LENGTH: usize = 128;
/// Bytes of a password at sign-in; what is longer cannot be right.
pub const MAX_BYTES_AT_LOGIN: usize = 4096;

/// The twenty thousand most used passwords, sorted: the list that Django ships (BSD-3-Clause),
/// collected by Royce Williams.
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// What the password must not resemble, with the words for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Person<'a> {
    pub username: &'a str,
    pub first_name: &'a str,
    pub last_name: &'a str,
    pub email: &'a str,
}

/// All complaints at once; empty when the password is good.
pub fn complaints(password: &Password, person: Person<'_>) -> Vec<String> {
    let text = password.expose();
    let mut complaints = Vec::new();
    let attributes = [
        (person.username, "username"),
        (person.first_name, "first name"),
        (person.last_name, "last name"),
        (person.email, "email address"),
    ];
    if let Some((_, name)) = attributes
        .iter()
        .find(|(value, _)| too_similar(text, value))
    {
        complaints.push(format!("The password is too similar to the {name}."));
    }
    let length = text.chars().count();
    if length < MIN_LENGTH {
        complaints.push(format!(
            "This password is too short. It must contain at least {MIN_LENGTH} characters."
        ));
    }
    if length > MAX_LENGTH {
        complaints.push(format!(
            "Ensure this field has no more than {MAX_LENGTH} characters."
        ));
    }
    if COMMON.binary_search(&text.to_lowercase().trim()).is_ok() {
        complaints.push("This password is too common.".to_owned());
    }
    if !text.is_empty() && text.chars().all(char::is_numeric) {
        complaints.push("This password is entirely numeric.".to_owned());
    }
    complaints
}

/// Django's `UserAttributeSimilarityValidator`: the share of letters in common with the value or a
/// word of it reaches 0.7.
fn too_similar(password: &str, value: &str) -> bool {
    let password = password.to_lowercase();
    let value = value.to_lowercase();
    let words = value.split(|c: char| !c.is_alphanumeric() && c != '_');
    words
        .chain([value.as_str()])
        .filter(|part| !part.is_empty())
        .any(|part| {
            let (long, short) = (password.chars().count(), part.chars().count());
            // Too short beside the password to matter.
            let negligible = long >= 10 * short && short * 20 < long * 7;
            !negligible && in_common(&password, part) * 20 >= (long + short) * 7
        })
}

/// How many letters of `b` there are in `a`, whatever their order.
fn in_common(a: &str, b: &str) -> usize {
    let mut letters: HashMap<char, usize> = HashMap::new();
    for c in a.chars() {
        *letters.entry(c).or_default() += 1;
    }
    b.chars()
        .filter(|c| {
            letters.get_mut(c).is_some_and(|left| {
                left.checked_sub(1).is_some_and(|n| {
                    *left = n;
                    true
                })
            })
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(password: &str, username: &str) -> Vec<String> {
        complaints(
            &Password::new(password),
            Person {
                username,
                ..Person::default()
            },
        )
    }

    #[test]
    fn a_good_password_passes() {
        for good in [
            "S3cure-pass-1",
            "  S3cure-pass-1  ",
            "pässwörd-中文-🔑",
            "12345678.5",
        ] {
            assert_eq!(about(good, "ann"), Vec::<String>::new(), "{good}");
        }
    }

    #[test]
    fn the_four_validators_speak_as_django_does() {
        assert_eq!(
            about("8461379250", "ann"),
            ["This password is entirely numeric."]
        );
        assert_eq!(
            about("12345", "ann"),
            [
                "This password is too short. It must contain at least 8 characters.",
                "This password is too common.",
                "This password is entirely numeric.",
            ]
        );
        assert_eq!(about("Password1", "ann"), ["This password is too common."]);
        assert_eq!(
            about("nikhil.patil1", "nikhil.patil"),
            ["The password is too similar to the username."]
        );
    }

    #[test]
    fn the_list_is_sorted_as_it_is_searched() {
        assert!(COMMON.is_sorted());
        assert!(COMMON.len() > 19_000);
    }
}
