//! What an administrator is told of somebody's way in: from where they came last, and where it is closed to them.

use sea_orm::{
    ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryOrder, QuerySelect, QueryTrait,
    RelationDef,
    sea_query::{Condition, Expr, ExprTrait},
};

use super::User;
use crate::{
    app::App,
    domain::{audit, login_pauses::LoginPause},
    entity::{
        login_pause,
        user::{Column, Entity},
    },
    error::{Error, Result},
};

#[derive(Clone, Debug, Default)]
pub struct SignInState {
    /// The address of the last sign-in that the audit log tells of.
    pub last_address: Option<String>,
    /// Those that hold now, the one that ends last first; at most ten.
    pub pauses: Vec<LoginPause>,
    /// Nobody else could make superusers.
    pub is_last_superuser: bool,
}

/// A user with it, by one question.
pub async fn get_with_sign_in(app: &App, id: i64) -> Result<(User, SignInState)> {
    let now = app.now();
    let of_user: RelationDef = Entity::belongs_to(login_pause::Entity)
        .from(Column::Id)
        .to(login_pause::Column::UserId)
        .into();
    let held = of_user.on_condition(move |_, pause| {
        let ends = Expr::col((pause, login_pause::Column::EndsAt));
        Condition::all().add(ends.gt(now))
    });
    let query = Entity::find_by_id(id)
        .join(JoinType::LeftJoin, held)
        .select_also(login_pause::Entity)
        .column_as(audit::last_sign_in_of_user(), ADDRESS)
        .column_as(Expr::cust(IS_LAST), LAST)
        .order_by_desc(login_pause::Column::EndsAt)
        .order_by_asc(login_pause::Column::Id)
        .limit(10)
        .into_query();
    let rows = app.db.read().query_all(&query).await?;
    let first = rows.first().ok_or(Error::NotFound)?;
    let user = User::from_query_result(first, "A_")?;
    let last_address = first.try_get("", ADDRESS)?;
    let mut pauses = Vec::new();
    for row in &rows {
        pauses.extend(LoginPause::from_query_result_optional(row, "B_")?);
    }
    let state = SignInState {
        last_address,
        pauses,
        is_last_superuser: first.try_get("", LAST)?,
    };
    Ok((user, state))
}

const ADDRESS: &str = "last_address";
const LAST: &str = "is_last_superuser";
/// Of others, as few are looked at as there are superusers: an index holds them alone.
const IS_LAST: &str = r#""users"."is_superuser" AND NOT EXISTS (SELECT 1 FROM "users" AS "other"
    WHERE "other"."is_superuser" AND "other"."is_active" AND "other"."id" <> "users"."id")"#;
