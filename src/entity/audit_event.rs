//! Who did what, when, from where. Rows are added, never changed:
//! a trigger sees to it, and a chain of hashes (`seq`, `hash`) shows it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: i64,
    pub actor_id: Option<i64>,
    pub actor: String,
    pub via: String,
    pub action: String,
    pub object_type: String,
    pub object_id: Option<i64>,
    pub object: String,
    pub address: Option<String>,
    pub request_id: Option<String>,
    /// JSON.
    pub detail: String,
    /// It tells of something that was tried and did not work. Follows from the action.
    pub failed: bool,
    /// Its place in the chain, from 1; none until it is sealed.
    pub seq: Option<i64>,
    /// Of the one before it and of all of the above.
    pub hash: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
