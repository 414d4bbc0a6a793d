//! `/account/`: names and e-mail.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        one_time_links,
        users::{self, User, UserInput},
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        flash::Flash,
        form::{FormState, Labels},
        guards::{ConfirmableForm, CsrfForm, UserSession},
        page::{Go, Page, Reply, View},
        words,
    },
};

const PATH: &str = "/account/";
const LABELS: Labels = &[
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("email", "E-mail"),
];

#[derive(Serialize)]
struct Profile {
    form: FormState,
    version: i64,
    joined: i64,
    last_login: Option<i64>,
    email: Email,
    /// What somebody else saved meanwhile.
    saved: Vec<Saved>,
}

/// The address that is saved, and what may be done about it.
#[derive(Serialize)]
struct Email {
    is_given: bool,
    is_verified: bool,
    /// Whether this server sends mail.
    mail: bool,
}

#[derive(Serialize)]
struct Saved {
    label: &'static str,
    value: String,
}

impl View for Profile {
    const TEMPLATE: &'static str = "site/account/profile.html";

    fn title(&self) -> String {
        "Your account".to_owned()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

/// `mail`: whether this server sends any.
fn page(user: &User, mail: bool, form: FormState, version: i64, saved: Vec<Saved>) -> Page {
    Page::of(&Profile {
        email: Email {
            is_given: !user.email.is_empty(),
            is_verified: user.email_verified_at > 0,
            mail,
        },
        form,
        version,
        joined: user.date_joined,
        last_login: words::known(user.last_login),
        saved,
    })
}

fn of_user(user: &User) -> [(&'static str, &str); 3] {
    [
        ("first_name", &user.first_name),
        ("last_name", &user.last_name),
        ("email", &user.email),
    ]
}

fn typed(form: &CsrfForm) -> [(&'static str, &str); 3] {
    ["first_name", "last_name", "email"].map(|name| (name, form.text(name)))
}

fn shown(fields: [(&'static str, &str); 3]) -> FormState {
    let empty = FormState::default();
    let put = |form: FormState, (name, value)| form.with(name, value);
    fields.into_iter().fold(empty, put)
}

#[get("/account")]
pub fn form(session: &UserSession, app: &State<App>) -> Page {
    let user = &session.session.user;
    let mail = app.config.mail.is_some();
    page(user, mail, shown(of_user(user)), user.version, Vec::new())
}

/// The letter whose link shows that the address is one's own, once more.
#[post("/account/verify-email", data = "<_form>")]
pub async fn send_verification(
    session: &UserSession,
    app: &State<App>,
    _form: CsrfForm,
) -> Result<Go, PageError> {
    let user = &session.session.user;
    let said = match one_time_links::send_verification(app, &session.actor, user.id).await {
        Ok(()) => Flash::ok("The letter is on its way.")
            .text(format!("Follow the link in it: it goes to {}.", user.email)),
        Err(Error::Conflict(text)) => Flash::warn(text),
        Err(other) => return Err(other.into()),
    };
    Ok(Go::to(PATH).with(said))
}

#[post("/account", data = "<form>")]
pub async fn save(
    session: &UserSession,
    app: &State<App>,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let user = &session.session.user;
    let version = form.text("version").parse().map_err(|_| Error::NotFound)?;
    let email = form.text("email").trim();
    if email != user.email {
        // Where a way in may be mailed to is as good as the password.
        form.require(match email {
            "" => "Remove your e-mail address".to_owned(),
            email => format!("Change your e-mail to {email}"),
        })?;
    }
    let input = UserInput {
        username: user.username.clone(),
        first_name: form.text("first_name").to_owned(),
        last_name: form.text("last_name").to_owned(),
        email: email.to_owned(),
        is_active: user.is_active,
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
        groups: None,
        groups_shown: None,
    };
    match users::update(app, &session.actor, user.id, input, version).await {
        Ok(saved) if saved.changed.is_empty() => {
            Ok(Go::to(PATH).with(Flash::ok("Nothing to save.")).into())
        }
        Ok(saved) => {
            let changed = saved.changed.join(", ");
            let said = Flash::ok("Saved.").text(format!("Changed: {changed}."));
            Ok(Go::to(PATH).with(said).into())
        }
        Err(Error::Validation(errors)) => {
            let form = shown(typed(&form)).refused(&errors, LABELS);
            let mail = app.config.mail.is_some();
            Ok(page(user, mail, form, version, Vec::new()).into())
        }
        Err(Error::Conflict(_)) => {
            let now = users::get(app, user.id).await?;
            let saved = of_user(&now).into_iter().zip(LABELS);
            let saved = saved.map(|((_, value), (_, label))| Saved {
                label,
                value: value.to_owned(),
            });
            let mail = app.config.mail.is_some();
            let form = shown(typed(&form));
            let page = page(&now, mail, form, now.version, saved.collect());
            Ok(page.status(Status::Conflict).into())
        }
        Err(other) => Err(other.into()),
    }
}

pub fn samples() -> Vec<Page> {
    let user = crate::web::admin::users::sample_user();
    let mut errors = FieldErrors::default();
    errors.push("email", "Enter a valid email address.");
    let refused = shown(of_user(&user)).refused(&errors, LABELS);
    let saved = vec![Saved {
        label: "E-mail",
        value: "<b>sam</b>@example.org".to_owned(),
    }];
    vec![
        page(&user, true, refused, 1, Vec::new()),
        page(&user, false, shown(of_user(&user)), 2, saved),
    ]
}
