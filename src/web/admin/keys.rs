//! Signing keys: what each is and until when, rotation, and revoking one that others know.

use rocket::{Route, State, get, post, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        signing_keys::{self, KeyState, SigningKey},
        tokens::in_words,
    },
    error::Error,
    web::{
        error::PageError,
        flash::Flash,
        guards::{ConfirmedForm, SuperuserSession},
        page::{Crumb, Go, Page, Reply, View},
        words::Tag,
    },
};

pub fn routes() -> Vec<Route> {
    routes![list, rotate, revoke_form, revoke]
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    name: String,
    algorithm: String,
    state: Tag,
    created: i64,
    /// None: waits for its turn. 0: since the beginning.
    signs_from: Option<i64>,
    verifies_until: Option<i64>,
    revoke_href: Option<String>,
}

impl Row {
    fn of(key: &SigningKey, state: KeyState) -> Self {
        Self {
            name: signing_keys::name(key).to_owned(),
            algorithm: key.algorithm.clone(),
            state: Tag::signing_key(state),
            created: key.created_at,
            signs_from: key.activates_at,
            verifies_until: key.retires_at,
            revoke_href: matches!(state, KeyState::Current | KeyState::Previous)
                .then(|| format!("/admin/keys/{}/revoke/", key.id)),
        }
    }
}

#[derive(Serialize)]
struct SigningKeys {
    rows: Vec<Row>,
    /// The key comes from a setting and cannot be changed here.
    is_fixed: bool,
    algorithm: &'static str,
    /// None: by hand.
    rotates_every: Option<String>,
    issuer: Option<String>,
    /// Whether there is anything to see in the key set.
    has_public: bool,
}

impl View for SigningKeys {
    const TEMPLATE: &'static str = "admin/keys/list.html";
    const NAV: &'static str = "keys";

    fn title(&self) -> String {
        "Signing keys".to_owned()
    }
}

#[get("/keys")]
async fn list(_session: &SuperuserSession, app: &State<App>) -> Result<Page, PageError> {
    // The newest first. Where there are none yet, the public ones make them.
    let has_public = !signing_keys::public(app).await?.is_empty();
    let keys = signing_keys::judged(app).await?;
    let rows = keys.iter().rev().map(|(key, state)| Row::of(key, *state));
    let lifetime = app.config.jwt_key_lifetime;
    Ok(Page::of(&SigningKeys {
        rows: rows.collect(),
        is_fixed: app.config.jwt_signing_key.is_some(),
        algorithm: app.config.jwt_algorithm.as_str(),
        rotates_every: (lifetime > 0).then(|| in_words(lifetime)),
        issuer: app.config.jwt_issuer.clone(),
        has_public,
    }))
}

#[post("/keys/rotate", data = "<_form>")]
async fn rotate(
    session: &SuperuserSession,
    app: &State<App>,
    _form: ConfirmedForm,
) -> Result<Reply, PageError> {
    let flash = match signing_keys::rotate(app, &session.actor).await {
        Ok(key) => Flash::ok(format!("Key {} takes over.", signing_keys::name(&key))).text(
            "It signs from now on. What the one before it signed stays good until it expires.",
        ),
        Err(Error::Conflict(why)) => Flash::bad("Not rotated.").text(why),
        Err(other) => return Err(other.into()),
    };
    Ok(Go::to("/admin/keys/").with(flash).into())
}

#[derive(Serialize)]
struct Revoke {
    name: String,
    action: String,
    is_current: bool,
}

impl View for Revoke {
    const TEMPLATE: &'static str = "admin/keys/revoke.html";
    const NAV: &'static str = "keys";

    fn title(&self) -> String {
        format!("Revoke key “{}”?", self.name)
    }

    fn trail(&self) -> Vec<Crumb> {
        vec![Crumb::new("Signing keys", "/admin/keys/")]
    }
}

#[get("/keys/<id>/revoke")]
async fn revoke_form(
    _session: &SuperuserSession,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let keys = signing_keys::judged(app).await?;
    let signed_something =
        |state: &KeyState| matches!(state, KeyState::Current | KeyState::Previous);
    let (key, state) = keys
        .iter()
        .find(|(key, state)| key.id == id && signed_something(state))
        .ok_or(Error::NotFound)?;
    Ok(Page::of(&Revoke {
        name: signing_keys::name(key).to_owned(),
        action: format!("/admin/keys/{id}/revoke/"),
        is_current: *state == KeyState::Current,
    }))
}

#[post("/keys/<id>/revoke", data = "<_form>")]
async fn revoke(
    session: &SuperuserSession,
    app: &State<App>,
    id: i64,
    _form: ConfirmedForm,
) -> Result<Reply, PageError> {
    let flash = match signing_keys::revoke(app, &session.actor, id).await {
        Ok(key) => Flash::ok(format!("Key {} is revoked.", signing_keys::name(&key)))
            .text("What it signed is refused from now on."),
        Err(Error::Conflict(why)) => Flash::bad("Not revoked.").text(why),
        Err(other) => return Err(other.into()),
    };
    Ok(Go::to("/admin/keys/").with(flash).into())
}

pub fn samples() -> Vec<Page> {
    let row = |name: &str, state, signs_from, verifies_until| Row {
        name: name.to_owned(),
        algorithm: "EdDSA".to_owned(),
        state: Tag::signing_key(state),
        created: 1_700_000_000,
        signs_from,
        verifies_until,
        revoke_href: Some("/admin/keys/1/revoke/".to_owned()),
    };
    let list = |is_fixed, rows: Vec<Row>| {
        Page::of(&SigningKeys {
            has_public: !rows.is_empty(),
            rows,
            is_fixed,
            algorithm: "EdDSA",
            rotates_every: Some("90 days".to_owned()),
            issuer: Some("https://auth.example.org".to_owned()),
        })
    };
    let revoke = |is_current| {
        Page::of(&Revoke {
            name: "0123456789abcdef".to_owned(),
            action: "/admin/keys/1/revoke/".to_owned(),
            is_current,
        })
    };
    vec![
        list(
            false,
            vec![
                row("c", KeyState::Next, None, None),
                row("b", KeyState::Current, Some(1_700_000_000), None),
                row("a", KeyState::Previous, Some(0), Some(1_700_009_000)),
            ],
        ),
        list(true, Vec::new()),
        revoke(true),
        revoke(false),
    ]
}
