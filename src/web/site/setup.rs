//! `/setup/`: the first administrator. Open only while there is none.

use rocket::{
    Request, State, get,
    http::Status,
    post,
    request::{FromRequest, Outcome},
};
use serde::Serialize;

use super::visit::Visit;
use crate::{
    app::App,
    domain::{
        login,
        setup::{self, Proof},
        users::{self, UserInput},
    },
    error::{Error, FieldErrors},
    web::{
        error::{PageError, Rejected, reject},
        flash::Flash,
        form::{FormState, Labels, new_password},
        guards::{CsrfForm, HostName, MaybeSession},
        page::{Go, Page, Reply, View},
    },
};

const LABELS: Labels = &[
    ("code", "Set-up code"),
    ("username", "Username"),
    ("email", "E-mail"),
    ("password", "Password"),
    ("confirm_password", "Password again"),
];

#[derive(Serialize)]
struct Setup {
    asks_for_code: bool,
    form: FormState,
}

impl View for Setup {
    const TEMPLATE: &'static str = "site/setup.html";

    fn title(&self) -> String {
        "Create the first administrator".to_owned()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

/// Somebody else created the administrator while this form was open.
#[derive(Serialize)]
struct SetupDone {}

impl View for SetupDone {
    const TEMPLATE: &'static str = "site/setup_done.html";

    fn title(&self) -> String {
        "Someone was faster".to_owned()
    }
}

/// Without a code the page must have been asked for by this machine's own name: any other name may
/// be somebody's who made it point here (DNS rebinding).
fn asks_for_code(app: &App, host: &HostName) -> bool {
    setup::asks_for_code(app) || !host.is_loopback()
}

#[get("/setup?<code>")]
pub async fn setup_form(
    _visitor: MaybeSession,
    host: HostName,
    app: &State<App>,
    code: Option<&str>,
) -> Result<Page, PageError> {
    if !setup::is_open(app).await? {
        return Err(Error::NotFound.into());
    }
    let form = FormState::default().with("code", code.unwrap_or_default());
    Ok(Page::of(&Setup {
        asks_for_code: asks_for_code(app, &host),
        form,
    }))
}

/// While there is no administrator. Afterwards nothing else is looked at, not even whether a form is genuine.
pub struct Open;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Open {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        match setup::is_open(App::of(req)).await {
            Ok(true) => Outcome::Success(Self),
            Ok(false) => Outcome::Forward(Status::NotFound),
            Err(e) => reject(req, e),
        }
    }
}

/// The form was open when it was not too late yet: more helpful than a bare "not found".
fn done() -> Page {
    Page::of(&SetupDone {}).status(Status::NotFound)
}

#[post("/setup", rank = 2)]
pub fn closed(_visitor: MaybeSession) -> Page {
    done()
}

#[post("/setup", data = "<form>")]
pub async fn set_up(
    _open: Open,
    before: MaybeSession,
    visit: Visit<'_>,
    host: HostName,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let typed = ["code", "username", "email"]
        .into_iter()
        .fold(FormState::default(), |state, name| {
            state.with(name, form.text(name))
        });
    let input = UserInput {
        username: form.text("username").to_owned(),
        email: form.text("email").to_owned(),
        ..UserInput::default()
    };
    let (password, errors) = new_password(&form);
    let made = if errors.is_empty() {
        let proof = if asks_for_code(app, &host) {
            Proof::Code(form.text("code"))
        } else {
            Proof::AtTheMachine
        };
        setup::create_superuser(app, &visit.actor, proof, input, password).await
    } else {
        // Whether a name is taken is told to nobody before the code.
        let more = users::complaints_of(&input, &password);
        Err(Error::Validation(errors.and(more)))
    };
    match made {
        Ok(user) => {
            let user = login::after_sign_up(app, user).await?;
            visit.sign_in(app, &before, &user).await?;
            let welcome = Flash::ok("This server is set up. You are signed in.")
                .text("Create your first token: a program needs one to call the API.");
            Ok(Go::to("/admin/tokens/new/?kind=default")
                .with(welcome)
                .into())
        }
        Err(Error::Validation(errors)) => {
            let form = typed.refused(&errors, LABELS);
            Ok(Page::of(&Setup {
                asks_for_code: asks_for_code(app, &host),
                form,
            })
            .into())
        }
        Err(Error::Conflict(_)) => Ok(Page::of(&SetupDone {}).status(Status::Conflict).into()),
        Err(Error::NotFound) => Ok(done().into()),
        Err(other) => Err(other.into()),
    }
}

pub fn samples() -> Vec<Page> {
    let mut errors = FieldErrors::default();
    errors.push("code", "That is not the code in the server log.");
    let form = FormState::default()
        .with("username", "sam.archer")
        .refused(&errors, LABELS);
    vec![
        Page::of(&Setup {
            asks_for_code: true,
            form,
        }),
        Page::of(&SetupDone {}),
    ]
}
