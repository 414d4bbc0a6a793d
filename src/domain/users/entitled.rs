//! Somebody with what they may do, loaded in the statement that leads to them: who a session or a token belongs to
//! is asked at nearly every request, and what groups give must not cost a question more.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, Iterable, QueryFilter,
    QueryResult, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, IntoColumnRef, SelectStatement},
};

use super::User;
use crate::{
    app::App,
    domain::permissions::Permissions,
    entity::user::{Column, Entity},
    error::Result,
};

/// A user, and what groups give. Superusers need none.
#[derive(Clone, Debug)]
pub struct Entitled {
    pub user: User,
    pub permissions: Permissions,
}

/// Before the names of the columns of the user.
const OF_USER: &str = "u_";
const HELD: &str = "u_held";

/// What the groups of a user give, all in one text. Only staff is looked up: groups give nothing to others.
const HOLDS: &str = r#"CASE WHEN "users"."is_staff" THEN (SELECT string_agg("groups"."permissions", ' ')
    FROM "user_groups" JOIN "groups" ON "groups"."id" = "user_groups"."group_id"
    WHERE "user_groups"."user_id" = "users"."id") END"#;

impl Entitled {
    /// Adds the user whose id is in this column to a query.
    pub(crate) fn join(query: &mut SelectStatement, user_id: impl IntoColumnRef) {
        let is_theirs = Expr::col((Entity, Column::Id)).eq(Expr::col(user_id));
        query.inner_join(Entity, is_theirs);
        Self::select(query);
    }

    fn select(query: &mut SelectStatement) {
        for column in Column::iter() {
            let name = Alias::new(format!("{OF_USER}{}", column.as_str()));
            query.expr_as(Expr::col((Entity, column)), name);
        }
        query.expr_as(Expr::cust(HOLDS), Alias::new(HELD));
    }

    pub(crate) fn read(row: &QueryResult) -> Result<Self> {
        let held: Option<String> = row.try_get("", HELD)?;
        Ok(Self {
            user: User::from_query_result(row, OF_USER)?,
            permissions: Permissions::read(&held.unwrap_or_default()),
        })
    }
}

pub async fn find_entitled(app: &App, id: i64) -> Result<Option<Entitled>> {
    let mut query = Entity::find()
        .select_only()
        .filter(Column::Id.eq(id))
        .into_query();
    Entitled::select(&mut query);
    let row = app.db.read().query_one(&query).await?;
    row.as_ref().map(Entitled::read).transpose()
}
