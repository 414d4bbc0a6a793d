//! What a token's text looks like. Default tokens are 40 hex digits, as Django REST framework writes
//! them. Named ones read `lk_`, 28 random letters and digits (166 bits), 6 that only this server could
//! have put there, 6 of a checksum: garbage is refused without a look-up, and whoever scans files for
//! leaked secrets finds these.

use crate::{
    error::Result,
    keys::{Keyring, same},
    secret::{self, TokenKey},
};

pub(super) const PREFIX: &str = "lk_";
/// Bytes of a named key.
pub(super) const LENGTH: usize = PREFIX.len() + RANDOM + TAG + CHECKSUM;
/// Hex digits of a default key.
pub(super) const DEFAULT_LENGTH: usize = 40;
const RANDOM: usize = 28;
const TAG: usize = 6;
const CHECKSUM: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 160 random bits.
pub fn new_default() -> Result<TokenKey> {
    Ok(TokenKey::new(hex::encode(secret::random::<20>()?)))
}

pub fn new_named(keys: &Keyring) -> Result<TokenKey> {
    let mut text = PREFIX.to_owned();
    while text.len() < PREFIX.len() + RANDOM {
        // Bytes that would favour the first letters are thrown away: 248 is 4 times 62.
        let drawn = secret::random::<48>()?;
        let letters = drawn
            .iter()
            .filter(|b| **b < 248)
            .map(|b| ALPHABET[usize::from(*b % 62)]);
        text.extend(
            letters
                .map(char::from)
                .take(PREFIX.len() + RANDOM - text.len()),
        );
    }
    text.push_str(&tag(keys, &text));
    text.push_str(&checksum(&text));
    Ok(TokenKey::new(text))
}

/// Whether some server could have made it: a named key whose checksum is right, or 40 hex digits.
/// Needs no secret.
pub fn is_well_formed(key: &str) -> bool {
    if key.starts_with(PREFIX) {
        return has_right_checksum(key);
    }
    key.len() == DEFAULT_LENGTH && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn has_right_checksum(key: &str) -> bool {
    let split = key.split_at_checked(LENGTH - CHECKSUM);
    split.is_some_and(|(signed, sum)| sum == checksum(signed))
        && key
            .bytes()
            .skip(PREFIX.len())
            .all(|b| b.is_ascii_alphanumeric())
}

/// False: this server never made it. True says nothing but that a look-up is worth while.
pub fn is_plausible(keys: &Keyring, key: &str) -> bool {
    if !key.starts_with(PREFIX) {
        return true;
    }
    if !has_right_checksum(key) {
        return false;
    }
    let (random, rest) = key.split_at(PREFIX.len() + RANDOM);
    let (mark, _) = rest.split_at(TAG);
    same(mark.as_bytes(), tag(keys, random).as_bytes())
}

fn tag(keys: &Keyring, random: &str) -> String {
    let digest = keys.token_tag(random);
    base62(u64::from_be_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ]))
}

fn checksum(text: &str) -> String {
    base62(u64::from(crc32fast::hash(text.as_bytes())))
}

/// The last six digits to the base of 62.
fn base62(mut n: u64) -> String {
    let mut digits = ['0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = usize::try_from(n % 62).map_or('0', |n| char::from(ALPHABET[n]));
        n /= 62;
    }
    digits.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_server_made_is_plausible_and_nothing_else_is() {
        let keys = Keyring::of("a secret of thirty-two bytes, or more");
        let made = new_named(&keys).unwrap();
        let text = made.expose();
        assert_eq!(text.len(), 43);
        assert!(
            text.strip_prefix("lk_")
                .unwrap()
                .bytes()
                .all(|b| b.is_ascii_alphanumeric())
        );
        assert!(is_plausible(&keys, text));
        for at in 3..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(
                !is_plausible(&keys, std::str::from_utf8(&bytes).unwrap()),
                "byte {at}"
            );
        }
        let other = Keyring::of("another secret of thirty-two bytes");
        assert!(!is_plausible(&other, text), "made by another server");
        for garbage in ["lk_", "lk_é", "lk_0123456789", &"lk_".repeat(20)] {
            assert!(!is_plausible(&keys, garbage), "{garbage}");
            assert!(!is_well_formed(garbage), "{garbage}");
        }
        assert!(is_well_formed(text) && is_well_formed(new_named(&other).unwrap().expose()));
    }

    #[test]
    fn other_forms_are_worth_a_look() {
        let keys = Keyring::of("a secret of thirty-two bytes, or more");
        assert!(is_plausible(&keys, new_default().unwrap().expose()));
        assert!(is_plausible(&keys, "x"));
        assert!(is_well_formed(new_default().unwrap().expose()));
        for other in ["x", &"A".repeat(40), &"g".repeat(40), &"a".repeat(41)] {
            assert!(!is_well_formed(other), "{other}");
        }
    }
}
