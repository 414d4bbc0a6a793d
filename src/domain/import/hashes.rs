//! What kinds of password strings are stored here: how many still wait for their owner's next
//! sign-in, and whose can never match.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    app::App,
    domain::django_hashes::{Refused, Stored},
    entity::user::{Column, Entity},
    error::Result,
};

/// Rows looked at in one go.
const BATCH: u64 = 1000;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Accounts whose hash is one of Django's; the next sign-in renews it.
    pub waiting: u64,
    /// Accounts whose hash is unknown or too costly, and the first of their ids.
    pub refused: u64,
    pub first_refused: Vec<i64>,
}

/// Looks at all accounts whose hash is not of our own kind.
pub async fn survey(app: &App) -> Result<Survey> {
    let mut survey = Survey::default();
    let mut after = i64::MIN;
    loop {
        let batch: Vec<(i64, String)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Password])
            .filter(Column::Id.gt(after))
            .filter(Column::Password.not_like("$argon2id$%"))
            .order_by_asc(Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(app.db.read())
            .await?;
        let Some((last, _)) = batch.last() else {
            return Ok(survey);
        };
        after = *last;
        for (id, password) in batch {
            match Stored::parse(&password) {
                Ok(_) => survey.waiting += 1,
                Err(Refused::Unusable) => {}
                Err(Refused::Unknown | Refused::TooCostly) => {
                    survey.refused += 1;
                    if survey.first_refused.len() < 10 {
                        survey.first_refused.push(id);
                    }
                }
            }
        }
    }
}
