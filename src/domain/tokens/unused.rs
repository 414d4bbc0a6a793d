//! Revoking tokens that nobody uses: the setting `token_unused_revoke_days`. Default tokens, too:
//! get-or-create makes a new one. Expired tokens stay as they are.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, Order},
};
use serde_json::json;

use super::Token;
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        usage,
    },
    entity::{
        token::{Column, Entity},
        user,
    },
    error::Result,
};

/// Tokens in one transaction; their users must fit into one `Affects::Users`.
const BATCH: usize = 250;
/// As the index says it.
pub(super) const SEEN: &str = "COALESCE(last_used_at, created_at)";

/// Revokes what has not been used for so many days as the setting says (never used: since it was
/// made), each with its event. Several nodes may sweep at once: a token that one has locked the
/// others pass over. Returns how many.
pub async fn sweep_unused(app: &App) -> Result<u64> {
    let days = app.settings().token_unused_revoke_days;
    if days == 0 {
        return Ok(0);
    }
    // What this node saw just now counts. Others may have seen a use up to ten seconds ago.
    usage::flush(app).await?;
    let until = app.now() - days * 86_400;
    let mut since = i64::MIN;
    let mut revoked = 0;
    loop {
        let batch = revoke_some(app, since, until, days).await?;
        let Some(last) = batch.last() else {
            return Ok(revoked);
        };
        // Not over what was passed over before.
        since = last.last_used_at.unwrap_or(last.created_at);
        revoked += batch.len() as u64;
    }
}

/// Those not seen since `until` and not before `since` (Unix seconds), the longest unseen first.
async fn revoke_some(app: &App, since: i64, until: i64, days: i64) -> Result<Vec<Token>> {
    let now = app.now();
    let by = Actor::server();
    let db = app.db.begin().await?;
    let alive = Condition::any()
        .add(Column::ExpiresAt.is_null())
        .add(Column::ExpiresAt.gt(now));
    let batch = Entity::find()
        .filter(Column::RevokedAt.is_null())
        .filter(Expr::cust(SEEN).lte(until))
        .filter(Expr::cust(SEEN).gte(since))
        .filter(alive)
        .order_by(Expr::cust(SEEN), Order::Asc)
        .limit(BATCH as u64)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&db)
        .await?;
    if batch.is_empty() {
        return Ok(batch);
    }
    let mut users: Vec<i64> = batch.iter().map(|token| token.user_id).collect();
    users.sort_unstable();
    users.dedup();
    let owners = user::Entity::find()
        .filter(user::Column::Id.is_in(users.iter().copied()))
        .all(&db)
        .await?;
    let owners: HashMap<i64, String> = owners.into_iter().map(|u| (u.id, u.username)).collect();
    super::ending(now, &by)
        .filter(Column::Id.is_in(batch.iter().map(|token| token.id)))
        .exec(&db)
        .await?;
    let events = batch.iter().map(|token| {
        Event::new("token.revoked", Some(token.id), &token.name).with(json!({
            "owner": owners.get(&token.user_id),
            "prefix": token.prefix,
            "because": "unused",
            "days": days,
        }))
    });
    audit::record_all(&db, now, &by, events).await?;
    db.commit(Affects::Users(users)).await?;
    Ok(batch)
}
