//! API tokens: stored by keyed digest. The default one of get-or-create is also kept sealed,
//! because that call must show it again; every other is shown once. Lists are in `list`.

mod bulk;
mod burn;
mod change;
mod filter;
mod given;
mod key;
mod list;
mod make;
mod policy;
mod presented;
mod rotated;
mod scan;
mod spelling;
mod unused;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult,
    IntoActiveModel, QueryFilter, QuerySelect, QueryTrait,
};
use serde_json::json;

pub(crate) use bulk::ending;
pub use bulk::{Chosen, Evidence, count, evidence, extend_many, ids, newest_id, revoke_many, some};
pub use burn::{BURNED, burn, burned_from};
pub use change::{Changes, End, change, extend, rename};
pub use filter::{Access, Ends, Only, TokenFilter, TokenOrder};
pub(crate) use given::end_given;
pub use given::list_with_given;
pub use key::{is_plausible, is_well_formed};
pub(crate) use list::owner_renamed;
pub use list::{
    TokenCounts, TokenRow, counts, find_by_digests, first_end, is_any_used, list, list_for,
    revoked_since,
};
pub(crate) use make::{PREFIX_SHOWN, seal_owner};
pub use make::{complaints, default_of, get_or_create_default, issue, rotate, show_default};
pub use policy::{LONGEST, MOST_GRACE, in_words, longest_life, refuse_life};
pub use presented::revoke_presented;
pub use rotated::{successors, was_default};
pub use scan::{Found, Scanner, Whose};
pub use unused::sweep_unused;

pub use crate::entity::token::Model as Token;
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        permissions::{Act, Permission, Record},
        scopes::Scopes,
        users::{self, Entitled, User},
    },
    entity::token::{Column, Entity},
    error::{Error, Result},
    keys::Digest,
    secret::TokenKey,
};

/// The name that get-or-create's token has.
pub const DEFAULT_NAME: &str = "default";
const NAME_MAX: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    Active,
    Expired,
    Revoked,
}

impl TokenState {
    /// For the API and scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
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

/// What a token may be used for. What cannot be read allows nothing.
pub fn scopes(token: &Token) -> Scopes {
    Scopes::parse(&token.scopes).unwrap_or(Scopes::of([]))
}

#[derive(Debug)]
pub struct NewToken {
    pub user_id: i64,
    pub name: String,
    /// Unix seconds; None: never, or as late as the server's settings allow.
    pub expires_at: Option<i64>,
    pub scopes: Scopes,
}

#[derive(Debug)]
pub struct DefaultToken {
    pub token: Token,
    pub key: TokenKey,
    pub created: bool,
}

/// A token that opens something now, and whose it is.
pub async fn find_live(app: &App, digest: &Digest) -> Result<Option<(Token, Entitled)>> {
    let mut query = Entity::find()
        .filter(Column::Digest.eq(digest.to_vec()))
        .into_query();
    Entitled::join(&mut query, (Entity, Column::UserId));
    let Some(row) = app.db.read().query_one(&query).await? else {
        return Ok(None);
    };
    let token = Token::from_query_result(&row, "")?;
    if state(&token, app.now()) != TokenState::Active {
        return Ok(None);
    }
    Ok(Some((token, Entitled::read(&row)?)))
}

pub async fn get(app: &App, id: i64) -> Result<TokenRow> {
    let token = Entity::find_by_id(id)
        .one(app.db.read())
        .await?
        .ok_or(Error::NotFound)?;
    let mut rows = list::with_owners(app, vec![token]).await?;
    rows.pop().ok_or(Error::NotFound)
}

/// Whether `by` may touch its owner: others' tokens are a line in the list, and not looked into.
pub fn may_look_into(by: &Actor, row: &TokenRow) -> bool {
    users::may_touch(by, &row.owner).is_ok()
}

/// The live default token of a user.
pub async fn find_default(app: &App, user_id: i64) -> Result<Option<Token>> {
    default_in(app.db.read(), user_id).await
}

/// Ends a token for good. `Conflict` when it was revoked before.
pub async fn revoke(app: &App, by: &Actor, id: i64) -> Result<()> {
    let db = app.db.begin().await?;
    let (token, owner) = locked(&db, id).await?;
    users::may_act(by, &owner, Permission::new(Act::Delete, Record::Tokens))?;
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

/// A token and its owner, locked for a change; the owner first, as a deletion does.
async fn locked<C: ConnectionTrait>(db: &C, id: i64) -> Result<(Token, User)> {
    let token = Entity::find_by_id(id).one(db).await?;
    let owner = users::get_in(db, token.ok_or(Error::NotFound)?.user_id).await?;
    let token = Entity::find_by_id(id).lock_exclusive().one(db).await?;
    Ok((token.ok_or(Error::NotFound)?, owner))
}

async fn default_in<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Option<Token>> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::IsDefault.eq(true))
        .filter(Column::RevokedAt.is_null())
        .one(db)
        .await?)
}
