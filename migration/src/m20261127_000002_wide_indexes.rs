//! Filters together, on a million rows: the indexes of filters and orders also hold what the other filters ask, so that
//! what they leave out costs no look at the row. Each token right has an index of its own.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SCOPES: [&str; 7] = [
    "students:read",
    "students:write",
    "users:read",
    "users:write",
    "tokens:manage",
    "tokens:introspect",
    "metrics:read",
];

/// What goes: name, and what it was over.
const NARROW: [(&str, &str); 8] = [
    ("idx_users_date_joined_id", "users (date_joined, id)"),
    ("idx_users_last_login_id", "users (last_login, id)"),
    (
        "idx_tokens_revoked",
        "tokens (revoked_at, id) WHERE revoked_at IS NOT NULL",
    ),
    (
        "idx_tokens_live_expires",
        "tokens (expires_at) WHERE revoked_at IS NULL AND expires_at IS NOT NULL",
    ),
    (
        "idx_tokens_seen",
        "tokens ((COALESCE(last_used_at, created_at))) WHERE revoked_at IS NULL",
    ),
    ("idx_tokens_default_kind", "tokens (id) WHERE is_default"),
    ("idx_tokens_named_kind", "tokens (id) WHERE NOT is_default"),
    (
        "idx_sessions_last_seen_at_id",
        "sessions (last_seen_at, id)",
    ),
];

/// What comes for them.
const WIDE: [(&str, &str); 11] = [
    (
        "idx_users_wide",
        "users (username_key, id, last_login, date_joined, is_active, is_staff, is_superuser)",
    ),
    (
        "idx_users_joined_wide",
        "users (date_joined, id, last_login, is_active, is_staff, is_superuser)",
    ),
    (
        "idx_users_seen_wide",
        "users (last_login, id, date_joined, is_active, is_staff, is_superuser)",
    ),
    (
        "idx_tokens_wide",
        // Only for those who ask for it by that condition: it fits everything, and SQLite would take it for what others find sooner.
        "tokens (id, is_default, scopes, expires_at, revoked_at, last_used_at, created_at) WHERE id > 0",
    ),
    (
        "idx_tokens_revoked_wide",
        "tokens (id, is_default, scopes, expires_at) WHERE revoked_at IS NOT NULL",
    ),
    (
        "idx_tokens_ends_wide",
        "tokens (expires_at, id, is_default, scopes, revoked_at) WHERE expires_at IS NOT NULL",
    ),
    (
        "idx_tokens_seen_wide",
        "tokens ((COALESCE(last_used_at, created_at)), id, is_default, scopes, expires_at) WHERE revoked_at IS NULL",
    ),
    (
        "idx_tokens_default_wide",
        "tokens (id, revoked_at, expires_at) WHERE is_default",
    ),
    (
        "idx_tokens_named_wide",
        "tokens (id, revoked_at, expires_at, scopes) WHERE NOT is_default",
    ),
    (
        "idx_tokens_full_wide",
        "tokens (id, revoked_at, expires_at, is_default) WHERE scopes = 'full'",
    ),
    (
        "idx_sessions_seen_wide",
        "sessions (last_seen_at, id, expires_at, user_id, epoch)",
    ),
];
/// Comes for a narrow one of the same name.
const LIMITED: &str = "tokens (id, revoked_at, expires_at, is_default) WHERE scopes <> 'full'";

fn of_scope(backend: DbBackend, scope: &str) -> (String, String) {
    let find = match backend {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    (
        format!("idx_tokens_{}", scope.replace(':', "_")),
        // As the application asks for it.
        format!(
            "tokens (id, revoked_at, expires_at, is_default, last_used_at, created_at) WHERE {find}(' ' || scopes || ' ', ' {scope} ') > 0"
        ),
    )
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        for (name, _) in NARROW {
            drop(db, name).await?;
        }
        for (name, over) in WIDE {
            create(db, name, over).await?;
        }
        drop(db, "idx_tokens_limited").await?;
        create(db, "idx_tokens_limited", LIMITED).await?;
        begin_of_username(db, "username_key COLLATE \"C\"").await?;
        for scope in SCOPES {
            let (name, over) = of_scope(db.get_database_backend(), scope);
            create(db, &name, &over).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        for scope in SCOPES {
            drop(db, &of_scope(db.get_database_backend(), scope).0).await?;
        }
        drop(db, "idx_tokens_limited").await?;
        create(
            db,
            "idx_tokens_limited",
            "tokens (id) WHERE scopes <> 'full'",
        )
        .await?;
        for (name, _) in WIDE {
            drop(db, name).await?;
        }
        for (name, over) in NARROW {
            create(db, name, over).await?;
        }
        Ok(())
    }
}

/// On PostgreSQL, for what begins with a text: with an order of its own it also says which of them comes first.
async fn begin_of_username(db: &SchemaManagerConnection<'_>, column: &str) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    drop(db, "idx_users_username_start").await?;
    create(db, "idx_users_username_start", &format!("users ({column})")).await
}

async fn create(db: &SchemaManagerConnection<'_>, name: &str, over: &str) -> Result<(), DbErr> {
    let sql = format!("CREATE INDEX {name} ON {over}");
    db.execute_unprepared(&sql).await.map(|_| ())
}

async fn drop(db: &SchemaManagerConnection<'_>, name: &str) -> Result<(), DbErr> {
    let sql = format!("DROP INDEX {name}");
    db.execute_unprepared(&sql).await.map(|_| ())
}
