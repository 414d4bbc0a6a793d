//! `/registration/`: an account of one's own.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::{password_reset::whom, visit::Visit};
use crate::{
    app::App,
    domain::{
        login,
        users::{self, UserInput},
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        flash::Flash,
        form::{FormState, Labels, new_password},
        guards::{CsrfForm, MaybeSession, Throttle, throttle::Register},
        page::{Go, Page, Reply, View},
    },
};

const LABELS: Labels = &[
    ("username", "Username"),
    ("password", "Password"),
    ("confirm_password", "Password again"),
];

#[derive(Serialize)]
struct Registration {
    open: bool,
    /// Somebody has that name, perhaps whoever types it again.
    is_taken: bool,
    /// Whom to ask where it is closed.
    whom: String,
    form: FormState,
}

impl View for Registration {
    const TEMPLATE: &'static str = "site/registration.html";

    fn title(&self) -> String {
        if self.open {
            "Create an account"
        } else {
            "Registration is closed"
        }
        .to_owned()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

#[get("/registration")]
pub fn registration_form(_visitor: MaybeSession, app: &State<App>) -> Page {
    let open = app.settings().registration_open;
    Page::of(&Registration {
        open,
        is_taken: false,
        whom: whom(app),
        form: FormState::default(),
    })
}

#[post("/registration", data = "<form>")]
pub async fn register(
    _throttle: Throttle<Register>,
    before: MaybeSession,
    visit: Visit<'_>,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    if !app.settings().registration_open {
        let page = Page::of(&Registration {
            open: false,
            is_taken: false,
            whom: whom(app),
            form: FormState::default(),
        });
        return Ok(page.status(Status::Forbidden).into());
    }
    let username = form.text("username").to_owned();
    let typed = FormState::default().with("username", &username);
    let (password, errors) = new_password(&form);
    let made = if errors.is_empty() {
        users::register(app, &visit.actor, username, password).await
    } else {
        let input = UserInput {
            username,
            ..UserInput::default()
        };
        let more = users::complaints(app, &input, &password).await?;
        Err(Error::Validation(errors.and(more)))
    };
    match made {
        Ok((user, _)) => {
            let user = login::after_sign_up(app, user).await?;
            visit.sign_in(app, &before, &user).await?;
            let welcome = Flash::ok(format!(
                "Welcome, {}. Your account is ready.",
                user.username
            ));
            Ok(Go::to("/dashboard/").with(welcome).into())
        }
        Err(Error::Validation(errors)) => {
            let form = typed.refused(&errors, LABELS);
            Ok(Page::of(&Registration {
                open: true,
                is_taken: errors.get("username").iter().any(|e| e == users::TAKEN),
                whom: whom(app),
                form,
            })
            .into())
        }
        Err(other) => Err(other.into()),
    }
}

pub fn samples() -> Vec<Page> {
    let mut errors = FieldErrors::default();
    errors.push("username", "A user with that username already exists.");
    let form = FormState::default()
        .with("username", "ann")
        .refused(&errors, LABELS);
    vec![
        Page::of(&Registration {
            open: true,
            is_taken: true,
            whom: "Sam".to_owned(),
            form,
        }),
        Page::of(&Registration {
            open: false,
            is_taken: false,
            whom: "Sam".to_owned(),
            form: FormState::default(),
        }),
    ]
}
