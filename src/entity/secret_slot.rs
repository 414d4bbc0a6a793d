//! A new token or one-time link, sealed, waiting to be shown once to the session that made it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secret_slots")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Of the token; of a link, the id of its user.
    pub token_id: i64,
    pub session_id: i64,
    pub sealed: Vec<u8>,
    pub expires_at: i64,
    /// `token` or `link`.
    pub kind: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
