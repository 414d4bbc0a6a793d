//! The mail server, the sender, and the address under which people reach this server: links in
//! mail are built on it, never on what a request says.

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use url::Url;

use super::{BadSetting, source::Source};
use crate::secret::Password;

/// How mail goes out.
#[derive(Clone, Debug)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Name and password.
    pub account: Option<(String, Password)>,
    pub from: Mailbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (`smtps://`).
    Tls,
    /// A server that does not offer it gets no mail.
    StartTls,
    /// By `?tls=none` only.
    None,
}

impl Mail {
    /// In words that hold no password.
    pub fn in_words(&self) -> String {
        let how = match self.security {
            Security::Tls => "TLS",
            Security::StartTls => "STARTTLS",
            Security::None => "not encrypted",
        };
        format!("{}:{}, {how}, from {}", self.host, self.port, self.from)
    }
}

/// `https://id.example.org`, without a final slash.
pub(super) fn public_url(s: &Source<'_>) -> Result<Option<String>, BadSetting> {
    let Some(text) = s.text("public_url") else {
        return Ok(None);
    };
    let problem = || {
        BadSetting::new(
            "LATCHKEY_PUBLIC_URL",
            "expected the address under which people reach this server, such as \
             https://id.example.org, without a path",
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| problem())?;
    let plain = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err(problem());
    }
    Ok(Some(url.origin().ascii_serialization()))
}

pub(super) fn mail(s: &Source<'_>, public_url: Option<&str>) -> Result<Option<Mail>, BadSetting> {
    let from = s.text("mail_from");
    let Some(text) = s.text("smtp_url") else {
        return Ok(None);
    };
    // Never with the text: it holds a password.
    let bad = |problem: &str| BadSetting::new("LATCHKEY_SMTP_URL", problem);
    let url = Url::parse(text.trim()).map_err(|_| {
        bad(
            "expected `smtp://user:password@host:587` or `smtps://…`; write signs such as # / ? @ \
             in a password as %23 %2F %3F %40",
        )
    })?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls");
    let security = match (url.scheme(), tls.as_ref().map(|(_, value)| &**value)) {
        ("smtps", None) => Security::Tls,
        ("smtp", None | Some("required")) => Security::StartTls,
        ("smtp", Some("none")) => Security::None,
        ("smtp" | "smtps", _) => {
            return Err(bad("`?tls=` is `required` or `none`, after smtp:// alone"));
        }
        _ => return Err(bad("expected smtp:// or smtps://")),
    };
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| bad("names no host"))?.to_owned();
    let account = account(&url).ok_or_else(|| bad("user or password are no text"))?;
    if security == Security::None && account.is_some() && !is_loopback(&host) {
        return Err(bad(
            "a password must not go unencrypted to another machine: leave out `?tls=none`",
        ));
    }
    let from = from.ok_or_else(|| {
        BadSetting::new(
            "LATCHKEY_MAIL_FROM",
            "is needed with LATCHKEY_SMTP_URL, such as `Latchkey <no-reply@example.org>`",
        )
    })?;
    let from = from.parse().map_err(|_| {
        BadSetting::new(
            "LATCHKEY_MAIL_FROM",
            "expected `no-reply@example.org` or `Latchkey <no-reply@example.org>`",
        )
    })?;
    if public_url.is_none() {
        return Err(BadSetting::new(
            "LATCHKEY_PUBLIC_URL",
            "is needed with LATCHKEY_SMTP_URL: links in mail lead there",
        ));
    }
    Ok(Some(Mail {
        port: url.port().unwrap_or(match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        }),
        host,
        security,
        account,
        from,
    }))
}

/// `None`: escaped bytes that are no text.
#[expect(clippy::option_option, reason = "no account is no fault")]
fn account(url: &Url) -> Option<Option<(String, Password)>> {
    if url.username().is_empty() {
        return Some(None);
    }
    let text = |escaped| percent_decode_str(escaped).decode_utf8().ok();
    let user = text(url.username())?.into_owned();
    let password = text(url.password().unwrap_or_default())?;
    Some(Some((user, Password::new(password))))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Environment, figment};
    use super::*;

    fn load(smtp: &str, more: &[(&str, &str)]) -> Result<Config, BadSetting> {
        let pairs = [
            ("LATCHKEY_SMTP_URL", smtp),
            ("LATCHKEY_MAIL_FROM", "Latchkey <no-reply@example.org>"),
            ("LATCHKEY_PUBLIC_URL", "https://id.example.org/"),
        ];
        let env: Environment = pairs
            .iter()
            .chain(more)
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        Config::load(&figment(&env), &env)
    }

    /// A mail server, what else is set, and a word of the refusal.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

    fn mail(smtp: &str) -> Mail {
        load(smtp, &[]).unwrap().mail.unwrap()
    }

    #[test]
    fn encryption_is_the_rule_and_the_port_follows() {
        let cases = [
            ("smtp://mail.example.org", Security::StartTls, 587),
            ("smtp://mail.example.org:2525", Security::StartTls, 2525),
            ("smtps://mail.example.org", Security::Tls, 465),
            ("smtp://127.0.0.1:25?tls=none", Security::None, 25),
        ];
        for (url, security, port) in cases {
            let mail = mail(url);
            assert_eq!((mail.security, mail.port), (security, port), "{url}");
        }
    }

    #[test]
    fn user_and_password_may_hold_any_sign_and_stay_out_of_sight() {
        let mail = mail("smtp://a%40b:p%23%2F+&=%C3%A9@mail.example.org");
        let (user, password) = mail.account.clone().unwrap();
        assert_eq!((user.as_str(), password.expose()), ("a@b", "p#/+&=é"));
        assert!(!format!("{mail:?}").contains("p#"), "{mail:?}");
        assert!(!mail.in_words().contains("p#"));
    }

    #[test]
    fn what_is_not_safe_or_cannot_work_stops_the_server_without_the_password() {
        let cases: [Case<'_>; 8] = [
            (
                "smtp://u:hunter2@mail.example.org?tls=none",
                &[],
                "unencrypted",
            ),
            (
                "smtp://u:hunter2@mail.example.org?tls=maybe",
                &[],
                "`?tls=`",
            ),
            ("http://u:hunter2@mail.example.org", &[], "expected smtp://"),
            (
                "smtp://u:hun#ter2@mail.example.org",
                &[],
                "LATCHKEY_SMTP_URL",
            ),
            ("smtp://u:%FF@mail.example.org", &[], "no text"),
            (
                "smtp://mail.example.org",
                &[("LATCHKEY_MAIL_FROM", "")],
                "LATCHKEY_MAIL_FROM",
            ),
            (
                "smtp://mail.example.org",
                &[("LATCHKEY_PUBLIC_URL", "")],
                "is needed",
            ),
            (
                "smtp://mail.example.org",
                &[("LATCHKEY_PUBLIC_URL", "https://example.org/id")],
                "without a path",
            ),
        ];
        for (url, more, word) in cases {
            let refused = load(url, more).unwrap_err().to_string();
            assert!(refused.contains(word), "{url}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
