//! A signature of the server under the audit log as it was up to one event.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_checkpoints")]
pub struct Model {
    /// Of the last event that it covers.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// That event's.
    pub hash: Vec<u8>,
    pub at: i64,
    /// Ed25519.
    pub signature: Vec<u8>,
    pub key_id: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
