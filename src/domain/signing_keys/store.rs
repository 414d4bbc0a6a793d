//! The rows of signing keys: read, opened, made and followed by others.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait, IntoActiveModel, QueryOrder,
};

use super::SigningKey;
use crate::{
    app::App,
    config::JwtAlgorithm,
    domain::{installation, jwt::Key},
    entity::signing_key::{ActiveModel, Column, Entity},
    error::{Error, Result},
    secret::{self, SecretBytes},
};

/// Seconds until a key that was called up signs: by then every node has heard of it.
pub(super) const LEAD: i64 = 2;
/// Seconds for which those who verify may keep a copy of the public keys.
pub const PUBLISHED: i64 = 300;
/// What the names of keys begin with that another server signs with, too.
pub(super) const SHARED: &str = "shared-";
/// Seconds for which a key verifies beyond the life of the last token it can have signed.
const SLACK: i64 = 60;

/// Seconds between making a key and signing with it, so that everybody who verifies has heard.
pub(super) fn lead(algorithm: JwtAlgorithm) -> i64 {
    if algorithm == JwtAlgorithm::Hs256 {
        LEAD
    } else {
        PUBLISHED
    }
}

/// All there are, in the order in which they were made. Reads only.
pub async fn list(app: &App) -> Result<Vec<SigningKey>> {
    all(app.db.read()).await
}

pub(super) async fn all<C: ConnectionTrait>(db: &C) -> Result<Vec<SigningKey>> {
    Ok(Entity::find().order_by_asc(Column::Id).all(db).await?)
}

/// Of those that nobody has followed, the one that signs or is about to.
pub(super) fn signing(rows: &[SigningKey]) -> Option<&SigningKey> {
    rows.iter()
        .filter(|row| row.retires_at.is_none() && row.activates_at.is_some())
        .max_by_key(|row| (row.activates_at, row.id))
}

/// The one whose turn is next.
pub(super) fn waiting(rows: &[SigningKey]) -> Option<&SigningKey> {
    rows.iter()
        .find(|row| row.retires_at.is_none() && row.activates_at.is_none())
}

/// Makes everybody who changes keys wait for each other, until the transaction ends.
pub(super) async fn lock<C: ConnectionTrait>(db: &C) -> Result<()> {
    installation::lock(db, "signing_keys").await
}

/// The key of the setting, where there is one.
pub(super) fn fixed(app: &App) -> Result<Option<Key>> {
    let Some(secret) = &app.config.jwt_signing_key else {
        return Ok(None);
    };
    let mut key = Key::new("", JwtAlgorithm::Hs256, secret)?;
    key.is_shared = true;
    Ok(Some(key))
}

pub(super) fn open(app: &App, row: &SigningKey) -> Result<Key> {
    let algorithm = JwtAlgorithm::parse(&row.algorithm)
        .ok_or_else(|| Error::internal(std::io::Error::other("an unknown algorithm is stored")))?;
    let private = app.keys.unseal(&row.sealed, &bound_to(&row.kid))?;
    // The tokens of a shared key name none: the other server writes none.
    let is_shared = row.kid.starts_with(SHARED);
    let mut key = Key::new(if is_shared { "" } else { &row.kid }, algorithm, &private)?;
    key.is_shared = is_shared;
    key.activates_at = row.activates_at.unwrap_or(i64::MAX);
    key.retires_at = row.retires_at.unwrap_or(i64::MAX);
    Ok(key)
}

/// Off the threads that answer requests: an RSA key takes a while.
pub(super) async fn generate(algorithm: JwtAlgorithm) -> Result<SecretBytes> {
    tokio::task::spawn_blocking(move || Key::generate(algorithm))
        .await
        .map_err(Error::internal)?
}

pub(super) async fn insert_new<C: ConnectionTrait>(
    app: &App,
    db: &C,
    algorithm: JwtAlgorithm,
    private: &SecretBytes,
    activates_at: Option<i64>,
) -> Result<SigningKey> {
    let kid = hex::encode(secret::random::<8>()?);
    insert(app, db, &kid, algorithm, private, activates_at).await
}

pub(super) async fn insert<C: ConnectionTrait>(
    app: &App,
    db: &C,
    kid: &str,
    algorithm: JwtAlgorithm,
    private: &SecretBytes,
    activates_at: Option<i64>,
) -> Result<SigningKey> {
    let row = ActiveModel {
        id: NotSet,
        kid: Set(kid.to_owned()),
        algorithm: Set(algorithm.as_str().to_owned()),
        sealed: Set(app.keys.seal(private.expose(), &bound_to(kid))?),
        created_at: Set(app.now()),
        activates_at: Set(activates_at),
        retires_at: Set(None),
    };
    Ok(Entity::insert(row).exec_with_returning(db).await?)
}

/// From `at` on another key signs: what this one signed is good until it expires. One that was never
/// called up goes at once.
pub(super) async fn supersede<C: ConnectionTrait>(
    app: &App,
    db: &C,
    row: SigningKey,
    at: i64,
) -> Result<()> {
    if row.activates_at.is_none() {
        Entity::delete_by_id(row.id).exec(db).await?;
        return Ok(());
    }
    // A longer life that is set later counts for later tokens.
    let longest = app.settings.longest_jwt(app.now());
    let mut row = row.into_active_model();
    row.retires_at = Set(Some(at + longest + app.config.jwt_leeway + SLACK));
    row.update(db).await?;
    Ok(())
}

/// What ties a sealed key to its row.
pub(super) fn bound_to(kid: &str) -> String {
    format!("signing key {kid}")
}
