//! From header text to a credential: pure, so that every odd spelling is decided and tested here.

use crate::{
    error::AuthFailure,
    secret::{Jwt, TokenKey},
};

/// What a header offers.
#[derive(Debug, PartialEq)]
pub enum Credential {
    /// No header, an empty one, or another scheme.
    None,
    Token(TokenKey),
    Bearer(Jwt),
    Malformed(AuthFailure),
}

/// `Authorization` wins; the misspelling `Authentication`, which people are told to use in
/// Postman, is read where it stands alone.
pub fn choose(authorization: Option<&str>, authentication: Option<&str>) -> Credential {
    authorization
        .or(authentication)
        .map_or(Credential::None, parse)
}

/// Schemes in any case; several blanks or a tab between scheme and value.
fn parse(header: &str) -> Credential {
    let mut words = header.split_ascii_whitespace();
    let Some(scheme) = words.next() else {
        return Credential::None;
    };
    let (value, rest) = (words.next(), words.next());
    if scheme.eq_ignore_ascii_case("token") {
        return match (value, rest) {
            (None, _) => Credential::Malformed(AuthFailure::TokenHeaderEmpty),
            (Some(_), Some(_)) => Credential::Malformed(AuthFailure::TokenHeaderSpaces),
            (Some(key), None) if key.contains('\u{fffd}') => {
                Credential::Malformed(AuthFailure::TokenHeaderCharacters)
            }
            (Some(key), None) => Credential::Token(TokenKey::new(key)),
        };
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return match (value, rest) {
            (Some(jwt), None) => Credential::Bearer(Jwt::new(jwt)),
            _ => Credential::Malformed(AuthFailure::BearerHeader),
        };
    }
    Credential::None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_in_any_case_and_spacing() {
        for header in ["Token k", "token k", "TOKEN\tk", "Token    k "] {
            assert_eq!(
                parse(header),
                Credential::Token(TokenKey::new("k")),
                "{header:?}"
            );
        }
        for header in ["Bearer a.b.c", "bearer  a.b.c"] {
            assert_eq!(
                parse(header),
                Credential::Bearer(Jwt::new("a.b.c")),
                "{header:?}"
            );
        }
    }

    #[test]
    fn other_schemes_and_empty_headers_are_no_credential() {
        for header in ["", " ", "Basic abc", "abcdef", "Tokenk"] {
            assert_eq!(parse(header), Credential::None, "{header:?}");
        }
    }

    #[test]
    fn malformed_headers_say_what_is_wrong() {
        assert_eq!(
            parse("Token"),
            Credential::Malformed(AuthFailure::TokenHeaderEmpty)
        );
        assert_eq!(
            parse("Token a b"),
            Credential::Malformed(AuthFailure::TokenHeaderSpaces)
        );
        assert_eq!(
            parse("Bearer"),
            Credential::Malformed(AuthFailure::BearerHeader)
        );
        assert_eq!(
            parse("Bearer a b"),
            Credential::Malformed(AuthFailure::BearerHeader)
        );
    }

    #[test]
    fn authorization_wins_over_its_misspelling() {
        let token = |key| Credential::Token(TokenKey::new(key));
        assert_eq!(choose(Some("Token a"), Some("Token b")), token("a"));
        assert_eq!(choose(None, Some("Token b")), token("b"));
        assert_eq!(choose(Some("Basic x"), Some("Token b")), Credential::None);
    }
}
