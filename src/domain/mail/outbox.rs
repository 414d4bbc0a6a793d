//! The outbox: letters wait here, sealed, until the mail server takes them. Any node may send any
//! letter; a conditional update decides who does, so nobody sends one that another is sending.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use super::{
    Letter,
    server::{self, Trouble},
};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    domain::{
        actor::Actor,
        audit::{self, Event},
        one_time_links::Purpose,
        users::User,
    },
    entity::mail::{ActiveModel, Column, Entity, Model},
    error::{Error, Result},
};

/// Seconds for which a node has a letter to itself: longer than any conversation lasts.
const LEASE: i64 = 300;
/// Seconds after each failed try.
const BACKOFF: [i64; 7] = [30, 120, 300, 900, 3600, 3 * 3600, 6 * 3600];
/// Letters sent between two looks at the clock.
const BATCH: u64 = 20;
/// Seconds for which one that was given up is kept, for somebody to see.
const KEPT: i64 = 7 * 86_400;

/// Part of the change that the letter is about.
pub(crate) async fn enqueue(
    db: &Change,
    app: &App,
    user: &User,
    purpose: Purpose,
    letter: &Letter,
) -> Result<()> {
    let now = app.now();
    let plain = serde_json::to_vec(letter).map_err(Error::internal)?;
    // What it says is out of date once there is a newer one.
    Entity::delete_many()
        .filter(Column::UserId.eq(user.id))
        .filter(Column::Kind.eq(purpose.as_str()))
        .exec(db)
        .await?;
    let row = ActiveModel {
        id: NotSet,
        user_id: Set(user.id),
        kind: Set(purpose.as_str().to_owned()),
        sealed: Set(app.keys.seal(&plain, &owner(user.id))?),
        created_at: Set(now),
        useless_at: Set(now + purpose.lifetime(app)),
        tries: Set(0),
        next_try_at: Set(now),
        dead_at: Set(None),
        trouble: Set(String::new()),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Sends what is due. Returns how many letters went out.
pub async fn deliver(app: &App) -> Result<u64> {
    let mut sent = 0;
    if app.config.mail.is_none() {
        return Ok(sent);
    }
    let due = Entity::find()
        .filter(Column::DeadAt.is_null())
        .filter(Column::NextTryAt.lte(app.now()))
        .order_by_asc(Column::NextTryAt)
        .order_by_asc(Column::Id)
        .limit(BATCH)
        .all(app.db.read())
        .await?;
    for mail in due {
        if !claim(app, &mail).await? {
            continue;
        }
        let outcome = match open(app, &mail) {
            _ if mail.useless_at <= app.now() => Err(Trouble::passing("its link is over")),
            Ok(letter) => server::send(app, &letter).await,
            Err(e) => Err(Trouble::passing(e.to_string())),
        };
        match outcome {
            Ok(()) => {
                let db = app.db.begin().await?;
                Entity::delete_by_id(mail.id).exec(&db).await?;
                db.commit(Affects::Nobody).await?;
                sent += 1;
            }
            Err(trouble) => fail(app, &mail, trouble).await?,
        }
    }
    Ok(sent)
}

/// Whether this node is the one to send it now.
async fn claim(app: &App, mail: &Model) -> Result<bool> {
    let db = app.db.begin().await?;
    let claimed = Entity::update_many()
        .col_expr(Column::NextTryAt, Expr::value(app.now() + LEASE))
        .filter(Column::Id.eq(mail.id))
        .filter(Column::NextTryAt.eq(mail.next_try_at))
        .filter(Column::DeadAt.is_null())
        .exec(&db)
        .await?
        .rows_affected
        == 1;
    db.commit(Affects::Nobody).await?;
    Ok(claimed)
}

async fn fail(app: &App, mail: &Model, trouble: Trouble) -> Result<()> {
    let now = app.now();
    tracing::warn!(
        mail = mail.id,
        tries = mail.tries + 1,
        trouble = trouble.text,
        "a letter did not go out"
    );
    let wait = usize::try_from(mail.tries)
        .ok()
        .and_then(|n| BACKOFF.get(n));
    let next = wait
        .map(|wait| now + wait)
        .filter(|at| !trouble.is_final && *at < mail.useless_at);
    let db = app.db.begin().await?;
    Entity::update_many()
        .col_expr(Column::Tries, Expr::value(mail.tries + 1))
        .col_expr(Column::Trouble, Expr::value(trouble.text))
        .col_expr(Column::NextTryAt, Expr::value(next.unwrap_or(now)))
        .col_expr(Column::DeadAt, Expr::value(next.is_none().then_some(now)))
        .filter(Column::Id.eq(mail.id))
        .exec(&db)
        .await?;
    db.commit(Affects::Nobody).await?;
    Ok(())
}

fn open(app: &App, mail: &Model) -> Result<Letter> {
    let plain = app.keys.unseal(&mail.sealed, &owner(mail.user_id))?;
    serde_json::from_slice(plain.expose()).map_err(Error::internal)
}

fn owner(user_id: i64) -> String {
    format!("mail to {user_id}")
}

/// How the outbox stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// Letters that will be tried, at most a thousand are counted.
    pub waiting: u64,
    /// Of these, when the oldest was written.
    pub oldest: Option<i64>,
    /// Letters that were given up.
    pub dead: u64,
    /// Why the last try of any failed.
    pub trouble: Option<String>,
}

/// At most so many rows are looked at.
const LOOK: u64 = 1000;

pub async fn outbox(app: &App) -> Result<Outbox> {
    let rows: Vec<(i64, Option<i64>, String)> = Entity::find()
        .select_only()
        .columns([Column::CreatedAt, Column::DeadAt, Column::Trouble])
        .order_by_desc(Column::Id)
        .limit(LOOK)
        .into_tuple()
        .all(app.db.read())
        .await?;
    let mut outbox = Outbox::default();
    for (created_at, dead_at, trouble) in rows {
        if dead_at.is_some() {
            outbox.dead += 1;
        } else {
            outbox.waiting += 1;
            outbox.oldest = Some(created_at);
        }
        if outbox.trouble.is_none() && !trouble.is_empty() {
            outbox.trouble = Some(trouble);
        }
    }
    Ok(outbox)
}

/// Tries again those that were given up and are not out of date. Returns how many.
pub async fn retry_dead(app: &App, by: &Actor) -> Result<u64> {
    require_superuser(by)?;
    let now = app.now();
    let db = app.db.begin().await?;
    let again = Entity::update_many()
        .col_expr(Column::Tries, Expr::value(0))
        .col_expr(Column::NextTryAt, Expr::value(now))
        .col_expr(Column::DeadAt, Expr::value(None::<i64>))
        .filter(Column::DeadAt.is_not_null())
        .filter(Column::UselessAt.gt(now))
        .exec(&db)
        .await?
        .rows_affected;
    finish(app, db, by, "mail.retried", again).await
}

/// Throws away those that were given up. Returns how many.
pub async fn drop_dead(app: &App, by: &Actor) -> Result<u64> {
    require_superuser(by)?;
    let db = app.db.begin().await?;
    let gone = Entity::delete_many()
        .filter(Column::DeadAt.is_not_null())
        .exec(&db)
        .await?
        .rows_affected;
    finish(app, db, by, "mail.dropped", gone).await
}

fn require_superuser(by: &Actor) -> Result<()> {
    if by.is_superuser {
        Ok(())
    } else {
        Err(Error::PermissionDenied)
    }
}

async fn finish(app: &App, db: Change, by: &Actor, action: &'static str, n: u64) -> Result<u64> {
    if n > 0 {
        let event = Event::new(action, None, "").with(serde_json::json!({"letters": n}));
        audit::record(&db, app.now(), by, event).await?;
    }
    db.commit(Affects::Nobody).await?;
    app.mail_bell.notify_one();
    Ok(n)
}

/// Deletes what was given up long ago. Returns how many.
pub async fn sweep(app: &App) -> Result<u64> {
    let db = app.db.begin().await?;
    let gone = Entity::delete_many()
        .filter(Column::DeadAt.lte(app.now() - KEPT))
        .exec(&db)
        .await?
        .rows_affected;
    db.commit(Affects::Nobody).await?;
    Ok(gone)
}
