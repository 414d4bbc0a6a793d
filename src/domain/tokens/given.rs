//! Tokens that others know: they made them for an account, or looked at its default token. With more rights for that
//! account they would come by these rights, so such tokens end when it becomes staff or superuser.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{ExprTrait, SimpleExpr},
};
use serde_json::json;

use super::{
    Token, TokenState, ending,
    list::of_user,
    rotated::{ROTATION, rotation, successor},
    state,
};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        audit::{self, Event},
        users::User,
    },
    entity::{
        audit_event,
        token::{Column, Entity},
    },
    error::Result,
};

/// What `list_for` finds, each with what followed it, and how many of these live tokens others know: one question.
pub async fn list_with_given(
    app: &App,
    user_id: i64,
) -> Result<(Vec<(Token, Option<i64>)>, usize)> {
    let query = of_user(user_id)
        .column_as(is_given(user_id), GIVEN)
        .column_as(rotation(), ROTATION);
    let mut tokens = Vec::new();
    let mut known = 0;
    for row in app.db.read().query_all(&query.into_query()).await? {
        let token = Token::from_query_result(&row, "")?;
        let is_live = state(&token, app.now()) == TokenState::Active;
        known += usize::from(is_live && row.try_get("", GIVEN)?);
        tokens.push((token, successor(&row)?));
    }
    Ok((tokens, known))
}

const GIVEN: &str = "is_given";

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
    let live: Vec<&Token> = tokens
        .iter()
        .filter(|token| state(token, now) == TokenState::Active)
        .collect();
    let mut ended = 0;
    for some in live.chunks(500) {
        // Asked once the rows are locked, so that who is just being shown one is known.
        let ids: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.is_in(some.iter().map(|token| token.id)))
            .filter(is_given(owner.id))
            .into_tuple()
            .all(db)
            .await?;
        if ids.is_empty() {
            continue;
        }
        ended += ids.len();
        ending(now, by)
            .filter(Column::Id.is_in(ids.iter().copied()))
            .exec(db)
            .await?;
        let given = some.iter().filter(|token| ids.contains(&token.id));
        let events = given.map(|token| {
            Event::new("token.revoked", Some(token.id), &token.name).with(json!({
                "owner": owner.username,
                "prefix": token.prefix,
                "because": "its owner got more rights, and somebody else knew it",
            }))
        });
        audit::record_all(db, now, by, events).await?;
    }
    Ok(ended)
}

/// Whether somebody else made the token of a row, or was shown it. Names may change hands, so the audit log says who
/// did; of what it does not tell (a token that came with an import) nobody knows who has it.
fn is_given(owner: i64) -> SimpleExpr {
    let actor = audit_event::Column::ActorId;
    let told = |actions: &[&'static str], by| audit::is_told((Entity, Column::Id), actions, by);
    let own = told(&["token.created"], actor.eq(owner).into());
    let others = Condition::any().add(actor.is_null()).add(actor.ne(owner));
    let known = told(&["token.created", "token.shown"], others);
    own.not().or(known)
}
