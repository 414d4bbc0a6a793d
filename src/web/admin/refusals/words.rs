//! Reasons of refusals in plain sentences: what is wrong, and what to do.

use crate::{
    domain::refusals::{Detail, Reason},
    web::filters,
};

/// What is wrong, in one line for lists and filters.
pub fn label(reason: Reason) -> &'static str {
    use Reason as R;
    match reason {
        R::NoHeader => "No credential",
        R::WrongHeader => "Wrong header name",
        R::EmptyHeader => "Empty header",
        R::NoScheme => "Scheme missing",
        R::SchemeMisspelt => "Scheme misspelt",
        R::OtherScheme => "Unknown scheme",
        R::NoValue => "Nothing after the scheme",
        R::Spaces => "Spaces in the credential",
        R::Characters => "Invalid characters",
        R::Quoted => "Quotation marks around the key",
        R::JwtAsToken => "JWT sent as Token",
        R::TokenAsBearer => "API token sent as Bearer",
        R::TokenChecksum => "Key with a typing slip",
        R::TokenForeign => "Key of another server",
        R::TokenUnknown => "Unknown key",
        R::TokenRevoked => "Token revoked",
        R::TokenExpired => "Token expired",
        R::UserInactive => "Account disabled",
        R::UserGone => "Account gone",
        R::JwtUnreadable => "Not a JWT",
        R::JwtTooLong => "JWT too long",
        R::JwtHeader => "JWT of another kind",
        R::JwtUnknownKey => "JWT of an unknown key",
        R::JwtAlgorithm => "JWT of another algorithm",
        R::JwtSignature => "Bad signature",
        R::SignedData => "Signed data, no credential",
        R::JwtClaims => "JWT with odd claims",
        R::JwtNotYet => "JWT not valid yet",
        R::JwtExpired => "JWT expired",
        R::JwtIssuer => "Wrong issuer",
        R::JwtAudience => "Wrong audience",
        R::JwtNoExpiry => "JWT without an end",
        R::JwtNoId => "JWT without an id",
        R::JwtNoType => "JWT without a type",
        R::RefreshAsAccess => "Refresh token as credential",
        R::AccessAsRefresh => "Access token as refresh",
        R::JwtWrongType => "JWT of a wrong type",
        R::JwtNoUser => "JWT without a user",
        R::SignedOut => "Signed out everywhere",
        R::FamilyEnded => "Sign-in ended",
        R::FamilyReplayed => "Refresh token replayed",
        R::FamilyUnknown => "Sign-in not known",
        R::RefreshSpent => "Refresh token used up",
        R::WrongPassword => "Wrong name or password",
        R::ScopeMissing => "Scope missing",
        R::PermissionMissing => "Permission missing",
        R::NotAllowed => "Not allowed",
        R::CsrfFailed => "CSRF check failed",
        R::UnknownRequirement => "Unknown requirement",
        R::NotKept => "Not kept",
    }
}

/// What is wrong, and what to do; whole sentences.
pub fn sentences(reason: Reason, detail: &Detail, now: i64) -> (String, String) {
    let (what, to_do) = of_header(reason, detail)
        .or_else(|| of_token(reason, detail, now))
        .or_else(|| of_sign_in(reason, detail, now))
        .or_else(|| of_jwt(reason, detail, now))
        .unwrap_or_else(|| of_request(reason, detail));
    (what, to_do.to_owned())
}

type Said = Option<(String, &'static str)>;

const SEND: &str = "Send the header “Authorization: Token <key>” or “Authorization: Bearer <jwt>”.";
const SIGN_IN: &str = "Sign in again with /api/token/ for a new pair.";
const ROTATE: &str = "Make a new token and give it to the program.";

fn of_header(reason: Reason, detail: &Detail) -> Said {
    use Reason as R;
    let name = detail.what.as_deref().unwrap_or_default();
    Some(match reason {
        R::NoHeader => (
            "The request had no credential: neither an Authorization header nor a session."
                .to_owned(),
            SEND,
        ),
        R::WrongHeader => (
            format!("There was no Authorization header, but one called {name}, which is not read."),
            SEND,
        ),
        R::EmptyHeader => (
            "The header was there, and empty. A variable in the program is most likely not set."
                .to_owned(),
            SEND,
        ),
        R::NoScheme => (
            "The header held a credential with no scheme before it.".to_owned(),
            "Write “Token ” before an API token and “Bearer ” before a JWT.",
        ),
        R::SchemeMisspelt => (
            format!(
                "The scheme was misspelt: it was most likely meant to be “{name}”, followed by one blank."
            ),
            SEND,
        ),
        R::OtherScheme if name.is_empty() => (
            "The header began with a scheme that is not known here.".to_owned(),
            SEND,
        ),
        R::OtherScheme => (
            format!("The header used the scheme “{name}”, which opens nothing here."),
            SEND,
        ),
        R::NoValue => (
            format!(
                "There was nothing behind “{name}”. A variable in the program is most likely not set."
            ),
            SEND,
        ),
        R::Spaces => (
            format!("There was a blank inside what followed “{name}”. A credential has none."),
            "Copy it again, without blanks, line breaks or quotation marks.",
        ),
        R::Characters => (
            "There were signs in the key that no key has.".to_owned(),
            "Copy it again, from the first letter to the last.",
        ),
        R::Quoted => (
            format!("There were quotation marks around what followed “{name}”."),
            "Send it without them. Some programs keep those of an .env file.",
        ),
        R::JwtAsToken => (
            "A JWT was sent behind “Token”.".to_owned(),
            "JWTs go behind “Bearer”.",
        ),
        R::TokenAsBearer => (
            "An API token was sent behind “Bearer”.".to_owned(),
            "API tokens go behind “Token”.",
        ),
        _ => return None,
    })
}

fn of_token(reason: Reason, detail: &Detail, now: i64) -> Said {
    use Reason as R;
    Some(match reason {
        R::TokenChecksum => (
            "The checksum of the key is wrong: it was cut short or has a typing slip.".to_owned(),
            "Copy it again, from the first letter to the last.",
        ),
        R::TokenForeign => (
            "The key is well formed, but another server made it.".to_owned(),
            "Check that the program calls the right server, or give it a token of this one.",
        ),
        R::TokenUnknown => (
            "No token has this key. It may have a typing slip, or belong to an account that was deleted.".to_owned(),
            "Copy it again; if that does not help, make a new token.",
        ),
        R::TokenRevoked => {
            let by = match detail.by.as_deref() {
                None | Some("") => String::new(),
                Some(by) if by.contains("burned") => format!(", {by}"),
                Some(by) => format!(" by {by}"),
            };
            (format!("The token was revoked{}{by}.", when(detail.at, now)), ROTATE)
        }
        R::TokenExpired => (format!("The token expired{}.", when(detail.at, now)), ROTATE),
        R::UserInactive => (
            "The account that it belongs to is disabled.".to_owned(),
            "Enable the account, or use a credential of another one.",
        ),
        R::UserGone => (
            "The account that it belongs to does not exist any more.".to_owned(),
            "Use a credential of another account.",
        ),
        _ => return None,
    })
}

fn of_sign_in(reason: Reason, detail: &Detail, now: i64) -> Said {
    use Reason as R;
    let at = when(detail.at, now);
    Some(match reason {
        R::SignedOut => (
            format!(
                "Everything that was signed in before was ended{at}: by a new password, by disabling the account or by “sign out everywhere”."
            ),
            SIGN_IN,
        ),
        R::FamilyEnded if detail.what.as_deref() == Some("logout") => (
            format!("The program signed out{at}, which ended this sign-in."),
            SIGN_IN,
        ),
        R::FamilyEnded => (format!("This sign-in was revoked{at}."), SIGN_IN),
        R::FamilyReplayed => (
            format!(
                "A refresh token of this sign-in was used a second time{at}, too late to be a retry. Somebody may have stolen it, so the whole sign-in was ended."
            ),
            "Find out which program used it twice. Then sign in again with /api/token/.",
        ),
        R::FamilyUnknown => (
            "It was signed here, but the sign-in that it belongs to is gone.".to_owned(),
            SIGN_IN,
        ),
        R::RefreshSpent => (
            "This refresh token was exchanged before; its successor is the one that counts."
                .to_owned(),
            "Keep the refresh token of the latest answer. Using an old one again ends the sign-in.",
        ),
        _ => return None,
    })
}

fn of_jwt(reason: Reason, detail: &Detail, now: i64) -> Said {
    use Reason as R;
    let plain = |text: &str| text.to_owned();
    Some(match reason {
        R::JwtUnreadable => (
            plain(
                "It is not a JWT: three parts with dots between them are expected. It was most likely cut short.",
            ),
            "Copy it again, from the first letter to the last.",
        ),
        R::JwtTooLong => (
            plain("It is longer than 8 KB, which no JWT of this server is."),
            SIGN_IN,
        ),
        R::JwtHeader => (
            plain("Its header says that it is for another use, or lacks an algorithm."),
            SIGN_IN,
        ),
        R::JwtUnknownKey => (
            plain(
                "It names a key that this server does not have: another server signed it, or the key has retired or was revoked.",
            ),
            SIGN_IN,
        ),
        R::JwtAlgorithm => (
            plain("It is signed by another algorithm than the one of the key that it names."),
            SIGN_IN,
        ),
        R::JwtSignature => (
            plain(
                "Its signature is not one of this server: it was changed, cut short, or signed with another secret.",
            ),
            "Check that the program calls the server that it signed in to, and that both have the same secret.",
        ),
        R::SignedData => (
            plain(
                "It comes from /generate-token/: that is data with a signature, and never a credential.",
            ),
            "Get a token for the program, or a pair from /api/token/.",
        ),
        R::JwtClaims => (plain("One of its claims is of a wrong kind."), SIGN_IN),
        R::JwtNotYet => (
            format!(
                "It is valid only from a moment {} ahead of this server’s clock.",
                span(detail.n.unwrap_or(0))
            ),
            "Set the clocks of both servers: one of them is off.",
        ),
        R::JwtExpired => (
            format!("It expired{}.", when(detail.at, now)),
            "Exchange the refresh token at /api/token/refresh/ for a new one, or sign in again.",
        ),
        R::JwtIssuer => (
            plain("It was issued by somebody else than this server’s setting says."),
            SIGN_IN,
        ),
        R::JwtAudience => (
            plain("It is meant for another audience than this server’s setting says."),
            SIGN_IN,
        ),
        R::JwtNoExpiry => (
            plain("It has no “exp”: tokens that never end are not accepted."),
            SIGN_IN,
        ),
        R::JwtNoId => (
            plain("It has no “jti”: it is none of this server’s tokens."),
            SIGN_IN,
        ),
        R::JwtNoType => (
            plain("It does not say whether it is an access or a refresh token."),
            SIGN_IN,
        ),
        R::RefreshAsAccess => (
            plain("It is a refresh token, which opens nothing by itself."),
            "Send the access token. The refresh token goes to /api/token/refresh/ only.",
        ),
        R::AccessAsRefresh => (
            plain("It is an access token, where a refresh token is wanted."),
            "Send the refresh token of the same answer.",
        ),
        R::JwtWrongType => (
            plain("It is well signed, but of a type that opens nothing here."),
            SIGN_IN,
        ),
        R::JwtNoUser => (plain("It names no user."), SIGN_IN),
        _ => return None,
    })
}

fn of_request(reason: Reason, detail: &Detail) -> (String, &'static str) {
    use Reason as R;
    let what = detail.what.as_deref().unwrap_or_default();
    match reason {
        R::WrongPassword => (
            "The name and the password in the body did not match, or the account is disabled."
                .to_owned(),
            "The audit log says from where such tries came.",
        ),
        R::ScopeMissing => (
            format!("The token is good, but lacks the scope “{what}”."),
            "Make a token that has it; a token cannot get more scopes later.",
        ),
        R::PermissionMissing => (
            format!("The credential is good, but its owner lacks the permission “{what}”."),
            "A superuser can give it by a group.",
        ),
        R::CsrfFailed => (
            format!(
                "A browser session was used, and the check against forged requests failed: {what}"
            ),
            "Programs use a token instead of a session. Pages send the CSRF token of the same session.",
        ),
        R::UnknownRequirement => (
            "The proxy asked for something that does not exist.".to_owned(),
            "Check the query of /auth/verify/ in the proxy’s configuration.",
        ),
        R::NotKept => (
            format!(
                "{} more requests were refused at that time than are kept one by one.",
                filters::number(u64::try_from(detail.n.unwrap_or(0)).unwrap_or(0))
            ),
            "Look at the entries around this one: they are a sample.",
        ),
        _ => (
            "The credential is good, but its owner may not do that.".to_owned(),
            "Use the credential of somebody who may.",
        ),
    }
}

/// ` on 23 November 2026 at 12:00 UTC, 4 min ago`; empty where it is not known.
fn when(at: Option<i64>, now: i64) -> String {
    at.map_or_else(String::new, |at| {
        format!(" on {}, {}", filters::utc(at), passed(now - at))
    })
}

fn passed(seconds: i64) -> String {
    if seconds < 60 {
        "just now".to_owned()
    } else {
        format!("{} ago", span(seconds))
    }
}

/// `90 seconds`, `5 minutes`, `3 hours`, `12 days`.
fn span(seconds: i64) -> String {
    let (n, unit) = match seconds {
        s if s < 120 => (s, "second"),
        s if s < 2 * 3600 => (s / 60, "minute"),
        s if s < 2 * 86_400 => (s / 3600, "hour"),
        s => (s / 86_400, "day"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_a_sentence_with_something_to_do() {
        for reason in Reason::ALL {
            let (what, to_do) = sentences(*reason, &Detail::default(), 1_700_000_000);
            for text in [what.as_str(), to_do.as_str()] {
                assert!(
                    text.ends_with(['.', ' ']) && text.len() > 10,
                    "{reason:?}: {text}"
                );
            }
            assert!(!label(*reason).is_empty());
        }
    }

    #[test]
    fn times_are_told_by_the_clock_and_by_how_long_ago() {
        let detail = Detail::at(1_700_000_000);
        let (what, _) = sentences(Reason::JwtExpired, &detail, 1_700_000_300);
        assert!(what.ends_with("UTC, 5 minutes ago."), "{what}");
        let (what, _) = sentences(Reason::JwtNotYet, &Detail::n(90), 0);
        assert!(what.contains("90 seconds ahead"), "{what}");
    }
}
