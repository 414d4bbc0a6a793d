//! The rows of signing keys: read, opened, and provided where there are none that fit the settings.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait, IntoActiveModel, QueryOrder,
    sea_query::OnConflict,
};

use super::SigningKey;
use crate::{
    app::App,
    checks::Affects,
    config::JwtAlgorithm,
    domain::jwt::Key,
    entity::{
        meta,
        signing_key::{ActiveModel, Column, Entity},
    },
    error::{Error, Result},
    secret::{self, SecretBytes},
};

/// Seconds until a key that was called up signs: by then every node has heard of it.
pub(super) const LEAD: i64 = 2;
/// What the names of keys begin with that another server signs with, too.
pub(super) const SHARED: &str = "shared-";
/// Seconds for which a key verifies beyond the life of the last token it can have signed.
const SLACK: i64 = 60;

/// All there are, in the order in which they were made.
pub async fn list(app: &App) -> Result<Vec<SigningKey>> {
    // Whoever looks first finds what the first token would have made.
    super::ring(app).await?;
    all(app).await
}

pub(super) async fn all(app: &App) -> Result<Vec<SigningKey>> {
    all_in(app.db.read()).await
}

pub(super) async fn all_in<C: ConnectionTrait>(db: &C) -> Result<Vec<SigningKey>> {
    Ok(Entity::find().order_by_asc(Column::Id).all(db).await?)
}

/// Makes everybody who changes keys wait for each other, until the transaction ends.
pub(super) async fn lock<C: ConnectionTrait>(db: &C) -> Result<()> {
    let row = meta::ActiveModel {
        key: Set("signing_keys".to_owned()),
        value: Set(String::new()),
    };
    meta::Entity::insert(row)
        .on_conflict(
            OnConflict::column(meta::Column::Key)
                .update_column(meta::Column::Value)
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The key of the setting, where there is one.
pub(super) fn fixed(app: &App) -> Result<Option<Key>> {
    let key = app.config.jwt_signing_key.as_ref();
    key.map(|secret| Key::new("", JwtAlgorithm::Hs256, secret))
        .transpose()
}

pub(super) fn open(app: &App, row: &SigningKey) -> Result<Key> {
    let algorithm = JwtAlgorithm::parse(&row.algorithm)
        .ok_or_else(|| Error::internal(std::io::Error::other("an unknown algorithm is stored")))?;
    let private = app.keys.unseal(&row.sealed, &bound_to(&row.kid))?;
    // The tokens of a shared key name none: the other server writes none.
    let kid = if row.kid.starts_with(SHARED) {
        ""
    } else {
        &row.kid
    };
    let mut key = Key::new(kid, algorithm, &private)?;
    key.activates_at = row.activates_at.unwrap_or(i64::MAX);
    key.retires_at = row.retires_at.unwrap_or(i64::MAX);
    Ok(key)
}

/// Of the rows, those that sign or will. The last that was called up is the first.
fn live(rows: &[SigningKey]) -> (Option<&SigningKey>, Option<&SigningKey>) {
    let live = || rows.iter().filter(|row| row.retires_at.is_none());
    let signing = live()
        .filter(|row| row.activates_at.is_some())
        .max_by_key(|row| (row.activates_at, row.id));
    (signing, live().find(|row| row.activates_at.is_none()))
}

/// Whether the rows do not fit the settings.
pub(super) fn lacks(app: &App, rows: &[SigningKey]) -> bool {
    if app.config.jwt_signing_key.is_some() {
        return rows.iter().any(|row| row.retires_at.is_none());
    }
    let fits = |row: Option<&SigningKey>| {
        row.is_some_and(|row| row.algorithm == app.config.jwt_algorithm.as_str())
    };
    let (signing, next) = live(rows);
    !fits(signing) || !fits(next)
}

/// Makes the rows fit the settings: the first keys, another algorithm, a key fixed by setting.
pub(super) async fn provide(app: &App) -> Result<()> {
    let algorithm = app.config.jwt_algorithm;
    // Before the transaction: making a key may take a while.
    let (first, second) = tokio::try_join!(generate(algorithm), generate(algorithm))?;
    let db = app.db.begin().await?;
    lock(&db).await?;
    let rows = all_in(&db).await?;
    if !lacks(app, &rows) {
        return Ok(());
    }
    let now = app.now();
    if app.config.jwt_signing_key.is_some() {
        for row in rows.into_iter().filter(|row| row.retires_at.is_none()) {
            supersede(app, &db, row, now).await?;
        }
        return db.commit(Affects::Everything).await;
    }
    let fits = |row: &SigningKey| row.algorithm == algorithm.as_str();
    let (signing, next) = live(&rows);
    if !signing.is_some_and(fits) {
        match signing {
            // The key that signed before keys were kept, derived from the server secret; its
            // tokens name none.
            None if rows.is_empty() && algorithm == JwtAlgorithm::Hs256 => {
                insert(app, &db, "", algorithm, app.keys.first_jwt_key(), Some(0)).await?;
            }
            None if rows.is_empty() => {
                insert_new(app, &db, algorithm, &first, Some(0)).await?;
            }
            _ => {
                insert_new(app, &db, algorithm, &first, Some(now + LEAD)).await?;
            }
        }
        if let Some(row) = signing {
            supersede(app, &db, row.clone(), now + LEAD).await?;
        }
    }
    if !next.is_some_and(fits) {
        if let Some(row) = next {
            supersede(app, &db, row.clone(), now).await?;
        }
        insert_new(app, &db, algorithm, &second, None).await?;
    }
    db.commit(Affects::Everything).await
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

/// From `at` on another key signs: what this one signed is good until it expires; one that never
/// signed goes at once.
pub(super) async fn supersede<C: ConnectionTrait>(
    app: &App,
    db: &C,
    row: SigningKey,
    at: i64,
) -> Result<()> {
    if row.activates_at.is_none_or(|active| active > app.now()) {
        Entity::delete_by_id(row.id).exec(db).await?;
        return Ok(());
    }
    let config = &app.config;
    // The lifetimes of now: a longer one that is set later counts for later tokens.
    let longest = config.jwt_refresh_lifetime.max(config.jwt_access_lifetime);
    let mut row = row.into_active_model();
    row.retires_at = Set(Some(at + longest + config.jwt_leeway + SLACK));
    row.update(db).await?;
    Ok(())
}

/// What ties a sealed key to its row.
pub(super) fn bound_to(kid: &str) -> String {
    format!("signing key {kid}")
}
