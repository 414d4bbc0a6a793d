//! Tokens that are not revoked, sorted by their end, those that never end last, each with a number of its own; and what
//! orders ask is in the index of those that end.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns behind the first two are what filters and orders ask.
const END: &str = "CREATE INDEX idx_tokens_end ON tokens ((COALESCE(expires_at, 4611686018427387904 + id)), id, is_default, \
     scopes, expires_at, last_used_at, created_at) WHERE revoked_at IS NULL";
const ENDS: &str = "CREATE INDEX idx_tokens_ends_wide ON tokens (expires_at, id, is_default, scopes, revoked_at) \
     WHERE expires_at IS NOT NULL";
const ENDS_WIDER: &str = "CREATE INDEX idx_tokens_ends_wide ON tokens (expires_at, id, is_default, scopes, revoked_at, \
     last_used_at, created_at) WHERE expires_at IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        for sql in ["DROP INDEX idx_tokens_ends_wide", ENDS_WIDER, END] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        for sql in [
            "DROP INDEX idx_tokens_end",
            "DROP INDEX idx_tokens_ends_wide",
            ENDS,
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
