//! The mail server: one connection a letter, encrypted unless the settings say otherwise.

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart, header},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
        response::Category,
    },
};

use super::Letter;
use crate::{
    app::App,
    config::{Mail, Security},
    error::{Error, Result},
    secret,
};

/// For each step of a conversation.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a letter did not go out, in words for the person who runs the server.
#[derive(Debug)]
pub(super) struct Trouble {
    pub text: String,
    /// The mail server refuses this very letter: another try gets the same answer (RFC 5321, 4.2.1: 55x).
    pub is_final: bool,
}

impl Trouble {
    pub(super) fn passing(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_final: false,
        }
    }
}

/// Sends one letter now.
pub(super) async fn send(app: &App, letter: &Letter) -> Result<(), Trouble> {
    let Some(mail) = &app.config.mail else {
        return Err(Trouble::passing("no mail server is set"));
    };
    let message = message(app, mail, letter)?;
    let sent = transport(app, mail)?.send(message).await;
    sent.map(|_| ()).map_err(|e| {
        let is_final = e.is_permanent()
            && e.status()
                .is_some_and(|code| code.category == Category::MailSystem);
        Trouble {
            is_final,
            ..trouble(&e)
        }
    })
}

/// Connects and says hello, and signs in where there is an account; sends nothing.
pub async fn look(app: &App) -> Result<(), String> {
    let Some(mail) = &app.config.mail else {
        return Err("no mail server is set".to_owned());
    };
    let transport = transport(app, mail).map_err(|trouble| trouble.text)?;
    match transport.test_connection().await {
        Ok(true) => Ok(()),
        Ok(false) => Err("the mail server does not answer".to_owned()),
        Err(e) => Err(trouble(&e).text),
    }
}

/// Sends a letter to see whether it arrives; `Validation` on `address`, `Conflict` with the reason
/// where it did not go out.
pub async fn send_test(app: &App, address: &str) -> Result<()> {
    if !crate::domain::users::is_email(address) {
        return Err(Error::field("address", "Enter a valid email address."));
    }
    if app.config.mail.is_none() {
        return Err(Error::Conflict(
            "no mail server is set: see LATCHKEY_SMTP_URL".to_owned(),
        ));
    }
    let sent = send(app, &Letter::test(app, address)?).await;
    sent.map_err(|trouble| Error::Conflict(trouble.text))
}

fn transport(app: &App, mail: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, Trouble> {
    let parameters = || TlsParameters::new(mail.host.clone()).map_err(|e| trouble(&e));
    let tls = match mail.security {
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::StartTls => Tls::Required(parameters()?),
        Security::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
        .port(mail.port)
        .tls(tls)
        .timeout(Some(PATIENCE))
        .hello_name(ClientId::Domain(own_host(app).to_owned()));
    if let Some((user, password)) = &mail.account {
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        builder = builder.credentials(credentials);
    }
    Ok(builder.build())
}

fn message(app: &App, mail: &Mail, letter: &Letter) -> Result<Message, Trouble> {
    let bad = |e: &dyn std::fmt::Display| Trouble::passing(e.to_string());
    let to: Address = letter.to.parse().map_err(|e| bad(&e))?;
    let random = secret::random::<16>().map_err(|e| bad(&e))?;
    let now = Duration::from_secs(u64::try_from(app.now()).unwrap_or(0));
    Message::builder()
        .from(mail.from.clone())
        .to(Mailbox::new(None, to))
        .subject(&letter.subject)
        .date(UNIX_EPOCH + now)
        .message_id(Some(format!(
            "<{}@{}>",
            hex::encode(random),
            mail.from.email.domain()
        )))
        // RFC 3834: nobody's absence is told to us.
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(
            letter.text.clone(),
            letter.html.clone(),
        ))
        .map_err(|e| bad(&e))
}

#[derive(Clone, Copy)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// What we call ourselves to the mail server.
fn own_host(app: &App) -> &str {
    let base = app.config.public_url.as_deref().unwrap_or_default();
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    host.split(':').next().unwrap_or_default()
}

/// The whole chain of causes: "Connection error" alone helps nobody.
fn trouble(e: &(dyn std::error::Error + 'static)) -> Trouble {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(e) = cause {
        let deeper = e.to_string();
        if !text.contains(&deeper) {
            text.push_str(": ");
            text.push_str(&deeper);
        }
        cause = e.source();
    }
    let plain: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    Trouble::passing(plain)
}
