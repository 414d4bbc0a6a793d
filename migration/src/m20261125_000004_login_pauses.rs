//! Pauses of sign-in, so that they hold on every node and after a restart, and can be seen and lifted.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, index, maybe_number, number, of_user, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("login_pauses")
                .col(id())
                // A keyed digest of the name and perhaps the address.
                .col(bytes("digest"))
                // Null: nobody has that name.
                .col(maybe_number("user_id"))
                // Empty: from everywhere.
                .col(text("address"))
                .col(number("tries"))
                .col(number("began_at"))
                .col(number("ends_at"))
                .foreign_key(&mut of_user("login_pauses"))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("login_pauses", &["digest"])).await?;
        m.create_index(index("login_pauses", &["user_id"])).await?;
        m.create_index(index("login_pauses", &["ends_at"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("login_pauses").to_owned())
            .await
    }
}
