//! One sign-in and the refresh tokens that follow from it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_families")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The first half of every `jti` of the family.
    pub handle: i64,
    /// Set where the first token was signed elsewhere under the shared key.
    pub origin_jti: Option<String>,
    pub user_id: i64,
    pub epoch: i64,
    /// The live refresh token is number `counter`.
    pub counter: i64,
    pub created_at: i64,
    /// `iat` of the live refresh token.
    pub issued_at: i64,
    pub expires_at: i64,
    pub address: String,
    pub revoked_at: Option<i64>,
    pub revoked_because: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}
