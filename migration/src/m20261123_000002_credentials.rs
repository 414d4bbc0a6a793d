//! What opens the API: tokens by digest, families of refresh tokens, signing keys, and the slots
//! from which a new token is shown once.

use sea_orm_migration::prelude::*;

use crate::column::{
    bytes, flag, id, index, maybe_bytes, maybe_number, maybe_text, number, of_user, text, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        tokens(m).await?;
        refresh_families(m).await?;
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
        m.create_index(unique("signing_keys", &["kid"])).await?;
        m.create_table(
            Table::create()
                .table("secret_slots")
                .col(id())
                .col(number("token_id"))
                .col(number("session_id"))
                .col(bytes("sealed"))
                .col(number("expires_at"))
                .to_owned(),
        )
        .await?;
        m.create_index(index("secret_slots", &["token_id"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["secret_slots", "signing_keys", "refresh_families", "tokens"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

async fn tokens(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.create_table(
        Table::create()
            .table("tokens")
            .col(id())
            .col(number("user_id"))
            .col(text("name"))
            .col(flag("is_default"))
            .col(bytes("digest"))
            // Only the default token, which get-or-create must show again.
            .col(maybe_bytes("sealed"))
            .col(text("prefix"))
            .col(text("scopes"))
            .col(number("created_at"))
            .col(text("created_by"))
            .col(maybe_number("expires_at"))
            .col(maybe_number("last_used_at"))
            .col(maybe_text("last_used_address"))
            .col(maybe_number("revoked_at"))
            .col(maybe_text("revoked_by"))
            .foreign_key(&mut of_user("tokens"))
            .to_owned(),
    )
    .await?;
    m.create_index(unique("tokens", &["digest"])).await?;
    m.create_index(index("tokens", &["user_id"])).await?;
    m.create_index(index("tokens", &["prefix"])).await?;
    // One live default token a user, whoever asks at the same time.
    m.get_connection()
        .execute_unprepared(
            "CREATE UNIQUE INDEX idx_tokens_one_default ON tokens (user_id) \
             WHERE is_default AND revoked_at IS NULL",
        )
        .await?;
    Ok(())
}

async fn refresh_families(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.create_table(
        Table::create()
            .table("refresh_families")
            .col(id())
            // The first half of every `jti` of the family.
            .col(number("handle"))
            // Set for families that began with a token signed elsewhere under the shared key.
            .col(maybe_text("origin_jti"))
            .col(number("user_id"))
            .col(number("epoch"))
            .col(number("counter"))
            .col(number("created_at"))
            .col(number("issued_at"))
            .col(number("expires_at"))
            .col(text("address"))
            .col(maybe_number("revoked_at"))
            .col(maybe_text("revoked_because"))
            .foreign_key(&mut of_user("refresh_families"))
            .to_owned(),
    )
    .await?;
    m.create_index(unique("refresh_families", &["handle"]))
        .await?;
    // Of a user: another server may have given two users the same id.
    m.create_index(unique("refresh_families", &["user_id", "origin_jti"]))
        .await?;
    m.create_index(index("refresh_families", &["expires_at"]))
        .await
}
