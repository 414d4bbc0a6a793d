//! Making a token. The owner's field is plain text with suggestions: a list of all users would
//! not load where there are many.

use rocket::{State, get, post};
use serde::Serialize;

use super::Choice;
use crate::{
    app::App,
    domain::{
        scopes::{Scope, Scopes},
        slots,
        tokens::{self, NewToken},
        users,
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        form::{FormState, Labels},
        guards::{AdminSession, CsrfForm},
        page::{Crumb, Go, Page, Reply, View},
    },
};

const LABELS: Labels = &[
    ("owner", "Owner"),
    ("kind", "Kind"),
    ("name", "Name"),
    ("expires", "Expires"),
    ("scopes", "Access"),
];

/// Days; empty: never.
const EXPIRIES: &[Choice] = &[
    Choice {
        value: "7",
        label: "In 7 days",
    },
    Choice {
        value: "30",
        label: "In 30 days",
    },
    Choice {
        value: "90",
        label: "In 90 days",
    },
    Choice {
        value: "365",
        label: "In a year",
    },
    Choice {
        value: "",
        label: "Never",
    },
];
const DAY: i64 = 24 * 60 * 60;

#[derive(Serialize)]
struct TokenAddForm {
    form: FormState,
    expiries: &'static [Choice],
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
    const TEMPLATE: &'static str = "admin/tokens/add_form.html";
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

fn page(form: FormState, ticked: &[&str]) -> Page {
    Page::of(&TokenAddForm {
        form,
        expiries: EXPIRIES,
        scopes: boxes(ticked),
    })
}

#[get("/tokens/new?<owner>&<kind>")]
pub fn add_form(session: &AdminSession, owner: Option<&str>, kind: Option<&str>) -> Page {
    let owner = owner.unwrap_or(&session.actor.username);
    let kind = if kind == Some("default") {
        "default"
    } else {
        "named"
    };
    page(
        FormState::default()
            .with("owner", owner)
            .with("kind", kind)
            .with("access", "full")
            .with("expires", "90"),
        &[],
    )
}

#[post("/tokens/new", data = "<form>")]
pub async fn add(
    session: &AdminSession,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let typed = ["owner", "kind", "name", "expires", "access"]
        .into_iter()
        .fold(FormState::default(), |state, name| {
            state.with(name, form.text(name))
        });
    match make(session, app, &form).await {
        Ok(to) => Ok(Go::to(to).into()),
        Err(Error::Validation(errors)) => {
            let ticked: Vec<&str> = form.all("scope").collect();
            Ok(page(typed.refused(&errors, LABELS), &ticked).into())
        }
        Err(other) => Err(other.into()),
    }
}

/// The page that shows the new token, or the default one that was there already.
async fn make(session: &AdminSession, app: &App, form: &CsrfForm) -> Result<String, Error> {
    let owner = users::find_by_username(app, form.text("owner").trim())
        .await?
        .ok_or_else(|| no_such_user(form.text("owner")))?;
    let (token, key) = if form.text("kind") == "default" {
        let found = tokens::default_of(app, &session.actor, owner.id).await?;
        if !found.created {
            return Ok(format!("/admin/tokens/{}/exists/", found.token.id));
        }
        (found.token, found.key)
    } else {
        let name = form.text("name").to_owned();
        let expires_at = expiry(form.text("expires"), app.now())?;
        tokens::issue(
            app,
            &session.actor,
            NewToken {
                user_id: owner.id,
                name,
                expires_at,
                scopes: chosen(form)?,
            },
        )
        .await?
    };
    slots::put(app, session.session.id, token.id, &key).await?;
    Ok(super::created_href(&token))
}

fn no_such_user(name: &str) -> Error {
    let name = name.trim();
    if name.is_empty() {
        Error::field("owner", "Type the username of an account.")
    } else {
        Error::field("owner", format!("There is no user “{name}”."))
    }
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

fn expiry(days: &str, now: i64) -> Result<Option<i64>, Error> {
    if days.is_empty() {
        return Ok(None);
    }
    match days.parse::<i64>() {
        Ok(n) if EXPIRIES.iter().any(|c| c.value == days) => Ok(Some(now + n * DAY)),
        _ => Err(Error::field("expires", "Choose one of the list.")),
    }
}

pub fn samples() -> Vec<Page> {
    let mut errors = FieldErrors::default();
    errors.push("owner", "There is no user “nobody”.");
    let form = FormState::default()
        .with("owner", "nobody")
        .with("kind", "named");
    vec![
        page(FormState::default(), &[]),
        page(form.refused(&errors, LABELS), &["students:read"]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_one_of_the_list() {
        assert_eq!(expiry("", 5).unwrap(), None);
        assert_eq!(expiry("7", 5).unwrap(), Some(5 + 7 * DAY));
        for bad in ["8", "-7", "soon", "07"] {
            assert!(expiry(bad, 5).is_err(), "{bad}");
        }
    }
}
