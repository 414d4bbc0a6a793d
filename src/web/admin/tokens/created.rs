//! The page that shows a new token once, with everything needed to make the first request.

use rocket::{State, get, head, http::Status, post};
use serde::Serialize;
use serde_json::json;

use super::place::Place;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        permissions::{Act, Permission, Record},
        slots,
        tokens::{self, TokenState},
    },
    secret::TokenKey,
    web::{
        error::PageError,
        guards::{AdminSession, ConfirmedForm, May, Origin, permission::AddTokens},
        page::{Crumb, Go, Page, View},
        words::TokenFacts,
    },
};

#[derive(Serialize)]
struct TokenCreated {
    heading: &'static str,
    token: TokenFacts,
    key: String,
    request: Vec<Line>,
    samples: Vec<Code>,
}

#[derive(Serialize)]
struct Line {
    label: &'static str,
    value: String,
    /// What the copy button says that it copied.
    what: &'static str,
}

#[derive(Serialize)]
struct Code {
    label: &'static str,
    /// What to do with it; empty: it is plain.
    about: &'static str,
    text: String,
}

impl View for TokenCreated {
    const TEMPLATE: &'static str = "admin/tokens/panel/created.html";
    const NAV: &'static str = "tokens";
    const SECRET: bool = true;

    fn title(&self) -> String {
        self.heading.to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail()
    }
}

/// The slot is empty: a second visit, or one to a token that was made elsewhere.
#[derive(Serialize)]
struct TokenShownOnce {
    token: TokenFacts,
}

impl View for TokenShownOnce {
    const TEMPLATE: &'static str = "admin/tokens/panel/shown_once.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        "A token is shown once".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(&self.token)
    }
}

const VIEW: Permission = Permission::new(Act::View, Record::Tokens);

#[get("/tokens/<id>/created")]
pub async fn created(
    session: &AdminSession,
    origin: Origin,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let (by, session_id) = (&session.actor, session.session.id);
    created_in(Place::Panel, by, session_id, &origin, app, id).await
}

pub async fn created_in(
    place: Place,
    by: &Actor,
    session_id: i64,
    origin: &Origin,
    app: &App,
    id: i64,
) -> Result<Page, PageError> {
    // Whoever made it sees it, also without the permission to see others.
    let Some(key) = slots::take(app, session_id, id).await? else {
        if place == Place::Panel {
            by.require(VIEW)?;
        }
        let token = place.facts(app, by, id).await?;
        return Ok(place.page(&TokenShownOnce { token }));
    };
    Ok(place.page(&show(place.facts(app, by, id).await?, &key, &origin.0)))
}

/// Rocket would answer HEAD by the page itself, and the token would be shown to nobody.
#[head("/tokens/<id>/created")]
pub async fn created_head(
    session: &AdminSession,
    app: &State<App>,
    id: i64,
) -> Result<Status, PageError> {
    session.actor.require(VIEW)?;
    Place::Panel.facts(app, &session.actor, id).await?;
    Ok(Status::Ok)
}

/// The default token, as often as it is asked for; each time is audited.
#[post("/tokens/<id>/show", data = "<_form>")]
pub async fn show_again(
    session: May<'_, AddTokens>,
    app: &State<App>,
    id: i64,
    _form: ConfirmedForm,
) -> Result<Go, PageError> {
    let (by, session_id) = (&session.actor, session.session.id);
    show_again_in(Place::Panel, by, session_id, app, id).await
}

pub async fn show_again_in(
    place: Place,
    by: &Actor,
    session_id: i64,
    app: &App,
    id: i64,
) -> Result<Go, PageError> {
    let (token, key) = tokens::show_default(app, by, id).await?;
    slots::put(app, session_id, token.id, &key).await?;
    Ok(Go::to(place.created_href(token.id)))
}

fn show(token: TokenFacts, key: &TokenKey, origin: &str) -> TokenCreated {
    let key = key.expose();
    let address = format!("{origin}/studentapi/");
    let value = format!("Token {key}");
    let code = |label, text| Code {
        label,
        about: "",
        text,
    };
    TokenCreated {
        // A default one may have been there before.
        heading: if token.is_default {
            "The default token"
        } else {
            "Your new token"
        },
        samples: vec![
            code(
                "curl",
                format!("curl {address} \\\n  -H \"Authorization: {value}\""),
            ),
            code(
                "JavaScript",
                format!(
                    "const r = await fetch(\"{address}\", {{\n  headers: {{ Authorization: \
                     \"{value}\" }},\n}});\nconsole.log(await r.json());"
                ),
            ),
            code(
                "Python",
                format!(
                    "import requests\n\nr = requests.get(\n    \"{address}\",\n    \
                     headers={{\"Authorization\": \"{value}\"}},\n)\nprint(r.json())"
                ),
            ),
            code(
                "Rust",
                format!(
                    "let students: serde_json::Value = reqwest::Client::new()\n    \
                     .get(\"{address}\")\n    .header(\"Authorization\", \"{value}\")\n    \
                     .send().await?.json().await?;"
                ),
            ),
            Code {
                label: "Postman",
                about: "In Postman press Import and paste this: a collection with the request, the token in its header. \
                        By hand: open the Headers tab, add the key and the value from above, and press Send. A 401 means \
                        the header is missing or has a typing slip.",
                text: postman(&address, &value),
            },
        ],
        request: vec![
            Line {
                label: "Key",
                value: "Authorization".to_owned(),
                what: "Header name",
            },
            Line {
                label: "Value",
                value,
                what: "Header value",
            },
            Line {
                label: "GET",
                value: address,
                what: "Address",
            },
        ],
        key: key.to_owned(),
        token,
    }
}

/// A collection of format 2.1. The token is sent as a header, never in an address.
fn postman(address: &str, value: &str) -> String {
    let text = |key: &str, value: &str| json!({"key": key, "value": value, "type": "string"});
    let collection = json!({
        "info": {
            "name": "Latchkey",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "apikey", "apikey": [
            text("key", "Authorization"),
            text("value", value),
            text("in", "header"),
        ]},
        "item": [{"name": "List the students", "request": {"method": "GET", "url": address}}],
    });
    format!("{collection:#}")
}

/// For the sweep: as the owner sees them.
pub fn own_samples() -> Vec<Page> {
    let token = super::sample_facts(TokenState::Active).own();
    let key = TokenKey::new("0123456789abcdef0123456789abcdef01234567");
    vec![
        Place::Account.page(&show(token.clone(), &key, "http://127.0.0.1:8000")),
        Place::Account.page(&TokenShownOnce { token }),
    ]
}

pub fn samples() -> Vec<Page> {
    let token = super::sample_facts(TokenState::Active);
    let key = TokenKey::new("0123456789abcdef0123456789abcdef01234567");
    let of_disabled = TokenFacts {
        is_owner_disabled: true,
        ..token.clone()
    };
    vec![
        Page::of(&show(token.clone(), &key, "http://127.0.0.1:8000")),
        Page::of(&show(of_disabled.clone(), &key, "http://127.0.0.1:8000")),
        Page::of(&TokenShownOnce { token }),
        Page::of(&TokenShownOnce { token: of_disabled }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_collection_for_postman_is_json_and_has_the_token_in_its_header_alone() {
        let text = postman("https://id.example.org/studentapi/", "Token lk_abc");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["auth"]["apikey"][1]["value"], "Token lk_abc");
        assert_eq!(
            read["item"][0]["request"]["url"],
            "https://id.example.org/studentapi/"
        );
        assert_eq!(text.matches("lk_abc").count(), 1);
    }
}
