//! The slot from which a new token is shown once: sealed, for the session that made it, for a
//! minute. In the database, so that the page may come from another node than the form went to.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter,
};

use crate::{
    app::App,
    checks::Affects,
    entity::secret_slot::{ActiveModel, Column, Entity},
    error::{Error, Result},
    secret::TokenKey,
};

/// Seconds.
const LIFETIME: i64 = 60;

pub async fn put(app: &App, session_id: i64, token_id: i64, key: &TokenKey) -> Result<()> {
    let sealed = app
        .keys
        .seal(key.expose().as_bytes(), &owner(session_id, token_id))?;
    let row = ActiveModel {
        id: NotSet,
        token_id: Set(token_id),
        session_id: Set(session_id),
        sealed: Set(sealed),
        expires_at: Set(app.now() + LIFETIME),
    };
    let db = app.db.begin().await?;
    Entity::delete_many()
        .filter(Column::ExpiresAt.lte(app.now()))
        .exec(&db)
        .await?;
    Entity::insert(row).exec_without_returning(&db).await?;
    db.commit(Affects::Nobody).await?;
    Ok(())
}

/// The key, the first time it is asked for.
pub async fn take(app: &App, session_id: i64, token_id: i64) -> Result<Option<TokenKey>> {
    let db = app.db.begin().await?;
    let slot = Entity::find()
        .filter(Column::TokenId.eq(token_id))
        .filter(Column::SessionId.eq(session_id))
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
        .unseal(&slot.sealed, &owner(session_id, token_id))?;
    let text = std::str::from_utf8(plain.expose()).map_err(Error::internal)?;
    Ok(Some(TokenKey::new(text)))
}

fn owner(session_id: i64, token_id: i64) -> String {
    format!("slot {session_id} {token_id}")
}
