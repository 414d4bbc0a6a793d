//! The conditional update by which a family's counter rises. On SQLite those who wait for the one
//! writer at the same moment are written together: one statement and one flush to disk for all.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use serde_json::json;
use tokio::sync::{Mutex as Turn, oneshot};

use super::Family;
use crate::{
    app::App,
    error::{Error, Result},
};

/// Rotations in one statement, so that nobody waits long for others.
const BATCH: usize = 64;

/// One winner among those who hold the same token, and none where the family or its user's epoch
/// has ended: whoever asks need not have read either before.
const RAISE: &str = "UPDATE refresh_families \
     SET counter = $2 + 1, issued_at = $3, expires_at = $4, address = $5 \
     WHERE id = $1 AND counter = $2 AND revoked_at IS NULL AND epoch = \
     (SELECT u.epoch FROM users u WHERE u.id = refresh_families.user_id AND u.is_active) \
     RETURNING id";

/// The same for a JSON list of such rows, each of another family.
const RAISE_ALL: &str = "UPDATE refresh_families \
     SET counter = n.counter + 1, issued_at = n.issued_at, expires_at = n.expires_at, \
     address = n.address \
     FROM (SELECT value ->> 0 AS id, value ->> 1 AS counter, value ->> 2 AS issued_at, \
     value ->> 3 AS expires_at, value ->> 4 AS address FROM json_each($1)) AS n \
     WHERE refresh_families.id = n.id AND refresh_families.counter = n.counter \
     AND revoked_at IS NULL AND epoch = \
     (SELECT u.epoch FROM users u WHERE u.id = refresh_families.user_id AND u.is_active) \
     RETURNING id";

/// Who waits for SQLite's writer.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    turn: Turn<()>,
    rotations: Mutex<Vec<Rotation>>,
}

#[derive(Debug)]
struct Rotation {
    family: i64,
    counter: i64,
    issued_at: i64,
    expires_at: i64,
    address: String,
    won: oneshot::Sender<Result<bool>>,
}

/// True for exactly one of those who hold the same token. It affects nobody's checks: an access
/// token lives as long as its family, whichever number that has.
pub(super) async fn raise(app: &App, family: &Family, next: &Family) -> Result<bool> {
    if app.config.is_postgres() {
        // PostgreSQL flushes together by itself, and rows taken one at a time cannot deadlock.
        let values = [
            family.id.into(),
            family.counter.into(),
            next.issued_at.into(),
            next.expires_at.into(),
            next.address.clone().into(),
        ];
        return Ok(!app.db.change_alone(RAISE, values).await?.is_empty());
    }
    let waiting = &app.families.waiting;
    let mut outcome = waiting.enter(family, next);
    loop {
        tokio::select! {
            biased;
            // Whoever had the turn is gone without a word: the row says what became of it.
            won = &mut outcome => return won.unwrap_or(Ok(false)),
            _turn = waiting.turn.lock() => write(app, waiting.take()).await,
        }
    }
}

async fn write(app: &App, batch: Vec<Rotation>) {
    let rows: Vec<_> = batch
        .iter()
        .map(|r| json!([r.family, r.counter, r.issued_at, r.expires_at, r.address]))
        .collect();
    let raised = match app
        .db
        .change_alone(RAISE_ALL, [json!(rows).to_string().into()])
        .await
    {
        Ok(rows) => rows
            .iter()
            .map(|row| row.try_get_by_index::<i64>(0).map_err(Error::from))
            .collect::<Result<HashSet<i64>>>(),
        Err(e) => Err(e),
    };
    for rotation in batch {
        let won = raised
            .as_ref()
            .map(|raised| raised.contains(&rotation.family))
            .map_err(Clone::clone);
        // Whoever asked may be gone.
        let _gone = rotation.won.send(won);
    }
}

impl Waiting {
    fn enter(&self, family: &Family, next: &Family) -> oneshot::Receiver<Result<bool>> {
        let (won, outcome) = oneshot::channel();
        self.rotations().push(Rotation {
            family: family.id,
            counter: family.counter,
            issued_at: next.issued_at,
            expires_at: next.expires_at,
            address: next.address.clone(),
            won,
        });
        outcome
    }

    /// The first of each family; a second with the same token would take the first one's success
    /// for its own.
    fn take(&self) -> Vec<Rotation> {
        let mut rotations = self.rotations();
        let mut families = HashSet::new();
        rotations
            .extract_if(.., |r| families.len() < BATCH && families.insert(r.family))
            .collect()
    }

    fn rotations(&self) -> std::sync::MutexGuard<'_, Vec<Rotation>> {
        self.rotations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
