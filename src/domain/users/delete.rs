//! Deleting users, and what that would take along.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{User, get, get_in, lock_superusers, may_act, require_another_superuser};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        paging::{Count, count_up_to},
        permissions::{Act, Permission, Record},
        sessions::{self, Session},
        status_lists,
        tokens::{self, Token},
    },
    entity::{token, user},
    error::{Error, Result},
};

/// What goes and what stays.
#[derive(Debug)]
pub struct DeletionPreview {
    pub user: User,
    pub tokens: Count,
    pub sessions: Count,
    pub audit_lines: Count,
    /// The newest of them, a hundred at most.
    pub first_tokens: Vec<Token>,
    pub first_sessions: Vec<Session>,
    pub is_last_superuser: bool,
}

/// As many as those lists have at most.
const LISTED: usize = 100;

pub async fn deletion_preview(app: &App, id: i64) -> Result<DeletionPreview> {
    let user = get(app, id).await?;
    let first_tokens = tokens::list_for(app, id).await?;
    let first_sessions = sessions::list_for(app, &user).await?;
    let exactly = |n: usize| Count {
        n: n as u64,
        exact: true,
    };
    // Where all are among the first, nobody has to count.
    let all_tokens = token::Entity::find()
        .filter(token::Column::UserId.eq(id))
        .filter(token::Column::RevokedAt.is_null());
    Ok(DeletionPreview {
        tokens: match first_tokens.len() {
            n if n < LISTED => exactly(n),
            _ => count_up_to(app.db.read(), all_tokens, token::Column::Id).await?,
        },
        sessions: match first_sessions.len() {
            n if n < LISTED => exactly(n),
            _ => sessions::count_for(app, &user).await?,
        },
        first_tokens,
        first_sessions,
        audit_lines: audit::count_of_account(app, id).await?,
        is_last_superuser: user.is_superuser && is_last_superuser(app, id).await?,
        user,
    })
}

/// Deletes the account with its tokens, sessions and refresh families. Its audit lines stay.
pub async fn delete(app: &App, by: &Actor, id: i64) -> Result<()> {
    let db = app.db.begin().await?;
    lock_superusers(&db).await?;
    let user = get_in(&db, id).await?;
    may_act(by, &user, Permission::new(Act::Delete, Record::Users))?;
    if user.is_superuser {
        require_another_superuser(&db, id).await?;
    }
    lock_tokens(&db, id).await?;
    status_lists::remember_deleted(app, &db, id).await?;
    user::Entity::delete_by_id(id).exec(&db).await?;
    audit::record(&db, app.now(), by, event(&user)).await?;
    db.commit(Affects::User(id)).await?;
    Ok(())
}

pub(super) fn event(user: &User) -> Event<'_> {
    Event::new("user.deleted", Some(user.id), &user.username)
        .with(json!({"email": user.email, "superuser": user.is_superuser}))
}

/// In the order of their ids, as the flush of uses takes them. The cascade alone would take them in
/// the order in which they lie on disk, and the two could wait for each other.
pub(super) async fn lock_tokens<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<()> {
    token::Entity::find()
        .select_only()
        .column(token::Column::Id)
        .filter(token::Column::UserId.eq(user_id))
        .order_by_asc(token::Column::Id)
        .lock_exclusive()
        .into_tuple::<i64>()
        .all(db)
        .await?;
    Ok(())
}

async fn is_last_superuser(app: &App, id: i64) -> Result<bool> {
    let db = app.db.begin().await?;
    match require_another_superuser(&db, id).await {
        Ok(()) => Ok(false),
        Err(Error::LastSuperuser) => Ok(true),
        Err(e) => Err(e),
    }
}
