//! One request that was answered 401 or 403, and why. Never what was sent as a secret.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refusals")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub request_id: String,
    pub at: i64,
    pub status: i64,
    pub method: String,
    /// Without the query.
    pub path: String,
    pub address: String,
    /// The header that a credential came in; empty: none.
    pub header: String,
    pub scheme: String,
    pub reason: String,
    /// JSON.
    pub detail: String,
    pub token_id: Option<i64>,
    pub user_id: Option<i64>,
    /// The handle of the sign-in that a JWT belongs to.
    pub family: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
