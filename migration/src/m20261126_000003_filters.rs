//! What is rare among many is found by an index of its own: tokens of one kind, tokens that may not do everything,
//! users whose password no server of ours can verify.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Names, and what they are over. The application spells these conditions in the same way.
const INDEXES: [(&str, &str); 4] = [
    ("idx_tokens_default_kind", "tokens (id) WHERE is_default"),
    ("idx_tokens_named_kind", "tokens (id) WHERE NOT is_default"),
    ("idx_tokens_limited", "tokens (id) WHERE scopes <> 'full'"),
    (
        "idx_users_unknown_password",
        "users (id) WHERE password <> '' AND substr(password, 1, 1) <> '!' AND substr(password, 1, 7) NOT IN \
         ('$argon2', 'argon2$', 'bcrypt$', 'bcrypt_', 'pbkdf2_', 'scrypt$')",
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for (name, over) in INDEXES {
            let sql = format!("CREATE INDEX {name} ON {over}");
            m.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            let sql = format!("DROP INDEX {name}");
            m.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
