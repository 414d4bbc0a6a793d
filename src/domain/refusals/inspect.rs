//! What somebody pasted to learn what is wrong with it: a token, a JWT, a whole header line. Nothing of
//! it is kept, logged or given back.

use super::{
    Detail, Reason,
    look::{Look, look, resolve},
    shown::{self, INSTEAD, QUOTES, Shown},
    store,
};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        audit::AuditEvent,
        jwt::{self, Kind},
        scopes::Scopes,
        tokens::{self, TokenRow},
        users::{self, User},
    },
    error::Result,
    secret::{Jwt, TokenKey},
};

/// The text as it came. Like every secret, it does not print itself.
pub type Pasted = TokenKey;

/// What was pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Token,
    Access,
    Refresh,
    OtherJwt,
    /// A line in which there is nothing to look up.
    Nothing,
    /// Words that are no line either.
    Words,
}

/// What is to be said about the line itself, whatever its credential is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineNote {
    /// `Authentication`: read, but only where the other is missing.
    Misnamed,
    /// Another header, by its name where that is a known one.
    WrongHeader(&'static str),
    /// What the scheme should be.
    NoScheme(&'static str),
    Misspelt(&'static str),
    /// Behind the other scheme: the right one.
    WrongScheme(&'static str),
    Quoted,
}

#[derive(Debug)]
pub struct Finding {
    pub sort: Sort,
    pub notes: Vec<LineNote>,
    /// `None`: it opens something.
    pub reason: Option<Reason>,
    pub detail: Detail,
    pub token: Option<TokenRow>,
    pub user: Option<User>,
    pub scopes: Option<Scopes>,
    /// Unix seconds, of a JWT that was signed here.
    pub issued_at: Option<i64>,
    pub expires_at: Option<i64>,
    pub events: Vec<AuditEvent>,
    /// It belongs to somebody whom `by` may not touch: nothing else is told.
    pub is_hidden: bool,
}

/// Tells all about what is pasted. Whoever shows a credential of somebody whom they may not touch is
/// told no more than that.
pub async fn inspect(app: &App, by: &Actor, text: &Pasted) -> Result<Finding> {
    let (is_named, mut notes, value) = line(text.expose());
    let (shown, sort) = sorted(value, is_named, &mut notes);
    let mut found = look(app, &shown).await?;
    resolve(app, &mut [&mut found]).await?;
    let is_hidden = found
        .user
        .as_ref()
        .is_some_and(|user| users::may_touch(by, user).is_err());
    if is_hidden {
        return Ok(hidden(sort, notes));
    }
    let events = store::ending(app, found.reason, &found.detail, found.user_id).await?;
    let says = found.claims.as_ref().and_then(|claims| claims.says());
    let sort = match (says, &found.claims) {
        (Some(kind), _) if kind == Kind::Access.as_str() => Sort::Access,
        (Some(kind), _) if kind == Kind::Refresh.as_str() => Sort::Refresh,
        (_, Some(_)) => {
            // Well signed, but no address takes it.
            found.reason = found.reason.or(Some(Reason::JwtWrongType));
            Sort::OtherJwt
        }
        _ => sort,
    };
    let says = match &shown {
        Shown::AnyJwt(jwt) if is_ours(&found) => jwt::unverified(jwt),
        _ => None,
    };
    let claim = |name: &str| says.as_ref()?.get(name).and_then(jwt::seconds);
    Ok(Finding {
        sort,
        notes,
        reason: found.reason,
        detail: found.detail,
        scopes: match (&found.token, &found.claims) {
            (Some(row), _) => Some(tokens::scopes(&row.token)),
            (None, Some(_)) => Some(Scopes::FULL),
            (None, None) => None,
        },
        token: found.token,
        user: found.user,
        issued_at: claim("iat"),
        expires_at: claim("exp"),
        events,
        is_hidden: false,
    })
}

fn is_ours(found: &Look) -> bool {
    found.claims.is_some()
        || matches!(
            found.reason,
            Some(Reason::JwtExpired | Reason::JwtNotYet | Reason::SignedData)
        )
}

fn hidden(sort: Sort, notes: Vec<LineNote>) -> Finding {
    Finding {
        sort,
        notes,
        reason: None,
        detail: Detail::default(),
        token: None,
        user: None,
        scopes: None,
        issued_at: None,
        expires_at: None,
        events: Vec::new(),
        is_hidden: true,
    }
}

/// Whether there is a header's name, what is to be said about it, and its value or the whole text.
fn line(text: &str) -> (bool, Vec<LineNote>, &str) {
    let mut notes = Vec::new();
    let mut text = text.trim();
    text = of_curl(text).unwrap_or(text);
    let bare = text
        .trim_matches(|c| QUOTES.contains(&c) || matches!(c, ',' | ';'))
        .trim();
    if bare != text {
        notes.push(LineNote::Quoted);
        text = bare;
    }
    let Some((name, value)) = text.split_once(':') else {
        return (false, notes, text);
    };
    let name = name.trim().trim_matches(['"', '\'']);
    let is_name = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    if !is_name || value.trim().is_empty() {
        return (false, notes, text);
    }
    let value = value.trim().trim_matches(['"', '\'']);
    if name.eq_ignore_ascii_case("Authentication") {
        notes.push(LineNote::Misnamed);
    } else if !name.eq_ignore_ascii_case("Authorization") {
        let known = INSTEAD
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name));
        notes.push(LineNote::WrongHeader(known.unwrap_or_default()));
    }
    (true, notes, value)
}

/// The header line in a pasted `curl` command: the one with the credential, if there are several.
fn of_curl(text: &str) -> Option<&str> {
    let command = text.strip_prefix("$ ").unwrap_or(text);
    command.strip_prefix("curl")?.strip_prefix([' ', '\\'])?;
    let names = ["Authorization", "Authentication"]
        .into_iter()
        .chain(INSTEAD);
    let lines: Vec<&str> = ["-H", "--header"]
        .into_iter()
        .flat_map(|option| command.split(option).skip(1))
        .map(argument)
        .collect();
    let mut found = names.filter_map(|wanted| {
        let is_it = |line: &&&str| {
            let name = line.split_once(':').map(|(name, _)| name.trim());
            name.is_some_and(|name| name.eq_ignore_ascii_case(wanted))
        };
        lines.iter().find(is_it).copied()
    });
    found.next()
}

/// The first word of a shell command, without its quotation marks.
fn argument(text: &str) -> &str {
    let text = text.trim_start_matches([' ', '=', '$']);
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (text, ends): (&str, &[char]) = match quote {
        Some('"') => (&text[1..], &['"']),
        Some(_) => (&text[1..], &['\'']),
        None => (text, &[' ', '\n']),
    };
    text.split(ends).next().unwrap_or_default()
}

/// What to look up, and what it is; a slip in the scheme becomes a note, so that the credential is judged
/// all the same.
fn sorted(value: &str, is_named: bool, notes: &mut Vec<LineNote>) -> (Shown, Sort) {
    match shown::read(value) {
        Shown::Token(key) => {
            let (shown, sort) = credential(key.expose());
            if sort == Sort::OtherJwt {
                notes.push(LineNote::WrongScheme("Bearer"));
            }
            (shown, sort)
        }
        Shown::Bearer(jwt) => {
            let (shown, sort) = credential(jwt.expose());
            if sort == Sort::Token {
                notes.push(LineNote::WrongScheme("Token"));
            }
            (shown, sort)
        }
        Shown::Bare(text) => {
            let (shown, sort) = credential(text.expose());
            if is_named {
                let scheme = if sort == Sort::Token {
                    "Token"
                } else {
                    "Bearer"
                };
                notes.push(LineNote::NoScheme(scheme));
            }
            (shown, sort)
        }
        Shown::Quoted(scheme, text) => {
            if !notes.contains(&LineNote::Quoted) {
                notes.push(LineNote::Quoted);
            }
            sorted(&format!("{scheme} {}", text.expose()), is_named, notes)
        }
        Shown::Misspelt(_, text) if text.expose().is_empty() => (shown::read(value), Sort::Nothing),
        Shown::Misspelt(name, text) => {
            notes.push(LineNote::Misspelt(name));
            credential(text.expose())
        }
        Shown::OtherScheme("") if !value.contains(' ') => {
            // One word that is too short for a key: perhaps cut off. Judged as a key, it is unknown.
            credential(value)
        }
        Shown::OtherScheme("") if !is_named => (shown::read(value), Sort::Words),
        other => (other, Sort::Nothing),
    }
}

fn credential(text: &str) -> (Shown, Sort) {
    if text.contains('.') {
        (Shown::AnyJwt(Jwt::new(text)), Sort::OtherJwt)
    } else {
        (Shown::Token(TokenKey::new(text)), Sort::Token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_its_value_and_says_what_is_odd() {
        for (text, value, expected) in [
            ("Authorization: Token k", "Token k", vec![]),
            (
                " 'authorization: Token k' ",
                "Token k",
                vec![LineNote::Quoted],
            ),
            (
                "Authentication: Token k",
                "Token k",
                vec![LineNote::Misnamed],
            ),
            (
                "x-api-key: k",
                "k",
                vec![LineNote::WrongHeader("X-Api-Key")],
            ),
            ("My-Own: k", "k", vec![LineNote::WrongHeader("")]),
            ("Token k", "Token k", vec![]),
            (
                "curl -i http://a/b/ -H 'Accept: text/html' -H 'Authorization: Token k' -d x",
                "Token k",
                vec![],
            ),
            (
                "$ curl \\\n  --header \"authorization: Bearer a.b.c\" \\\n  https://a/",
                "Bearer a.b.c",
                vec![],
            ),
            ("curl -HAuthorization:k http://a/", "k", vec![]),
            (
                "curl -H 'x-api-key: k' http://a/",
                "k",
                vec![LineNote::WrongHeader("X-Api-Key")],
            ),
        ] {
            let (_, notes, found) = line(text);
            assert_eq!((found, notes), (value, expected), "{text}");
        }
    }
}
