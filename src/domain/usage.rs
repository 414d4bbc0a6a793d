//! When and from where tokens were last used. Noted in memory by the check path, which never
//! writes; flushed in batches by the server's timer and at shutdown.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

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

    fn drain(&self) -> Vec<(i64, Use)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain()
            .collect()
    }
}

/// Writes down what was noted since the last time.
pub async fn flush(app: &App) -> Result<()> {
    for batch in app.usage.drain().chunks(BATCH) {
        let db = app.db.begin().await?;
        for (id, seen) in batch {
            Entity::update_many()
                .col_expr(Column::LastUsedAt, Expr::value(seen.at))
                .col_expr(Column::LastUsedAddress, Expr::value(seen.address.clone()))
                .filter(Column::Id.eq(*id))
                .exec(&db)
                .await?;
        }
        db.commit(Affects::Nobody).await?;
    }
    Ok(())
}
