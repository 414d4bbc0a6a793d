//! Making users: by an administrator, by registration, at the set-up.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, SqlErr,
};
use serde_json::json;

use super::{User, UserInput, input};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        families::{self, TokenPair},
        groups,
        permissions::{Act, Permission, Record},
        search,
    },
    entity::user::{ActiveModel, Column, Entity},
    error::{Error, FieldErrors, Result},
    secret::Password,
};

pub(crate) const TAKEN: &str = "A user with that username already exists.";

/// By an administrator. Only superusers make staff and superusers, and put people into groups.
pub async fn create(app: &App, by: &Actor, input: UserInput, password: Password) -> Result<User> {
    by.require(Permission::new(Act::Add, Record::Users))?;
    if input.has_rights() && !by.is_superuser {
        return Err(Error::PermissionDenied);
    }
    let input = check(app, input, Some(&password)).await?;
    let hash = app.hasher.hash(password).await?;
    let db = app.db.begin().await?;
    let user = insert(&db, app, by, input, hash, "user.created").await?;
    db.commit(Affects::Nobody).await?;
    Ok(user)
}

/// By registration: an ordinary account, and its first sign-in.
pub async fn register(
    app: &App,
    by: &Actor,
    username: String,
    password: Password,
) -> Result<(User, TokenPair)> {
    let input = UserInput {
        username,
        is_active: true,
        ..UserInput::default()
    };
    let input = check(app, input, Some(&password)).await?;
    // Outside the transaction: the writer must not wait for a hash.
    let hash = app.hasher.hash(password).await?;
    let db = app.db.begin().await?;
    let user = insert(&db, app, by, input, hash, "user.registered").await?;
    let family = families::start(&db, app, &user, by).await?;
    db.commit(Affects::Nobody).await?;
    Ok((user, families::pair(app, &family).await?))
}

/// All complaints that can be known before the password, where there is one, is hashed.
pub(crate) async fn check(
    app: &App,
    input: UserInput,
    password: Option<&Password>,
) -> Result<UserInput> {
    let input = input.normalized();
    let mut errors = input.complaints(password);
    if errors.get("username").is_empty() {
        judge_name(app.db.read(), &input.username, None, &mut errors).await?;
    }
    errors.into_result(|| input)
}

/// The same for a page that has something to complain about itself, and tells all at once.
pub async fn complaints(app: &App, input: &UserInput, password: &Password) -> Result<FieldErrors> {
    match check(app, input.clone(), Some(password)).await {
        Ok(_) => Ok(FieldErrors::default()),
        Err(Error::Validation(errors)) => Ok(errors),
        Err(other) => Err(other),
    }
}

/// Without a look at which names are taken.
pub fn complaints_of(input: &UserInput, password: &Password) -> FieldErrors {
    input.clone().normalized().complaints(Some(password))
}

/// Complains of a name that somebody else has; `whose` is the one who may have it.
pub(super) async fn judge_name<C: ConnectionTrait>(
    db: &C,
    username: &str,
    whose: Option<i64>,
    errors: &mut FieldErrors,
) -> Result<()> {
    let owner = Entity::find()
        .filter(Column::UsernameKey.eq(input::key(username)))
        .one(db)
        .await?;
    if owner.is_some_and(|owner| whose != Some(owner.id)) {
        errors.push("username", TAKEN);
    }
    Ok(())
}

/// The row and its event. Whoever comes second with a name gets the field error.
pub(crate) async fn insert<C: ConnectionTrait>(
    db: &C,
    app: &App,
    by: &Actor,
    input: UserInput,
    hash: String,
    action: &'static str,
) -> Result<User> {
    let now = app.now();
    let groups = input.groups.unwrap_or_default();
    let row = ActiveModel {
        id: NotSet,
        search: Set(search::text_of_user(
            &input.username,
            &input.email,
            &input.first_name,
            &input.last_name,
        )),
        username_key: Set(input::key(&input.username)),
        username: Set(input.username),
        email: Set(input.email),
        first_name: Set(input.first_name),
        last_name: Set(input.last_name),
        password: Set(hash),
        is_active: Set(input.is_active),
        is_staff: Set(input.is_staff),
        is_superuser: Set(input.is_superuser),
        epoch: Set(0),
        epoch_at: Set(0),
        last_login: Set(0),
        date_joined: Set(now),
        version: Set(1),
        email_verified_at: Set(0),
    };
    let user = Entity::insert(row)
        .exec_with_returning(db)
        .await
        .map_err(|e| match e.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Error::field("username", TAKEN),
            _ => e.into(),
        })?;
    let mut detail = json!({"staff": user.is_staff, "superuser": user.is_superuser});
    if !groups.is_empty() {
        let picked = groups::pick(db, user.id, &groups, None).await?;
        groups::put(db, user.id, &picked).await?;
        detail["groups"] = picked.after.into();
    }
    let event = Event::new(action, Some(user.id), &user.username).with(detail);
    audit::record(db, now, by, event).await?;
    Ok(user)
}
