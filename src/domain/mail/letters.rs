//! What letters say: the same twice, as text and as simple HTML. No pictures, nothing that tells us
//! whether a letter was opened.

use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    domain::{one_time_links::Purpose, users::User},
    error::{Error, Result},
    secret::LinkKey,
};

/// A letter as it waits in the outbox. It holds a link, so it does not print.
#[derive(Clone, Deserialize, Serialize)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter(..)")
    }
}

impl Letter {
    /// With the link to set a password.
    pub fn password(app: &App, user: &User, purpose: Purpose, key: &LinkKey) -> Result<Self> {
        let base = base(app)?;
        let (name, here) = (&user.username, host(base));
        let life = in_words(purpose.lifetime(app));
        let invited = purpose == Purpose::SetPassword;
        let why = if invited {
            format!(
                "An administrator of {here} sends you this link. With it you choose the password of your account “{name}”."
            )
        } else {
            format!(
                "Somebody, probably you, asked to set a new password for your account “{name}” at {here}."
            )
        };
        let after = if invited {
            format!(
                "The link works once, and for {life}. If you did not expect it, ask the person who runs {here}."
            )
        } else {
            format!(
                "The link works once, and for {life}. If it was not you, do nothing: your password stays as it is."
            )
        };
        let subject = if invited {
            format!("Choose your password for {here}")
        } else {
            format!("Set a new password for {here}")
        };
        let link = format!("{base}{}", purpose.path(key));
        Ok(Self::of(
            &user.email,
            subject,
            &why,
            Some(("Choose a password", &link)),
            &after,
        ))
    }

    /// With the link that shows that a letter arrived.
    pub fn verification(app: &App, user: &User, key: &LinkKey) -> Result<Self> {
        let base = base(app)?;
        let (name, here) = (&user.username, host(base));
        let life = in_words(Purpose::VerifyAddress.lifetime(app));
        let link = format!("{base}{}", Purpose::VerifyAddress.path(key));
        Ok(Self::of(
            &user.email,
            format!("Confirm your e-mail address for {here}"),
            &format!("This address was given for the account “{name}” at {here}."),
            Some(("Confirm this address", &link)),
            &format!(
                "The link works once, and for {life}. If the account is not yours, do nothing."
            ),
        ))
    }

    /// Shows that letters arrive.
    pub fn test(app: &App, to: &str) -> Result<Self> {
        let here = host(base(app)?);
        Ok(Self::of(
            to,
            format!("A test from {here}"),
            &format!("The server {here} can send mail: this letter is the proof."),
            None,
            "It was asked for by the person who runs the server.",
        ))
    }

    fn of(to: &str, subject: String, why: &str, link: Option<(&str, &str)>, after: &str) -> Self {
        let in_text = link.map_or_else(String::new, |(_, href)| format!("{href}\n\n"));
        let in_html = link.map_or_else(String::new, |(label, href)| {
            let (label, href) = (escape(label), escape(href));
            format!("<p><a href=\"{href}\">{label}</a></p>\n<p>Or copy this address into your browser:<br>{href}</p>\n")
        });
        Self {
            to: to.to_owned(),
            text: format!("{why}\n\n{in_text}{after}\n"),
            html: format!(
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
                 <body>\n<p>{}</p>\n{in_html}<p>{}</p>\n</body></html>\n",
                escape(&subject),
                escape(why),
                escape(after)
            ),
            subject,
        }
    }
}

fn base(app: &App) -> Result<&str> {
    let missing = || Error::internal(std::io::Error::other("public_url is not set"));
    app.config.public_url.as_deref().ok_or_else(missing)
}

/// `id.example.org`, as people know it.
fn host(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, host)| host)
}

/// `1 hour`, `3 days`.
pub fn in_words(seconds: i64) -> String {
    let (n, unit) = match seconds {
        s if s >= 2 * 86_400 => (s / 86_400, "day"),
        s if s >= 3600 => (s / 3600, "hour"),
        s => (s / 60, "minute"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_hold_the_link_and_nothing_is_markup_by_accident() {
        let letter = Letter::of(
            "a@b.cd",
            "S".to_owned(),
            "<b>&",
            Some(("Go", "https://x/?a=1&b=\"")),
            "end",
        );
        assert!(letter.text.contains("https://x/?a=1&b=\""));
        assert!(letter.html.contains("href=\"https://x/?a=1&amp;b=&quot;\""));
        assert!(letter.html.contains("&lt;b&gt;&amp;"), "{}", letter.html);
        assert!(!letter.html.contains("<img") && !letter.html.contains("src="));
    }

    #[test]
    fn lifetimes_are_told_in_the_largest_unit_that_is_true() {
        for (seconds, words) in [
            (3600, "1 hour"),
            (259_200, "3 days"),
            (1800, "30 minutes"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
    }
}
