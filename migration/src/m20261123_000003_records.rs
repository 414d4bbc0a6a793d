//! The sample data that the API serves, and the record of who did what.

use sea_orm_migration::prelude::*;

use crate::column::{id, index, maybe_number, maybe_text, number, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("students")
                .col(id())
                .col(text("name"))
                .col(number("roll"))
                .col(text("city"))
                .to_owned(),
        )
        .await?;
        m.create_index(index("students", &["name", "id"])).await?;
        m.create_index(index("students", &["roll", "id"])).await?;
        m.create_index(index("students", &["city", "id"])).await?;
        m.create_table(
            Table::create()
                .table("audit_events")
                .col(id())
                .col(number("at"))
                .col(maybe_number("actor_id"))
                .col(text("actor"))
                .col(text("via"))
                .col(text("action"))
                .col(text("object_type"))
                .col(maybe_number("object_id"))
                .col(text("object"))
                .col(maybe_text("address"))
                .col(maybe_text("request_id"))
                .col(text("detail"))
                .to_owned(),
        )
        .await?;
        m.create_index(index("audit_events", &["at"])).await?;
        m.create_index(index("audit_events", &["action", "at"]))
            .await?;
        m.create_index(index("audit_events", &["object_type", "object_id", "id"]))
            .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["audit_events", "students"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
