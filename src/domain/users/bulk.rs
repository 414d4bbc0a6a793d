//! The same changes for many users in one transaction and few statements. The rules are those of one
//! user; whoever they forbid to touch is passed over.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
    sea_query::Expr,
};
use serde_json::json;

use super::{User, delete, list, lock_superusers, may_touch};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    domain::{
        actor::Actor,
        audit::{self, Event},
        bulk::{self, Skip, Tally},
        paging::{Count, count_up_to},
        permissions::{Act, Permission, Record},
        status_lists, tokens,
    },
    entity::{
        token,
        user::{Column, Entity},
    },
    error::Result,
};

/// The ids after `after` of those that the filter matches.
pub async fn ids(app: &App, filter: &list::UserFilter, after: i64, limit: u64) -> Result<Vec<i64>> {
    bulk::ids(
        app.db.read(),
        list::all_matching(app, filter),
        Column::Id,
        after,
        limit,
    )
    .await
}

/// The first of those that the filter matches, without these.
pub async fn ids_but(
    app: &App,
    filter: &list::UserFilter,
    but: &[i64],
    limit: u64,
) -> Result<Vec<i64>> {
    let mut query = list::all_matching(app, filter);
    if !but.is_empty() {
        query = query.filter(Column::Id.is_not_in(but.iter().copied()));
    }
    bulk::ids(app.db.read(), query, Column::Id, 0, limit).await
}

pub async fn count(app: &App, filter: &list::UserFilter) -> Result<Count> {
    count_up_to(app.db.read(), list::all_matching(app, filter), Column::Id).await
}

pub async fn newest_id(app: &App) -> Result<i64> {
    bulk::newest::<Entity, _>(app.db.read(), Column::Id).await
}

/// Those of these that there are, in the order of their ids.
pub async fn some(app: &App, ids: &[i64]) -> Result<Vec<User>> {
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(Column::Id)
        .all(app.db.read())
        .await?)
}

/// Enables or disables them.
pub async fn set_active_many(app: &App, by: &Actor, ids: &[i64], active: bool) -> Result<Tally> {
    by.require(Permission::new(Act::Change, Record::Users))?;
    let db = app.db.begin().await?;
    lock_superusers(&db).await?;
    let mut chosen = Chosen::load(&db, by, ids, !active).await?;
    chosen.pass_over(Skip::Already, |user| user.is_active == active);
    if !active {
        chosen.spare_a_superuser(&db).await?;
    }
    let mut update = chosen
        .update()
        .col_expr(Column::IsActive, Expr::value(active));
    if !active {
        update = raise_epoch(update, app.now());
    }
    let action = if active {
        "user.enabled"
    } else {
        "user.disabled"
    };
    chosen.finish(app, db, by, update, action).await
}

/// Ends their sessions and JWTs; API tokens go on.
pub async fn sign_out_many(app: &App, by: &Actor, ids: &[i64]) -> Result<Tally> {
    by.require(Permission::new(Act::Delete, Record::Sessions))?;
    let db = app.db.begin().await?;
    let chosen = Chosen::load(&db, by, ids, true).await?;
    let update = raise_epoch(chosen.update(), app.now());
    chosen
        .finish(app, db, by, update, "user.signed_out_everywhere")
        .await
}

/// Ends every live token of theirs, each with its own event.
pub async fn revoke_tokens_many(app: &App, by: &Actor, ids: &[i64]) -> Result<Tally> {
    by.require(Permission::new(Act::Delete, Record::Tokens))?;
    let now = app.now();
    let db = app.db.begin().await?;
    let mut chosen = Chosen::load(&db, by, ids, false).await?;
    let live = token::Entity::find()
        .filter(token::Column::UserId.is_in(chosen.ids()))
        .filter(token::Column::RevokedAt.is_null())
        .order_by_asc(token::Column::Id)
        .lock_exclusive()
        .all(&db)
        .await?;
    let owners: HashSet<i64> = live.iter().map(|token| token.user_id).collect();
    chosen.pass_over(Skip::Already, |user| !owners.contains(&user.id));
    if live.is_empty() {
        return Ok(chosen.tally);
    }
    tokens::ending(now, by)
        .filter(token::Column::UserId.is_in(chosen.ids()))
        .filter(token::Column::RevokedAt.is_null())
        .exec(&db)
        .await?;
    let names: HashMap<i64, &str> = chosen
        .users
        .iter()
        .map(|user| (user.id, user.username.as_str()))
        .collect();
    // A person may have thousands of tokens: a statement holds so many values and no more.
    for some in live.chunks(500) {
        let events = some.iter().map(|token| {
            Event::new("token.revoked", Some(token.id), &token.name)
                .with(json!({"owner": names.get(&token.user_id), "prefix": token.prefix}))
        });
        audit::record_all(&db, now, by, events).await?;
    }
    chosen.commit(db).await
}

/// Deletes them with their tokens and sessions.
pub async fn delete_many(app: &App, by: &Actor, ids: &[i64]) -> Result<Tally> {
    by.require(Permission::new(Act::Delete, Record::Users))?;
    let db = app.db.begin().await?;
    lock_superusers(&db).await?;
    let mut chosen = Chosen::load(&db, by, ids, true).await?;
    chosen.spare_a_superuser(&db).await?;
    for user in &chosen.users {
        delete::lock_tokens(&db, user.id).await?;
        status_lists::remember_deleted(app, &db, user.id).await?;
    }
    Entity::delete_many()
        .filter(Column::Id.is_in(chosen.ids()))
        .exec(&db)
        .await?;
    if !chosen.users.is_empty() {
        let events = chosen.users.iter().map(delete::event);
        audit::record_all(&db, app.now(), by, events).await?;
    }
    chosen.commit(db).await
}

/// The users of one transaction that may be changed, and what became of the others.
struct Chosen {
    users: Vec<User>,
    tally: Tally,
}

impl Chosen {
    /// Locked in the order of their ids, so that two such changes do not wait for each other.
    async fn load(db: &Change, by: &Actor, ids: &[i64], not_oneself: bool) -> Result<Self> {
        let users = Entity::find()
            .filter(Column::Id.is_in(ids.iter().copied()))
            .order_by_asc(Column::Id)
            .lock_exclusive()
            .all(db)
            .await?;
        let mut tally = Tally::default();
        tally.skip_many(Skip::Gone, ids.len().saturating_sub(users.len()) as u64);
        let mut chosen = Self { users, tally };
        if not_oneself {
            chosen.pass_over(Skip::You, |user| by.user_id == Some(user.id));
        }
        chosen.pass_over(Skip::OutOfReach, |user| may_touch(by, user).is_err());
        Ok(chosen)
    }

    fn pass_over(&mut self, why: Skip, is_it: impl Fn(&User) -> bool) {
        let before = self.users.len();
        self.users.retain(|user| !is_it(user));
        self.tally
            .skip_many(why, (before - self.users.len()) as u64);
    }

    /// One who can sign in must remain: if nobody else does, the first of these.
    async fn spare_a_superuser(&mut self, db: &Change) -> Result<()> {
        let counts = |user: &User| user.is_superuser && user.is_active;
        let Some(first) = self.users.iter().find(|user| counts(user)).map(|u| u.id) else {
            return Ok(());
        };
        let other = Entity::find()
            .filter(Column::IsSuperuser.eq(true))
            .filter(Column::IsActive.eq(true))
            .filter(Column::Id.is_not_in(self.ids()))
            .limit(1)
            .one(db)
            .await?;
        if other.is_none() {
            self.pass_over(Skip::LastSuperuser, |user| user.id == first);
        }
        Ok(())
    }

    fn ids(&self) -> Vec<i64> {
        self.users.iter().map(|user| user.id).collect()
    }

    fn update(&self) -> UpdateMany<Entity> {
        Entity::update_many()
            .col_expr(Column::Version, Expr::col(Column::Version).add(1))
            .filter(Column::Id.is_in(self.ids()))
    }

    async fn finish(
        self,
        app: &App,
        db: Change,
        by: &Actor,
        update: UpdateMany<Entity>,
        action: &'static str,
    ) -> Result<Tally> {
        if self.users.is_empty() {
            return Ok(self.tally);
        }
        update.exec(&db).await?;
        let events = self
            .users
            .iter()
            .map(|user| Event::new(action, Some(user.id), &user.username));
        audit::record_all(&db, app.now(), by, events).await?;
        self.commit(db).await
    }

    async fn commit(mut self, db: Change) -> Result<Tally> {
        self.tally.done = self.users.len() as u64;
        db.commit(Affects::Users(self.ids())).await?;
        Ok(self.tally)
    }
}

fn raise_epoch(update: UpdateMany<Entity>, now: i64) -> UpdateMany<Entity> {
    update
        .col_expr(Column::Epoch, Expr::col(Column::Epoch).add(1))
        .col_expr(Column::EpochAt, Expr::value(now))
}
