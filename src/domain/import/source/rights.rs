//! Groups and permissions of a Django project, and who has them.

use std::collections::HashMap;

use sea_orm::QueryResult;

use super::{Source, number, quoted, readable};
use crate::error::Result;

/// A row of `auth_group`.
#[derive(Debug)]
pub struct ForeignGroup {
    pub id: i64,
    pub name: String,
}

/// A permission, by what it is of.
#[derive(Clone, Debug)]
pub struct ForeignPermission {
    pub app: String,
    pub model: String,
    pub codename: String,
}

impl Source {
    /// All of them; they are few.
    pub async fn groups(&self) -> Result<Vec<ForeignGroup>> {
        let sql =
            "SELECT CAST(t.id AS BIGINT), CAST(t.name AS TEXT) FROM auth_group t ORDER BY t.id";
        let rows = self.rows(sql, []).await?;
        let group = |row: &QueryResult| {
            Ok(ForeignGroup {
                id: number(row, 0)?.unwrap_or_default(),
                name: readable(row, 1).unwrap_or_default(),
            })
        };
        rows.iter().map(group).collect()
    }

    pub async fn permissions_of_group(&self, id: i64) -> Result<Vec<ForeignPermission>> {
        if !self.has("auth_group_permissions") {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT CAST(g.group_id AS BIGINT), {PERMISSION} FROM auth_group_permissions g \
             JOIN ({PERMISSIONS}) ON p.id = g.permission_id WHERE g.group_id = $1 ORDER BY p.id"
        );
        let rows = self.rows(&sql, [id.into()]).await?;
        Ok(rows.iter().map(permission).collect())
    }

    /// The groups of the users with these ids: above `after`, up to `last`.
    pub async fn memberships(
        &self,
        users: &str,
        after: i64,
        last: i64,
    ) -> Result<HashMap<i64, Vec<i64>>> {
        let table = format!("{users}_groups");
        let Some(user_id) = self.other_column(&table, "group_id") else {
            return Ok(HashMap::new());
        };
        let sql = format!(
            "SELECT CAST(t.{user_id} AS BIGINT), CAST(t.group_id AS BIGINT) FROM {} t \
             WHERE t.{user_id} > $1 AND t.{user_id} <= $2 ORDER BY t.group_id",
            quoted(&table)
        );
        let mut found: HashMap<i64, Vec<i64>> = HashMap::new();
        for row in self.rows(&sql, [after.into(), last.into()]).await? {
            if let (Some(user), Some(group)) = (number(&row, 0)?, number(&row, 1)?) {
                found.entry(user).or_default().push(group);
            }
        }
        Ok(found)
    }

    /// What these users have without a group.
    pub async fn permissions_of_users(
        &self,
        users: &str,
        after: i64,
        last: i64,
    ) -> Result<HashMap<i64, Vec<ForeignPermission>>> {
        let table = format!("{users}_user_permissions");
        let Some(user_id) = self.other_column(&table, "permission_id") else {
            return Ok(HashMap::new());
        };
        let sql = format!(
            "SELECT CAST(t.{user_id} AS BIGINT), {PERMISSION} FROM {} t \
             JOIN ({PERMISSIONS}) ON p.id = t.permission_id \
             WHERE t.{user_id} > $1 AND t.{user_id} <= $2 ORDER BY p.id",
            quoted(&table)
        );
        let mut found: HashMap<i64, Vec<ForeignPermission>> = HashMap::new();
        for row in self.rows(&sql, [after.into(), last.into()]).await? {
            if let Some(user) = number(&row, 0)? {
                found.entry(user).or_default().push(permission(&row));
            }
        }
        Ok(found)
    }

    /// The column that names the user: `user_id`, or after a model of the project's own.
    fn other_column(&self, table: &str, known: &str) -> Option<String> {
        let others = self.columns_beside(table, &["id"]);
        let other = others.into_iter().find(|name| *name != known);
        other.filter(|_| self.has("auth_permission")).map(quoted)
    }
}

/// After the id of whose it is.
const PERMISSION: &str =
    "CAST(c.app_label AS TEXT), CAST(c.model AS TEXT), CAST(p.codename AS TEXT)";
const PERMISSIONS: &str =
    "auth_permission p JOIN django_content_type c ON c.id = p.content_type_id";

fn permission(row: &QueryResult) -> ForeignPermission {
    let text = |at| readable(row, at).unwrap_or_default();
    ForeignPermission {
        app: text(1),
        model: text(2),
        codename: text(3),
    }
}
