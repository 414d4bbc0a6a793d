//! What changes of a token that goes on: its name, its end. Its key stays as it is, and one that ended never comes back.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, IntoActiveModel};
use serde_json::json;

use super::{Token, TokenState, locked, make, policy, rotated::was_default, state};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        permissions::{Act, Permission, Record},
        search, users,
    },
    error::{Error, FieldErrors, Result},
};

/// When a token is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Or as late as the server's settings allow.
    Never,
    /// Unix seconds.
    At(i64),
}

impl From<Option<i64>> for End {
    fn from(at: Option<i64>) -> Self {
        at.map_or(Self::Never, Self::At)
    }
}

impl End {
    fn at(self) -> Option<i64> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
        }
    }
}

/// `None`: as it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    pub name: Option<&'a str>,
    pub end: Option<End>,
}

/// All of it or nothing. The default token keeps its name and never ends: a field error, as are a name or an end that
/// will not do. `Conflict` for another end of a token that has ended, or was rotated so that it ends.
pub async fn change(app: &App, by: &Actor, id: i64, changes: Changes<'_>) -> Result<Token> {
    let now = app.now();
    let name = changes.name.map(str::trim);
    let mut errors = FieldErrors::default();
    if let Some(name) = name {
        make::check_name(name, &mut errors);
    }
    if let Some(End::At(at)) = changes.end {
        if at <= now {
            errors.push("expires", "This is in the past.");
        } else if let Some(refusal) = policy::refuse_life(app, at.saturating_sub(now)) {
            errors.push("expires", refusal);
        }
    }
    errors.into_result(|| ())?;
    let db = app.db.begin().await?;
    let (token, owner) = locked(&db, id).await?;
    users::may_act(by, &owner, Permission::new(Act::Change, Record::Tokens))?;
    if name.is_none() && changes.end.is_none() {
        return Ok(token);
    }
    let mut row = token.clone().into_active_model();
    let mut events = Vec::new();
    if let Some(name) = name {
        if token.is_default || was_default(&token) {
            return Err(Error::field("name", "The default token keeps its name."));
        }
        row.search = Set(search::text_of_token(name, &token.prefix, &owner.username));
        row.name = Set(name.to_owned());
        let event = Event::new("token.renamed", Some(id), &token.name);
        events.push(event.with(json!({
            "owner": owner.username,
            "name": {"from": token.name, "to": name},
        })));
    }
    if let Some(end) = changes.end {
        may_end_otherwise(&db, &token, now).await?;
        let until = policy::capped(app, end.at());
        row.expires_at = Set(until);
        let event = Event::new("token.extended", Some(id), &token.name);
        events.push(event.with(json!({
            "owner": owner.username,
            "expires": {"from": token.expires_at, "to": until},
        })));
    }
    let saved = row.update(&db).await?;
    audit::record_all(&db, now, by, events).await?;
    db.commit(match changes.end {
        Some(_) => Affects::User(owner.id),
        None => Affects::Nobody,
    })
    .await?;
    Ok(saved)
}

async fn may_end_otherwise<C: ConnectionTrait>(db: &C, token: &Token, now: i64) -> Result<()> {
    if state(token, now) != TokenState::Active {
        return Err(Error::Conflict(
            "Only an active token can be extended.".to_owned(),
        ));
    }
    if token.is_default {
        return Err(Error::field("expires", "The default token never expires."));
    }
    // In its grace time: it was rotated so that it ends.
    if audit::happened(db, "token.rotated", token.id).await? {
        return Err(Error::Conflict(
            "It was rotated; extend the token that followed it.".to_owned(),
        ));
    }
    Ok(())
}

pub async fn rename(app: &App, by: &Actor, id: i64, name: &str) -> Result<Token> {
    let changes = Changes {
        name: Some(name),
        ..Changes::default()
    };
    change(app, by, id, changes).await
}

/// `expires_at` in Unix seconds; `None`: never, or as late as the server's settings allow.
pub async fn extend(app: &App, by: &Actor, id: i64, expires_at: Option<i64>) -> Result<Token> {
    let changes = Changes {
        end: Some(expires_at.into()),
        ..Changes::default()
    };
    change(app, by, id, changes).await
}
