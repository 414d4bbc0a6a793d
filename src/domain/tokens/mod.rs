//! API tokens: stored by keyed digest. The default one of get-or-create is also kept sealed,
//! because that call must show it again; every other is shown once. Lists are in `list`.

mod list;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, SqlErr,
};
use serde_json::json;

pub use list::{TokenCounts, TokenFilter, TokenRow, counts, list, list_for};

pub use crate::entity::token::Model as Token;
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        users::{self, User},
    },
    entity::{
        token::{ActiveModel, Column, Entity},
        user,
    },
    error::{Error, FieldErrors, Result},
    keys::Digest,
    secret::{self, TokenKey},
};

/// The name that get-or-create's token has.
pub const DEFAULT_NAME: &str = "default";
/// What default tokens may do.
pub const FULL_ACCESS: &str = "full";
const NAME_MAX: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    Active,
    Expired,
    Revoked,
}

/// What a token is at `now` (Unix seconds).
pub fn state(token: &Token, now: i64) -> TokenState {
    if token.revoked_at.is_some() {
        TokenState::Revoked
    } else if token.expires_at.is_some_and(|at| at <= now) {
        TokenState::Expired
    } else {
        TokenState::Active
    }
}

#[derive(Debug)]
pub struct NewToken {
    pub user_id: i64,
    pub name: String,
    /// Unix seconds; None: never.
    pub expires_at: Option<i64>,
}

#[derive(Debug)]
pub struct DefaultToken {
    pub token: Token,
    pub key: TokenKey,
    pub created: bool,
}

/// A token that opens something now, and whose it is.
pub async fn find_live(app: &App, digest: &Digest) -> Result<Option<(Token, User)>> {
    let digest = digest.to_vec();
    let token = Entity::find()
        .filter(Column::Digest.eq(digest))
        .one(app.db.read())
        .await?;
    let Some(token) = token.filter(|token| state(token, app.now()) == TokenState::Active) else {
        return Ok(None);
    };
    let user = users::find(app, token.user_id).await?;
    Ok(user.map(|user| (token, user)))
}

pub async fn get(app: &App, id: i64) -> Result<TokenRow> {
    let token = Entity::find_by_id(id)
        .one(app.db.read())
        .await?
        .ok_or(Error::NotFound)?;
    let owner = users::get(app, token.user_id).await?;
    Ok(TokenRow { token, owner })
}

/// The live default token of a user.
pub async fn find_default(app: &App, user_id: i64) -> Result<Option<Token>> {
    default_in(app.db.read(), user_id).await
}

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
        let key = new_key()?;
        let db = app.db.begin().await?;
        match insert(
            &db,
            app,
            by,
            &owner,
            DEFAULT_NAME.to_owned(),
            None,
            true,
            &key,
        )
        .await
        {
            Ok(token) => {
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
    may_touch(by, &users::get(app, user_id).await?)?;
    get_or_create_default(app, by, user_id).await
}

/// A named token; its key is not kept.
pub async fn issue(app: &App, by: &Actor, new: NewToken) -> Result<(Token, TokenKey)> {
    let owner = users::get(app, new.user_id).await?;
    may_touch(by, &owner)?;
    let name = new.name.trim().to_owned();
    let mut errors = FieldErrors::default();
    if name.is_empty() {
        errors.push("name", "This field may not be blank.");
    }
    if name.chars().count() > NAME_MAX {
        errors.push(
            "name",
            format!("Ensure this field has no more than {NAME_MAX} characters."),
        );
    }
    if name.contains(char::is_control) {
        errors.push("name", "Control characters are not allowed.");
    }
    if new.expires_at.is_some_and(|at| at <= app.now()) {
        errors.push("expires", "This is in the past.");
    }
    errors.into_result(|| ())?;
    let key = new_key()?;
    let db = app.db.begin().await?;
    let token = insert(&db, app, by, &owner, name, new.expires_at, false, &key).await?;
    db.commit(Affects::Unknown).await?;
    Ok((token, key))
}

/// A new value under the same name. The old one works on for `grace` seconds (0: not at all).
pub async fn rotate(app: &App, by: &Actor, id: i64, grace: i64) -> Result<(Token, TokenKey)> {
    let now = app.now();
    let db = app.db.begin().await?;
    let old = locked(&db, id).await?;
    let owner = owner_in(&db, old.user_id).await?;
    may_touch(by, &owner)?;
    if state(&old, now) != TokenState::Active {
        return Err(Error::Conflict(
            "Only an active token can be rotated.".to_owned(),
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
    let key = new_key()?;
    let token = insert(
        &db,
        app,
        by,
        &owner,
        old.name.clone(),
        old.expires_at,
        old.is_default,
        &key,
    )
    .await?;
    let event = Event::new("token.rotated", Some(old.id), &old.name)
        .with(json!({"owner": owner.username, "grace_seconds": grace, "successor": token.id}));
    audit::record(&db, now, by, event).await?;
    db.commit(Affects::User(owner.id)).await?;
    Ok((token, key))
}

/// Ends a token for good. `Conflict` when it was revoked before.
pub async fn revoke(app: &App, by: &Actor, id: i64) -> Result<()> {
    let db = app.db.begin().await?;
    let token = locked(&db, id).await?;
    let owner = owner_in(&db, token.user_id).await?;
    may_touch(by, &owner)?;
    if token.revoked_at.is_some() {
        return Err(Error::Conflict("This token is revoked already.".to_owned()));
    }
    let mut row = token.clone().into_active_model();
    row.revoked_at = Set(Some(app.now()));
    row.revoked_by = Set(Some(by.username.clone()));
    row.sealed = Set(None);
    row.update(&db).await?;
    let event = Event::new("token.revoked", Some(id), &token.name)
        .with(json!({"owner": owner.username, "prefix": token.prefix}));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::User(owner.id)).await?;
    Ok(())
}

/// Not locked: a deletion locks the user first and the token after, and would wait for us as we for
/// it.
async fn owner_in<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<User> {
    user::Entity::find_by_id(user_id)
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

async fn locked<C: ConnectionTrait>(db: &C, id: i64) -> Result<Token> {
    Entity::find_by_id(id)
        .lock_exclusive()
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// One's own, any as staff; a superuser's only as superuser.
fn may_touch(by: &Actor, owner: &User) -> Result<()> {
    let own = by.user_id == Some(owner.id);
    let allowed = own || by.is_superuser || (by.is_staff && !owner.is_superuser);
    if allowed {
        Ok(())
    } else {
        Err(Error::PermissionDenied)
    }
}

/// 160 random bits as Django REST framework writes them: 40 hex digits.
fn new_key() -> Result<TokenKey> {
    Ok(TokenKey::new(hex::encode(secret::random::<20>()?)))
}

async fn default_in<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Option<Token>> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::IsDefault.eq(true))
        .filter(Column::RevokedAt.is_null())
        .one(db)
        .await?)
}

fn open_default(app: &App, token: &Token) -> Result<TokenKey> {
    let sealed = token.sealed.as_deref().unwrap_or_default();
    let plain = app.keys.unseal(sealed, &seal_owner(token.user_id))?;
    let text = std::str::from_utf8(plain.expose()).map_err(Error::internal)?;
    Ok(TokenKey::new(text))
}

fn seal_owner(user_id: i64) -> String {
    format!("default token of {user_id}")
}

#[expect(
    clippy::too_many_arguments,
    reason = "one row, named at its three callers"
)]
async fn insert<C: ConnectionTrait>(
    db: &C,
    app: &App,
    by: &Actor,
    owner: &User,
    name: String,
    expires_at: Option<i64>,
    is_default: bool,
    key: &TokenKey,
) -> Result<Token> {
    let sealed = if is_default {
        Some(
            app.keys
                .seal(key.expose().as_bytes(), &seal_owner(owner.id))?,
        )
    } else {
        None
    };
    let row = ActiveModel {
        id: NotSet,
        user_id: Set(owner.id),
        name: Set(name),
        is_default: Set(is_default),
        digest: Set(app.keys.token_digest(key.expose()).to_vec()),
        sealed: Set(sealed),
        prefix: Set(key.expose().chars().take(8).collect()),
        scopes: Set(FULL_ACCESS.to_owned()),
        created_at: Set(app.now()),
        created_by: Set(by.username.clone()),
        expires_at: Set(expires_at),
        last_used_at: Set(None),
        last_used_address: Set(None),
        revoked_at: Set(None),
        revoked_by: Set(None),
    };
    let token = Entity::insert(row)
        .exec_with_returning(db)
        .await
        .map_err(|e| match e.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => {
                Error::Conflict("default token".to_owned())
            }
            _ => e.into(),
        })?;
    let event = Event::new("token.created", Some(token.id), &token.name)
        .with(json!({"owner": owner.username, "prefix": token.prefix}));
    audit::record(db, app.now(), by, event).await?;
    Ok(token)
}
