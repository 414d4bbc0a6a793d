//! Signing keys as rotation needs them: states follow from times, the private half is sealed. The
//! table of the first schema was never written to and makes room.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, maybe_number, maybe_text, number, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("signing_keys").to_owned())
            .await?;
        m.create_table(
            Table::create()
                .table("signing_keys")
                .col(id())
                // Empty: the key of tokens whose header names none.
                .col(text("kid"))
                .col(text("algorithm"))
                .col(bytes("sealed"))
                .col(number("created_at"))
                // Null: waits for its turn.
                .col(maybe_number("activates_at"))
                // Null: signs, or will; afterwards nothing it signed is accepted.
                .col(maybe_number("retires_at"))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("signing_keys", &["kid"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("signing_keys").to_owned())
            .await?;
        m.create_table(
            Table::create()
                .table("signing_keys")
                .col(id())
                .col(text("kid"))
                .col(text("algorithm"))
                .col(text("state"))
                .col(bytes("sealed"))
                .col(maybe_text("public"))
                .col(number("created_at"))
                .col(maybe_number("activated_at"))
                .col(maybe_number("retires_at"))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("signing_keys", &["kid"])).await
    }
}
