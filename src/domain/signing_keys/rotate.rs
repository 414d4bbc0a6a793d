//! Changing keys: by hand, when one has served its time, and at once when one is known to others.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel};
use serde_json::json;

use super::{
    KeyState, SigningKey, name, states,
    store::{self, LEAD},
};
use crate::{
    app::App,
    checks::Affects,
    config::JwtAlgorithm,
    domain::{
        actor::Actor,
        audit::{self, Event},
    },
    entity::signing_key::Entity,
    error::{Error, Result},
    secret::SecretBytes,
};

/// Seconds for which a retired key is listed before its row goes.
const LISTED: i64 = 30 * 86_400;

/// The next key signs in two seconds, and a new one waits. Nobody is signed out. `Conflict` while a
/// rotation is under way, while the next key is too young, and where no key that is kept signs. Returns the key that will.
pub async fn rotate(app: &App, by: &Actor) -> Result<SigningKey> {
    require_superuser(by)?;
    let fresh = fresh(app).await?;
    let db = app.db.begin().await?;
    store::lock(&db).await?;
    let rows = store::all(&db).await?;
    if is_under_way(&rows, app.now()) {
        return Err(Error::Conflict(
            "A rotation is under way; try again in a moment.".to_owned(),
        ));
    }
    let unheard = store::waiting(&rows).map_or(0, |row| {
        row.created_at + store::lead(fresh.algorithm) - app.now()
    });
    if unheard > 0 {
        return Err(Error::Conflict(format!(
            "Those who verify may not know the next key yet; try again in {unheard} s."
        )));
    }
    let key = call_up(app, &db, by, &rows, &fresh, app.now() + LEAD).await?;
    db.commit(Affects::Everything).await?;
    Ok(key)
}

/// For a key that others know: nothing it signed is accepted from now on. If it signs, the next one
/// takes over at once. `Conflict` for one that has signed nothing or nothing any more.
pub async fn revoke(app: &App, by: &Actor, id: i64) -> Result<SigningKey> {
    require_superuser(by)?;
    let rows = store::list(app).await?;
    let fresh = match store::signing(&rows) {
        Some(row) if row.id == id => Some(fresh(app).await?),
        _ => None,
    };
    let db = app.db.begin().await?;
    store::lock(&db).await?;
    let rows = store::all(&db).await?;
    let now = app.now();
    let mut judged = rows.iter().zip(states(&rows, now));
    let (row, state) = judged
        .find(|(row, _)| row.id == id)
        .ok_or(Error::NotFound)?;
    match (state, fresh) {
        (KeyState::Retired, _) => {
            return Err(Error::Conflict("It is retired already.".to_owned()));
        }
        (KeyState::Next, _) => {
            return Err(Error::Conflict("It has signed nothing yet.".to_owned()));
        }
        (KeyState::Current, Some(fresh)) if row.retires_at.is_none() => {
            call_up(app, &db, by, &rows, &fresh, now).await?;
        }
        // Where another is about to follow it, that one steps in.
        (KeyState::Current | KeyState::Previous, _) => {}
    }
    let mut retired = row.clone().into_active_model();
    retired.retires_at = Set(Some(now));
    // What others know is of no use to us.
    retired.sealed = Set(Vec::new());
    let retired = retired.update(&db).await?;
    let event = Event::new("signing_key.revoked", Some(row.id), name(row));
    audit::record(&db, now, by, event).await?;
    db.commit(Affects::Everything).await?;
    Ok(retired)
}

/// Rotates if the key that signs has served its time, and drops what retired long ago.
pub async fn sweep(app: &App) -> Result<()> {
    let now = app.now();
    let rows = store::list(app).await?;
    // The first key's row stays: it says that the derived key was in use, and must not come back.
    let old = |row: &SigningKey| {
        !row.kid.is_empty() && row.retires_at.is_some_and(|at| at < now - LISTED)
    };
    let due = is_due(app, &rows);
    if !rows.iter().any(old) && !due {
        return Ok(());
    }
    let fresh = if due { Some(fresh(app).await?) } else { None };
    let db = app.db.begin().await?;
    store::lock(&db).await?;
    // Another node may have been quicker.
    let rows = store::all(&db).await?;
    if let Some(fresh) = fresh.filter(|_| is_due(app, &rows)) {
        call_up(app, &db, &Actor::server(), &rows, &fresh, now + LEAD).await?;
    }
    for row in rows.iter().filter(|row| old(row)) {
        Entity::delete_by_id(row.id).exec(&db).await?;
    }
    db.commit(Affects::Everything).await
}

/// A key of the kind that signs now, whatever this process's settings say: a command may have been
/// called without the server's. `Conflict` where none that is kept signs.
async fn fresh(app: &App) -> Result<Fresh> {
    let rows = store::list(app).await?;
    let signs = store::signing(&rows).filter(|_| app.config.jwt_signing_key.is_none());
    let algorithm = signs.and_then(|row| JwtAlgorithm::parse(&row.algorithm));
    let algorithm = algorithm.ok_or_else(|| {
        Error::Conflict(
            "No key that is kept here signs: the server makes the first when it starts, \
             unless jwt_signing_key fixes one."
                .to_owned(),
        )
    })?;
    Ok(Fresh {
        algorithm,
        private: store::generate(algorithm).await?,
    })
}

struct Fresh {
    algorithm: JwtAlgorithm,
    private: SecretBytes,
}

fn is_due(app: &App, rows: &[SigningKey]) -> bool {
    let (now, life) = (app.now(), app.config.jwt_key_lifetime);
    let since = |row: &SigningKey| row.activates_at.unwrap_or(now).max(row.created_at);
    let served =
        |row: &SigningKey| row.retires_at.is_none() && now.saturating_sub(since(row)) >= life;
    life > 0
        && app.config.jwt_signing_key.is_none()
        && !is_under_way(rows, now)
        && rows
            .iter()
            .zip(states(rows, now))
            .any(|(row, state)| state == KeyState::Current && served(row))
}

fn is_under_way(rows: &[SigningKey], now: i64) -> bool {
    rows.iter()
        .any(|row| row.activates_at.is_some_and(|at| at > now))
}

/// The key that waits signs from `at` on; `fresh` waits in its place.
async fn call_up<C: ConnectionTrait>(
    app: &App,
    db: &C,
    by: &Actor,
    rows: &[SigningKey],
    fresh: &Fresh,
    at: i64,
) -> Result<SigningKey> {
    let (algorithm, private) = (fresh.algorithm, &fresh.private);
    if let Some(row) = store::signing(rows) {
        store::supersede(app, db, row.clone(), at).await?;
    }
    let waiting = store::waiting(rows).filter(|row| row.algorithm == algorithm.as_str());
    let key = match waiting {
        None => store::insert_new(app, db, algorithm, private, Some(at)).await?,
        Some(row) => {
            store::insert_new(app, db, algorithm, private, None).await?;
            let mut row = row.clone().into_active_model();
            row.activates_at = Set(Some(at));
            row.update(db).await?
        }
    };
    let event = Event::new("signing_key.rotated", Some(key.id), name(&key));
    let event = event.with(json!({"algorithm": key.algorithm, "signs_from": at}));
    audit::record(db, app.now(), by, event).await?;
    Ok(key)
}

fn require_superuser(by: &Actor) -> Result<()> {
    if by.is_superuser {
        Ok(())
    } else {
        Err(Error::PermissionDenied)
    }
}
