//! A key that another server signs with, too (a Django project's `SIGNING_KEY`): taken in as the one
//! that signs here, so that the tokens of either side pass on the other. The next rotation retires
//! it like any other.

use serde_json::json;

use super::{
    SigningKey, name,
    store::{self, LEAD, SHARED},
};
use crate::{
    app::App,
    checks::Affects,
    config::JwtAlgorithm,
    domain::{
        actor::Actor,
        audit::{self, Event},
    },
    error::{Error, Result},
    keys::same,
    secret::{self, SecretBytes},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// The setting `jwt_signing_key` says it.
    BySetting,
    /// It was taken in before.
    Before,
    Now,
}

/// Whether the key is in use here. `Conflict` where the settings ask for another one.
pub async fn is_shared(app: &App, key: &SecretBytes) -> Result<Option<Shared>> {
    if let Some(fixed) = &app.config.jwt_signing_key {
        if same(fixed.expose(), key.expose()) {
            return Ok(Some(Shared::BySetting));
        }
        return Err(Error::Conflict(
            "The setting jwt_signing_key holds another key.".to_owned(),
        ));
    }
    let rows = store::list(app).await?;
    // What signs now decides: a command may have been called without the server's settings.
    let hs256 = JwtAlgorithm::Hs256;
    let signs = store::signing(&rows).is_none_or(|row| row.algorithm == hs256.as_str());
    if app.config.jwt_algorithm != hs256 || !signs {
        return Err(Error::Conflict(
            "A shared key is for HS256; leave the setting jwt_algorithm out until the other \
             server is gone."
                .to_owned(),
        ));
    }
    Ok(known(app, &rows, key)?.then_some(Shared::Before))
}

/// Signs with `key` from now on. Nobody is signed out. `Conflict` as in `is_shared`.
pub async fn share(app: &App, by: &Actor, key: &SecretBytes) -> Result<Shared> {
    if let Some(shared) = is_shared(app, key).await? {
        return Ok(shared);
    }
    let db = app.db.begin().await?;
    store::lock(&db).await?;
    let rows = store::all(&db).await?;
    if known(app, &rows, key)? {
        return Ok(Shared::Before);
    }
    // Nothing was signed yet where there are no keys.
    let at = if rows.is_empty() { 0 } else { app.now() + LEAD };
    for row in rows {
        if row.retires_at.is_none() && row.activates_at.is_some() {
            store::supersede(app, &db, row, at).await?;
        }
    }
    let kid = format!("{SHARED}{}", hex::encode(secret::random::<4>()?));
    let row = store::insert(app, &db, &kid, JwtAlgorithm::Hs256, key, Some(at)).await?;
    let event = Event::new("signing_key.shared", Some(row.id), name(&row));
    let event = event.with(json!({"algorithm": row.algorithm, "signs_from": at}));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Everything).await?;
    Ok(Shared::Now)
}

fn known(app: &App, rows: &[SigningKey], key: &SecretBytes) -> Result<bool> {
    let shared = rows
        .iter()
        .filter(|row| row.kid.starts_with(SHARED) && !row.sealed.is_empty());
    for row in shared {
        let there = app.keys.unseal(&row.sealed, &store::bound_to(&row.kid))?;
        if same(there.expose(), key.expose()) {
            return Ok(true);
        }
    }
    Ok(false)
}
