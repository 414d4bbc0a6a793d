//! Making the kept keys fit the settings: the first ones, those of another algorithm, none where a
//! key is fixed. Once, when a server starts, and where there is no key to sign with.

use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{
    SigningKey, name,
    store::{self, signing, waiting},
};
use crate::{
    app::App,
    checks::Affects,
    config::JwtAlgorithm,
    domain::{
        actor::Actor,
        audit::{self, Event},
    },
    error::Result,
    secret::SecretBytes,
};

/// A change of algorithm signs nobody out: the key before verifies what it signed.
pub async fn fit_settings(app: &App) -> Result<()> {
    if fits(app, &store::list(app).await?) {
        return Ok(());
    }
    let algorithm = app.config.jwt_algorithm;
    // Before the transaction: making a key may take a while.
    let (first, second) = tokio::try_join!(store::generate(algorithm), store::generate(algorithm))?;
    let db = app.db.begin().await?;
    store::lock(&db).await?;
    let rows = store::all(&db).await?;
    // Another node may have been quicker.
    if fits(app, &rows) {
        return Ok(());
    }
    if app.config.jwt_signing_key.is_some() {
        for row in rows.iter().filter(|row| row.retires_at.is_none()) {
            supersede(app, &db, row, app.now()).await?;
        }
    } else {
        provide(app, &db, &rows, &first, &second).await?;
    }
    db.commit(Affects::Everything).await
}

/// Whether nothing is to be done.
fn fits(app: &App, rows: &[SigningKey]) -> bool {
    if app.config.jwt_signing_key.is_some() {
        return rows.iter().all(|row| row.retires_at.is_some());
    }
    [signing(rows), waiting(rows)]
        .iter()
        .all(|row| row.is_some_and(|row| is_of(row, app.config.jwt_algorithm)))
}

fn is_of(row: &SigningKey, algorithm: JwtAlgorithm) -> bool {
    row.algorithm == algorithm.as_str()
}

async fn provide<C: ConnectionTrait>(
    app: &App,
    db: &C,
    rows: &[SigningKey],
    first: &SecretBytes,
    second: &SecretBytes,
) -> Result<()> {
    let (algorithm, now) = (app.config.jwt_algorithm, app.now());
    let later = now + store::lead(algorithm);
    let (signing, waiting) = (signing(rows), waiting(rows));
    if !signing.is_some_and(|row| is_of(row, algorithm)) {
        let made = if signing.is_some() {
            store::insert_new(app, db, algorithm, first, Some(later)).await?
        } else if !rows.is_empty() {
            store::insert_new(app, db, algorithm, first, Some(now)).await?
        } else if algorithm == JwtAlgorithm::Hs256 {
            // Derived from the server secret; its tokens name no key, as in SimpleJWT.
            let derived = app.keys.first_jwt_key();
            store::insert(app, db, "", algorithm, derived, Some(0)).await?
        } else {
            store::insert_new(app, db, algorithm, first, Some(0)).await?
        };
        // The very first is no change that anybody made.
        if !rows.is_empty() {
            tell(app, db, "signing_key.created", &made).await?;
        }
        if let Some(row) = signing {
            supersede(app, db, row, later).await?;
        }
    }
    if !waiting.is_some_and(|row| is_of(row, algorithm)) {
        if let Some(row) = waiting {
            supersede(app, db, row, now).await?;
        }
        store::insert_new(app, db, algorithm, second, None).await?;
    }
    Ok(())
}

async fn supersede<C: ConnectionTrait>(app: &App, db: &C, row: &SigningKey, at: i64) -> Result<()> {
    store::supersede(app, db, row.clone(), at).await?;
    tell(app, db, "signing_key.superseded", row).await
}

async fn tell<C: ConnectionTrait>(
    app: &App,
    db: &C,
    action: &'static str,
    row: &SigningKey,
) -> Result<()> {
    let event = Event::new(action, Some(row.id), name(row));
    let event = event.with(json!({"algorithm": row.algorithm}));
    audit::record(db, app.now(), &Actor::server(), event).await
}
