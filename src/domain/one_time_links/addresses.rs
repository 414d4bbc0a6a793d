//! Showing that an address is one's own, by the link of a letter that was sent to it.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{Purpose, find, make, use_up, works};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    domain::{
        actor::Actor,
        audit::{self, Event},
        mail::{self, Letter},
        permissions::{Act, Permission, Record},
        throttles::{self, LETTERS},
        users::{self, User},
    },
    entity::user::{Column, Entity},
    error::{Error, Result},
    secret::LinkKey,
};

const PURPOSES: &[Purpose] = &[Purpose::VerifyAddress];

/// Sends the letter again, to oneself or somebody one may touch. `Conflict` says why there is nothing
/// to send.
pub async fn send_verification(app: &App, by: &Actor, id: i64) -> Result<()> {
    let refuse = |text: &str| Err(Error::Conflict(text.to_owned()));
    if app.config.mail.is_none() {
        return refuse("This server sends no mail.");
    }
    let name = format!("verify {id}");
    let key = throttles::key(&app.keys, LETTERS, None, Some(&name));
    app.throttles.take(LETTERS, key, app.now())?;
    let db = app.db.begin().await?;
    let user = users::get_in(&db, id).await?;
    users::may_act(by, &user, Permission::new(Act::Change, Record::Users))?;
    if user.email.is_empty() {
        return refuse("There is no address to send to.");
    }
    if user.email_verified_at > 0 {
        return refuse("This address is verified already.");
    }
    verification_in(&db, app, by, &user).await?;
    db.commit(Affects::Nobody).await?;
    app.mail_bell.notify_one();
    Ok(())
}

/// The same as part of another change: an address that is new. Where no mail is sent, nothing.
pub(crate) async fn verification_in(db: &Change, app: &App, by: &Actor, user: &User) -> Result<()> {
    if app.config.mail.is_none() || user.email.is_empty() || !user.is_active {
        return Ok(());
    }
    let purpose = Purpose::VerifyAddress;
    let key = make(db, app, by, user, purpose, &user.email).await?;
    let letter = Letter::verification(app, user, &key)?;
    mail::enqueue(db, app, user, purpose, &letter).await
}

/// `NotFound` where the link does not work.
pub async fn verify_address(app: &App, by: &Actor, key: &LinkKey) -> Result<User> {
    let live = find(app, key, PURPOSES).await?.ok_or(Error::NotFound)?;
    let db = app.db.begin().await?;
    let user = users::get_in(&db, live.user.id).await?;
    let now = app.now();
    if !works(&live.link, &user, PURPOSES, now) || !use_up(&db, &live.link, now).await? {
        return Err(Error::NotFound);
    }
    Entity::update_many()
        .col_expr(Column::EmailVerifiedAt, Expr::value(now))
        .filter(Column::Id.eq(user.id))
        .exec(&db)
        .await?;
    let by = by.clone().signed_in(&user);
    let event = Event::new("user.email_verified", Some(user.id), &user.username)
        .with(json!({"email": user.email}));
    audit::record(&db, now, &by, event).await?;
    db.commit(Affects::User(user.id)).await?;
    Ok(user)
}
