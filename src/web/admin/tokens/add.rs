//! Making a token. The owner's field is plain text with suggestions: a list of all users would
//! not load where there are many.

use rocket::{State, get, post};
use serde::Serialize;

use super::place::Place;
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
    ("scopes", "Access"),
];

/// Days that are offered, as far as the server's settings allow.
const DAYS: [i64; 4] = [7, 30, 90, 365];
const DAY: i64 = 24 * 60 * 60;
/// The value of the server's limit where it is none of `DAYS`.
const LONGEST: &str = "longest";

/// An expiry to choose. `value` is a number of days; empty: never.
#[derive(Debug, Serialize)]
struct Expiry {
    value: String,
    label: String,
    #[serde(skip)]
    seconds: Option<i64>,
}

/// `limit`: seconds; `None`: for ever.
fn expiries(limit: Option<i64>) -> Vec<Expiry> {
    let allowed = DAYS
        .into_iter()
        .filter(|days| limit.is_none_or(|limit| days * DAY <= limit));
    let mut all: Vec<Expiry> = allowed
        .map(|days| Expiry {
            value: days.to_string(),
            label: match days {
                365 => "In a year".to_owned(),
                days => format!("In {days} days"),
            },
            seconds: Some(days * DAY),
        })
        .collect();
    match limit {
        None => all.push(Expiry {
            value: String::new(),
            label: "Never".to_owned(),
            seconds: None,
        }),
        Some(limit) if !DAYS.contains(&(limit / DAY)) || limit % DAY != 0 => all.push(Expiry {
            value: LONGEST.to_owned(),
            label: format!("In {}, the longest", tokens::in_words(limit)),
            seconds: Some(limit),
        }),
        Some(_) => {}
    }
    all
}

/// 90 days, or the longest where that is shorter.
fn usual(expiries: &[Expiry]) -> &str {
    let ninety = expiries.iter().find(|expiry| expiry.value == "90");
    let usual = ninety.or(expiries.last());
    usual.map_or("", |expiry| expiry.value.as_str())
}

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
            .with("expires", usual(&expiries(limit))),
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
    let typed = ["owner", "kind", "name", "expires", "access"]
        .into_iter()
        .fold(FormState::default(), |state, name| {
            state.with(name, form.text(name))
        });
    match make(place, by, session_id, app, form).await {
        Ok(to) => Ok(Go::to(to).into()),
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
) -> Result<String, Error> {
    let name = match place {
        Place::Panel => form.text("owner").trim(),
        Place::Account => &by.username,
    };
    let owner = users::find_by_username(app, name)
        .await?
        .ok_or_else(|| no_such_user(name))?;
    if by.user_id != Some(owner.id) {
        form.require(format!("Create a token for {}", owner.username))?;
    }
    let (token, key) = if form.text("kind") == "default" {
        let found = tokens::default_of(app, by, owner.id).await?;
        if !found.created {
            let href = place.href(found.token.id);
            return Ok(match place {
                Place::Panel => format!("{href}exists/"),
                Place::Account => href,
            });
        }
        (found.token, found.key)
    } else {
        let name = form.text("name").to_owned();
        let life = expiry(form.text("expires"), tokens::longest_life(app))?;
        let expires_at = life.map(|seconds| app.now() + seconds);
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
    };
    slots::put(app, session_id, token.id, &key).await?;
    Ok(place.created_href(token.id))
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

/// The life that was chosen, in seconds; `None`: for ever.
fn expiry(chosen: &str, limit: Option<i64>) -> Result<Option<i64>, Error> {
    let offered = expiries(limit);
    let expiry = offered.iter().find(|expiry| expiry.value == chosen);
    expiry
        .map(|expiry| expiry.seconds)
        .ok_or_else(|| Error::field("expires", "Choose one of the list."))
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
            Some(10 * DAY),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_one_of_the_list() {
        assert_eq!(expiry("", None).unwrap(), None);
        assert_eq!(expiry("7", None).unwrap(), Some(7 * DAY));
        for bad in ["8", "-7", "soon", "07", LONGEST] {
            assert!(expiry(bad, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_more_is_offered_than_is_allowed() {
        let offered = |limit| {
            let all = expiries(Some(limit));
            (
                all.iter().map(|e| e.value.clone()).collect::<Vec<_>>(),
                usual(&all).to_owned(),
            )
        };
        let words = |all: &[&str]| all.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            offered(90 * DAY),
            (words(&["7", "30", "90"]), "90".to_owned())
        );
        assert_eq!(
            offered(60 * DAY),
            (words(&["7", "30", LONGEST]), LONGEST.to_owned())
        );
        assert_eq!(offered(3600), (words(&[LONGEST]), LONGEST.to_owned()));
        assert_eq!(expiry(LONGEST, Some(3600)).unwrap(), Some(3600));
        assert!(expiry("", Some(60 * DAY)).is_err() && expiry("365", Some(60 * DAY)).is_err());
    }
}
