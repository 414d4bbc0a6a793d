//! People and programs that can sign in.

use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub username: String,
    /// The lower case of `username`: uniqueness is judged by it.
    pub username_key: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    /// An encoded hash; see `domain/hashing.rs`.
    pub password: String,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    /// Raised to end all sessions and JWTs made before.
    pub epoch: i64,
    /// When it was raised last.
    pub epoch_at: i64,
    /// 0: never.
    pub last_login: i64,
    pub date_joined: i64,
    /// Raised at each edit, so that two editors notice each other.
    pub version: i64,
    /// When a mail to `email` was answered; 0: never.
    pub email_verified_at: i64,
    /// See `domain/search.rs`.
    pub search: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Digests and hashes stay out of logs.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
