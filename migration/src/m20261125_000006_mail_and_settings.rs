//! One-time links, the mail that carries them, whether an address is known to be somebody's, and
//! the settings that are changed while the server runs.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::column::{bytes, id, index, maybe_number, number, of_user, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(
            Table::alter()
                .table("users")
                // 0: not known to be theirs.
                .add_column(number("email_verified_at").default(0))
                .to_owned(),
        )
        .await?;
        // Addresses are looked up whatever the case of their ASCII letters; both databases fold alike.
        let folded = match m.get_database_backend() {
            DbBackend::Postgres => "lower(email COLLATE \"C\")",
            _ => "lower(email)",
        };
        m.get_connection()
            .execute_unprepared(&format!(
                "CREATE INDEX idx_users_email_folded ON users ({folded})"
            ))
            .await?;
        m.alter_table(
            Table::alter()
                .table("secret_slots")
                // What waits there: a token's key, or a link.
                .add_column(text("kind").default("token"))
                .to_owned(),
        )
        .await?;
        links(m).await?;
        mails(m).await?;
        m.create_table(
            Table::create()
                .table("settings")
                .col(ColumnDef::new("name").text().not_null().primary_key())
                .col(text("value"))
                .col(number("changed_at"))
                .to_owned(),
        )
        .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["settings", "mails", "one_time_links"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        m.drop_index(
            Index::drop()
                .name("idx_users_email_folded")
                .table("users")
                .to_owned(),
        )
        .await?;
        for (table, column) in [("secret_slots", "kind"), ("users", "email_verified_at")] {
            m.alter_table(Table::alter().table(table).drop_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn links(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.create_table(
        Table::create()
            .table("one_time_links")
            .col(id())
            .col(bytes("digest"))
            .col(number("user_id"))
            .col(text("purpose"))
            // Of the user when it was made: a link from before a change of password is dead.
            .col(number("epoch"))
            // Where it was sent; empty: handed out by an administrator.
            .col(text("email"))
            .col(number("created_at"))
            .col(number("expires_at"))
            .col(maybe_number("used_at"))
            .foreign_key(&mut of_user("one_time_links"))
            .to_owned(),
    )
    .await?;
    m.create_index(unique("one_time_links", &["digest"]))
        .await?;
    m.create_index(index("one_time_links", &["user_id"]))
        .await?;
    m.create_index(index("one_time_links", &["expires_at"]))
        .await
}

async fn mails(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.create_table(
        Table::create()
            .table("mails")
            .col(id())
            .col(number("user_id"))
            .col(text("kind"))
            // Sealed: a letter holds a link.
            .col(bytes("sealed"))
            .col(number("created_at"))
            // Nobody needs it later.
            .col(number("useless_at"))
            .col(number("tries"))
            .col(number("next_try_at"))
            // Given up.
            .col(maybe_number("dead_at"))
            .col(text("trouble"))
            .foreign_key(&mut of_user("mails"))
            .to_owned(),
    )
    .await?;
    m.create_index(index("mails", &["dead_at", "next_try_at"]))
        .await?;
    m.create_index(index("mails", &["user_id"])).await
}
