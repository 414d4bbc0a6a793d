//! When and from where tokens were last used. Noted in memory by the check path, which never
//! writes; flushed in batches by the server's timer and at shutdown.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    app::App,
    checks::Affects,
    entity::token::{Column, Entity},
    error::Result,
};

/// Tokens in one transaction, so that a flush never holds the writer long.
const BATCH: usize = 500;

#[derive(Debug, Default)]
pub struct Usage(Mutex<HashMap<i64, Use>>);

#[derive(Clone, Debug)]
struct Use {
    at: i64,
    address: String,
}

impl Usage {
    pub fn note(&self, token_id: i64, at: i64, address: &str) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(&token_id) {
            Some(seen) => {
                seen.at = at;
                if seen.address != address {
                    address.clone_into(&mut seen.address);
                }
            }
            None => {
                uses.insert(
                    token_id,
                    Use {
                        at,
                        address: address.to_owned(),
                    },
                );
            }
        }
    }

    /// Unless it was used again meanwhile.
    fn put_back(&self, token_id: i64, seen: &Use) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses.entry(token_id).or_insert_with(|| seen.clone());
    }

    fn drain(&self) -> Vec<(i64, Use)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain()
            .collect()
    }
}

/// Writes down what was noted since the last time; what could not be written is kept for the next.
pub async fn flush(app: &App) -> Result<()> {
    let mut noted = app.usage.drain();
    // In one order everywhere, so that two nodes do not wait for each other.
    noted.sort_unstable_by_key(|(id, _)| *id);
    let mut batches = noted.chunks(BATCH);
    while let Some(batch) = batches.next() {
        if let Err(e) = write(app, batch).await {
            for (id, seen) in batch.iter().chain(batches.flatten()) {
                app.usage.put_back(*id, seen);
            }
            return Err(e);
        }
    }
    Ok(())
}

async fn write(app: &App, batch: &[(i64, Use)]) -> Result<()> {
    let db = app.db.begin().await?;
    for (id, seen) in batch {
        Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(seen.at))
            .col_expr(Column::LastUsedAddress, Expr::value(seen.address.clone()))
            .filter(Column::Id.eq(*id))
            // Another node may have seen it later.
            .filter(
                Condition::any()
                    .add(Column::LastUsedAt.is_null())
                    .add(Column::LastUsedAt.lt(seen.at)),
            )
            .exec(&db)
            .await?;
    }
    db.commit(Affects::Nobody).await
}
