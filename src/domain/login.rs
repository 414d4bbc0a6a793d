//! Username and password: the same cost and the same words for a wrong password, an unknown name
//! and a disabled account (OWASP Authentication Cheat Sheet).

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        passwords::MAX_BYTES_AT_LOGIN,
        throttles::{
            self, LOGIN_BY_ACCOUNT, LOGIN_BY_ACCOUNT_AND_ADDRESS, LOGIN_BY_ADDRESS, Rule, SIGN_IN,
        },
        users::{self, USERNAME_MAX, User},
    },
    entity::user::{Column, Entity},
    error::{Error, Result},
    keys::Digest,
    secret::Password,
};

/// The active user of these, or `InvalidCredentials`, `Throttled` or `Busy`.
pub async fn authenticate(
    app: &App,
    username: &str,
    password: Password,
    by: &Actor,
) -> Result<User> {
    let username = users::normalize_username(username);
    let tries = Tries::begin(app, by, &username)?;
    let known = if username.chars().count() > USERNAME_MAX || username.contains('\0') {
        None
    } else {
        users::find_by_username(app, &username).await?
    };
    let stored = known.as_ref().map(|user| user.password.clone());
    let upgrade = password.clone();
    // No password is that long: it is compared with nothing, at the same cost.
    let too_long = password.expose().len() > MAX_BYTES_AT_LOGIN;
    let given = if too_long {
        Password::new("")
    } else {
        password
    };
    let verdict = match app.hasher.verify(stored, given).await {
        Ok(verdict) => verdict,
        Err(e) => {
            // It was not a wrong try, so it does not count as one.
            tries.end(app, false);
            return Err(e);
        }
    };
    match known {
        Some(user) if verdict.matches && !too_long && user.is_active => {
            tries.succeeded(app);
            let hash = if verdict.outdated {
                Some(app.hasher.hash(upgrade).await?)
            } else {
                None
            };
            note_success(app, user, hash).await
        }
        known => {
            let tries_left = tries.end(app, true);
            note_failure(app, by, &username, known.as_ref()).await?;
            Err(Error::InvalidCredentials { tries_left })
        }
    }
}

/// The counters of one try.
struct Tries([(Rule, Digest); 3]);

impl Tries {
    fn begin(app: &App, by: &Actor, username: &str) -> Result<Self> {
        let now = app.now();
        let name = username.to_lowercase();
        let sign_in = throttles::key(&app.keys, SIGN_IN, by.address, None);
        app.throttles.take(SIGN_IN, sign_in, now)?;
        let counted = [
            (
                LOGIN_BY_ACCOUNT_AND_ADDRESS,
                by.address,
                Some(name.as_str()),
            ),
            (LOGIN_BY_ACCOUNT, None, Some(name.as_str())),
            (LOGIN_BY_ADDRESS, by.address, None),
        ]
        .map(|(rule, address, name)| (rule, throttles::key(&app.keys, rule, address, name)));
        for (n, (rule, key)) in counted.into_iter().enumerate() {
            if let Err(e) = app.throttles.enter(rule, key, now) {
                for (rule, key) in &counted[..n] {
                    app.throttles.leave(*rule, *key, now, false);
                }
                return Err(e);
            }
        }
        Ok(Self(counted))
    }

    /// Gives the tries that are left, where they are counted.
    fn end(&self, app: &App, failed: bool) -> Option<u32> {
        let left = self
            .0
            .map(|(rule, key)| app.throttles.leave(rule, key, app.now(), failed));
        app.config
            .throttles_enabled
            .then(|| left.into_iter().min().unwrap_or(0))
    }

    /// The right password forgives the wrong ones before it, from this address.
    fn succeeded(&self, app: &App) {
        self.end(app, false);
        app.throttles.forgive(self.0[0].1);
    }
}

/// A person who has just chosen a password, at set-up or registration, is signed in with it.
pub async fn after_sign_up(app: &App, user: User) -> Result<User> {
    note_success(app, user, None).await
}

async fn note_success(app: &App, user: User, upgraded: Option<String>) -> Result<User> {
    let now = app.now();
    let db = app.db.begin().await?;
    let noted = Entity::update_many()
        .col_expr(Column::LastLogin, Expr::value(now))
        .filter(Column::Id.eq(user.id));
    if noted.exec(&db).await?.rows_affected == 0 {
        // Deleted while the password was hashed.
        return Err(Error::InvalidCredentials { tries_left: None });
    }
    if let Some(hash) = upgraded {
        // Unless the password was changed meanwhile: then the new one stays.
        Entity::update_many()
            .col_expr(Column::Password, Expr::value(hash))
            .filter(Column::Id.eq(user.id))
            .filter(Column::Password.eq(&user.password))
            .exec(&db)
            .await?;
    }
    db.commit(Affects::Nobody).await?;
    Ok(User {
        last_login: now,
        ..user
    })
}

async fn note_failure(app: &App, by: &Actor, username: &str, known: Option<&User>) -> Result<()> {
    // Cut: what is typed here is now and then a password, and never a long name.
    let name: String = username
        .chars()
        .filter(|c| !c.is_control())
        .take(USERNAME_MAX)
        .collect();
    let event = Event::new("user.login_failed", known.map(|user| user.id), &name)
        .with(json!({"known": known.is_some(), "active": known.is_some_and(|u| u.is_active)}));
    let db = app.db.begin().await?;
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Nobody).await?;
    Ok(())
}
