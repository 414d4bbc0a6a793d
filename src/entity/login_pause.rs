//! A pause of sign-in that has begun: too many wrong passwords for one name.

use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_pauses")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What is counted by: a keyed digest of the name and perhaps the address, as in memory.
    pub digest: Vec<u8>,
    /// None: nobody has that name.
    pub user_id: Option<i64>,
    /// For whom it holds; empty: for everybody.
    pub address: String,
    /// Wrong passwords that began it.
    pub tries: i64,
    pub began_at: i64,
    pub ends_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Digests stay out of logs.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginPause")
            .field("id", &self.id)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}
