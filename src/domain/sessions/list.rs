//! Everybody's living sessions, a page at a time.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Query},
};

use super::{Session, living, session};
use crate::{
    app::App,
    domain::{
        paging::{Key, Kind, Order, Page, PageRequest, page, starting_with},
        users::{User, username_key},
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
    let owners = owners(app, &found.rows).await?;
    Ok(Page {
        // A user deleted between the two questions took the session along.
        rows: found
            .rows
            .into_iter()
            .filter_map(|row| {
                let user = owners.get(&row.user_id)?.clone();
                Some(session(row, user))
            })
            .collect(),
        next: found.next,
        previous: found.previous,
        total: found.total,
        first_index: found.first_index,
    })
}

async fn owners(app: &App, rows: &[Model]) -> Result<HashMap<i64, User>> {
    let ids = rows.iter().map(|row| row.user_id);
    let users = user::Entity::find()
        .filter(user::Column::Id.is_in(ids))
        .all(app.db.read())
        .await?;
    Ok(users.into_iter().map(|user| (user.id, user)).collect())
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
        let named = user::Column::UsernameKey.like(starting_with(&username_key(text)));
        query = query.filter(Column::UserId.in_subquery(ids().filter(named).into_query()));
    }
    if filter.staff {
        let staff = user::Column::IsStaff
            .eq(true)
            .or(user::Column::IsSuperuser.eq(true));
        query = query.filter(Column::UserId.in_subquery(ids().filter(staff).into_query()));
    }
    match filter.seen {
        Seen::Whenever => query,
        Seen::Lately => query.filter(Column::LastSeenAt.gte(lately)),
        Seen::NotLately => query.filter(Column::LastSeenAt.lt(lately)),
    }
}
