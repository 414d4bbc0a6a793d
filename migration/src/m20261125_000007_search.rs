//! Lists of a million rows: a column that is searched, an index of trigrams over it, and indexes for the orders and
//! filters that the panel offers.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SEARCHED: [&str; 3] = ["users", "tokens", "students"];

/// Name, table, columns, and which rows. What is rare has an index of its own for each order, the first one with all
/// that filters ask, so that counting reads no rows; what is not rare is met soon in the index of the order.
const INDEXES: [(&str, &str, &str, &str); 11] = [
    (
        "idx_users_disabled",
        "users",
        "username_key, is_active, is_staff, is_superuser, last_login",
        "NOT is_active",
    ),
    (
        "idx_users_disabled_joined",
        "users",
        "date_joined, id",
        "NOT is_active",
    ),
    (
        "idx_users_disabled_seen",
        "users",
        "last_login, id",
        "NOT is_active",
    ),
    (
        "idx_users_staff",
        "users",
        "username_key, is_active, is_staff, is_superuser, last_login",
        "is_staff",
    ),
    (
        "idx_users_staff_joined",
        "users",
        "date_joined, id",
        "is_staff",
    ),
    (
        "idx_users_staff_seen",
        "users",
        "last_login, id",
        "is_staff",
    ),
    (
        "idx_users_superusers",
        "users",
        "username_key",
        "is_superuser",
    ),
    (
        "idx_tokens_revoked",
        "tokens",
        "revoked_at, id",
        "revoked_at IS NOT NULL",
    ),
    ("idx_users_unsearchable", "users", "id", "search = ''"),
    ("idx_tokens_unsearchable", "tokens", "id", "search = ''"),
    ("idx_students_unsearchable", "students", "id", "search = ''"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        for table in SEARCHED {
            // Empty: to be filled by the program, which folds letters alike on both databases.
            let column = "ADD COLUMN search TEXT NOT NULL DEFAULT ''";
            db.execute_unprepared(&format!("ALTER TABLE {table} {column}"))
                .await?;
        }
        if db.get_database_backend() == DbBackend::Postgres {
            // For what begins with a text, whatever the order of letters is in this database.
            db.execute_unprepared(
                "CREATE INDEX idx_users_username_start ON users (username_key text_pattern_ops)",
            )
            .await?;
            postgres(db).await?;
        } else {
            sqlite(db).await?;
        }
        for (name, table, columns, rows) in INDEXES {
            let sql = format!("CREATE INDEX {name} ON {table} ({columns}) WHERE {rows}");
            db.execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        for (name, ..) in INDEXES {
            db.execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        db.execute_unprepared("DROP INDEX IF EXISTS idx_users_username_start")
            .await?;
        for table in SEARCHED {
            if db.get_database_backend() == DbBackend::Sqlite {
                for what in ["insert", "delete", "update"] {
                    db.execute_unprepared(&format!("DROP TRIGGER {table}_search_{what}"))
                        .await?;
                }
                db.execute_unprepared(&format!("DROP TABLE {table}_search"))
                    .await?;
            }
            // With the index over it.
            db.execute_unprepared(&format!("ALTER TABLE {table} DROP COLUMN search"))
                .await?;
        }
        Ok(())
    }
}

/// FTS5 beside the table, kept by triggers; the text itself is in the table alone. Empty texts are not in it, so
/// that a row may come without one.
async fn sqlite(db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    for table in SEARCHED {
        let add =
            format!("INSERT INTO {table}_search (rowid, search) VALUES (NEW.id, NEW.search);");
        let remove = format!(
            "INSERT INTO {table}_search ({table}_search, rowid, search) VALUES ('delete', OLD.id, OLD.search);"
        );
        for sql in [
            format!(
                "CREATE VIRTUAL TABLE {table}_search USING fts5 (search, content = '{table}', content_rowid = 'id', \
                 tokenize = 'trigram case_sensitive 1', columnsize = 0)"
            ),
            format!(
                "CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} WHEN NEW.search <> '' BEGIN {add} END"
            ),
            format!(
                "CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} WHEN OLD.search <> '' BEGIN {remove} END"
            ),
            format!(
                "CREATE TRIGGER {table}_search_update AFTER UPDATE OF search ON {table} WHEN OLD.search <> NEW.search \
                 BEGIN INSERT INTO {table}_search ({table}_search, rowid, search) \
                 SELECT 'delete', OLD.id, OLD.search WHERE OLD.search <> ''; \
                 INSERT INTO {table}_search (rowid, search) SELECT NEW.id, NEW.search WHERE NEW.search <> ''; END"
            ),
        ] {
            db.execute_unprepared(&sql).await?;
        }
    }
    Ok(())
}

/// The extension is trusted: who may create in a database may make it. Where that is forbidden, searches work
/// without an index, and `doctor` says what to do; so this is also run later, and then does what is missing.
pub(crate) async fn postgres<C: ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    let extension = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN \
         CREATE EXTENSION pg_trgm; END IF; \
         EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN NULL; END $$";
    db.execute_unprepared(extension).await?;
    for table in SEARCHED {
        // Not too many rows wait outside the index, since each search looks at all that do.
        let sql = format!(
            "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_opclass WHERE opcname = 'gin_trgm_ops') \
             AND to_regclass('idx_{table}_search') IS NULL THEN \
             CREATE INDEX idx_{table}_search ON {table} USING gin (search gin_trgm_ops) \
             WITH (gin_pending_list_limit = 1024); END IF; END $$"
        );
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}
