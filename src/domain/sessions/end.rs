//! Ending sessions: one, some, or all the others of a person.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::Session;
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        bulk::{Skip, Tally},
        permissions::{Act, Permission, Record},
        users::{self, User},
    },
    entity::{
        session::{Column, Entity},
        user,
    },
    error::{Error, Result},
};

const DELETE: Permission = Permission::new(Act::Delete, Record::Sessions);

/// Ends a session, one's own or of somebody one may touch; ending an ended one is fine.
pub async fn end(app: &App, by: &Actor, session: &Session) -> Result<()> {
    users::may_act(by, &session.user, DELETE)?;
    let db = app.db.begin().await?;
    Entity::delete_by_id(session.id).exec(&db).await?;
    audit::record(&db, app.now(), by, ended(&session.user)).await?;
    db.commit(Affects::Nobody).await?;
    Ok(())
}

/// Ends those of `ids` that one may end; never `this`, in which it is done: one signs out of it instead.
pub async fn end_many(app: &App, by: &Actor, this: i64, ids: &[i64]) -> Result<Tally> {
    let mut tally = Tally::default();
    if ids.contains(&this) {
        tally.skip(Skip::ThisSession);
    }
    let db = app.db.begin().await?;
    let rows = Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::Id.ne(this))
        .all(&db)
        .await?;
    let gone = (ids.len() as u64).saturating_sub(rows.len() as u64 + tally.passed_over());
    tally.skip_many(Skip::Gone, gone);
    let users = user::Entity::find()
        .filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)))
        .all(&db)
        .await?;
    let users: HashMap<i64, User> = users.into_iter().map(|user| (user.id, user)).collect();
    let mine: Vec<(i64, &User)> = rows
        .iter()
        .filter_map(|row| Some((row.id, users.get(&row.user_id)?)))
        .filter(|(_, user)| users::may_act(by, user, DELETE).is_ok())
        .collect();
    tally.skip_many(Skip::OutOfReach, (rows.len() - mine.len()) as u64);
    if !mine.is_empty() {
        Entity::delete_many()
            .filter(Column::Id.is_in(mine.iter().map(|(id, _)| *id)))
            .exec(&db)
            .await?;
        let events = mine.iter().map(|(_, user)| ended(user));
        audit::record_all(&db, app.now(), by, events).await?;
        db.commit(Affects::Nobody).await?;
    }
    tally.done = mine.len() as u64;
    Ok(tally)
}

/// Ends one's sessions in all other browsers. Returns how many.
pub async fn end_others(app: &App, by: &Actor, this: &Session) -> Result<u64> {
    if by.user_id != Some(this.user.id) {
        return Err(Error::PermissionDenied);
    }
    let db = app.db.begin().await?;
    let others = Entity::delete_many()
        .filter(Column::UserId.eq(this.user.id))
        .filter(Column::Id.ne(this.id));
    let gone = others.exec(&db).await?.rows_affected;
    if gone > 0 {
        let event = Event::new("session.others_ended", Some(this.user.id), &by.username);
        let event = event.with(json!({"sessions": gone}));
        audit::record(&db, app.now(), by, event).await?;
        db.commit(Affects::Nobody).await?;
    }
    Ok(gone)
}

fn ended(user: &User) -> Event<'_> {
    Event::new("session.ended", Some(user.id), &user.username)
}
