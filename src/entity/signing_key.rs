//! A key that signs JWTs, did, or will.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Empty: the key of tokens whose header names none.
    pub kid: String,
    /// As a JWT's header spells it.
    pub algorithm: String,
    pub sealed: Vec<u8>,
    pub created_at: i64,
    /// None: waits for its turn.
    pub activates_at: Option<i64>,
    /// None: signs, or will. From then on nothing it signed is accepted.
    pub retires_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
