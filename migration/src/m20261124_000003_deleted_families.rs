//! What the status list must go on saying of families that went with their user.

use sea_orm_migration::prelude::*;

use crate::column::{index, number};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("deleted_families")
                // The id that the family had.
                .col(ColumnDef::new("id").big_integer().not_null().primary_key())
                .col(number("expires_at"))
                .to_owned(),
        )
        .await?;
        m.create_index(index("deleted_families", &["expires_at"]))
            .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("deleted_families").to_owned())
            .await
    }
}
