//! Pauses of sign-in that have begun. Tries are counted in memory (`throttles`); a pause is written
//! down when it begins, so that it holds on every node and after a restart, and an administrator sees it
//! and can lift it. Names that nobody has are treated alike, or the pause would tell which ones exist.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Condition, OnConflict, Query, SelectStatement},
};
use serde_json::json;

pub use crate::entity::login_pause::Model as LoginPause;
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        permissions::{Act, Permission, Record},
        users::{self, User},
    },
    entity::login_pause::{ActiveModel, Column, Entity},
    error::{Error, Result},
    keys::Digest,
};

/// Told to the other nodes in one message of PostgreSQL's NOTIFY.
const TOLD: u64 = 100;

/// What a failure began.
#[derive(Clone, Debug)]
pub struct Begun {
    pub digest: Digest,
    pub tries: u32,
    /// Unix seconds.
    pub ends_at: i64,
    /// Whether it holds for this address only.
    pub here_only: bool,
}

/// `Throttled` while a pause of one of these holds, whichever node began it.
pub async fn refuse(app: &App, digests: &[Digest]) -> Result<()> {
    let now = app.now();
    let digests = digests.iter().map(|digest| digest.to_vec());
    let ends: Option<i64> = Entity::find()
        .select_only()
        .column(Column::EndsAt)
        .filter(Column::Digest.is_in(digests))
        .filter(Column::EndsAt.gt(now))
        .order_by_desc(Column::EndsAt)
        .limit(1)
        .into_tuple()
        .one(app.db.read())
        .await?;
    match ends {
        None => Ok(()),
        Some(ends) => Err(Error::Throttled {
            retry_after: u64::try_from(ends - now).unwrap_or(1).max(1),
        }),
    }
}

/// Writes down what a failed try began, with its event. In the transaction of that try's own event.
pub(crate) async fn begin<C: ConnectionTrait>(
    db: &C,
    now: i64,
    by: &Actor,
    name: &str,
    known: Option<&User>,
    begun: &[Begun],
) -> Result<()> {
    if begun.is_empty() {
        return Ok(());
    }
    Entity::delete_many()
        .filter(Column::EndsAt.lte(now))
        .exec(db)
        .await?;
    for pause in begun {
        let address = if pause.here_only {
            by.address_text()
        } else {
            String::new()
        };
        let event = Event::new("user.locked", known.map(|user| user.id), name).with(json!({
            "tries": pause.tries,
            "until": pause.ends_at,
            "only_from": address,
        }));
        let row = ActiveModel {
            id: NotSet,
            digest: Set(pause.digest.to_vec()),
            user_id: Set(known.map(|user| user.id)),
            address: Set(address),
            tries: Set(i64::from(pause.tries)),
            began_at: Set(now),
            ends_at: Set(pause.ends_at),
        };
        // Another node may have begun the same at the same moment.
        let same = OnConflict::column(Column::Digest)
            .update_columns([
                Column::UserId,
                Column::Tries,
                Column::BeganAt,
                Column::EndsAt,
            ])
            .to_owned();
        Entity::insert(row)
            .on_conflict(same)
            .exec_without_returning(db)
            .await?;
        audit::record(db, now, by, event).await?;
    }
    Ok(())
}

/// The ids of those of these people who are locked at `now`.
pub(crate) fn among(now: i64, user_ids: &[i64]) -> SelectStatement {
    let mut locked = locked_at(now);
    locked.and_where(Column::UserId.is_in(user_ids.iter().copied()));
    locked
}

/// The ids of those who are locked at `now` (Unix seconds), for a filter.
pub(crate) fn locked_at(now: i64) -> SelectStatement {
    Query::select()
        .column(Column::UserId)
        .from(Entity)
        .cond_where(
            Condition::all()
                .add(Column::UserId.is_not_null())
                .add(Column::EndsAt.gt(now)),
        )
        .to_owned()
}

/// Lifts all pauses of a person, on every node. False where there was none.
pub async fn lift(app: &App, by: &Actor, user_id: i64) -> Result<bool> {
    let db = app.db.begin().await?;
    let user = users::get_in(&db, user_id).await?;
    users::may_act(by, &user, Permission::new(Act::Change, Record::Users))?;
    let found = Entity::find()
        .filter(Column::UserId.eq(user_id))
        .order_by_desc(Column::EndsAt)
        .limit(TOLD)
        .all(&db)
        .await?;
    if found.is_empty() {
        return Ok(false);
    }
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id))
        .exec(&db)
        .await?;
    let event = Event::new("user.unlocked", Some(user_id), &user.username);
    audit::record(&db, app.now(), by, event).await?;
    let digests: Vec<Digest> = found
        .iter()
        .filter_map(|pause| pause.digest.as_slice().try_into().ok())
        .collect();
    db.commit(Affects::Forgiven(digests.clone())).await?;
    app.throttles.forgive_all(&digests);
    Ok(true)
}
