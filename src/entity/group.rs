//! Groups of staff, and what they may do.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "groups")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub name: String,
    /// The lower case of `name`: uniqueness is judged by it.
    pub name_key: String,
    /// See `domain/permissions.rs`.
    pub permissions: String,
    /// Raised at each edit, so that two editors notice each other.
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
