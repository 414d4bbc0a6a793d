//! Which token followed one that was rotated. The audit log says so: it is asked in the question that asks for the
//! tokens, and only about those that have an end, as every rotated one has.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    QueryTrait,
    sea_query::{Expr, SimpleExpr},
};
use serde_json::Value;

use super::{Token, key};
use crate::{
    app::App,
    entity::token::{Column, Entity},
    error::Result,
};

pub(super) const ROTATION: &str = "rotation";

/// What the audit log says of the rotation of a row's token, as text; nothing if it was not rotated.
pub(super) fn rotation() -> SimpleExpr {
    Expr::cust(
        r#"CASE WHEN "tokens"."expires_at" IS NOT NULL OR "tokens"."revoked_at" IS NOT NULL THEN
        (SELECT "e"."detail" FROM "audit_events" AS "e" WHERE "e"."object_type" = 'token'
        AND "e"."object_id" = "tokens"."id" AND "e"."action" = 'token.rotated'
        ORDER BY "e"."id" DESC LIMIT 1) END"#,
    )
}

/// The id in it.
pub(super) fn successor(row: &QueryResult) -> Result<Option<i64>> {
    let told: Option<String> = row.try_get("", ROTATION)?;
    let told = told.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    Ok(told.and_then(|detail| detail["successor"].as_i64()))
}

/// Whether it was the default one of its owner until it was rotated: only those have a key without the beginning of
/// named ones.
pub fn was_default(token: &Token) -> bool {
    !token.is_default && !token.prefix.starts_with(key::PREFIX)
}

/// For each of these that was rotated: the id of the token that followed it.
pub async fn successors(app: &App, tokens: &[Token]) -> Result<HashMap<i64, i64>> {
    let ended = tokens
        .iter()
        .filter(|token| token.expires_at.is_some() || token.revoked_at.is_some());
    let ids: Vec<i64> = ended.map(|token| token.id).collect();
    let mut found = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let query = Entity::find()
        .select_only()
        .column(Column::Id)
        .column_as(rotation(), ROTATION)
        .filter(Column::Id.is_in(ids))
        .order_by_asc(Column::Id)
        .into_query();
    for row in app.db.read().query_all(&query).await? {
        if let Some(next) = successor(&row)? {
            found.insert(row.try_get("", "id")?, next);
        }
    }
    Ok(found)
}
