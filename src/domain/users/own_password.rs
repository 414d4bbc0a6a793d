//! A new password of one's own: the old one is asked for, and the session goes on under a new id.

use sea_orm::{ActiveValue::Set, IntoActiveModel};

use super::{change, get_in};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        login,
        sessions::{self, Session},
    },
    error::{Error, Result},
    secret::{Password, SessionKey},
};

/// Ends all JWTs, and the sessions in other browsers too if `ends_others`. `InvalidCredentials`,
/// `Throttled` and `Busy` speak of the current password, and are counted as at sign-in.
/// Returns the session's new key.
pub async fn change_password(
    app: &App,
    by: &Actor,
    session: &Session,
    current: Password,
    new: Password,
    ends_others: bool,
) -> Result<SessionKey> {
    let user = &session.user;
    if by.user_id != Some(user.id) {
        return Err(Error::PermissionDenied);
    }
    let is_same = current == new;
    login::verify_again(app, user, current, by).await?;
    if is_same {
        return Err(Error::field(
            "password",
            "This is the password you have now.",
        ));
    }
    change::judge(user, &new)?;
    let hash = app.hasher.hash(new).await?;
    let db = app.db.begin().await?;
    let now_there = get_in(&db, user.id).await?;
    if now_there.password != user.password || now_there.epoch != user.epoch {
        // Set, or signed out everywhere, while this one was hashed.
        return Err(Error::Conflict(
            "The password was changed meanwhile.".to_owned(),
        ));
    }
    let mut row = now_there.clone().into_active_model();
    row.password = Set(hash);
    change::raise_epoch(&mut row, &now_there, app.now());
    change::save(&db, row, &now_there).await?;
    let key = sessions::renew(&db, app, session, now_there.epoch + 1, ends_others).await?;
    let event = Event::new("user.password_changed", Some(user.id), &user.username);
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::User(user.id)).await?;
    Ok(key)
}
