//! Users, their browser sessions, and the small facts about the installation itself.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, flag, id, index, maybe_number, number, of_user, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("meta")
                .col(ColumnDef::new("key").text().not_null().primary_key())
                .col(text("value"))
                .to_owned(),
        )
        .await?;
        m.create_table(
            Table::create()
                .table("users")
                .col(id())
                .col(text("username"))
                // What uniqueness is judged by: the lower case of the normalised name.
                .col(text("username_key"))
                .col(text("email"))
                .col(text("first_name"))
                .col(text("last_name"))
                .col(text("password"))
                .col(flag("is_active"))
                .col(flag("is_staff"))
                .col(flag("is_superuser"))
                // Raised to end all sessions and JWTs made before.
                .col(number("epoch"))
                .col(number("epoch_at"))
                // 0: never. Not null, so that both databases sort it alike.
                .col(number("last_login"))
                .col(number("date_joined"))
                .col(number("version"))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("users", &["username_key"])).await?;
        m.create_index(index("users", &["date_joined", "id"]))
            .await?;
        m.create_index(index("users", &["last_login", "id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("sessions")
                .col(id())
                .col(bytes("digest"))
                .col(number("user_id"))
                .col(number("epoch"))
                .col(number("created_at"))
                .col(number("last_seen_at"))
                .col(number("expires_at"))
                .col(maybe_number("confirmed_at"))
                .col(text("address"))
                .col(text("user_agent"))
                .foreign_key(&mut of_user("sessions"))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("sessions", &["digest"])).await?;
        m.create_index(index("sessions", &["user_id"])).await?;
        m.create_index(index("sessions", &["expires_at"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["sessions", "users", "meta"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
