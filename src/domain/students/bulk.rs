//! Many students at once: those that a filter matches, and their end.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    StudentFilter,
    change::{DELETE, event},
    list::matching,
};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit,
        bulk::{self, Skip, Tally},
        paging::{self, Count},
    },
    entity::student::{Column, Entity},
    error::Result,
};

/// The ids after `after` that the filter matches.
pub async fn ids(app: &App, filter: &StudentFilter, after: i64, limit: u64) -> Result<Vec<i64>> {
    bulk::ids(
        app.db.read(),
        matching(app, filter).await?,
        Column::Id,
        after,
        limit,
    )
    .await
}

pub async fn count_of(app: &App, filter: &StudentFilter) -> Result<Count> {
    paging::count_up_to(app.db.read(), matching(app, filter).await?, Column::Id).await
}

pub async fn newest_id(app: &App) -> Result<i64> {
    bulk::newest::<Entity, _>(app.db.read(), Column::Id).await
}

/// All of these that are there, in one transaction.
pub async fn delete_many(app: &App, by: &Actor, ids: &[i64]) -> Result<Tally> {
    by.require(DELETE)?;
    let db = app.db.begin().await?;
    let found = Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(&db)
        .await?;
    let mut tally = Tally {
        done: found.len() as u64,
        ..Tally::default()
    };
    tally.skip_many(Skip::Gone, (ids.len() as u64).saturating_sub(tally.done));
    if found.is_empty() {
        return Ok(tally);
    }
    Entity::delete_many()
        .filter(Column::Id.is_in(found.iter().map(|student| student.id)))
        .exec(&db)
        .await?;
    let events = found.iter().map(|one| event("student.deleted", one));
    audit::record_all(&db, app.now(), by, events).await?;
    db.commit(Affects::Students).await?;
    Ok(tally)
}
