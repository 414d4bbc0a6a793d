//! Another end for a token that works: later, earlier, or none. One that ended never comes back.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::json;

use super::{Token, TokenState, locked, policy, state};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        permissions::{Act, Permission, Record},
        users,
    },
    error::{Error, Result},
};

/// `expires_at` in Unix seconds; `None`: never, or as late as the server's settings allow. `Conflict`
/// for a token that has ended, a field error for an end that will not do.
pub async fn extend(app: &App, by: &Actor, id: i64, expires_at: Option<i64>) -> Result<Token> {
    let now = app.now();
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Error::field("expires", "This is in the past."));
    }
    let life = expires_at.map(|at| at.saturating_sub(now));
    if let Some(refusal) = life.and_then(|seconds| policy::refuse_life(app, seconds)) {
        return Err(Error::field("expires", refusal));
    }
    let db = app.db.begin().await?;
    let (token, owner) = locked(&db, id).await?;
    users::may_act(by, &owner, Permission::new(Act::Change, Record::Tokens))?;
    if state(&token, now) != TokenState::Active {
        return Err(Error::Conflict(
            "Only an active token can be extended.".to_owned(),
        ));
    }
    if token.is_default {
        return Err(Error::field("expires", "The default token never expires."));
    }
    // In its grace time: it was rotated so that it ends.
    if audit::happened(&db, "token.rotated", id).await? {
        return Err(Error::Conflict(
            "It was rotated; extend the token that followed it.".to_owned(),
        ));
    }
    let until = policy::capped(app, expires_at);
    let event = Event::new("token.extended", Some(id), &token.name);
    let event = event.with(json!({
        "owner": owner.username,
        "expires": until,
        "expired": token.expires_at,
    }));
    let mut row = token.clone().into_active_model();
    row.expires_at = Set(until);
    let token = row.update(&db).await?;
    audit::record(&db, now, by, event).await?;
    db.commit(Affects::User(owner.id)).await?;
    Ok(token)
}
