//! Users: finding them here; what a valid one is in `input`, lists in `list`, making them in
//! `create`, changing and deleting them in `change` and `delete`.

mod bulk;
mod change;
mod counts;
mod create;
mod delete;
mod entitled;
mod input;
mod list;
mod own_password;
mod sign_in_state;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};

pub use bulk::{
    count, delete_many, ids, ids_but, newest_id, revoke_tokens_many, set_active_many,
    sign_out_many, some,
};
pub use change::{
    Updated, judge_password_too, set_active, set_password, sign_out_everywhere, update,
};
pub(in crate::domain) use counts::odd_totals;
pub use counts::{UserCounts, counts};
pub use create::{complaints, complaints_of, create, register};
pub use delete::{DeletionPreview, delete, deletion_preview};
pub use entitled::{Entitled, find_entitled};
pub use input::{USERNAME_MAX, UserInput, normalize_username};
pub use list::{InGroup, Role, UserFilter, UserRow, UserSort, UserStatus, list};
pub use own_password::change_password;
pub use sign_in_state::{SignInState, get_with_sign_in};

pub(crate) use change::{judge as judge_password, put_password, touch};
pub(crate) use create::{TAKEN, check, insert};
pub(crate) use input::{is_email, key as username_key};

pub use crate::entity::user::Model as User;
use crate::{
    app::App,
    domain::{actor::Actor, paging::starting_with, permissions::Permission, search::Words},
    entity::user::{Column, Entity},
    error::{Error, Result},
};

pub async fn find(app: &App, id: i64) -> Result<Option<User>> {
    Ok(Entity::find_by_id(id).one(app.db.read()).await?)
}

pub async fn get(app: &App, id: i64) -> Result<User> {
    find(app, id).await?.ok_or(Error::NotFound)
}

/// By the exact name, once it is normalised as it was at its creation.
pub async fn find_by_username(app: &App, username: &str) -> Result<Option<User>> {
    Ok(Entity::find()
        .filter(named(username))
        .one(app.db.read())
        .await?)
}

/// Who has exactly this name.
pub(crate) fn named(username: &str) -> Condition {
    let username = normalize_username(username);
    if username.contains('\0') {
        // PostgreSQL takes no such letter, and no name has it.
        return Condition::all().add(Expr::cust("1 = 0"));
    }
    Condition::all()
        .add(Column::UsernameKey.eq(input::key(&username)))
        .add(Column::Username.eq(username))
}

/// Whether the account has ever got a password.
pub fn has_password(user: &User) -> bool {
    !user.password.is_empty() && !user.password.starts_with('!')
}

/// Hits of a type-ahead.
const SUGGESTED: usize = 10;

/// At most ten users for type-ahead: first those whose usernames begin with `text`, then whoever the search finds.
pub async fn suggest(app: &App, text: &str) -> Result<Vec<User>> {
    let db = app.db.read();
    let mut found = Entity::find()
        .filter(named_from(app, text))
        .order_by_asc(name_by_letters(app))
        .limit(SUGGESTED as u64)
        .all(db)
        .await?;
    let Some(words) = Words::of(text) else {
        return Ok(found);
    };
    if found.len() < SUGGESTED {
        let others = Entity::find()
            .filter(words.in_index::<Entity>(db.get_database_backend()))
            .filter(Column::Id.is_not_in(found.iter().map(|user| user.id)))
            .limit((SUGGESTED - found.len()) as u64)
            .all(db)
            .await?;
        found.extend(others);
    }
    Ok(found)
}

/// The name as an index has it that does not depend on the language of the database.
fn name_by_letters(app: &App) -> SimpleExpr {
    if app.db.is_postgres() {
        Expr::cust(r#""users"."username_key" COLLATE "C""#)
    } else {
        Column::UsernameKey.into_expr()
    }
}

/// Whose names begin with `text`.
pub(crate) fn named_from(app: &App, text: &str) -> Condition {
    // PostgreSQL takes no such letter, and no name has it.
    let key = input::key(&normalize_username(text)).replace('\0', "");
    let name = name_by_letters(app);
    // SQLite has no index for LIKE with signs that are escaped, PostgreSQL none for a pattern it does not know yet.
    let beyond = format!("{key}\u{10ffff}");
    Condition::all()
        .add(name.clone().like(starting_with(&key)))
        .add(name.clone().gte(key))
        .add(name.lt(beyond))
}

/// For a change: inside a transaction, since asking the pool for a second connection there could
/// wait for ever, and locked, so that two changes at once do not build on the same old row.
pub(crate) async fn get_in<C: ConnectionTrait>(db: &C, id: i64) -> Result<User> {
    Entity::find_by_id(id)
        .lock_exclusive()
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// What a change of somebody's account, tokens or sessions asks: oneself needs no permission, for
/// others one needs it and must be allowed to touch them.
pub(crate) fn may_act(by: &Actor, user: &User, permission: Permission) -> Result<()> {
    if by.user_id != Some(user.id) {
        by.require(permission)?;
    }
    may_touch(by, user)
}

/// Superusers touch everybody, staff touches those who are neither, everybody oneself.
pub(crate) fn may_touch(by: &Actor, user: &User) -> Result<()> {
    let own = by.user_id == Some(user.id);
    let ordinary = !user.is_staff && !user.is_superuser;
    if own || by.is_superuser || (by.is_staff && ordinary) {
        Ok(())
    } else {
        Err(Error::PermissionDenied)
    }
}

/// Makes everybody who counts or removes superusers wait for each other, until the transaction
/// ends: else two of them could remove each other at the same time. Taken before any user's row, so
/// that nobody waits for somebody who waits for them.
async fn lock_superusers<C: ConnectionTrait>(db: &C) -> Result<()> {
    use crate::entity::meta;
    let row = meta::ActiveModel {
        key: sea_orm::Set("superusers".to_owned()),
        value: sea_orm::Set(String::new()),
    };
    meta::Entity::insert(row)
        .on_conflict(
            sea_orm::sea_query::OnConflict::column(meta::Column::Key)
                .update_column(meta::Column::Value)
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// `Error::LastSuperuser` unless another one who can sign in remains.
async fn require_another_superuser<C: ConnectionTrait>(db: &C, than: i64) -> Result<()> {
    lock_superusers(db).await?;
    let other = Entity::find()
        .filter(Column::IsSuperuser.eq(true))
        .filter(Column::IsActive.eq(true))
        .filter(Column::Id.ne(than))
        .one(db)
        .await?;
    other.map(|_| ()).ok_or(Error::LastSuperuser)
}
