//! The outbox: letters that wait to be sent, and those that nobody would take.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mails")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub kind: String,
    /// The letter; sealed, since it holds a link.
    pub sealed: Vec<u8>,
    pub created_at: i64,
    /// Nobody needs it later.
    pub useless_at: i64,
    pub tries: i64,
    /// Not before then; while somebody is at it, when others may take it over.
    pub next_try_at: i64,
    /// Given up.
    pub dead_at: Option<i64>,
    /// Why the last try failed.
    pub trouble: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
