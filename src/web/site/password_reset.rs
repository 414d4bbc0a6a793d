//! `/password-reset/`: asking for a link, and `/password-reset/<key>/`: setting a password with it.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::visit::Visit;
use crate::{
    app::App,
    domain::{
        one_time_links::{self, PASSWORDS},
        users,
    },
    error::{Error, FieldErrors},
    secret::LinkKey,
    web::{
        error::PageError,
        flash::Flash,
        form::{FormState, Labels, new_password},
        guards::{
            CsrfForm, MaybeSession, Throttle,
            throttle::{AskReset, FollowLink},
        },
        page::{Go, Page, Reply, View},
    },
};

const LABELS: Labels = &[
    ("who", "Username or e-mail"),
    ("password", "New password"),
    ("confirm_password", "New password again"),
];

/// What somebody can do who lost a password.
#[derive(Clone, Debug, Serialize)]
pub struct Help {
    by_mail: bool,
    /// Whom to ask where no mail is sent.
    whom: String,
}

impl Help {
    pub fn of(app: &App) -> Self {
        Self {
            by_mail: app.config.mail.is_some(),
            whom: whom(app),
        }
    }

    pub fn sample() -> Self {
        Self {
            by_mail: false,
            whom: "Sam <b>Archer</b>, room 12".to_owned(),
        }
    }
}

/// Whom people are told to ask.
pub fn whom(app: &App) -> String {
    match app.settings().contact.as_str() {
        "" => "the person who runs this server".to_owned(),
        contact => contact.to_owned(),
    }
}

#[derive(Serialize)]
struct PasswordAsk {
    help: Help,
    sent: bool,
    form: FormState,
}

impl View for PasswordAsk {
    const TEMPLATE: &'static str = "site/password_ask.html";

    fn title(&self) -> String {
        if self.sent {
            "Look at your mail"
        } else {
            "Forgot your password?"
        }
        .to_owned()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

#[derive(Serialize)]
struct PasswordSet {
    action: String,
    username: String,
    expires: i64,
    form: FormState,
}

impl View for PasswordSet {
    const TEMPLATE: &'static str = "site/password_set.html";

    fn title(&self) -> String {
        "Choose a password".to_owned()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

/// A link that was used, is too old, or never was.
#[derive(Serialize)]
struct LinkOver {
    help: Help,
}

impl View for LinkOver {
    const TEMPLATE: &'static str = "site/link_over.html";

    fn title(&self) -> String {
        "This link does not work".to_owned()
    }
}

/// The same for every link that does not work.
pub fn link_over(app: &App) -> Page {
    let page = Page::of(&LinkOver {
        help: Help::of(app),
    });
    page.status(Status::NotFound).no_referrer()
}

#[get("/password-reset?<sent>")]
pub fn ask_form(_visitor: MaybeSession, app: &State<App>, sent: Option<&str>) -> Page {
    Page::of(&PasswordAsk {
        help: Help::of(app),
        sent: sent.is_some(),
        form: FormState::default(),
    })
}

#[post("/password-reset", data = "<form>")]
pub fn ask(
    _throttle: Throttle<AskReset>,
    _visitor: MaybeSession,
    visit: Visit<'_>,
    app: &State<App>,
    form: CsrfForm,
) -> Reply {
    let who = form.text("who").trim().to_owned();
    if who.is_empty() || who.len() > 1000 {
        let mut errors = FieldErrors::default();
        errors.push("who", "Type your username or your e-mail address.");
        return Reply::page(&PasswordAsk {
            help: Help::of(app),
            sent: false,
            form: FormState::default().refused(&errors, LABELS),
        });
    }
    // The answer does not wait: how long the work takes would tell whether there is such an account.
    let (app, actor) = (app.inner().clone(), visit.actor);
    tokio::spawn(async move {
        if let Err(e) = one_time_links::ask(&app, &actor, &who).await {
            let request_id = actor.request_id();
            tracing::error!(request.id = request_id, error = %e, "cannot write a letter with a link");
        }
    });
    Go::to("/password-reset/?sent=1").into()
}

fn set_page(live: &one_time_links::Live, key: &LinkKey, form: FormState) -> Page {
    let page = Page::of(&PasswordSet {
        action: one_time_links::Purpose::ResetPassword.path(key),
        username: live.user.username.clone(),
        expires: live.expires_at(),
        form,
    });
    page.no_referrer()
}

/// Changes nothing: programs that look after mail follow links, too.
#[get("/password-reset/<key>")]
pub async fn set_form(
    _throttle: Throttle<FollowLink>,
    _visitor: MaybeSession,
    app: &State<App>,
    key: &str,
) -> Result<Page, PageError> {
    let key = LinkKey::new(key);
    let live = one_time_links::find(app, &key, PASSWORDS).await?;
    Ok(match live {
        Some(live) => set_page(&live, &key, FormState::default()),
        None => link_over(app),
    })
}

#[post("/password-reset/<key>", data = "<form>")]
pub async fn set(
    _throttle: Throttle<FollowLink>,
    _visitor: MaybeSession,
    visit: Visit<'_>,
    app: &State<App>,
    key: &str,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let key = LinkKey::new(key);
    let Some(live) = one_time_links::find(app, &key, PASSWORDS).await? else {
        return Ok(link_over(app).into());
    };
    let (password, errors) = new_password(&form);
    let set = if errors.is_empty() {
        one_time_links::set_password(app, &visit.actor, &key, password).await
    } else {
        Err(users::judge_password_too(&live.user, &password, errors))
    };
    match set {
        Ok(user) => {
            let done = Flash::ok("Your password is set. Sign in with it.").text(format!(
                "Whatever was signed in as {} before is signed out.",
                user.username
            ));
            Ok(Go::to("/login/").with(done).into())
        }
        Err(Error::Validation(errors)) => {
            let form = FormState::default().refused(&errors, LABELS);
            Ok(set_page(&live, &key, form).into())
        }
        Err(Error::NotFound) => Ok(link_over(app).into()),
        Err(other) => Err(other.into()),
    }
}

pub fn samples() -> Vec<Page> {
    let mut errors = FieldErrors::default();
    errors.push("password", "This password is too common.");
    let ask = |by_mail, sent| {
        Page::of(&PasswordAsk {
            help: Help {
                by_mail,
                ..Help::sample()
            },
            sent,
            form: FormState::default(),
        })
    };
    vec![
        ask(true, false),
        ask(true, true),
        ask(false, false),
        Page::of(&PasswordSet {
            action: "/password-reset/key/".to_owned(),
            username: "<b>sam</b>".to_owned(),
            expires: 1_700_003_600,
            form: FormState::default().refused(&errors, LABELS),
        }),
        Page::of(&LinkOver {
            help: Help::sample(),
        }),
    ]
}
