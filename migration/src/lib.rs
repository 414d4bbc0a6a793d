//! The schema's history. Each migration is a photograph: names as text, nothing of the application
//! in sight, frozen once released. Times are Unix seconds (BIGINT): both databases compare them
//! alike, and text in SQLite would not.

pub use sea_orm_migration::prelude::*;

mod m20261123_000001_accounts;
mod m20261123_000002_credentials;
mod m20261123_000003_records;
mod m20261124_000001_token_uses;
mod m20261124_000002_signing_keys;
mod m20261124_000003_deleted_families;
mod m20261125_000002_session_lists;
mod m20261125_000003_audit;
mod m20261125_000004_login_pauses;
mod m20261125_000005_refusals;
mod m20261125_000006_mail_and_settings;
mod m20261125_000007_search;
mod m20261125_000008_student_versions;
mod m20261126_000001_groups;
mod m20261126_000003_filters;
mod m20261127_000002_wide_indexes;
mod m20261127_000003_led_lists;
mod m20261127_000004_token_orders;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_accounts::Migration),
            Box::new(m20261123_000002_credentials::Migration),
            Box::new(m20261123_000003_records::Migration),
            Box::new(m20261124_000001_token_uses::Migration),
            Box::new(m20261124_000002_signing_keys::Migration),
            Box::new(m20261124_000003_deleted_families::Migration),
            Box::new(m20261125_000002_session_lists::Migration),
            Box::new(m20261125_000003_audit::Migration),
            Box::new(m20261125_000004_login_pauses::Migration),
            Box::new(m20261125_000005_refusals::Migration),
            Box::new(m20261125_000006_mail_and_settings::Migration),
            Box::new(m20261125_000007_search::Migration),
            Box::new(m20261125_000008_student_versions::Migration),
            Box::new(m20261126_000001_groups::Migration),
            Box::new(m20261126_000003_filters::Migration),
            Box::new(m20261127_000002_wide_indexes::Migration),
            Box::new(m20261127_000003_led_lists::Migration),
            Box::new(m20261127_000004_token_orders::Migration),
        ]
    }
}

/// Makes the indexes of what is searched where PostgreSQL had no extension for it at the time of the migration.
pub async fn index_searches<C: sea_orm::ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    m20261125_000007_search::postgres(db).await?;
    m20261127_000003_led_lists::disabled_search(db).await
}

/// Columns that every table of ours spells the same way.
mod column {
    use sea_orm_migration::prelude::*;

    pub(crate) fn id() -> ColumnDef {
        ColumnDef::new("id")
            .big_integer()
            .not_null()
            .auto_increment()
            .primary_key()
            .take()
    }

    pub(crate) fn text(name: &'static str) -> ColumnDef {
        ColumnDef::new(name).text().not_null().take()
    }

    pub(crate) fn maybe_text(name: &'static str) -> ColumnDef {
        ColumnDef::new(name).text().null().take()
    }

    pub(crate) fn number(name: &'static str) -> ColumnDef {
        ColumnDef::new(name).big_integer().not_null().take()
    }

    pub(crate) fn maybe_number(name: &'static str) -> ColumnDef {
        ColumnDef::new(name).big_integer().null().take()
    }

    pub(crate) fn flag(name: &'static str) -> ColumnDef {
        ColumnDef::new(name).boolean().not_null().take()
    }

    pub(crate) fn bytes(name: &'static str) -> ColumnDef {
        ColumnDef::new(name).blob().not_null().take()
    }

    pub(crate) fn maybe_bytes(name: &'static str) -> ColumnDef {
        ColumnDef::new(name).blob().null().take()
    }

    /// Goes with its user.
    pub(crate) fn of_user(table: &'static str) -> ForeignKeyCreateStatement {
        ForeignKey::create()
            .name(format!("fk_{table}_user"))
            .from(table, "user_id")
            .to("users", "id")
            .on_delete(ForeignKeyAction::Cascade)
            .take()
    }

    pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
        let mut index = Index::create();
        index
            .name(format!("idx_{table}_{}", columns.join("_")))
            .table(table);
        for column in columns {
            index.col(*column);
        }
        index
    }

    pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
        index(table, columns).unique().take()
    }
}
