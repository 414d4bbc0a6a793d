//! Groups: what staff may do. Until now all staff that are no superusers could do everything that staff can; they keep
//! that by a group of their own.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

use crate::column::{id, index, number, of_user, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// All that staff could do, as the table spells it.
const ALL: &str = "view_users add_users change_users delete_users \
                   view_tokens add_tokens change_tokens delete_tokens view_sessions delete_sessions \
                   view_students add_students change_students delete_students view_audit";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("groups")
                .col(id())
                .col(text("name"))
                // What uniqueness is judged by: the lower case of the normalised name.
                .col(text("name_key"))
                // Names such as `view_users`, separated by blanks.
                .col(text("permissions"))
                .col(number("version"))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("groups", &["name_key"])).await?;
        m.create_table(
            Table::create()
                .table("user_groups")
                .col(number("user_id"))
                .col(number("group_id"))
                .primary_key(Index::create().col("user_id").col("group_id"))
                .foreign_key(&mut of_user("user_groups"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_user_groups_group")
                        .from("user_groups", "group_id")
                        .to("groups", "id")
                        .on_delete(ForeignKeyAction::Cascade),
                )
                .to_owned(),
        )
        .await?;
        m.create_index(index("user_groups", &["group_id"])).await?;
        let db = m.get_connection();
        let group = format!(
            "INSERT INTO groups (name, name_key, permissions, version) SELECT 'Staff', 'staff', '{ALL}', 1 \
             WHERE EXISTS (SELECT 1 FROM users WHERE is_staff AND NOT is_superuser)"
        );
        db.execute_unprepared(&group).await?;
        db.execute_unprepared(
            "INSERT INTO user_groups (user_id, group_id) SELECT users.id, groups.id FROM users, groups \
             WHERE users.is_staff AND NOT users.is_superuser",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["user_groups", "groups"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
