//! Making a token. The owner's field is plain text with suggestions: a list of all users would
//! not load where there are many.

use rocket::{State, get, post};
use serde::Serialize;

use super::{
    expiry::{self, Expiry, expiries, preselected},
    place::Place,
};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        scopes::{Scope, Scopes},
        slots,
        tokens::{self, NewToken},
        users,
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        flash::Flash,
        form::{FormState, Labels},
        guards::{ConfirmableForm, CsrfForm, May, permission::AddTokens},
        page::{Crumb, Go, Page, Reply, View},
    },
};

const LABELS: Labels = &[
    ("owner", "Owner"),
    ("kind", "Kind"),
    ("name", "Name"),
    ("expires", "Expires"),
    ("on", "Date"),
    ("scopes", "Access"),
];

#[derive(Serialize)]
struct TokenAddForm {
    /// Where its list is.
    list: &'static str,
    /// For oneself: no owner is asked for.
    is_own: bool,
    form: FormState,
    expiries: Vec<Expiry>,
    /// What the server's settings allow, in words; empty: anything.
    longest: String,
    scopes: Vec<ScopeBox>,
}

/// One box of "only for".
#[derive(Serialize)]
struct ScopeBox {
    name: &'static str,
    label: &'static str,
    is_ticked: bool,
}

fn boxes(ticked: &[&str]) -> Vec<ScopeBox> {
    let label = |scope| match scope {
        Scope::StudentsRead => "Read students",
        Scope::StudentsWrite => "Change students",
        Scope::UsersRead => "Read users",
        Scope::UsersWrite => "Register users",
        Scope::TokensManage => "Get and create tokens",
        Scope::TokensIntrospect => "Check tokens",
        Scope::MetricsRead => "Read metrics",
    };
    let all = Scope::ALL.into_iter();
    all.map(|scope| ScopeBox {
        name: scope.as_str(),
        label: label(scope),
        is_ticked: ticked.contains(&scope.as_str()),
    })
    .collect()
}

impl View for TokenAddForm {
    const TEMPLATE: &'static str = "admin/tokens/panel/add_form.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        "New token".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

/// `limit`: the longest life, in seconds.
fn page(place: Place, form: FormState, ticked: &[&str], limit: Option<i64>) -> Page {
    place.page(&TokenAddForm {
        list: place.list(),
        is_own: place == Place::Account,
        form,
        expiries: expiries(limit),
        longest: limit.map_or_else(String::new, tokens::in_words),
        scopes: boxes(ticked),
    })
}

#[get("/tokens/new?<owner>&<kind>")]
pub fn add_form(
    session: May<'_, AddTokens>,
    app: &State<App>,
    owner: Option<&str>,
    kind: Option<&str>,
) -> Page {
    add_form_in(Place::Panel, &session.actor, app, owner, kind)
}

pub fn add_form_in(
    place: Place,
    by: &Actor,
    app: &App,
    owner: Option<&str>,
    kind: Option<&str>,
) -> Page {
    let limit = tokens::longest_life(app);
    let (expires, on) = preselected(app, &expiries(limit));
    let owner = owner.unwrap_or(&by.username);
    let kind = if kind == Some("default") {
        "default"
    } else {
        "named"
    };
    page(
        place,
        FormState::default()
            .with("owner", owner)
            .with("kind", kind)
            .with("access", "full")
            .with("expires", expires)
            .with("on", on),
        &[],
        limit,
    )
}

#[post("/tokens/new", data = "<form>")]
pub async fn add(
    session: May<'_, AddTokens>,
    app: &State<App>,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let (by, session_id) = (&session.actor, session.session.id);
    add_in(Place::Panel, by, session_id, app, &form).await
}

pub async fn add_in(
    place: Place,
    by: &Actor,
    session_id: i64,
    app: &App,
    form: &ConfirmableForm,
) -> Result<Reply, PageError> {
    let typed = ["owner", "kind", "name", "expires", "on", "access"]
        .into_iter()
        .fold(FormState::default(), |state, name| {
            state.with(name, form.text(name))
        });
    match make(place, by, session_id, app, form).await {
        Ok(go) => Ok(go.into()),
        Err(Error::Validation(errors)) => {
            let ticked: Vec<&str> = form.all("scope").collect();
            let limit = tokens::longest_life(app);
            Ok(page(place, typed.refused(&errors, LABELS), &ticked, limit).into())
        }
        Err(other) => Err(other.into()),
    }
}

/// The page that shows the new token, or the default one that was there already.
async fn make(
    place: Place,
    by: &Actor,
    session_id: i64,
    app: &App,
    form: &ConfirmableForm,
) -> Result<Go, Error> {
    let name = match place {
        Place::Panel => form.text("owner").trim(),
        Place::Account => &by.username,
    };
    let owner = users::find_by_username(app, name).await?;
    let is_named = form.text("kind") != "default";
    let Some(owner) = owner else {
        return Err(Error::Validation(if is_named {
            no_such_user(name).and(complaints(app, form)?)
        } else {
            no_such_user(name)
        }));
    };
    if is_named {
        complaints(app, form)?.into_result(|| ())?;
    }
    if by.user_id != Some(owner.id) {
        form.require(format!("Create a token for {}", owner.username))?;
    }
    let (token, key) = if is_named {
        let name = form.text("name").to_owned();
        let expires_at = expiry::chosen(app, form)?;
        tokens::issue(
            app,
            by,
            NewToken {
                user_id: owner.id,
                name,
                expires_at,
                scopes: chosen(form)?,
            },
        )
        .await?
    } else {
        let found = tokens::default_of(app, by, owner.id).await?;
        if !found.created {
            let href = place.href(found.token.id);
            return Ok(match place {
                Place::Panel => Go::to(format!("{href}exists/")),
                Place::Account => Go::to(href).with(
                    Flash::warn("You already have a default token.").text("No new one was made."),
                ),
            });
        }
        (found.token, found.key)
    };
    slots::put(app, session_id, token.id, &key).await?;
    Ok(Go::to(place.created_href(token.id)))
}

fn no_such_user(name: &str) -> FieldErrors {
    let mut errors = FieldErrors::default();
    errors.push(
        "owner",
        match name.trim() {
            "" => "Type the username of an account.".to_owned(),
            name => format!("There is no user “{name}”."),
        },
    );
    errors
}

/// All that is wrong with the form of a named token, but for its owner.
fn complaints(app: &App, form: &CsrfForm) -> Result<FieldErrors, Error> {
    let mut errors = FieldErrors::default();
    let mut ends = None;
    match expiry::chosen(app, form) {
        Ok(at) => ends = at,
        Err(Error::Validation(more)) => errors = errors.and(more),
        Err(other) => return Err(other),
    }
    let mut scopes = Scopes::FULL;
    match chosen(form) {
        Ok(some) => scopes = some,
        Err(Error::Validation(more)) => errors = errors.and(more),
        Err(other) => return Err(other),
    }
    Ok(errors.and(tokens::complaints(app, form.text("name"), ends, scopes)))
}

/// Full access, or what is ticked.
fn chosen(form: &CsrfForm) -> Result<Scopes, Error> {
    if form.text("access") != "some" {
        return Ok(Scopes::FULL);
    }
    let ticked: Vec<&str> = form.all("scope").collect();
    Scopes::parse(&ticked.join(" "))
        .ok_or_else(|| Error::field("scopes", "Choose some of the list."))
}

pub fn samples() -> Vec<Page> {
    let mut errors = FieldErrors::default();
    errors.push("owner", "There is no user “nobody”.");
    let form = FormState::default()
        .with("owner", "nobody")
        .with("kind", "named");
    vec![
        page(Place::Panel, FormState::default(), &[], None),
        page(Place::Account, FormState::default(), &[], None),
        page(
            Place::Panel,
            form.refused(&errors, LABELS),
            &["students:read"],
            Some(10 * 86_400),
        ),
    ]
}
