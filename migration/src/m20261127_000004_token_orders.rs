//! Tokens that are not revoked, sorted by their end, those that never end last. The columns behind are what filters ask.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX idx_tokens_end ON tokens ((COALESCE(expires_at, 9223372036854775807)), id, is_default, \
             scopes, expires_at, last_used_at, created_at) WHERE revoked_at IS NULL";
        m.get_connection().execute_unprepared(sql).await.map(|_| ())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP INDEX idx_tokens_end";
        m.get_connection().execute_unprepared(sql).await.map(|_| ())
    }
}
