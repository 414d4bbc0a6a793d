//! Lists that are led by an index of their own, on a million rows: what a person's tokens are asked for is in the index of
//! their owner; the longest unseen tokens are read in that order; and on PostgreSQL, whose indexes do not have the id of a
//! row unless they are told, lists of disabled people, staff and superusers need no look at the row. Texts among the
//! disabled have an index there, as both indexes together took longer than the few rows are worth.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Name, what it was over, what it is over.
const BOTH: [(&str, &str, &str); 1] = [(
    "idx_tokens_seen_wide",
    "tokens ((COALESCE(last_used_at, created_at)), id, is_default, scopes, expires_at) WHERE revoked_at IS NULL",
    // The last two so that the expression need not be reckoned from the row.
    "tokens ((COALESCE(last_used_at, created_at)), id, is_default, scopes, expires_at, last_used_at, created_at) WHERE revoked_at IS NULL",
)];
const POSTGRES: [(&str, &str, &str); 3] = [
    (
        "idx_users_disabled",
        "users (username_key, is_active, is_staff, is_superuser, last_login) WHERE NOT is_active",
        "users (username_key, id, is_active, is_staff, is_superuser, last_login) WHERE NOT is_active",
    ),
    (
        "idx_users_staff",
        "users (username_key, is_active, is_staff, is_superuser, last_login) WHERE is_staff",
        "users (username_key, id, is_active, is_staff, is_superuser, last_login) WHERE is_staff",
    ),
    (
        "idx_users_superusers",
        "users (username_key) WHERE is_superuser",
        "users (username_key, id) WHERE is_superuser",
    ),
];
const OWNED: (&str, &str) = ("idx_tokens_user_id", "tokens (user_id)");
const OWNED_WIDE: (&str, &str) = (
    "idx_tokens_user_wide",
    "tokens (user_id, revoked_at, expires_at)",
);

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        create(db, OWNED_WIDE).await?;
        drop(db, OWNED.0).await?;
        for (name, _, over) in others(db.get_database_backend()) {
            drop(db, name).await?;
            create(db, (name, over)).await?;
        }
        if db.get_database_backend() == DbBackend::Postgres {
            disabled_search(db).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared("DROP INDEX IF EXISTS idx_users_disabled_search")
                .await?;
        }
        for (name, over, _) in others(db.get_database_backend()) {
            drop(db, name).await?;
            create(db, (name, over)).await?;
        }
        create(db, OWNED).await?;
        drop(db, OWNED_WIDE.0).await
    }
}

/// As the other indexes of searches: only with the extension, and so this is also run later.
pub(crate) async fn disabled_search<C: ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    let sql = "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_opclass WHERE opcname = 'gin_trgm_ops') \
         AND to_regclass('idx_users_disabled_search') IS NULL THEN \
         CREATE INDEX idx_users_disabled_search ON users USING gin (search gin_trgm_ops) \
         WITH (gin_pending_list_limit = 1024) WHERE NOT is_active; END IF; END $$";
    db.execute_unprepared(sql).await.map(|_| ())
}

fn others(backend: DbBackend) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let some = match backend {
        DbBackend::Postgres => &POSTGRES[..],
        _ => &[],
    };
    BOTH.iter().chain(some).copied()
}

async fn create(db: &SchemaManagerConnection<'_>, (name, over): (&str, &str)) -> Result<(), DbErr> {
    let sql = format!("CREATE INDEX {name} ON {over}");
    db.execute_unprepared(&sql).await.map(|_| ())
}

async fn drop(db: &SchemaManagerConnection<'_>, name: &str) -> Result<(), DbErr> {
    let sql = format!("DROP INDEX {name}");
    db.execute_unprepared(&sql).await.map(|_| ())
}
