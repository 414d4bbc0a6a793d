//! The account form of one user, with what else is known of the person beside it.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        audit,
        permissions::{Act, Permission, Record},
        sessions, tokens,
        users::{self, User, UserInput},
    },
    error::{Error, FieldErrors, Result},
    web::{
        activity::Activity,
        error::PageError,
        filters,
        flash::Flash,
        form::FormState,
        guards::{
            AdminSession, ConfirmableForm, May,
            permission::{ChangeUsers, ViewUsers},
        },
        page::{Crumb, Go, Page, Reply, View},
        words::{self, Person, Role, Tag, TokenFacts},
    },
};

/// Tokens and audit lines shown beside the form.
const BESIDE: usize = 5;

#[derive(Serialize)]
struct UserChangeForm {
    form: FormState,
    passwords: bool,
    locked: &'static str,
    version: i64,
    user: Facts,
    tokens: Vec<TokenFacts>,
    more_tokens: bool,
    sessions: Vec<Device>,
    history: Vec<Activity>,
}

#[derive(Serialize)]
struct Facts {
    href: String,
    tokens_href: String,
    username: String,
    #[serde(flatten)]
    person: Person,
    status: Tag,
    role: Role,
    is_active: bool,
    /// Staff does not touch staff.
    can_touch: bool,
    tokens: u64,
    last_login: Option<i64>,
    joined: i64,
}

#[derive(Serialize)]
struct Device {
    id: i64,
    name: String,
    icon: &'static str,
    address: String,
    last_seen: i64,
    is_this: bool,
}

impl View for UserChangeForm {
    const TEMPLATE: &'static str = "admin/users/change_form.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        self.user.username.clone()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

impl Facts {
    fn of(by: &Actor, user: &User, tokens: u64) -> Self {
        Self {
            href: super::href(user.id),
            tokens_href: super::change_list::tokens_href(&user.username),
            username: user.username.clone(),
            person: Person::of(user),
            status: Tag::user(user),
            role: Role::of(user),
            is_active: user.is_active,
            can_touch: users::may_touch(by, user).is_ok(),
            tokens,
            last_login: words::known(user.last_login),
            joined: user.date_joined,
        }
    }
}

/// The page around a form that is new, or typed and refused.
async fn page(
    session: &AdminSession,
    app: &App,
    user: &User,
    form: FormState,
    version: i64,
) -> Result<Page> {
    let sees = |record| session.actor.may(Permission::new(Act::View, record));
    let mut found = Vec::new();
    if sees(Record::Tokens) {
        found = tokens::list_for(app, user.id).await?;
    }
    let now = app.now();
    let mut devices = Vec::new();
    if sees(Record::Sessions) {
        devices = sessions::list_for(app, user).await?;
    }
    let mut history = Vec::new();
    if sees(Record::Audit) {
        history = audit::for_object(app, "user", user.id, BESIDE as u64).await?;
    }
    Ok(Page::of(&UserChangeForm {
        form,
        passwords: false,
        locked: if session.actor.is_superuser {
            ""
        } else {
            super::SUPERUSERS_ONLY
        },
        version,
        user: Facts::of(&session.actor, user, found.len() as u64),
        more_tokens: found.len() > BESIDE,
        tokens: found
            .iter()
            .take(BESIDE)
            .map(|token| TokenFacts::of(token, &user.username, now))
            .collect(),
        sessions: devices
            .iter()
            .map(|s| {
                let (name, icon) = words::device(&s.user_agent);
                Device {
                    id: s.id,
                    name,
                    icon,
                    address: s.address.clone(),
                    last_seen: s.last_seen_at,
                    is_this: s.id == session.session.id,
                }
            })
            .collect(),
        history: history.iter().map(Activity::of_this).collect(),
    }))
}

#[get("/users/<id>")]
pub async fn change_form(
    session: May<'_, ViewUsers>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let user = users::get(app, id).await?;
    let form = super::shown(&super::of_user(&user));
    Ok(page(&session, app, &user, form, user.version).await?)
}

#[post("/users/<id>", data = "<form>")]
pub async fn change(
    session: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let user = users::get(app, id).await?;
    let version = form.text("version").parse().map_err(|_| Error::NotFound)?;
    let mut input = super::input(&form);
    if !session.actor.is_superuser {
        // Boxes that are switched off are not sent.
        input.is_staff = user.is_staff;
        input.is_superuser = user.is_superuser;
    }
    if let Some(act) = needs_password(&user, &input, &session.actor) {
        form.require(act)?;
    }
    let typed = input.clone();
    let refused = |errors: &FieldErrors| super::shown(&typed).refused(errors, super::LABELS);
    match users::update(app, &session.actor, id, input, version).await {
        Ok(changed) => {
            let flash = if changed.is_empty() {
                Flash::ok("Nothing to save.")
            } else {
                Flash::ok("Saved.").text(format!("Changed: {}.", changed.join(", ")))
            };
            let stay = form.text("then") == "stay";
            let to = if stay {
                super::href(id)
            } else {
                "/admin/users/".to_owned()
            };
            Ok(Go::to(to).with(flash).into())
        }
        Err(Error::Validation(errors)) => Ok(page(&session, app, &user, refused(&errors), version)
            .await?
            .into()),
        Err(Error::LastSuperuser) => {
            let mut errors = FieldErrors::default();
            errors.push("non_field_errors", super::delete::LAST_SUPERUSER);
            let page = page(&session, app, &user, refused(&errors), version).await?;
            Ok(page.status(Status::Conflict).into())
        }
        Err(Error::Conflict(_)) => Ok(conflict(app, &user, &typed).await?.into()),
        Err(other) => Err(other.into()),
    }
}

/// What of a change waits for the password: rights, and the address to which a way in may be mailed.
fn needs_password(user: &User, input: &UserInput, by: &Actor) -> Option<String> {
    let name = &user.username;
    let mut acts = Vec::new();
    match (user.is_superuser, input.is_superuser) {
        (false, true) => acts.push(format!("Make {name} a superuser")),
        (true, false) => acts.push(format!("{name} is a superuser no more")),
        _ => {}
    }
    match (user.is_staff, input.is_staff) {
        (false, true) => acts.push(format!("Make {name} staff")),
        (true, false) => acts.push(format!("{name} is staff no more")),
        _ => {}
    }
    if by.user_id != Some(user.id) && user.email != input.email.trim() {
        acts.push(format!("Change the e-mail of {name}"));
    }
    (!acts.is_empty()).then(|| acts.join(", "))
}

/// Two people edited the same account: both versions, and the choice.
#[derive(Serialize)]
struct UserConflict {
    href: String,
    id: i64,
    username: String,
    headline: String,
    mine: Vec<Mine>,
    rows: Vec<Compared>,
}

#[derive(Serialize)]
struct Mine {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Compared {
    label: &'static str,
    saved: String,
    yours: String,
    differs: bool,
}

impl View for UserConflict {
    const TEMPLATE: &'static str = "admin/users/conflict.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        "Changed meanwhile".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(self.id, &self.username)
    }
}

async fn conflict(app: &App, user: &User, typed: &UserInput) -> Result<Page> {
    let last = audit::for_object(app, "user", user.id, 10).await?;
    let edit = last.iter().find(|e| e.action == "user.changed");
    let headline = match edit {
        Some(e) => {
            format!(
                "{} saved this record {}.",
                e.actor,
                filters::ago(e.at, app.now())
            )
        }
        None => "Someone saved this record meanwhile.".to_owned(),
    };
    let view = compare(user, typed, headline);
    Ok(Page::of(&view).status(Status::Conflict))
}

fn compare(user: &User, typed: &UserInput, headline: String) -> UserConflict {
    let saved = super::of_user(user);
    let texts =
        |i: &UserInput| [&i.username, &i.email, &i.first_name, &i.last_name].map(String::clone);
    let flags = |i: &UserInput| [i.is_active, i.is_staff, i.is_superuser];
    let word = |on: bool| if on { "Yes" } else { "No" }.to_owned();
    let fields = super::LABELS
        .iter()
        .filter(|(name, _)| !name.ends_with("password"));
    let pairs = texts(&saved)
        .into_iter()
        .chain(flags(&saved).map(word))
        .zip(texts(typed).into_iter().chain(flags(typed).map(word)));
    let mut mine = vec![Mine {
        name: "version",
        value: user.version.to_string(),
    }];
    for ((name, _), value) in fields.clone().zip(texts(typed)) {
        mine.push(Mine { name, value });
    }
    for (name, on) in ["is_active", "is_staff", "is_superuser"]
        .into_iter()
        .zip(flags(typed))
    {
        if on {
            mine.push(Mine {
                name,
                value: "on".to_owned(),
            });
        }
    }
    UserConflict {
        href: super::href(user.id),
        id: user.id,
        username: user.username.clone(),
        headline,
        mine,
        rows: fields
            .zip(pairs)
            .map(|((_, label), (saved, yours))| Compared {
                label,
                differs: saved != yours,
                saved,
                yours,
            })
            .collect(),
    }
}

pub fn samples() -> Vec<Page> {
    let user = super::sample_user();
    let mut typed = super::of_user(&user);
    typed.email.insert(0, 'x');
    let mut errors = FieldErrors::default();
    errors.push("email", "The part after @ is missing.");
    let form = UserChangeForm {
        form: super::shown(&typed).refused(&errors, super::LABELS),
        passwords: false,
        locked: "",
        version: 1,
        user: Facts::of(&Actor::operator(), &user, 0),
        tokens: Vec::new(),
        more_tokens: false,
        sessions: vec![Device {
            id: 1,
            name: "Firefox on Linux".to_owned(),
            icon: "auto",
            address: "127.0.0.1".to_owned(),
            last_seen: 1_700_000_000,
            is_this: false,
        }],
        history: Vec::new(),
    };
    vec![
        Page::of(&form),
        Page::of(&compare(
            &user,
            &typed,
            "daniel.brandt saved this record 2 min ago.".to_owned(),
        )),
    ]
}
