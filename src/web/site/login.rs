//! `/login/`, and what the panel's own sign-in form shares with it: one form, two doors.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::{kept as go_on, password_reset::Help, visit::Visit};
use crate::{
    app::App,
    domain::{
        login as domain,
        settings::{Settings, largest},
        users::User,
    },
    error::{Error, Result},
    secret::SessionKey,
    web::{
        error::PageError,
        flash::Flash,
        form::FormState,
        guards::{CsrfForm, MaybeSession, SignInForm, csrf, kept::Kept},
        page::{Go, Page, Reply, View, local},
    },
};

/// Which sign-in form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Site,
    Admin,
}

impl Door {
    pub fn path(self) -> &'static str {
        match self {
            Self::Site => "/login/",
            Self::Admin => "/admin/login/",
        }
    }
}

#[derive(Serialize)]
pub struct Login {
    site: &'static str,
    heading: &'static str,
    lead: &'static str,
    action: &'static str,
    next: String,
    registration_open: bool,
    help: Help,
    /// A form that waits for the sign-in.
    kept: Option<Kept>,
    /// Why this page is here.
    notice: Option<Problem>,
    problem: Option<Problem>,
    form: FormState,
}

#[derive(Debug, Serialize)]
pub struct Problem {
    title: &'static str,
    text: String,
}

impl View for Login {
    const TEMPLATE: &'static str = "site/login.html";

    fn title(&self) -> String {
        let failed = if self.problem.is_some() {
            "Error: "
        } else {
            ""
        };
        format!("{failed}Sign in")
    }
}

impl Login {
    pub fn new(door: Door, app: &App, next: &str) -> Self {
        let next = local(next).unwrap_or_default().to_owned();
        let form = FormState::default();
        match door {
            Door::Site => Self {
                site: "Latchkey",
                heading: "Sign in",
                lead: "",
                action: door.path(),
                next,
                registration_open: app.settings().registration_open,
                help: Help::of(app),
                kept: None,
                notice: None,
                problem: None,
                form,
            },
            Door::Admin => Self {
                site: "Latchkey admin",
                heading: "Sign in to the admin panel",
                lead: "With a staff account.",
                action: door.path(),
                next,
                registration_open: false,
                help: Help::of(app),
                kept: None,
                notice: None,
                problem: None,
                form,
            },
        }
    }
}

impl Login {
    /// With a form that goes on after the sign-in.
    #[must_use]
    pub fn keeping(self, kept: Kept) -> Self {
        Self {
            kept: Some(kept),
            notice: Some(Problem {
                title: "Your session had ended",
                text: "What you typed is kept for 10 minutes. Sign in to send it.".to_owned(),
            }),
            ..self
        }
    }
}

#[get("/login?<next>")]
pub fn login_form(visitor: MaybeSession, app: &State<App>, next: Option<&str>) -> Reply {
    let next = next.unwrap_or_default();
    if visitor.0.is_some() {
        return Go::to(local(next).unwrap_or("/dashboard/")).into();
    }
    Reply::page(&Login::new(Door::Site, app, next))
}

#[post("/login", data = "<form>", rank = 2)]
pub async fn login(
    before: MaybeSession,
    visit: Visit<'_>,
    app: &State<App>,
    form: SignInForm,
) -> Result<Reply, PageError> {
    attempt(Door::Site, before, visit, app, form).await
}

/// One try. What went wrong is told in the same words whether or not the name exists.
pub async fn attempt(
    door: Door,
    before: MaybeSession,
    visit: Visit<'_>,
    app: &App,
    form: SignInForm,
) -> Result<Reply, PageError> {
    let form = match form {
        SignInForm::Fresh(form) => form,
        SignInForm::Stale(form) => return stale(door, &before, app, &form),
    };
    let username = form.text("username");
    let tried = domain::authenticate(app, username, form.password("password"), &visit.actor).await;
    let e = match tried {
        Ok(user) => {
            let key = visit.sign_in(app, &before, &user).await?;
            return Ok(arrived(door, app, &form, &user, &key)?);
        }
        Err(e) => e,
    };
    let Some(problem) = problem(&app.settings(), &e, "Check the username and the password.") else {
        return Err(e.into());
    };
    let page = Page::of(&Login {
        problem: Some(problem),
        ..again(door, app, &form)
    });
    Ok(refused(page, &e).into())
}

/// With what was typed and what waits.
fn again(door: Door, app: &App, form: &CsrfForm) -> Login {
    let login = Login::new(door, app, form.text("next"));
    Login {
        kept: Kept::of(form),
        form: FormState::default().with("username", form.text("username")),
        ..login
    }
}

/// To the form that waited for the sign-in, or to where one was going.
fn arrived(door: Door, app: &App, form: &CsrfForm, user: &User, key: &SessionKey) -> Result<Reply> {
    let staff = user.is_staff || user.is_superuser;
    let go = Go::to(match (door, local(form.text("next"))) {
        // It then says that this account cannot open the panel.
        (Door::Admin, _) if !staff => Door::Admin.path(),
        (_, Some(next)) => next,
        (Door::Admin, None) => "/admin/",
        (Door::Site, None) => "/dashboard/",
    });
    let Some(kept) = Kept::of(form) else {
        return Ok(go.into());
    };
    if let Ok(waits) = kept.resume(app, user.id) {
        return Ok(go_on::page(waits, csrf::token_for(app, key, user.id)?).into());
    }
    let lost = Flash::warn("What you typed was not saved")
        .text("It waited too long, or another account had typed it.");
    Ok(go.with(lost).into())
}

/// One signed in, perhaps also out, in another tab since the form was opened: nothing is tried.
fn stale(
    door: Door,
    before: &MaybeSession,
    app: &App,
    form: &CsrfForm,
) -> Result<Reply, PageError> {
    if let Some(session) = &before.0 {
        return Ok(arrived(
            door,
            app,
            form,
            &session.session.user,
            session.key(),
        )?);
    }
    let page = Page::of(&Login {
        notice: Some(Problem {
            title: "That page was open for long",
            text: "Sign in again.".to_owned(),
        }),
        ..again(door, app, form)
    });
    Ok(page.status(Status::BadRequest).into())
}

/// With the status of what a password met.
pub fn refused(page: Page, e: &Error) -> Page {
    match *e {
        Error::Throttled { retry_after } => page
            .status(Status::TooManyRequests)
            .retry_after(retry_after),
        Error::Busy { retry_after } => page
            .status(Status::ServiceUnavailable)
            .retry_after(retry_after),
        _ => page.status(Status::BadRequest),
    }
}

/// What a password met, in words. `advice` is for one that did not match.
pub fn problem(settings: &Settings, e: &Error, advice: &str) -> Option<Problem> {
    match *e {
        Error::InvalidCredentials { tries_left } => {
            Some(no_match(tries_left, settings.login_pause, advice))
        }
        Error::Throttled { retry_after } => Some(paused(retry_after)),
        Error::Busy { retry_after } => Some(busy(retry_after)),
        _ => None,
    }
}

/// `pause`: in seconds.
fn no_match(tries_left: Option<u32>, pause: i64, advice: &str) -> Problem {
    let (n, unit) = largest(pause);
    let left = match tries_left {
        Some(0) => format!(
            " That was the last try before {} {n}-{unit} pause.",
            article(n)
        ),
        Some(1) => format!(" 1 try left before {} {n}-{unit} pause.", article(n)),
        Some(tries) => format!(
            " {tries} tries left before {} {n}-{unit} pause.",
            article(n)
        ),
        None => String::new(),
    };
    Problem {
        title: "That did not match",
        text: format!("{advice}{left}"),
    }
}

/// Before a number that is read aloud.
fn article(n: i64) -> &'static str {
    let digits = n.to_string();
    if digits.starts_with('8') || matches!(n, 11 | 18) {
        "an"
    } else {
        "a"
    }
}

fn paused(seconds: u64) -> Problem {
    let wait = match seconds.div_ceil(60) {
        0 | 1 => "a minute".to_owned(),
        minutes if minutes < 120 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes.div_ceil(60)),
    };
    Problem {
        title: "Too many tries",
        text: format!("Sign-in opens again in {wait}."),
    }
}

fn busy(seconds: u64) -> Problem {
    Problem {
        title: "Many people are signing in",
        text: format!("Try again in {} seconds.", seconds.max(1)),
    }
}

pub fn samples() -> Vec<Page> {
    let sample = |problem| {
        Page::of(&Login {
            site: "Latchkey",
            heading: "Sign in",
            lead: "",
            action: "/login/",
            next: "/dashboard/".to_owned(),
            registration_open: true,
            help: Help::sample(),
            kept: None,
            notice: None,
            problem,
            form: FormState::default(),
        })
    };
    vec![
        sample(None),
        sample(Some(no_match(
            Some(7),
            900,
            "Check the username and the password.",
        ))),
        sample(Some(paused(840))),
        sample(Some(busy(2))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_told_in_minutes() {
        assert_eq!(paused(840).text, "Sign-in opens again in 14 minutes.");
        assert_eq!(paused(86_000).text, "Sign-in opens again in 24 hours.");
        assert_eq!(paused(20).text, "Sign-in opens again in a minute.");
        assert!(
            no_match(Some(7), 900, "Check it.")
                .text
                .ends_with("7 tries left before a 15-minute pause.")
        );
        assert!(
            no_match(Some(1), 8 * 3600, "Check it.")
                .text
                .ends_with("1 try left before an 8-hour pause.")
        );
    }
}
