//! Setting a password by a link: asked for by the person, or made by an administrator.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Func},
};
use serde_json::json;

use super::{Purpose, find, make, use_up, works};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        django_hashes::UNUSABLE,
        mail::{self, Letter},
        permissions::{Act, Permission, Record},
        throttles::{self, LETTERS},
        users::{self, User, UserInput},
    },
    entity::user::{Column, Entity},
    error::{Error, Result},
    secret::{LinkKey, Password},
};

/// Accounts that may share an address; more get no letter.
const SHARED: u64 = 5;

/// Where a link that an administrator made went.
#[derive(Clone, Debug)]
pub enum Handed {
    /// Into the outbox, for this address.
    Mailed(String),
    /// To be shown once.
    Shown(LinkKey),
}

/// Somebody says that they lost a password. Whoever asked must not learn from the answer, nor from
/// the time it takes, whether there is such an account: so this gives nothing, and the page does not
/// wait for it.
pub async fn ask(app: &App, by: &Actor, typed: &str) -> Result<()> {
    if app.config.mail.is_none() {
        return Ok(());
    }
    for user in called(app, typed).await? {
        if !user.is_active || user.email.is_empty() {
            continue;
        }
        let name = user.id.to_string();
        let key = throttles::key(&app.keys, LETTERS, None, Some(&name));
        // The last of those letters works.
        if app.throttles.take(LETTERS, key, app.now()).is_err() {
            continue;
        }
        send(app, by, user.id, Purpose::ResetPassword).await?;
    }
    Ok(())
}

/// The account of that name and those with that address: a name may look like somebody else's
/// address. The letter goes to the address that is stored, never to the one that was typed.
async fn called(app: &App, typed: &str) -> Result<Vec<User>> {
    let typed = typed.trim();
    let mut found: Vec<User> = users::find_by_username(app, typed)
        .await?
        .into_iter()
        .collect();
    if !users::is_email(typed) || typed.contains('\0') {
        return Ok(found);
    }
    // As the index folds it.
    let column = if app.db.is_postgres() {
        Expr::cust("lower(email COLLATE \"C\")")
    } else {
        Expr::expr(Func::lower(Expr::col(Alias::new("email"))))
    };
    let with_address = Entity::find()
        .filter(column.eq(typed.to_ascii_lowercase()))
        .filter(Column::IsActive.eq(true))
        .limit(SHARED)
        .all(app.db.read())
        .await?;
    let named = found.first().map(|user| user.id);
    found.extend(
        with_address
            .into_iter()
            .filter(|user| Some(user.id) != named),
    );
    Ok(found)
}

async fn send(app: &App, by: &Actor, id: i64, purpose: Purpose) -> Result<()> {
    let db = app.db.begin().await?;
    let user = users::get_in(&db, id).await?;
    if purpose == Purpose::SetPassword {
        // Rights may have come meanwhile.
        users::may_touch(by, &user)?;
    }
    if user.email.is_empty() {
        return Ok(());
    }
    let key = make(&db, app, by, &user, purpose, &user.email).await?;
    let letter = Letter::password(app, &user, purpose, &key)?;
    mail::enqueue(&db, app, &user, purpose, &letter).await?;
    db.commit(Affects::Nobody).await?;
    app.mail_bell.notify_one();
    Ok(())
}

/// By an administrator: a link for an account that is there. By mail where that works and is
/// wanted, else to be shown.
pub async fn hand_out(app: &App, by: &Actor, id: i64, by_mail: bool) -> Result<Handed> {
    by.require(Permission::new(Act::Change, Record::Users))?;
    let user = users::get(app, id).await?;
    users::may_touch(by, &user)?;
    if !user.is_active {
        return Err(Error::Conflict(
            "This account is disabled: the link would not work. Enable it first.".to_owned(),
        ));
    }
    if by_mail && app.config.mail.is_some() && !user.email.is_empty() {
        send(app, by, id, Purpose::SetPassword).await?;
        return Ok(Handed::Mailed(user.email));
    }
    let db = app.db.begin().await?;
    let user = users::get_in(&db, id).await?;
    users::may_touch(by, &user)?;
    let key = make(&db, app, by, &user, Purpose::SetPassword, "").await?;
    db.commit(Affects::Nobody).await?;
    Ok(Handed::Shown(key))
}

/// A new account without a password; its owner sets one by the link.
pub async fn invite(app: &App, by: &Actor, input: UserInput) -> Result<(User, Handed)> {
    by.require(Permission::new(Act::Add, Record::Users))?;
    if input.has_rights() && !by.is_superuser {
        return Err(Error::PermissionDenied);
    }
    let input = users::check(app, input, None).await?;
    let db = app.db.begin().await?;
    let user = users::insert(&db, app, by, input, UNUSABLE.to_owned(), "user.created").await?;
    let by_mail = app.config.mail.is_some() && !user.email.is_empty();
    let sent_to = if by_mail { user.email.as_str() } else { "" };
    let key = make(&db, app, by, &user, Purpose::SetPassword, sent_to).await?;
    if by_mail {
        let letter = Letter::password(app, &user, Purpose::SetPassword, &key)?;
        mail::enqueue(&db, app, &user, Purpose::SetPassword, &letter).await?;
    }
    db.commit(Affects::Nobody).await?;
    app.mail_bell.notify_one();
    let handed = if by_mail {
        Handed::Mailed(user.email.clone())
    } else {
        Handed::Shown(key)
    };
    Ok((user, handed))
}

/// The purposes whose links set a password.
pub const PASSWORDS: &[Purpose] = &[Purpose::SetPassword, Purpose::ResetPassword];

/// Sets the password and ends everything that was open. `NotFound` where the link does not work, also
/// where somebody else was quicker with it; a refused password leaves it as it is.
pub async fn set_password(
    app: &App,
    by: &Actor,
    key: &LinkKey,
    password: Password,
) -> Result<User> {
    let live = find(app, key, PASSWORDS).await?.ok_or(Error::NotFound)?;
    users::judge_password(&live.user, &password)?;
    let hash = app.hasher.hash(password).await?;
    let db = app.db.begin().await?;
    let user = users::get_in(&db, live.user.id).await?;
    let now = app.now();
    // What was true before the password was hashed need not be true now.
    if !works(&live.link, &user, PASSWORDS, now) || !use_up(&db, &live.link, now).await? {
        return Err(Error::NotFound);
    }
    // Whoever opened a letter reads what is sent to its address.
    let arrived = !live.link.email.is_empty();
    let by = by.clone().signed_in(&user);
    let detail = json!({"by": "link", "for": live.link.purpose});
    users::put_password(&db, app, &by, &user, hash, arrived, detail).await?;
    db.commit(Affects::User(user.id)).await?;
    Ok(user)
}
