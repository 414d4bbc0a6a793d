//! The account form of one user, with what else is known of the person beside it.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::{
    conflict,
    facts::Facts,
    groups::{self, Boxes},
};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        audit::{self, AuditEvent},
        login_pauses::LoginPause,
        paging::Count,
        permissions::{Act, Permission, Record},
        sessions, tokens,
        users::{self, SignInState, Updated, User, UserInput},
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
        words::{self, Tag, TokenFacts},
    },
};

/// Tokens and audit lines shown beside the form.
const BESIDE: usize = 5;
/// Audit lines among which failed tries are counted.
const LOOKED_AT: u64 = 50;
const DAY: i64 = 86_400;

#[derive(Serialize)]
struct UserChangeForm {
    form: FormState,
    passwords: bool,
    locked: &'static str,
    groups: Boxes,
    /// Live tokens that would end if the account got more rights.
    given: usize,
    version: i64,
    user: Facts,
    tokens: Vec<TokenFacts>,
    /// What a deletion would take along, in words; empty: nothing.
    goes: String,
    more_tokens: bool,
    sessions: Vec<Device>,
    history: Vec<Activity>,
    links: super::links::Card,
    pauses: Vec<Pause>,
    failed: String,
    /// From where the last sign-in came, if this person may know.
    last_address: Option<String>,
}

/// From where sign-in is paused, and why.
#[derive(Serialize)]
struct Pause {
    /// Empty: from everywhere.
    address: String,
    tries: i64,
    until: i64,
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

/// The page around a form that is new, or typed and refused.
async fn page(
    session: &AdminSession,
    app: &App,
    (user, sign_in): (&User, SignInState),
    form: FormState,
    groups: Boxes,
    version: i64,
) -> Result<Page> {
    let sees = |record| session.actor.may(Permission::new(Act::View, record));
    let (mut found, mut given) = (Vec::new(), 0);
    if sees(Record::Tokens) {
        (found, given) = tokens::list_with_given(app, user.id).await?;
    }
    if !session.actor.is_superuser || user.is_superuser {
        given = 0;
    }
    let now = app.now();
    let mut devices = Vec::new();
    if sees(Record::Sessions) {
        devices = sessions::list_for(app, user).await?;
    }
    let mut history = Vec::new();
    if sees(Record::Audit) {
        history = audit::for_object(app, "user", user.id, LOOKED_AT).await?;
    }
    let n = |n: usize| Count {
        n: n as u64,
        exact: true,
    };
    let facts = Facts::of(&session.actor, user, found.len() as u64, &sign_in);
    let SignInState {
        last_address,
        pauses,
        ..
    } = sign_in;
    Ok(Page::of(&UserChangeForm {
        form,
        passwords: false,
        locked: if session.actor.is_superuser {
            ""
        } else {
            super::SUPERUSERS_ONLY
        },
        groups,
        given,
        version,
        user: facts,
        goes: words::all_but_none(&[
            (n(found.len()), "token", "tokens"),
            (n(devices.len()), "session", "sessions"),
        ])
        .join(" and "),
        more_tokens: found.len() > BESIDE,
        tokens: found
            .iter()
            .take(BESIDE)
            .map(|(token, next)| TokenFacts::of(token, &user.username, now).followed_by(*next))
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
        links: super::links::Card::of(app, user),
        failed: failed(&history, now),
        last_address: last_address.filter(|_| sees(Record::Sessions) || sees(Record::Audit)),
        history: history.iter().take(BESIDE).map(Activity::of_this).collect(),
        pauses: pauses.into_iter().map(Pause::of).collect(),
    }))
}

impl Pause {
    fn of(pause: LoginPause) -> Self {
        Self {
            address: pause.address,
            tries: pause.tries,
            until: pause.ends_at,
        }
    }
}

/// Failed tries of the last day among the latest lines; empty if there were none.
fn failed(latest: &[AuditEvent], now: i64) -> String {
    let tries = latest
        .iter()
        .filter(|e| e.action == "user.login_failed" && e.at > now - DAY)
        .count();
    match tries as u64 {
        0 => String::new(),
        n if n == LOOKED_AT => format!("{n} or more"),
        n => filters::number(n),
    }
}

#[get("/users/<id>")]
pub async fn change_form(
    session: May<'_, ViewUsers>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let (user, sign_in) = users::get_with_sign_in(app, id).await?;
    let form = super::shown(&super::of_user(&user));
    let groups = Boxes::of(app, &session.actor, id, None).await?;
    Ok(page(&session, app, (&user, sign_in), form, groups, user.version).await?)
}

#[post("/users/<id>", data = "<form>")]
pub async fn change(
    session: May<'_, ChangeUsers>,
    app: &State<App>,
    id: i64,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let (user, sign_in) = users::get_with_sign_in(app, id).await?;
    let version = form.text("version").parse().map_err(|_| Error::NotFound)?;
    let mut input = super::input(&form);
    if !session.actor.is_superuser {
        // Boxes that are switched off are not sent.
        input.is_staff = user.is_staff;
        input.is_superuser = user.is_superuser;
        input.groups = None;
    }
    let saved = Boxes::of(app, &session.actor, id, None).await?;
    let named = groups::add_named(app, &form, &mut input).await;
    if let Some(act) = needs_password(&user, &input, saved.differ(&input)) {
        form.require(act)?;
    }
    let steps_down = session.actor.user_id == Some(id) && user.is_superuser && !input.is_superuser;
    let is_staff = input.is_staff;
    let typed = input.clone();
    let refused = async |errors: &FieldErrors| {
        let shown = groups::with_named(super::shown(&typed), &form);
        let form = shown.refused(errors, super::LABELS);
        let ticked = Boxes::of(app, &session.actor, id, Some(&typed)).await?;
        page(
            &session,
            app,
            (&user, sign_in.clone()),
            form,
            ticked,
            version,
        )
        .await
    };
    let updated = match named {
        Ok(()) => users::update(app, &session.actor, id, input, version).await,
        Err(e) => Err(e),
    };
    match updated {
        Ok(changed) if steps_down => {
            // Their own page may be one of those that they may not see any more.
            let to = if is_staff { "/admin/" } else { "/dashboard/" };
            let flash = saved_flash(&changed).text("You are no longer a superuser.");
            Ok(Go::to(to).with(flash).into())
        }
        Ok(changed) => {
            let flash = saved_flash(&changed);
            let stay = form.text("then") == "stay";
            let to = if stay {
                super::href(id)
            } else {
                "/admin/users/".to_owned()
            };
            Ok(Go::to(to).with(flash).into())
        }
        Err(Error::Validation(errors)) => Ok(refused(&errors).await?.into()),
        Err(Error::LastSuperuser) => {
            let mut errors = FieldErrors::default();
            errors.push("non_field_errors", super::delete::LAST_SUPERUSER);
            let page = refused(&errors).await?;
            Ok(page.status(Status::Conflict).into())
        }
        Err(Error::Conflict(_)) => {
            let ticked = Boxes::of(app, &session.actor, id, Some(&typed)).await?;
            let groups = (saved.in_a_row(), ticked.in_a_row());
            Ok(conflict::conflict(app, &user, &typed, groups).await?.into())
        }
        Err(other) => Err(other.into()),
    }
}

fn saved_flash(updated: &Updated) -> Flash {
    if updated.changed.is_empty() {
        return Flash::ok("Nothing to save.");
    }
    let changed = format!("Changed: {}.", updated.changed.join(", "));
    match updated.ended {
        0 => Flash::ok("Saved.").text(changed),
        n => {
            let n = Count {
                n: n as u64,
                exact: true,
            };
            let n = words::counted(n, "token", "tokens");
            let ended = format!("Revoked {n} that others had made for this account.");
            Flash::warn("Saved.").text(format!("{changed} {ended}"))
        }
    }
}

/// What of a change waits for the password: rights, and the address to which a way in may be mailed.
fn needs_password(user: &User, input: &UserInput, moves: bool) -> Option<String> {
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
    if moves {
        acts.push(format!("Change the groups of {name}"));
    }
    if user.email != input.email.trim() {
        acts.push(format!("Change the e-mail of {name}"));
    }
    (!acts.is_empty()).then(|| acts.join(", "))
}

pub fn samples() -> Vec<Page> {
    let user = super::sample_user();
    let mut typed = super::of_user(&user);
    typed.email.insert(0, 'x');
    let mut errors = FieldErrors::default();
    errors.push("email", "The part after @ is missing.");
    let form = UserChangeForm {
        form: super::shown(&typed).refused(&errors, super::LABELS),
        links: super::links::Card::sample(),
        passwords: false,
        locked: "",
        groups: Boxes::sample(),
        given: 2,
        version: 1,
        user: Facts {
            status: Tag::user(&user, true),
            is_last_superuser: true,
            ..Facts::of(&Actor::operator(), &user, 0, &SignInState::default())
        },
        tokens: Vec::new(),
        goes: "1 session".to_owned(),
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
        pauses: vec![Pause {
            address: "203.0.113.7".to_owned(),
            tries: 10,
            until: 1_795_436_000,
        }],
        failed: "12".to_owned(),
        last_address: Some("203.0.113.7".to_owned()),
    };
    vec![
        Page::of(&form),
        Page::of(&conflict::compare(
            &user,
            &typed,
            ("Support".to_owned(), "Support, Editors".to_owned()),
            "daniel.brandt saved this record 2 min ago.".to_owned(),
        )),
    ]
}
