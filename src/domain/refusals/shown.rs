//! What a header shows, with all its odd spellings told apart. The check path reads headers in
//! `web/guards/credentials`; this one says what went wrong there, and never keeps a word that the
//! request chose: it could be a secret.

use crate::secret::{Jwt, TokenKey};

/// Headers that people try instead; none of them is read.
pub const INSTEAD: [&str; 10] = [
    "X-Authorization",
    "X-Api-Key",
    "Api-Key",
    "Apikey",
    "X-Auth-Token",
    "X-Access-Token",
    "Access-Token",
    "Auth",
    "Token",
    "Bearer",
];
/// Other people's schemes that may be named.
const OTHERS: [&str; 7] = [
    "Basic",
    "Digest",
    "Negotiate",
    "JWT",
    "ApiKey",
    "Key",
    "OAuth",
];

/// No credential begins or ends with one of these.
pub const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// No header that is read; `Some`: one that is not.
    Nothing(Option<&'static str>),
    Empty,
    Token(TokenKey),
    Bearer(Jwt),
    /// A refresh token in a body.
    Refresh(Jwt),
    /// A JWT of any kind in a body.
    AnyJwt(Jwt),
    /// A credential without a scheme.
    Bare(TokenKey),
    /// A scheme with something that is no credential: its name, and what is wrong.
    Malformed(&'static str, Malformed),
    /// Quotation marks around the credential, which many a `.env` file keeps: its scheme, and what is between.
    Quoted(&'static str, TokenKey),
    /// Nearly `Token` or `Bearer`, and what follows.
    Misspelt(&'static str, TokenKey),
    /// Empty: one that is not named here.
    OtherScheme(&'static str),
    /// A browser session: whose.
    Session(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    NoValue,
    Spaces,
    Characters,
}

/// The value of an `Authorization` header.
pub fn read(value: &str) -> Shown {
    let mut words = value.split_ascii_whitespace();
    let Some(first) = words.next() else {
        return Shown::Empty;
    };
    let (second, third) = (words.next(), words.next());
    let meant = |name: &str| first.eq_ignore_ascii_case(name);
    for (name, is_token) in [("Token", true), ("Bearer", false)] {
        if !meant(name) {
            continue;
        }
        return match (second, third) {
            (None, _) => Shown::Malformed(name, Malformed::NoValue),
            (Some(_), Some(_)) => Shown::Malformed(name, Malformed::Spaces),
            (Some(key), None) if key.starts_with(QUOTES) || key.ends_with(QUOTES) => {
                Shown::Quoted(name, TokenKey::new(key.trim_matches(QUOTES)))
            }
            (Some(key), None) if is_token && key.contains('\u{fffd}') => {
                Shown::Malformed(name, Malformed::Characters)
            }
            (Some(key), None) if is_token => Shown::Token(TokenKey::new(key)),
            (Some(jwt), None) => Shown::Bearer(Jwt::new(jwt)),
        };
    }
    if looks_like_a_credential(first) {
        return Shown::Bare(TokenKey::new(first));
    }
    if let Some(name) = nearly(first) {
        return Shown::Misspelt(name, TokenKey::new(second.unwrap_or_default()));
    }
    // `Token:abc`, `Bearer=abc`.
    if let Some((scheme, rest)) = first.split_once([':', '='])
        && let Some(name) = nearly(scheme)
    {
        return Shown::Misspelt(name, TokenKey::new(rest));
    }
    Shown::OtherScheme(
        OTHERS
            .into_iter()
            .find(|name| meant(name))
            .unwrap_or_default(),
    )
}

/// A key of ours, a JWT, or something long enough to be one that was cut.
pub fn looks_like_a_credential(word: &str) -> bool {
    word.starts_with("lk_") || is_jwt_like(word) || word.len() >= 32
}

/// Three parts, as a JWT has.
pub fn is_jwt_like(word: &str) -> bool {
    word.len() > 16 && word.split('.').count() == 3
}

/// What a scheme was meant to be: one or two slips away.
fn nearly(word: &str) -> Option<&'static str> {
    let word = word.trim_matches([':', '=', ',', '"', '\'']).to_lowercase();
    [("Token", "token"), ("Bearer", "bearer")]
        .into_iter()
        .find(|(_, lower)| strsim::osa_distance(&word, lower) <= 2)
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_spellings_are_told_apart() {
        let key = "0123456789abcdef0123456789abcdef01234567";
        let token = TokenKey::new(key);
        for (header, shown) in [
            (String::new(), Shown::Empty),
            (format!("token  {key}"), Shown::Token(token.clone())),
            ("BEARER a.b.c".to_owned(), Shown::Bearer(Jwt::new("a.b.c"))),
            (key.to_owned(), Shown::Bare(token.clone())),
            (
                format!("Tokn {key}"),
                Shown::Misspelt("Token", token.clone()),
            ),
            (
                format!("Token: {key}"),
                Shown::Misspelt("Token", token.clone()),
            ),
            (
                format!("Baerer {key}"),
                Shown::Misspelt("Bearer", token.clone()),
            ),
            (
                "Token:abc".to_owned(),
                Shown::Misspelt("Token", TokenKey::new("abc")),
            ),
            (
                format!("Token \"{key}\""),
                Shown::Quoted("Token", token.clone()),
            ),
            (
                "Bearer 'a.b.c'".to_owned(),
                Shown::Quoted("Bearer", TokenKey::new("a.b.c")),
            ),
            ("Basic YTpi".to_owned(), Shown::OtherScheme("Basic")),
            ("Something else".to_owned(), Shown::OtherScheme("")),
            (
                "Token".to_owned(),
                Shown::Malformed("Token", Malformed::NoValue),
            ),
            (
                "Token a b".to_owned(),
                Shown::Malformed("Token", Malformed::Spaces),
            ),
            (
                "Bearer a b".to_owned(),
                Shown::Malformed("Bearer", Malformed::Spaces),
            ),
            (
                "Token \u{fffd}".to_owned(),
                Shown::Malformed("Token", Malformed::Characters),
            ),
        ] {
            assert_eq!(read(&header), shown, "{header:?}");
        }
    }
}
