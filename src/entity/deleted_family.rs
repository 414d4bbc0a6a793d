//! A refresh family that went with its user before its tokens expired.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deleted_families")]
pub struct Model {
    /// The id that the family had.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
