//! Burning: whoever holds a key may end it, with nothing but the key. For leaked ones.

use std::collections::HashMap;

use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::json;

use super::{Token, TokenState, key, locked, presented, state};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
    },
    error::{Error, Result},
    secret::TokenKey,
};

/// Stands in `revoked_by`. No account can have that name: there is a blank in it.
pub const BURNED: &str = "burned by a holder of its key";

const ACTION: &str = "token.burned";

/// Where the calls came from that burned these tokens, by their ids; those that were not burned, and
/// calls whose address is not known, are left out.
pub async fn burned_from(app: &App, tokens: &[Token]) -> Result<HashMap<i64, String>> {
    let burned = tokens
        .iter()
        .filter(|token| token.revoked_by.as_deref() == Some(BURNED));
    let ids: Vec<i64> = burned.map(|token| token.id).collect();
    audit::addresses_of(app, ACTION, &ids).await
}

/// Ends the token of this key, if it opens anything now. Tells known from unknown keys in nothing:
/// `Ok` for both, and for keys of other servers. A text that is no key is a field error, without a
/// look-up.
///
/// `by` is recorded with its address; whether it is signed in does not matter.
pub async fn burn(app: &App, by: &Actor, text: &TokenKey) -> Result<()> {
    if !key::is_well_formed(text.expose()) {
        return Err(Error::field("token", "This is not an API token."));
    }
    let token = presented::find(app, text).await?;
    let Some(token) = token.filter(|token| state(token, app.now()) == TokenState::Active) else {
        return Ok(());
    };
    let db = app.db.begin().await?;
    let (token, owner) = match locked(&db, token.id).await {
        // Deleted in between.
        Err(Error::NotFound) => return Ok(()),
        found => found?,
    };
    if state(&token, app.now()) != TokenState::Active {
        return Ok(());
    }
    let event = Event::new(ACTION, Some(token.id), &token.name)
        .with(json!({"owner": owner.username, "prefix": token.prefix}));
    audit::record(&db, app.now(), by, event).await?;
    let mut row = token.into_active_model();
    row.revoked_at = Set(Some(app.now()));
    row.revoked_by = Set(Some(BURNED.to_owned()));
    row.sealed = Set(None);
    row.update(&db).await?;
    db.commit(Affects::User(owner.id)).await
}
