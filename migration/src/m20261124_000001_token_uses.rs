//! How often tokens are used, by day; and an index by which the ones that nobody uses are found.

use sea_orm_migration::prelude::*;

use crate::column::{index, number};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("token_uses")
                .col(number("token_id"))
                // Unix seconds of midnight UTC.
                .col(number("day"))
                .col(number("count"))
                .primary_key(Index::create().col("token_id").col("day"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_token_uses_token")
                        .from("token_uses", "token_id")
                        .to("tokens", "id")
                        .on_delete(ForeignKeyAction::Cascade),
                )
                .to_owned(),
        )
        .await?;
        m.create_index(index("token_uses", &["day"])).await?;
        m.get_connection()
            .execute_unprepared(
                "CREATE INDEX idx_tokens_seen ON tokens ((COALESCE(last_used_at, created_at))) \
                 WHERE revoked_at IS NULL",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection()
            .execute_unprepared("DROP INDEX idx_tokens_seen")
            .await?;
        m.drop_table(Table::drop().table("token_uses").to_owned())
            .await
    }
}
