//! One-time links for somebody else: to set a password, to confirm an address. A link that is not
//! mailed is shown once, as a new token is.

use rocket::{State, get, head, http::Status, post};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        mail,
        one_time_links::{self, Handed, Purpose},
        permissions::{Act, Permission, Record},
        slots,
        users::{self, User, UserInput},
    },
    error::{Error, Result},
    secret::LinkKey,
    web::{
        error::PageError,
        flash::Flash,
        guards::{
            AdminSession, ConfirmedForm, CsrfForm, May, Origin,
            permission::{ChangeUsers, ViewUsers},
        },
        page::{Crumb, Go, Page, View},
    },
};

/// The card beside the account form.
#[derive(Serialize)]
pub struct Card {
    email: String,
    verified: bool,
    has_password: bool,
    /// Whether this server sends mail.
    mail: bool,
}

impl Card {
    pub fn of(app: &App, user: &User) -> Self {
        Self {
            email: user.email.clone(),
            verified: user.email_verified_at > 0,
            has_password: users::has_password(user),
            mail: app.config.mail.is_some(),
        }
    }

    pub fn sample() -> Self {
        Self {
            email: "amara@example.org".to_owned(),
            verified: false,
            has_password: false,
            mail: true,
        }
    }
}

#[derive(Serialize)]
struct UserLink {
    id: i64,
    href: String,
    username: String,
    link: String,
    /// For how long it works, in words.
    life: String,
}

impl View for UserLink {
    const TEMPLATE: &'static str = "admin/users/link.html";
    const NAV: &'static str = "users";
    const SECRET: bool = true;

    fn title(&self) -> String {
        "A link to set a password".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(self.id, &self.username)
    }
}

/// The slot is empty: a second visit, or a visit without any link.
#[derive(Serialize)]
struct UserLinkShownOnce {
    id: i64,
    href: String,
    username: String,
}

impl View for UserLinkShownOnce {
    const TEMPLATE: &'static str = "admin/users/link_shown_once.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        "A link is shown once".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(self.id, &self.username)
    }
}

/// An account whose owner chooses the password: made, and where to go now.
pub async fn add(app: &App, session: &AdminSession, input: UserInput) -> Result<Go> {
    let (user, handed) = one_time_links::invite(app, &session.actor, input).await?;
    let added = format!("{} was added.", user.username);
    handed_to(app, session, user.id, handed, added).await
}

async fn handed_to(
    app: &App,
    session: &AdminSession,
    id: i64,
    handed: Handed,
    done: String,
) -> Result<Go> {
    Ok(match handed {
        Handed::Mailed(to) => {
            let text = format!("The link to set a password is on its way to {to}.");
            let to = session.or_dashboard(Record::Users, super::href(id));
            Go::to(to).with(Flash::ok(done).text(text))
        }
        Handed::Shown(key) => {
            slots::put_link(app, session.session.id, id, &key).await?;
            Go::to(format!("{}link/", super::href(id))).with(Flash::ok(done))
        }
    })
}

#[post("/users/<id>/link", data = "<form>")]
pub async fn make_link(
    session: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
    form: ConfirmedForm,
) -> Result<Go, PageError> {
    let by_mail = form.text("how") == "mail";
    match one_time_links::hand_out(app, &session.actor, id, by_mail).await {
        Ok(handed) => {
            let done = "The link is made. Links from before do not work any more.".to_owned();
            Ok(handed_to(app, &session, id, handed, done).await?)
        }
        Err(Error::Conflict(text)) => Ok(Go::to(super::href(id)).with(Flash::bad(text))),
        Err(other) => Err(other.into()),
    }
}

#[get("/users/<id>/link")]
pub async fn show_link(
    session: &AdminSession,
    origin: Origin,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let user = users::get(app, id).await?;
    let key = slots::take_link(app, session.session.id, id).await?;
    if key.is_none() {
        // Who may add people and not see them has just made this one; nobody else learns a name here.
        session
            .actor
            .require(Permission::new(Act::View, Record::Users))?;
    }
    // Whoever reads this page asked for it by that name, so it is theirs to trust.
    let base = app.config.public_url.clone().unwrap_or(origin.0);
    Ok(page(
        app.settings().invitation_lifetime,
        &user,
        key.as_ref(),
        &base,
    ))
}

/// Rocket would answer HEAD by the page itself, and the link would be shown to nobody.
#[head("/users/<id>/link")]
pub async fn link_head(
    _session: May<'_, ViewUsers>,
    app: &State<App>,
    id: i64,
) -> Result<Status, PageError> {
    users::get(app, id).await?;
    Ok(Status::Ok)
}

#[post("/users/<id>/verify-email", data = "<_form>")]
pub async fn send_verification(
    session: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
    _form: CsrfForm,
) -> Result<Go, PageError> {
    let to = Go::to(super::href(id));
    match one_time_links::send_verification(app, &session.actor, id).await {
        Ok(()) => Ok(to.with(Flash::ok("The letter is on its way."))),
        Err(Error::Conflict(text)) => Ok(to.with(Flash::bad(text))),
        Err(other) => Err(other.into()),
    }
}

fn page(lifetime: i64, user: &User, key: Option<&LinkKey>, base: &str) -> Page {
    let (id, href, username) = (user.id, super::href(user.id), user.username.clone());
    match key {
        Some(key) => Page::of(&UserLink {
            id,
            href,
            username,
            link: format!("{base}{}", Purpose::SetPassword.path(key)),
            life: mail::in_words(lifetime),
        }),
        None => Page::of(&UserLinkShownOnce { id, href, username }),
    }
}

pub fn samples() -> Vec<Page> {
    let user = super::sample_user();
    let key = LinkKey::new("0123456789abcdefghijklmnopqrstuvwxyzABCDEFG");
    let base = "https://id.example.org";
    vec![
        page(259_200, &user, Some(&key), base),
        page(259_200, &user, None, base),
    ]
}
