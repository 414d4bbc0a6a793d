//! Requests that were refused, for a while and up to a number; and what is seen of each token beside
//! its counts by day: the last two days in slots of ten minutes, the last addresses.

use sea_orm_migration::prelude::*;

use crate::column::{id, index, maybe_number, number, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        refusals(m).await?;
        m.create_table(
            Table::create()
                .table("token_slots")
                .col(number("token_id"))
                // Unix seconds: the start of ten minutes.
                .col(number("slot"))
                .col(number("count"))
                .primary_key(Index::create().col("token_id").col("slot"))
                .foreign_key(&mut of_token("token_slots"))
                .to_owned(),
        )
        .await?;
        m.create_index(index("token_slots", &["slot"])).await?;
        m.create_table(
            Table::create()
                .table("token_addresses")
                .col(number("token_id"))
                .col(text("address"))
                .col(number("last_at"))
                .col(number("count"))
                .primary_key(Index::create().col("token_id").col("address"))
                .foreign_key(&mut of_token("token_addresses"))
                .to_owned(),
        )
        .await?;
        m.get_connection()
            .execute_unprepared(
                "CREATE INDEX idx_tokens_live_expires ON tokens (expires_at) \
                 WHERE revoked_at IS NULL AND expires_at IS NOT NULL",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection()
            .execute_unprepared("DROP INDEX idx_tokens_live_expires")
            .await?;
        for table in ["token_addresses", "token_slots", "refusals"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// No foreign keys: a refusal is told about as long as it is kept, whatever became of the rest.
async fn refusals(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.create_table(
        Table::create()
            .table("refusals")
            .col(id())
            .col(text("request_id"))
            .col(number("at"))
            .col(number("status"))
            .col(text("method"))
            .col(text("path"))
            .col(text("address"))
            .col(text("header"))
            .col(text("scheme"))
            .col(text("reason"))
            // JSON.
            .col(text("detail"))
            .col(maybe_number("token_id"))
            .col(maybe_number("user_id"))
            .col(maybe_number("family"))
            .to_owned(),
    )
    .await?;
    for columns in [
        &["request_id"][..],
        &["at"],
        &["reason", "id"],
        &["address", "id"],
        &["user_id", "id"],
    ] {
        m.create_index(index("refusals", columns)).await?;
    }
    Ok(())
}

fn of_token(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{table}_token"))
        .from(table, "token_id")
        .to("tokens", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
