//! Confirmation: that whoever sits at the browser showed the password within the last minutes. It
//! belongs to one session, and dangerous acts ask for it; which ones is said in their handlers.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::Session;
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        login,
        users::User,
    },
    entity::session::{Column, Entity},
    error::{Error, Result},
    secret::Password,
};

/// For how long a password that was shown is good, in seconds.
pub const CONFIRMED_FOR: i64 = 10 * 60;

impl Session {
    /// Until when (Unix seconds) dangerous acts need no password again; None: they do now.
    pub fn confirmed_until(&self, now: i64) -> Option<i64> {
        let until = self.confirmed_at? + CONFIRMED_FOR;
        (until > now).then_some(until)
    }
}

/// Whether there is a password that could be asked for.
pub fn has_password(app: &App, user: &User) -> bool {
    app.hasher.is_usable(&user.password)
}

/// Confirms a session by its own person's password. `InvalidCredentials`, `Throttled` and `Busy` are
/// as at sign-in, and it is counted there.
pub async fn confirm(app: &App, by: &Actor, session: &Session, password: Password) -> Result<()> {
    login::verify_again(app, &session.user, password, by).await?;
    set(app, by, session, Some(app.now()), "session.confirmed").await
}

/// The next dangerous act asks again.
pub async fn end_confirmation(app: &App, by: &Actor, session: &Session) -> Result<()> {
    set(app, by, session, None, "session.confirmation_ended").await
}

async fn set(
    app: &App,
    by: &Actor,
    session: &Session,
    at: Option<i64>,
    action: &'static str,
) -> Result<()> {
    let db = app.db.begin().await?;
    let noted = Entity::update_many()
        .col_expr(Column::ConfirmedAt, Expr::value(at))
        .filter(Column::Id.eq(session.id))
        .exec(&db)
        .await?;
    if noted.rows_affected == 0 {
        // It was ended while the password was hashed.
        return Err(Error::NotAuthenticated);
    }
    let user = &session.user;
    let event = Event::new(action, Some(user.id), &user.username);
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Nobody).await?;
    Ok(())
}
