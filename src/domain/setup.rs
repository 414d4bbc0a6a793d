//! The first superuser. Open only while there is none; of two set-ups at once one wins.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, SqlErr};

use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        throttles::{self, SETUP},
        users::{self, User, UserInput},
    },
    entity::{meta, user},
    error::{Error, Result},
    keys::same,
    secret::Password,
};

/// The row that only one set-up can insert.
const DONE: &str = "setup_done";

/// Whether there is no superuser yet.
pub async fn is_open(app: &App) -> Result<bool> {
    let superuser = user::Entity::find()
        .filter(user::Column::IsSuperuser.eq(true))
        .one(app.db.read())
        .await?;
    Ok(superuser.is_none())
}

/// How the person at the form shows that the machine is theirs.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// The code of the printed link.
    Code(&'a str),
    /// The browser runs here, too; enough only where `asks_for_code` says so.
    AtTheMachine,
}

/// Whether the form must show that its user can read the server's log.
pub fn asks_for_code(app: &App) -> bool {
    app.config.setup_needs_code
}

/// `NotFound` once there is a superuser, `Validation` on `code` and the other fields,
/// `Conflict` when another set-up was quicker.
pub async fn create_superuser(
    app: &App,
    by: &Actor,
    proof: Proof<'_>,
    input: UserInput,
    password: Password,
) -> Result<User> {
    if !is_open(app).await? {
        return Err(Error::NotFound);
    }
    let given = match proof {
        Proof::Code(code) => Some(code),
        Proof::AtTheMachine => asks_for_code(app).then_some(""),
    };
    if let Some(given) = given {
        let key = throttles::key(&app.keys, SETUP, by.address, None);
        app.throttles.take(SETUP, key, app.now())?;
        if !same(
            given.trim().as_bytes(),
            app.keys.setup_code().expose().trim().as_bytes(),
        ) {
            return Err(Error::field(
                "code",
                "That is not the code in the server log.",
            ));
        }
        app.throttles.give_back(key);
    }
    let superuser = UserInput {
        is_active: true,
        is_staff: true,
        is_superuser: true,
        ..input
    };
    let input = users::check(app, superuser, Some(&password)).await?;
    let hash = app.hasher.hash(password).await?;
    let db = app.db.begin().await?;
    let done = meta::ActiveModel {
        key: Set(DONE.to_owned()),
        value: Set(app.now().to_string()),
    };
    let claimed = meta::Entity::insert(done).exec_without_returning(&db).await;
    claimed.map_err(|e| match e.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Error::Conflict("Another set-up was quicker.".to_owned())
        }
        _ => e.into(),
    })?;
    let user = users::insert(&db, app, by, input, hash, "user.set_up").await?;
    db.commit(Affects::Nobody).await?;
    Ok(user)
}
