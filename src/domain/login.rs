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
        hashing::Verdict,
        login_pauses::{self, Begun},
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
    let tries = Tries::begin(app, by, &username).await?;
    let known = if username.chars().count() > USERNAME_MAX || username.contains('\0') {
        None
    } else {
        users::find_by_username(app, &username).await?
    };
    let stored = known.as_ref().map(|user| user.password.clone());
    let upgrade = password.clone();
    // Where there is no room to hash, it was no wrong try: dropped, it does not count as one.
    let verdict = compare(app, stored, password).await?;
    match known {
        Some(user) if verdict.matches && user.is_active => {
            tries.succeeded();
            let hash = if verdict.outdated {
                // Where there is no room for it now, the next sign-in renews the hash.
                app.hasher.hash(upgrade).await.ok()
            } else {
                None
            };
            note_success(app, user, hash).await
        }
        known => {
            let (tries_left, begun) = tries.failed();
            note_failure(app, by, &username, known.as_ref(), &begun).await?;
            Err(Error::InvalidCredentials { tries_left })
        }
    }
}

/// Whether it is still this person who sits there. It counts as a sign-in does, so that a browser
/// somebody left open is no better place to guess from.
pub async fn verify_again(app: &App, user: &User, password: Password, by: &Actor) -> Result<()> {
    let tries = Tries::begin(app, by, &user.username).await?;
    let verdict = compare(app, Some(user.password.clone()), password).await?;
    if verdict.matches {
        tries.succeeded();
        return Ok(());
    }
    let (tries_left, begun) = tries.failed();
    note_failure(app, by, &user.username, Some(user), &begun).await?;
    Err(Error::InvalidCredentials { tries_left })
}

async fn compare(app: &App, stored: Option<String>, password: Password) -> Result<Verdict> {
    // No password is that long: it is compared with nothing, at the same cost.
    let too_long = password.expose().len() > MAX_BYTES_AT_LOGIN;
    let given = if too_long {
        Password::new("")
    } else {
        password
    };
    let verdict = app.hasher.verify(stored, given).await?;
    Ok(Verdict {
        matches: verdict.matches && !too_long,
        ..verdict
    })
}

/// The counters of one try. Dropped without an outcome, it was none.
struct Tries<'a> {
    app: &'a App,
    counted: [(Rule, Digest); 3],
    entered: usize,
}

impl<'a> Tries<'a> {
    async fn begin(app: &'a App, by: &Actor, username: &str) -> Result<Self> {
        let now = app.now();
        let name = username.to_lowercase();
        let sign_in = throttles::key(&app.keys, SIGN_IN, by.address, None);
        app.throttles.take(SIGN_IN, sign_in, now)?;
        let settings = app.settings();
        // The other two stay as they are: they stand for many people, or against many addresses.
        let here = LOGIN_BY_ACCOUNT_AND_ADDRESS
            .after(settings.login_tries)
            .within(settings.login_pause);
        let rules = [
            (here, by.address, Some(name.as_str())),
            (LOGIN_BY_ACCOUNT, None, Some(name.as_str())),
            (LOGIN_BY_ADDRESS, by.address, None),
        ];
        let mut tries = Self {
            app,
            counted: rules.map(|(rule, address, name)| {
                (rule, throttles::key(&app.keys, rule, address, name))
            }),
            entered: 0,
        };
        for (rule, key) in tries.counted {
            app.throttles.enter(rule, key, now)?;
            tries.entered += 1;
        }
        if app.config.throttles_enabled {
            // What began on another node, or before this one started.
            let [(_, here), (_, everywhere), _] = tries.counted;
            login_pauses::refuse(app, &[here, everywhere]).await?;
        }
        Ok(tries)
    }

    /// Gives the tries that are left, where they are counted, and the pauses that this one began.
    fn failed(mut self) -> (Option<u32>, Vec<Begun>) {
        let (left, begun) = self.leave(true);
        (self.app.config.throttles_enabled.then_some(left), begun)
    }

    /// The right password forgives the wrong ones before it, from this address.
    fn succeeded(mut self) {
        self.leave(false);
        self.app.throttles.forgive(self.counted[0].1);
    }

    fn leave(&mut self, failed: bool) -> (u32, Vec<Begun>) {
        let (app, now) = (self.app, self.app.now());
        let entered = std::mem::take(&mut self.entered);
        let mut least = None;
        let mut begun = Vec::new();
        for (rule, digest) in self.counted.into_iter().take(entered) {
            let (left, pause) = app.throttles.leave(rule, digest, now, failed);
            least = least.min(Some(left)).or(Some(left));
            // A pause of an address is about no account.
            if let Some(ends_at) = pause.filter(|_| !rule.counts_as(LOGIN_BY_ADDRESS)) {
                begun.push(Begun {
                    digest,
                    tries: rule.limit(),
                    ends_at,
                    here_only: rule.counts_as(LOGIN_BY_ACCOUNT_AND_ADDRESS),
                });
            }
        }
        (least.unwrap_or(0), begun)
    }
}

impl Drop for Tries<'_> {
    fn drop(&mut self) {
        self.leave(false);
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

async fn note_failure(
    app: &App,
    by: &Actor,
    username: &str,
    known: Option<&User>,
    begun: &[Begun],
) -> Result<()> {
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
    login_pauses::begin(&db, app.now(), by, &name, known, begun).await?;
    db.commit(Affects::Nobody).await?;
    Ok(())
}
