//! The slot from which a new token, or a one-time link, is shown once: sealed, for the session that
//! made it, for a minute. In the database, so that the page may come from another node than the form went to.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, QueryFilter,
};

use crate::{
    app::App,
    checks::Affects,
    entity::secret_slot::{ActiveModel, Column, Entity},
    error::{Error, Result},
    secret::{LinkKey, TokenKey},
};

/// Seconds.
const LIFETIME: i64 = 60;
const TOKEN: &str = "token";
const LINK: &str = "link";

pub async fn put(app: &App, session_id: i64, token_id: i64, key: &TokenKey) -> Result<()> {
    fill(app, TOKEN, session_id, token_id, key.expose()).await
}

/// The key, the first time it is asked for.
pub async fn take(app: &App, session_id: i64, token_id: i64) -> Result<Option<TokenKey>> {
    let text = empty(app, TOKEN, session_id, token_id).await?;
    Ok(text.map(TokenKey::new))
}

/// A link for this user to set a password with.
pub async fn put_link(app: &App, session_id: i64, user_id: i64, key: &LinkKey) -> Result<()> {
    fill(app, LINK, session_id, user_id, key.expose()).await
}

pub async fn take_link(app: &App, session_id: i64, user_id: i64) -> Result<Option<LinkKey>> {
    let text = empty(app, LINK, session_id, user_id).await?;
    Ok(text.map(LinkKey::new))
}

async fn fill(app: &App, kind: &str, session_id: i64, id: i64, text: &str) -> Result<()> {
    let sealed = app
        .keys
        .seal(text.as_bytes(), &owner(kind, session_id, id))?;
    let row = ActiveModel {
        id: NotSet,
        token_id: Set(id),
        session_id: Set(session_id),
        sealed: Set(sealed),
        expires_at: Set(app.now() + LIFETIME),
        kind: Set(kind.to_owned()),
    };
    let db = app.db.begin().await?;
    // What was there from before was for the same page, and is not shown any more.
    let over = Condition::any()
        .add(Column::ExpiresAt.lte(app.now()))
        .add(of(kind, session_id, id));
    Entity::delete_many().filter(over).exec(&db).await?;
    Entity::insert(row).exec_without_returning(&db).await?;
    db.commit(Affects::Nobody).await?;
    Ok(())
}

async fn empty(app: &App, kind: &str, session_id: i64, id: i64) -> Result<Option<String>> {
    let db = app.db.begin().await?;
    let slot = Entity::find()
        .filter(of(kind, session_id, id))
        .one(&db)
        .await?;
    let Some(slot) = slot else { return Ok(None) };
    let taken = Entity::delete_by_id(slot.id).exec(&db).await?.rows_affected == 1;
    db.commit(Affects::Nobody).await?;
    if !taken || slot.expires_at <= app.now() {
        return Ok(None);
    }
    let plain = app
        .keys
        .unseal(&slot.sealed, &owner(kind, session_id, id))?;
    let text = std::str::from_utf8(plain.expose()).map_err(Error::internal)?;
    Ok(Some(text.to_owned()))
}

fn of(kind: &str, session_id: i64, id: i64) -> Condition {
    Condition::all()
        .add(Column::TokenId.eq(id))
        .add(Column::SessionId.eq(session_id))
        .add(Column::Kind.eq(kind))
}

fn owner(kind: &str, session_id: i64, id: i64) -> String {
    if kind == TOKEN {
        format!("slot {session_id} {id}")
    } else {
        format!("slot {kind} {session_id} {id}")
    }
}
