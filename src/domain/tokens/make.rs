//! Making tokens: the default one of get-or-create, named ones, and new values for old ones.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait, IntoActiveModel, SqlErr,
};
use serde_json::json;

use super::{
    DEFAULT_NAME, DefaultToken, NAME_MAX, NewToken, Token, TokenState, find_default, key, locked,
    policy, scopes, state,
};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        permissions::{Act, Permission, Record},
        scopes::Scopes,
        search::text_of_token,
        unseen,
        users::{self, User},
    },
    entity::token::{ActiveModel, Entity},
    error::{Error, FieldErrors, Result},
    secret::TokenKey,
};

const ADD: Permission = Permission::new(Act::Add, Record::Tokens);

/// Finds the default token or makes it: the same key each time, also for those who ask at once.
pub async fn get_or_create_default(app: &App, by: &Actor, user_id: i64) -> Result<DefaultToken> {
    // The second turn finds what another request made in between.
    for _ in 0..2 {
        if let Some(token) = find_default(app, user_id).await? {
            let key = open_default(app, &token)?;
            return Ok(DefaultToken {
                token,
                key,
                created: false,
            });
        }
        let owner = users::get(app, user_id).await?;
        let db = app.db.begin().await?;
        match insert(&db, app, by, &owner, Draft::default()).await {
            Ok((token, key)) => {
                db.commit(Affects::Unknown).await?;
                return Ok(DefaultToken {
                    token,
                    key,
                    created: true,
                });
            }
            Err(Error::Conflict(_)) => {}
            Err(e) => return Err(e),
        }
    }
    Err(Error::Conflict(
        "The default token changes too fast.".to_owned(),
    ))
}

/// The same for whoever may touch the tokens of that account: the panel's way to it.
pub async fn default_of(app: &App, by: &Actor, user_id: i64) -> Result<DefaultToken> {
    let owner = users::get(app, user_id).await?;
    users::may_act(by, &owner, ADD)?;
    get_or_create_default(app, by, user_id).await
}

/// The key of a live default token once more, audited. `NotFound` for any other token.
pub async fn show_default(app: &App, by: &Actor, id: i64) -> Result<(Token, TokenKey)> {
    let db = app.db.begin().await?;
    let (token, owner) = locked(&db, id).await?;
    users::may_act(by, &owner, ADD)?;
    if !token.is_default || state(&token, app.now()) != TokenState::Active {
        return Err(Error::NotFound);
    }
    let key = open_default(app, &token)?;
    let event = Event::new("token.shown", Some(id), &token.name)
        .with(json!({"owner": owner.username, "prefix": token.prefix}));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Nobody).await?;
    Ok((token, key))
}

/// A named token; its key is not kept. Where the server limits lives, one that is to live longer is
/// refused, and one without an end gets the longest life.
pub async fn issue(app: &App, by: &Actor, new: NewToken) -> Result<(Token, TokenKey)> {
    let owner = users::get(app, new.user_id).await?;
    users::may_act(by, &owner, ADD)?;
    let name = new.name.trim().to_owned();
    complaints(app, &name, new.expires_at, new.scopes).into_result(|| ())?;
    let draft = Draft {
        name,
        expires_at: policy::capped(app, new.expires_at),
        is_default: false,
        scopes: new.scopes,
    };
    let db = app.db.begin().await?;
    let (token, key) = insert(&db, app, by, &owner, draft).await?;
    db.commit(Affects::Unknown).await?;
    Ok((token, key))
}

/// All that is wrong with a token that is to be made.
pub fn complaints(app: &App, name: &str, expires_at: Option<i64>, scopes: Scopes) -> FieldErrors {
    let mut errors = FieldErrors::default();
    check_name(name.trim(), &mut errors);
    if expires_at.is_some_and(|at| at <= app.now()) {
        errors.push("expires", "This is in the past.");
    }
    let life = expires_at.map(|at| at.saturating_sub(app.now()));
    if let Some(refusal) = life.and_then(|seconds| policy::refuse_life(app, seconds)) {
        errors.push("expires", refusal);
    }
    if scopes.is_empty() {
        errors.push("scopes", "Choose at least one.");
    }
    errors
}

pub(super) fn check_name(name: &str, errors: &mut FieldErrors) {
    if name.is_empty() {
        errors.push("name", "This field may not be blank.");
    }
    if name.chars().count() > NAME_MAX {
        errors.push(
            "name",
            format!("Ensure this field has no more than {NAME_MAX} characters."),
        );
    }
    if let Some(complaint) = unseen::complaint(name) {
        errors.push("name", complaint);
    }
}

/// A new value under the same name. The old one works on for `grace` seconds (0: not at all).
pub async fn rotate(app: &App, by: &Actor, id: i64, grace: i64) -> Result<(Token, TokenKey)> {
    let now = app.now();
    let db = app.db.begin().await?;
    let (old, owner) = locked(&db, id).await?;
    users::may_act(by, &owner, Permission::new(Act::Change, Record::Tokens))?;
    if state(&old, now) != TokenState::Active {
        return Err(Error::Conflict(
            "Only an active token can be rotated.".to_owned(),
        ));
    }
    // In its grace time: a second successor would be one that nobody knows of.
    if audit::happened(&db, "token.rotated", id).await? {
        return Err(Error::Conflict(
            "It was rotated already; rotate the token that followed it.".to_owned(),
        ));
    }
    let mut row = old.clone().into_active_model();
    row.is_default = Set(false);
    row.sealed = Set(None);
    if grace > 0 {
        let until = old.expires_at.map_or(now + grace, |at| at.min(now + grace));
        row.expires_at = Set(Some(until));
    } else {
        row.revoked_at = Set(Some(now));
        row.revoked_by = Set(Some(by.username.clone()));
    }
    row.update(&db).await?;
    let draft = Draft {
        name: old.name.clone(),
        // A limit that was set after the old one was made holds for the new one.
        expires_at: if old.is_default {
            old.expires_at
        } else {
            policy::capped(app, old.expires_at)
        },
        is_default: old.is_default,
        scopes: scopes(&old),
    };
    let (token, key) = insert(&db, app, by, &owner, draft).await?;
    let event = Event::new("token.rotated", Some(old.id), &old.name)
        .with(json!({"owner": owner.username, "grace_seconds": grace, "successor": token.id}));
    audit::record(&db, now, by, event).await?;
    db.commit(Affects::User(owner.id)).await?;
    Ok((token, key))
}

fn open_default(app: &App, token: &Token) -> Result<TokenKey> {
    let sealed = token.sealed.as_deref().unwrap_or_default();
    let plain = app.keys.unseal(sealed, &seal_owner(token.user_id))?;
    let text = std::str::from_utf8(plain.expose()).map_err(Error::internal)?;
    Ok(TokenKey::new(text))
}

/// What ties a sealed default token to its owner.
pub(crate) fn seal_owner(user_id: i64) -> String {
    format!("default token of {user_id}")
}

/// Characters of a key that are stored as they are.
pub(crate) const PREFIX_SHOWN: usize = 8;

/// What a new row says beside whose it is.
struct Draft {
    name: String,
    expires_at: Option<i64>,
    is_default: bool,
    scopes: Scopes,
}

impl Draft {
    fn default() -> Self {
        Self {
            name: DEFAULT_NAME.to_owned(),
            expires_at: None,
            is_default: true,
            scopes: Scopes::FULL,
        }
    }
}

/// Fails with `Conflict` where there is a default token already.
async fn insert<C: ConnectionTrait>(
    db: &C,
    app: &App,
    by: &Actor,
    owner: &User,
    draft: Draft,
) -> Result<(Token, TokenKey)> {
    let (key, sealed) = if draft.is_default {
        let key = key::new_default()?;
        let sealed = app
            .keys
            .seal(key.expose().as_bytes(), &seal_owner(owner.id))?;
        (key, Some(sealed))
    } else {
        (key::new_named(&app.keys)?, None)
    };
    let prefix: String = key.expose().chars().take(PREFIX_SHOWN).collect();
    let row = ActiveModel {
        id: NotSet,
        search: Set(text_of_token(&draft.name, &prefix, &owner.username)),
        user_id: Set(owner.id),
        name: Set(draft.name),
        is_default: Set(draft.is_default),
        digest: Set(app.keys.token_digest(key.expose()).to_vec()),
        sealed: Set(sealed),
        prefix: Set(prefix),
        scopes: Set(draft.scopes.to_string()),
        created_at: Set(app.now()),
        created_by: Set(by.username.clone()),
        expires_at: Set(draft.expires_at),
        last_used_at: Set(None),
        last_used_address: Set(None),
        revoked_at: Set(None),
        revoked_by: Set(None),
    };
    let inserted = Entity::insert(row).exec_with_returning(db).await;
    let token = inserted.map_err(|e| match e.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::Conflict("default token".to_owned()),
        _ => e.into(),
    })?;
    let event = Event::new("token.created", Some(token.id), &token.name).with(json!({
        "owner": owner.username,
        "kind": if token.is_default { "default" } else { "named" },
        "prefix": token.prefix,
        "scopes": token.scopes,
        "expires": token.expires_at,
    }));
    audit::record(db, app.now(), by, event).await?;
    Ok((token, key))
}
