//! Browser sessions: by digest in the database, so that ending one ends it on every node and a
//! stolen database opens none (OWASP Session Management Cheat Sheet). That the password was shown again
//! of late is in `confirm`.

mod confirm;
mod end;
mod list;
mod renew;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait},
};

pub use confirm::{CONFIRMED_FOR, confirm, end_confirmation, has_password};
pub use end::{end, end_many, end_others};
pub use list::{LATELY, Seen, SessionFilter, count, ids, list, newest_id, some};

pub(crate) use renew::renew;

use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        paging::{Count, count_up_to},
        permissions::Permissions,
        users::{Entitled, User},
    },
    entity::session::{ActiveModel, Column, Entity, Model},
    error::{Error, Result},
    secret::{self, SessionKey},
};

/// "Last seen" is written down at most once in so many seconds; more often where sessions end soon when unused.
const SEEN_EVERY: i64 = 60;

/// A living session and whose it is.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: i64,
    pub user: User,
    pub created_at: i64,
    pub last_seen_at: i64,
    pub expires_at: i64,
    /// When the password was last shown; a sign-in is once. None: not since that was ended.
    pub confirmed_at: Option<i64>,
    pub address: String,
    pub user_agent: String,
}

/// Begins a session after a sign-in; always under a new id. `user` must just have been
/// authenticated.
pub async fn start(app: &App, user: &User, by: &Actor, user_agent: &str) -> Result<SessionKey> {
    let key = new_key()?;
    let now = app.now();
    let row = ActiveModel {
        id: NotSet,
        digest: Set(app.keys.session_digest(key.expose()).to_vec()),
        user_id: Set(user.id),
        epoch: Set(user.epoch),
        created_at: Set(now),
        last_seen_at: Set(now),
        expires_at: Set(now + app.settings().session_lifetime),
        confirmed_at: Set(Some(now)),
        address: Set(by.address_text()),
        user_agent: Set(user_agent
            .chars()
            .filter(|c| !c.is_control())
            .take(255)
            .collect()),
    };
    let db = app.db.begin().await?;
    let inserted = Entity::insert(row).exec_without_returning(&db).await;
    inserted.map_err(|e| match e.into() {
        // Deleted since its password was compared.
        Error::Conflict(_) => Error::InvalidCredentials { tries_left: None },
        other => other,
    })?;
    audit::record(
        &db,
        now,
        by,
        Event::new("session.started", Some(user.id), &user.username),
    )
    .await?;
    db.commit(Affects::Nobody).await?;
    Ok(key)
}

/// The session of a cookie, if it lives: not ended, not idle too long, not past its end, and its
/// user active and not signed out everywhere since. With it, what groups give.
pub async fn load(app: &App, key: &SessionKey) -> Result<Option<(Session, Permissions)>> {
    let digest = app.keys.session_digest(key.expose()).to_vec();
    let mut query = Entity::find()
        .filter(Column::Digest.eq(digest))
        .into_query();
    Entitled::join(&mut query, (Entity, Column::UserId));
    let Some(found) = app.db.read().query_one(&query).await? else {
        return Ok(None);
    };
    let row = Model::from_query_result(&found, "")?;
    let Entitled { user, permissions } = Entitled::read(&found)?;
    let now = app.now();
    if !user.is_active || !is_alive(app, &row, user.epoch) {
        return Ok(None);
    }
    let often = Ord::min(SEEN_EVERY, app.settings().session_idle_lifetime / 4);
    if now - row.last_seen_at >= often {
        let db = app.db.begin().await?;
        Entity::update_many()
            .col_expr(Column::LastSeenAt, Expr::value(now))
            .filter(Column::Id.eq(row.id))
            .exec(&db)
            .await?;
        db.commit(Affects::Nobody).await?;
    }
    Ok(Some((session(row, user), permissions)))
}

/// The living sessions of a user, the last seen first, at most a hundred.
pub async fn list_for(app: &App, user: &User) -> Result<Vec<Session>> {
    let rows = living_of(app, user)
        .order_by_desc(Column::LastSeenAt)
        .limit(100)
        .all(app.db.read())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| session(row, user.clone()))
        .collect())
}

pub async fn count_for(app: &App, user: &User) -> Result<Count> {
    count_up_to(app.db.read(), living_of(app, user), Column::Id).await
}

/// Open sessions of these users.
pub async fn count_of(app: &App, users: &[i64]) -> Result<Count> {
    let now = app.now();
    // The plus sign leaves it to the index of whose they are.
    let theirs = Entity::find()
        .filter(Column::UserId.is_in(users.iter().copied()))
        .filter(Expr::cust(r#"+"sessions"."expires_at""#).gt(now))
        .filter(
            Expr::cust(r#"+"sessions"."last_seen_at""#)
                .gt(now - app.settings().session_idle_lifetime),
        )
        .filter(Expr::cust(
            r#""sessions"."epoch" = (SELECT "epoch" FROM "users" WHERE "users"."id" = "sessions"."user_id")"#,
        ));
    count_up_to(app.db.read(), theirs, Column::Id).await
}

pub async fn count_active(app: &App) -> Result<Count> {
    count_up_to(app.db.read(), living(app), Column::Id).await
}

/// Deletes sessions that are over. Returns how many.
pub async fn sweep(app: &App) -> Result<u64> {
    let now = app.now();
    let db = app.db.begin().await?;
    let over = Condition::any()
        .add(Column::ExpiresAt.lte(now))
        .add(Column::LastSeenAt.lte(now - app.settings().session_idle_lifetime));
    let gone = Entity::delete_many()
        .filter(over)
        .exec(&db)
        .await?
        .rows_affected;
    db.commit(Affects::Nobody).await?;
    Ok(gone)
}

fn new_key() -> Result<SessionKey> {
    Ok(SessionKey::new(hex::encode(secret::random::<32>()?)))
}

fn is_alive(app: &App, row: &Model, epoch: i64) -> bool {
    let now = app.now();
    row.epoch == epoch
        && row.expires_at > now
        && row.last_seen_at > now - app.settings().session_idle_lifetime
}

fn living(app: &App) -> Select<Entity> {
    let now = app.now();
    // The plus sign leaves them to the index by which all lists are ordered.
    Entity::find()
        .filter(Expr::cust(r#"+"sessions"."expires_at""#).gt(now))
        .filter(Column::LastSeenAt.gt(now - app.settings().session_idle_lifetime))
}

fn living_of(app: &App, user: &User) -> Select<Entity> {
    living(app)
        .filter(Column::UserId.eq(user.id))
        .filter(Column::Epoch.eq(user.epoch))
}

fn session(row: Model, user: User) -> Session {
    Session {
        id: row.id,
        user,
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
        expires_at: row.expires_at,
        confirmed_at: row.confirmed_at,
        address: row.address,
        user_agent: row.user_agent,
    }
}
