//! Tokens that others know: they made them for an account, or looked at its default token. With more rights for that
//! account they would come by these rights, so such tokens end when it becomes staff or superuser.

use std::collections::HashSet;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{Token, TokenState, ending, state};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        audit::{self, Event},
        users::User,
    },
    entity::token::{Column, Entity},
    error::Result,
};

/// How many of these live tokens of an account others know.
pub async fn count_given(app: &App, user_id: i64, tokens: &[Token]) -> Result<usize> {
    let now = app.now();
    let live = tokens
        .iter()
        .filter(|token| state(token, now) == TokenState::Active);
    let ids: Vec<i64> = live.map(|token| token.id).collect();
    Ok(given(app.db.read(), user_id, &ids).await?.len())
}

/// Ends those of an account that is about to rise, each with its event; its row is locked. Returns how many.
pub(crate) async fn end_given<C: ConnectionTrait>(
    db: &C,
    app: &App,
    by: &Actor,
    owner: &User,
) -> Result<usize> {
    let now = app.now();
    let tokens = Entity::find()
        .filter(Column::UserId.eq(owner.id))
        .filter(Column::RevokedAt.is_null())
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(db)
        .await?;
    let live = tokens
        .iter()
        .filter(|token| state(token, now) == TokenState::Active);
    let ids: Vec<i64> = live.map(|token| token.id).collect();
    let given = given(db, owner.id, &ids).await?;
    for some in given.chunks(500) {
        ending(now, by)
            .filter(Column::Id.is_in(some.iter().copied()))
            .exec(db)
            .await?;
        let ended = tokens.iter().filter(|token| some.contains(&token.id));
        let events = ended.map(|token| {
            Event::new("token.revoked", Some(token.id), &token.name).with(json!({
                "owner": owner.username,
                "prefix": token.prefix,
                "because": "its owner got more rights, and somebody else knew it",
            }))
        });
        audit::record_all(db, now, by, events).await?;
    }
    Ok(given.len())
}

/// Those of `ids` that somebody else made, or was shown. Names may change hands, so the audit log says who did; of what
/// it does not tell (a token that came with an import) nobody knows who has it.
async fn given<C: ConnectionTrait>(db: &C, user_id: i64, ids: &[i64]) -> Result<Vec<i64>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = HashSet::new();
    let mut own = HashSet::new();
    let told = audit::who_did(db, "token", &["token.created", "token.shown"], ids).await?;
    for (id, action, by) in told {
        let is_theirs = by == Some(user_id);
        if action == "token.created" && is_theirs {
            own.insert(id);
        } else if !is_theirs {
            known.insert(id);
        }
    }
    let given = |id: &i64| !own.contains(id) || known.contains(id);
    Ok(ids.iter().copied().filter(given).collect())
}
