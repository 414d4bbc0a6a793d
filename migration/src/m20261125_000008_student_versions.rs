//! A number by which two people who edit one student notice each other, and a place where a file of students
//! waits for its preview to be confirmed.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, index, number};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(
            Table::alter()
                .table("students")
                .add_column(number("version").default(1))
                .to_owned(),
        )
        .await?;
        m.create_table(
            Table::create()
                .table("student_uploads")
                .col(id())
                .col(number("session_id"))
                .col(bytes("sealed"))
                .col(number("expires_at"))
                .to_owned(),
        )
        .await?;
        m.create_index(index("student_uploads", &["expires_at"]))
            .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("student_uploads").to_owned())
            .await?;
        m.alter_table(
            Table::alter()
                .table("students")
                .drop_column("version")
                .to_owned(),
        )
        .await
    }
}
