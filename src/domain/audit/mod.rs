//! The record of who did what. Every change writes its event in its own transaction, so that one
//! cannot be there without the other. Events never hold a secret. How they become a chain that nobody
//! can change unseen is in `seal` and `verify`.

mod chain;
mod checkpoint;
mod lines;
mod list;
mod seal;
mod verify;

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, IntoColumnRef, Query, SimpleExpr},
};
use serde_json::{Value, json};

pub use checkpoint::{PublicKey, public_key};
pub use lines::{export, verify_lines};
pub use list::{AuditFilter, before, count_of_account, get, list};
pub use seal::{ChainState, chain_state, checkpoint_if_due, checkpoint_now, seal, seal_some};
pub use verify::{Intact, Verdict, verify};

pub use crate::entity::audit_event::Model as AuditEvent;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        paging::Count,
        totals::{self, Total, rows},
    },
    entity::audit_event::{ActiveModel, Column, Entity},
    error::Result,
};

/// What happened to what.
#[derive(Debug)]
pub struct Event<'a> {
    /// Dotted, object first: `token.created`.
    pub action: &'static str,
    pub object_id: Option<i64>,
    /// The object's name at the time.
    pub object: &'a str,
    pub detail: Value,
}

impl<'a> Event<'a> {
    pub fn new(action: &'static str, object_id: Option<i64>, object: &'a str) -> Self {
        Self {
            action,
            object_id,
            object,
            detail: json!({}),
        }
    }

    #[must_use]
    pub fn with(self, detail: Value) -> Self {
        Self { detail, ..self }
    }
}

pub async fn record<C: ConnectionTrait>(
    db: &C,
    now: i64,
    by: &Actor,
    event: Event<'_>,
) -> Result<()> {
    let row = row(now, by, event);
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Several at once: one statement.
pub async fn record_all<C: ConnectionTrait>(
    db: &C,
    now: i64,
    by: &Actor,
    events: impl IntoIterator<Item = Event<'_>>,
) -> Result<()> {
    let rows = events.into_iter().map(|event| row(now, by, event));
    Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

fn row(now: i64, by: &Actor, event: Event<'_>) -> ActiveModel {
    let object_type = event.action.split('.').next().unwrap_or_default();
    ActiveModel {
        id: NotSet,
        at: Set(now),
        actor_id: Set(by.user_id),
        actor: Set(by.username.clone()),
        via: Set(by.via.as_str().to_owned()),
        action: Set(event.action.to_owned()),
        object_type: Set(object_type.to_owned()),
        object_id: Set(event.object_id),
        object: Set(event.object.to_owned()),
        address: Set(by.address.map(|a| a.to_string())),
        request_id: Set(by.request_id.clone()),
        detail: Set(event.detail.to_string()),
        failed: Set(is_failure(event.action)),
        seq: NotSet,
        hash: NotSet,
    }
}

/// Whether an action tells of something that was tried and did not work.
fn is_failure(action: &str) -> bool {
    action.ends_with("_failed") || action.ends_with("_refused") || action == "jwt.replayed"
}

/// The newest events first.
pub async fn recent(app: &App, limit: u64) -> Result<Vec<AuditEvent>> {
    Ok(Entity::find()
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(app.db.read())
        .await?)
}

/// The newest event of one kind.
pub async fn latest(app: &App, action: &'static str) -> Result<Option<AuditEvent>> {
    let event = Entity::find()
        .filter(Column::Action.eq(action))
        .order_by_desc(Column::Id)
        .limit(1);
    Ok(event.one(app.db.read()).await?)
}

/// When the oldest event was written that waits for its place in the chain; None: none waits.
pub async fn oldest_unsealed(app: &App) -> Result<Option<i64>> {
    let event = Entity::find()
        .filter(Column::Seq.is_null())
        .order_by_asc(Column::Id)
        .limit(1);
    Ok(event.one(app.db.read()).await?.map(|event| event.at))
}

/// What happened to one object, newest first. `object_type` is the first part of the action.
pub async fn for_object(
    app: &App,
    object_type: &str,
    id: i64,
    limit: u64,
) -> Result<Vec<AuditEvent>> {
    Ok(of_object(object_type, id)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(app.db.read())
        .await?)
}

/// What happened to one object in one second, at most five events.
pub async fn of_object_at(
    app: &App,
    object_type: &str,
    id: i64,
    at: i64,
) -> Result<Vec<AuditEvent>> {
    Ok(of_object(object_type, id)
        .filter(Column::At.eq(at))
        .order_by_asc(Column::Id)
        .limit(5)
        .all(app.db.read())
        .await?)
}

/// From where this was last done to each of these objects, by their ids. `action` says what kind of
/// object it is.
pub async fn addresses_of(
    app: &App,
    action: &'static str,
    ids: &[i64],
) -> Result<HashMap<i64, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let object_type = action.split('.').next().unwrap_or_default();
    let events = Entity::find()
        .filter(Column::ObjectType.eq(object_type))
        .filter(Column::ObjectId.is_in(ids.iter().copied()))
        .filter(Column::Action.eq(action))
        .order_by_asc(Column::Id)
        .all(app.db.read())
        .await?;
    let known = events
        .into_iter()
        .filter_map(|event| Some((event.object_id?, event.address?)));
    Ok(known.collect())
}

/// Whether this was ever done to an object.
pub async fn happened<C: ConnectionTrait>(db: &C, action: &'static str, id: i64) -> Result<bool> {
    let object_type = action.split('.').next().unwrap_or_default();
    let event = of_object(object_type, id)
        .filter(Column::Action.eq(action))
        .limit(1)
        .one(db)
        .await?;
    Ok(event.is_some())
}

/// To which of these objects this was ever done.
pub(crate) async fn happened_to<C: ConnectionTrait>(
    db: &C,
    action: &'static str,
    ids: &[i64],
) -> Result<HashSet<i64>> {
    let object_type = action.split('.').next().unwrap_or_default();
    let found: Vec<Option<i64>> = Entity::find()
        .select_only()
        .column(Column::ObjectId)
        .filter(Column::ObjectType.eq(object_type))
        .filter(Column::ObjectId.is_in(ids.iter().copied()))
        .filter(Column::Action.eq(action))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// Whether one of these was done to the object of a row, by somebody of whom `by` is true: for a query of such rows.
pub(crate) fn is_told(
    object: impl IntoColumnRef,
    actions: &[&'static str],
    by: Condition,
) -> SimpleExpr {
    let object_type = actions.first().and_then(|action| action.split('.').next());
    let events = Query::select()
        .expr(Expr::val(1))
        .from(Entity)
        .and_where(Column::ObjectType.eq(object_type))
        .and_where(Expr::col((Entity, Column::ObjectId)).equals(object))
        .and_where(Column::Action.is_in(actions.iter().copied()))
        .cond_where(by)
        .to_owned();
    Expr::exists(events)
}

/// The address of the last sign-in of the user of a row, for a query of users.
pub(crate) fn last_sign_in_of_user() -> SimpleExpr {
    Expr::cust(
        r#"(SELECT "address" FROM "audit_events" WHERE "object_type" = 'session' AND "object_id" = "users"."id"
            AND "action" = 'session.started' ORDER BY "audit_events"."id" DESC LIMIT 1)"#,
    )
}

fn of_object(object_type: &str, id: i64) -> sea_orm::Select<Entity> {
    Entity::find()
        .filter(Column::ObjectType.eq(object_type))
        .filter(Column::ObjectId.eq(id))
}

/// Seconds.
const DAY: i64 = 86_400;

/// Sign-ins that failed in the last 24 hours, and in the 24 before.
pub async fn failed_logins(app: &App) -> Result<[Count; 2]> {
    let last = Total {
        name: "audit.failed_logins",
        rows: |now| rows(failed_between(now - DAY, now + 1)),
    };
    let before = Total {
        name: "audit.failed_logins_before",
        rows: |now| rows(failed_between(now - 2 * DAY, now - DAY)),
    };
    totals::counts(app, [last, before]).await
}

fn failed_between(from: i64, until: i64) -> sea_orm::Select<Entity> {
    Entity::find()
        .filter(Column::Action.eq("user.login_failed"))
        .filter(Column::At.gte(from))
        .filter(Column::At.lt(until))
}
