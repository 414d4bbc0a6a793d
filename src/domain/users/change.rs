//! Changing users. A new password, disabling and "sign out everywhere" raise
//! the epoch, which ends sessions and JWTs; rights are read anew at each request.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, IntoActiveModel, SqlErr};
use serde_json::{Map, Value, json};

use super::{
    User, UserInput, create, get_in, input, lock_superusers, may_act, require_another_superuser,
};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        groups, one_time_links,
        passwords::Person,
        permissions::{Act, Permission, Record},
        search, tokens,
    },
    entity::user::ActiveModel,
    error::{Error, FieldErrors, Result},
    secret::Password,
};

const CHANGE: Permission = Permission::new(Act::Change, Record::Users);
/// Said to whoever would disable the account that they are in.
const YOURSELF: &str = "This is your own account, and you would be locked out at once. \
                        Somebody else can disable it.";

/// What saving an account did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updated {
    /// The names of what changed; empty when nothing did.
    pub changed: Vec<&'static str>,
    /// Tokens that ended because others knew them: see `tokens::end_given`.
    pub ended: usize,
}

/// Saves the form of an account. `version` is the one its editor saw; a stale one is a
/// `Conflict`.
pub async fn update(
    app: &App,
    by: &Actor,
    id: i64,
    input: UserInput,
    version: i64,
) -> Result<Updated> {
    let input = input.normalized();
    let db = app.db.begin().await?;
    lock_superusers(&db).await?;
    let user = get_in(&db, id).await?;
    may_act(by, &user, CHANGE)?;
    let flags_changed = user.is_staff != input.is_staff || user.is_superuser != input.is_superuser;
    if flags_changed && !by.is_superuser {
        return Err(Error::PermissionDenied);
    }
    if user.version != version {
        return Err(Error::Conflict(
            "Somebody else saved this record meanwhile.".to_owned(),
        ));
    }
    let mut errors = input.complaints(None);
    if errors.get("username").is_empty() {
        create::judge_name(&db, &input.username, Some(id), &mut errors).await?;
    }
    if is_own_end(by, &user, input.is_active) {
        errors.push("is_active", YOURSELF);
    }
    errors.into_result(|| ())?;
    let loses_superuser =
        user.is_superuser && user.is_active && !(input.is_superuser && input.is_active);
    if loses_superuser {
        require_another_superuser(&db, id).await?;
    }
    let rises = (input.is_staff && !user.is_staff) || (input.is_superuser && !user.is_superuser);
    let mut changes = differences(&user, &input);
    let picked = match &input.groups {
        Some(ids) => groups::pick(&db, id, ids, input.groups_shown.as_deref()).await?,
        None => groups::Picked::default(),
    };
    if !picked.is_nothing() {
        if !by.is_superuser {
            return Err(Error::PermissionDenied);
        }
        changes.push(("groups", picked.before.clone(), picked.after.clone()));
    }
    if changes.is_empty() {
        return Ok(Updated::default());
    }
    if user.username != input.username {
        tokens::owner_renamed(&db, id, &input.username).await?;
    }
    let mut row = user.clone().into_active_model();
    row.search = Set(search::text_of_user(
        &input.username,
        &input.email,
        &input.first_name,
        &input.last_name,
    ));
    row.username_key = Set(input::key(&input.username));
    row.username = Set(input.username);
    let new_address = user.email != input.email;
    if new_address {
        row.email_verified_at = Set(0);
    }
    row.email = Set(input.email);
    row.first_name = Set(input.first_name);
    row.last_name = Set(input.last_name);
    row.is_active = Set(input.is_active);
    row.is_staff = Set(input.is_staff);
    row.is_superuser = Set(input.is_superuser);
    if user.is_active && !input.is_active {
        raise_epoch(&mut row, &user, app.now());
    }
    let saved = save(&db, row, &user).await?;
    groups::put(&db, id, &picked).await?;
    let mut ended = 0;
    if rises {
        one_time_links::end_passwords(&db, id).await?;
        ended = tokens::end_given(&db, app, by, &user).await?;
    }
    let detail: Map<String, Value> = changes
        .iter()
        .map(|(name, old, new)| ((*name).to_owned(), json!({"from": old, "to": new})))
        .collect();
    let event = Event::new("user.changed", Some(id), &user.username).with(Value::Object(detail));
    audit::record(&db, app.now(), by, event).await?;
    if new_address {
        one_time_links::verification_in(&db, app, by, &saved).await?;
    }
    db.commit(Affects::User(id)).await?;
    app.mail_bell.notify_one();
    Ok(Updated {
        changed: changes.into_iter().map(|(name, _, _)| name).collect(),
        ended,
    })
}

/// Sets a new password and ends everything that the old one opened.
pub async fn set_password(app: &App, by: &Actor, id: i64, password: Password) -> Result<()> {
    let user = super::get(app, id).await?;
    may_act(by, &user, CHANGE)?;
    judge(&user, &password)?;
    let hash = app.hasher.hash(password).await?;
    let db = app.db.begin().await?;
    let user = get_in(&db, id).await?;
    may_act(by, &user, CHANGE)?;
    put_password(&db, app, by, &user, hash, false, json!({})).await?;
    db.commit(Affects::User(id)).await?;
    Ok(())
}

/// The hash, the end of what the old one opened, and the event. `arrived`: the address is theirs.
pub(crate) async fn put_password<C: ConnectionTrait>(
    db: &C,
    app: &App,
    by: &Actor,
    user: &User,
    hash: String,
    arrived: bool,
    detail: Value,
) -> Result<()> {
    let mut row = user.clone().into_active_model();
    row.password = Set(hash);
    if arrived && user.email_verified_at == 0 {
        row.email_verified_at = Set(app.now());
    }
    raise_epoch(&mut row, user, app.now());
    save(db, row, user).await?;
    let event = Event::new("user.password_changed", Some(user.id), &user.username).with(detail);
    audit::record(db, app.now(), by, event).await
}

/// Enables or disables. A disabled account cannot sign in, and its tokens and JWTs are refused.
pub async fn set_active(app: &App, by: &Actor, id: i64, active: bool) -> Result<()> {
    let db = app.db.begin().await?;
    lock_superusers(&db).await?;
    let user = get_in(&db, id).await?;
    may_act(by, &user, CHANGE)?;
    if user.is_active == active {
        return Ok(());
    }
    if user.is_superuser && !active {
        require_another_superuser(&db, id).await?;
    }
    if is_own_end(by, &user, active) {
        return Err(Error::Conflict(YOURSELF.to_owned()));
    }
    let mut row = user.clone().into_active_model();
    row.is_active = Set(active);
    if !active {
        raise_epoch(&mut row, &user, app.now());
    }
    save(&db, row, &user).await?;
    let action = if active {
        "user.enabled"
    } else {
        "user.disabled"
    };
    audit::record(
        &db,
        app.now(),
        by,
        Event::new(action, Some(id), &user.username),
    )
    .await?;
    db.commit(Affects::User(id)).await?;
    Ok(())
}

/// Whether somebody would shut themselves out.
fn is_own_end(by: &Actor, user: &User, active: bool) -> bool {
    by.user_id == Some(user.id) && user.is_active && !active
}

/// Ends all sessions and JWTs; API tokens go on.
pub async fn sign_out_everywhere(app: &App, by: &Actor, id: i64) -> Result<()> {
    let db = app.db.begin().await?;
    let user = get_in(&db, id).await?;
    may_act(by, &user, Permission::new(Act::Delete, Record::Sessions))?;
    let mut row = user.clone().into_active_model();
    raise_epoch(&mut row, &user, app.now());
    save(&db, row, &user).await?;
    let event = Event::new("user.signed_out_everywhere", Some(id), &user.username);
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::User(id)).await?;
    Ok(())
}

/// Whether a password is good for this person.
pub(crate) fn judge(user: &User, password: &Password) -> Result<()> {
    let person = Person {
        username: &user.username,
        first_name: &user.first_name,
        last_name: &user.last_name,
        email: &user.email,
    };
    let mut errors = FieldErrors::default();
    for complaint in input::password_complaints(password, person) {
        errors.push("password", complaint);
    }
    errors.into_result(|| ())
}

/// What is wrong with a form, and with the password in it.
pub fn judge_password_too(user: &User, password: &Password, errors: FieldErrors) -> Error {
    Error::Validation(match judge(user, password) {
        Err(Error::Validation(more)) => errors.and(more),
        _ => errors,
    })
}

pub(super) fn raise_epoch(row: &mut ActiveModel, user: &User, now: i64) {
    row.epoch = Set(user.epoch + 1);
    row.epoch_at = Set(now);
}

/// For what belongs to an account and stands in another table: its editors notice each other all the same.
pub(crate) async fn touch<C: ConnectionTrait>(db: &C, user: &User) -> Result<()> {
    save(db, user.clone().into_active_model(), user).await?;
    Ok(())
}

pub(super) async fn save<C: ConnectionTrait>(
    db: &C,
    mut row: ActiveModel,
    user: &User,
) -> Result<User> {
    row.version = Set(user.version + 1);
    row.update(db).await.map_err(|e| match e.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::field("username", create::TAKEN),
        _ => e.into(),
    })
}

fn differences(user: &User, input: &UserInput) -> Vec<(&'static str, String, String)> {
    let pairs = [
        ("username", user.username.clone(), input.username.clone()),
        ("e-mail", user.email.clone(), input.email.clone()),
        (
            "first name",
            user.first_name.clone(),
            input.first_name.clone(),
        ),
        ("last name", user.last_name.clone(), input.last_name.clone()),
        (
            "active",
            user.is_active.to_string(),
            input.is_active.to_string(),
        ),
        (
            "staff",
            user.is_staff.to_string(),
            input.is_staff.to_string(),
        ),
        (
            "superuser",
            user.is_superuser.to_string(),
            input.is_superuser.to_string(),
        ),
    ];
    pairs
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .collect()
}
