//! A session that goes on under a new id, as it must when what opens the account changes.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{Session, new_key};
use crate::{
    app::App,
    entity::session::{Column, Entity},
    error::{Error, Result},
    secret::SessionKey,
};

/// In the transaction that raised the user's epoch to `epoch`. The other sessions of the user end,
/// or go on too. Whoever changes a password has just shown one: it counts as confirmed.
pub(crate) async fn renew<C: ConnectionTrait>(
    db: &C,
    app: &App,
    session: &Session,
    epoch: i64,
    ends_others: bool,
) -> Result<SessionKey> {
    let (user_id, now) = (session.user.id, app.now());
    if ends_others {
        Entity::delete_many()
            .filter(Column::UserId.eq(user_id))
            .filter(Column::Id.ne(session.id))
            .exec(db)
            .await?;
    } else {
        Entity::update_many()
            .col_expr(Column::Epoch, Expr::value(epoch))
            .filter(Column::UserId.eq(user_id))
            .filter(Column::Epoch.eq(epoch - 1))
            .exec(db)
            .await?;
    }
    let key = new_key()?;
    let digest = app.keys.session_digest(key.expose()).to_vec();
    let renewed = Entity::update_many()
        .col_expr(Column::Digest, Expr::value(digest))
        .col_expr(Column::Epoch, Expr::value(epoch))
        .col_expr(Column::ConfirmedAt, Expr::value(Some(now)))
        .filter(Column::Id.eq(session.id))
        .exec(db)
        .await?;
    if renewed.rows_affected == 0 {
        return Err(Error::NotAuthenticated);
    }
    Ok(key)
}
