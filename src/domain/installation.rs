//! What must be true of a database before it is served, and who may change the installation at a time.

use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};

use crate::{
    app::App,
    checks::Affects,
    entity::meta::{ActiveModel, Column, Entity},
    error::Result,
    keys::Keyring,
};

const FINGERPRINT: &str = "secret_fingerprint";

/// As `secret_fits`, but for who only looks: a database that nobody has served fits any secret.
pub async fn secret_seems_to_fit<C: ConnectionTrait>(db: &C, keys: &Keyring) -> Result<bool> {
    let stored = Entity::find_by_id(FINGERPRINT).one(db).await?;
    Ok(stored.is_none_or(|row| row.value == keys.fingerprint()))
}

/// Whether the server secret is the one this database was made with: with another one, every
/// token would be refused and every sealed one lost. The first one to ask decides.
pub async fn secret_fits(app: &App) -> Result<bool> {
    let row = ActiveModel {
        key: Set(FINGERPRINT.to_owned()),
        value: Set(app.keys.fingerprint().to_owned()),
    };
    let db = app.db.begin().await?;
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::Key).do_nothing().to_owned())
        .exec_without_returning(&db)
        .await?;
    let stored = Entity::find_by_id(FINGERPRINT).one(&db).await?;
    db.commit(Affects::Nobody).await?;
    Ok(stored.is_some_and(|row| row.value == app.keys.fingerprint()))
}

/// Makes everybody who changes the same wait for each other, until the transaction ends.
pub(crate) async fn lock<C: ConnectionTrait>(db: &C, what: &str) -> Result<()> {
    let row = ActiveModel {
        key: Set(what.to_owned()),
        value: Set(String::new()),
    };
    let again = OnConflict::column(Column::Key)
        .update_column(Column::Value)
        .to_owned();
    Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
