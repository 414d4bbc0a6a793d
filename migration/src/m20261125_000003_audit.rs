//! The audit log as a chain: each event gets its place and a hash, checkpoints are signed, and the database
//! itself refuses to change or delete what was written. Indexes for each way to look through a
//! million of them, and the figures by day that are counted from them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::column::{bytes, index, number, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// All that an event says; sealing adds `seq` and `hash`.
const CONTENT: [&str; 13] = [
    "id",
    "at",
    "actor_id",
    "actor",
    "via",
    "action",
    "object_type",
    "object_id",
    "object",
    "address",
    "request_id",
    "detail",
    "failed",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let run = async |sql: &str| m.get_connection().execute_unprepared(sql).await;
        run("ALTER TABLE audit_events ADD COLUMN failed BOOLEAN NOT NULL DEFAULT FALSE").await?;
        run("ALTER TABLE audit_events ADD COLUMN seq BIGINT").await?;
        let hash = match m.get_database_backend() {
            DbBackend::Postgres => "BYTEA",
            _ => "BLOB",
        };
        run(&format!("ALTER TABLE audit_events ADD COLUMN hash {hash}")).await?;
        run("UPDATE audit_events SET failed = TRUE \
             WHERE action IN ('user.login_failed', 'jwt.replayed')")
        .await?;
        m.create_table(
            Table::create()
                .table("audit_checkpoints")
                .col(number("seq").primary_key())
                .col(bytes("hash"))
                .col(number("at"))
                .col(bytes("signature"))
                .col(text("key_id"))
                .to_owned(),
        )
        .await?;
        m.create_table(
            Table::create()
                .table("daily_figures")
                // Unix seconds of midnight UTC.
                .col(number("day"))
                .col(text("name"))
                .col(number("n"))
                .primary_key(Index::create().col("day").col("name"))
                .to_owned(),
        )
        .await?;
        for columns in [
            &["actor", "id"],
            &["actor_id", "id"],
            &["action", "id"],
            &["object_type", "id"],
            &["failed", "id"],
        ] {
            m.create_index(index("audit_events", columns)).await?;
        }
        for sql in [
            "CREATE UNIQUE INDEX idx_audit_events_seq ON audit_events (seq) WHERE seq IS NOT NULL",
            "CREATE INDEX idx_audit_events_unsealed ON audit_events (id) WHERE seq IS NULL",
            "CREATE INDEX idx_audit_events_request ON audit_events (request_id, id) \
             WHERE request_id IS NOT NULL",
            // By name, since what was tried under a name that nobody has is told of it, too. Names of
            // people are short; those of other objects may be too long for an index.
            "CREATE INDEX idx_audit_events_person ON audit_events (object, id) \
             WHERE object_type IN ('user', 'session', 'jwt')",
        ] {
            run(sql).await?;
        }
        for sql in kept(m.get_database_backend()) {
            run(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let run = async |sql: &str| m.get_connection().execute_unprepared(sql).await;
        if m.get_database_backend() == DbBackend::Postgres {
            // With their triggers.
            run("DROP FUNCTION audit_is_kept() CASCADE").await?;
        } else {
            for name in ["sealed_once", "kept"] {
                run(&format!("DROP TRIGGER audit_events_{name}")).await?;
            }
        }
        for table in ["daily_figures", "audit_checkpoints"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        for name in [
            "actor_id",
            "actor_id_id",
            "action_id",
            "object_type_id",
            "failed_id",
            "seq",
            "unsealed",
            "request",
            "person",
        ] {
            run(&format!("DROP INDEX idx_audit_events_{name}")).await?;
        }
        for column in ["failed", "seq", "hash"] {
            run(&format!("ALTER TABLE audit_events DROP COLUMN {column}")).await?;
        }
        Ok(())
    }
}

/// Triggers: an event may be given its place once; nothing else of it changes, nothing goes.
fn kept(backend: DbBackend) -> Vec<String> {
    if backend == DbBackend::Postgres {
        let row = |name: &str| CONTENT.map(|column| format!("{name}.{column}")).join(", ");
        let mut triggers = vec![
            "CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$"
                .to_owned(),
            format!(
                "CREATE TRIGGER audit_events_sealed_once BEFORE UPDATE ON audit_events FOR EACH ROW \
                 WHEN (OLD.seq IS NOT NULL OR NEW.seq IS NULL OR ({}) IS DISTINCT FROM ({})) \
                 EXECUTE FUNCTION audit_is_kept()",
                row("NEW"),
                row("OLD")
            ),
        ];
        for (table, acts) in [
            ("audit_events", "DELETE OR TRUNCATE"),
            ("audit_checkpoints", "UPDATE OR DELETE OR TRUNCATE"),
        ] {
            triggers.push(format!(
                "CREATE TRIGGER {table}_kept BEFORE {acts} ON {table} FOR EACH STATEMENT \
                 EXECUTE FUNCTION audit_is_kept()"
            ));
        }
        return triggers;
    }
    let raise = "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END";
    let differs = CONTENT
        .map(|column| format!("NEW.{column} IS NOT OLD.{column}"))
        .join(" OR ");
    vec![
        format!(
            "CREATE TRIGGER audit_events_sealed_once BEFORE UPDATE ON audit_events \
             WHEN OLD.seq IS NOT NULL OR NEW.seq IS NULL OR {differs} {raise}"
        ),
        format!("CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events {raise}"),
        format!("CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints {raise}"),
        format!("CREATE TRIGGER audit_checkpoints_same BEFORE UPDATE ON audit_checkpoints {raise}"),
    ]
}
