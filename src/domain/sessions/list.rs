//! Everybody's living sessions, a page at a time.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Query},
};

use super::{Session, living, session};
use crate::{
    app::App,
    domain::{
        bulk,
        paging::{Count, Key, Kind, Order, Page, PageRequest, count_up_to, page},
        users::{User, named_from},
    },
    entity::{
        session::{Column, Entity, Model},
        user,
    },
    error::Result,
};

/// Who was seen so many seconds ago, or less, was seen lately.
pub const LATELY: i64 = 15 * 60;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    #[default]
    Whenever,
    Lately,
    NotLately,
}

#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// What the username begins with.
    pub person: Option<String>,
    /// Only of those who may open the panel.
    pub staff: bool,
    pub seen: Seen,
    pub page: PageRequest,
}

/// The last seen first.
pub async fn list(app: &App, filter: &SessionFilter) -> Result<Page<Session>> {
    let order = Order {
        column: Column::LastSeenAt,
        id: Column::Id,
        descending: true,
        kind: Kind::Number,
    };
    let key_of = |row: &Model| (Key::Number(row.last_seen_at), row.id);
    let query = matching(app, filter);
    let found = page(app.db.read(), query, order, &filter.page, key_of).await?;
    Ok(Page {
        rows: with_owners(app, found.rows).await?,
        next: found.next,
        previous: found.previous,
        total: found.total,
        first_index: found.first_index,
    })
}

async fn with_owners(app: &App, rows: Vec<Model>) -> Result<Vec<Session>> {
    let ids = rows.iter().map(|row| row.user_id);
    let users = user::Entity::find()
        .filter(user::Column::Id.is_in(ids))
        .all(app.db.read())
        .await?;
    let owners: HashMap<i64, User> = users.into_iter().map(|user| (user.id, user)).collect();
    // A user deleted between the two questions took the session along.
    let sessions = rows.into_iter().filter_map(|row| {
        let user = owners.get(&row.user_id)?.clone();
        Some(session(row, user))
    });
    Ok(sessions.collect())
}

/// The ids after `after` of those that the filter matches.
pub async fn ids(app: &App, filter: &SessionFilter, after: i64, limit: u64) -> Result<Vec<i64>> {
    let query = matching(app, filter);
    bulk::ids(app.db.read(), query, Column::Id, after, limit).await
}

pub async fn count(app: &App, filter: &SessionFilter) -> Result<Count> {
    count_up_to(app.db.read(), matching(app, filter), Column::Id).await
}

pub async fn newest_id(app: &App) -> Result<i64> {
    bulk::newest::<Entity, _>(app.db.read(), Column::Id).await
}

/// Those of these that there are, in the order of their ids.
pub async fn some(app: &App, ids: &[i64]) -> Result<Vec<Session>> {
    let rows = Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(Column::Id)
        .all(app.db.read())
        .await?;
    with_owners(app, rows).await
}

fn matching(app: &App, filter: &SessionFilter) -> Select<Entity> {
    let lately = app.now() - LATELY;
    // A session that its person's new password or disabling has ended is still a row for a while.
    let alive = Query::select()
        .expr(Expr::val(1))
        .from(user::Entity)
        .and_where(
            Expr::col((user::Entity, user::Column::Id)).eq(Expr::col((Entity, Column::UserId))),
        )
        .and_where(
            Expr::col((user::Entity, user::Column::Epoch)).eq(Expr::col((Entity, Column::Epoch))),
        )
        .and_where(user::Column::IsActive.eq(true))
        .to_owned();
    let mut query = living(app).filter(Expr::exists(alive));
    let ids = || user::Entity::find().select_only().column(user::Column::Id);
    if let Some(text) = &filter.person {
        let named = ids().filter(named_from(app, text)).into_query();
        query = query.filter(Column::UserId.in_subquery(named));
    }
    if filter.staff {
        // Spelled as in the indexes of these people.
        let staff = user::Column::IsStaff
            .into_expr()
            .or(user::Column::IsSuperuser.into_expr());
        query = query.filter(Column::UserId.in_subquery(ids().filter(staff).into_query()));
    }
    match filter.seen {
        Seen::Whenever => query,
        Seen::Lately => query.filter(Column::LastSeenAt.gte(lately)),
        Seen::NotLately => query.filter(Column::LastSeenAt.lt(lately)),
    }
}
