//! Everybody's living sessions, a page at a time.

use std::{collections::HashMap, mem};

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Query, SimpleExpr},
};

use super::{Session, living, session};
use crate::{
    app::App,
    domain::{
        bulk,
        paging::{
            By, Count, Key, Kind, List, Order, Page, PageRequest, count_few, count_up_to, counting,
            number, page_of,
        },
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
        by: By::Column(Column::LastSeenAt),
        id: Column::Id,
        descending: true,
        kind: Kind::Number,
    };
    let key_of = |row: &Model| (Key::Number(row.last_seen_at), row.id);
    let many = are_many_named(app, filter).await?;
    let list = List {
        // Staff's are met soon among all, once they are more than are collected.
        query: matching(
            app,
            filter,
            many || (filter.staff && filter.person.is_none()),
        ),
        search: None,
        // Not counted, as each would be looked at with its person.
        total: if many {
            Some(Count { n: 0, exact: false })
        } else {
            over_many(app, filter).await?
        },
        is_filtered: true,
        is_led: false,
        few: Some(matching(app, filter, many)),
        by_age: None,
    };
    let mut page = page_of(app.db.read(), list, order, &filter.page, key_of).await?;
    let rows = with_owners(app, mem::take(&mut page.rows)).await?;
    Ok(page.with(rows))
}

/// Of everybody's sessions more than a page counts are told by the rows alone: to ask for each whether its person is still
/// let in takes ten times as long.
async fn over_many(app: &App, filter: &SessionFilter) -> Result<Option<Count>> {
    if filter.person.is_some() || filter.staff {
        return Ok(None);
    }
    let rows = seen(living(app), filter, app.now());
    let count = count_few(app.db.read(), rows, Column::Id).await?;
    Ok((!count.exact).then_some(count))
}

/// People with such a name who are still looked up before their sessions.
const NAMED: u64 = 5_000;

/// Whether so many people have such a name that their sessions are met soon among all.
async fn are_many_named(app: &App, filter: &SessionFilter) -> Result<bool> {
    let Some(text) = &filter.person else {
        return Ok(false);
    };
    let named = ids_of_people().filter(named_from(app, text)).into_query();
    let n = number(app.db.read(), &counting(named, Some(NAMED + 1))).await?;
    Ok(n > NAMED)
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
    let query = matching(app, filter, false);
    bulk::ids(app.db.read(), query, Column::Id, after, limit).await
}

pub async fn count(app: &App, filter: &SessionFilter) -> Result<Count> {
    count_up_to(app.db.read(), matching(app, filter, false), Column::Id).await
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

fn ids_of_people() -> Select<user::Entity> {
    user::Entity::find().select_only().column(user::Column::Id)
}

/// `many`: sessions are walked, and of each the person is asked for the name; else the people come first.
fn matching(app: &App, filter: &SessionFilter, many: bool) -> Select<Entity> {
    // A session that its person's new password or disabling has ended is still a row for a while.
    let mut alive = Query::select()
        .expr(Expr::cust("TRUE"))
        .from(user::Entity)
        .and_where(
            Expr::col((user::Entity, user::Column::Id)).eq(Expr::col((Entity, Column::UserId))),
        )
        .and_where(
            Expr::col((user::Entity, user::Column::Epoch)).eq(Expr::col((Entity, Column::Epoch))),
        )
        .and_where(user::Column::IsActive.eq(true))
        .to_owned();
    let mut query = living(app);
    if let Some(text) = &filter.person {
        let named = named_from(app, text);
        if many {
            alive.cond_where(named);
        } else {
            let ids = ids_of_people().filter(named).into_query();
            query = query.filter(Column::UserId.in_subquery(ids));
        }
    }
    if filter.staff && many {
        alive.and_where(
            user::Column::IsStaff
                .into_expr()
                .or(user::Column::IsSuperuser.into_expr()),
        );
    } else if filter.staff {
        // One by one, as the indexes of these people have them.
        query = query.filter(Expr::cust(if app.db.is_postgres() {
            // As an array: else all sessions are looked through for theirs.
            r#""sessions"."user_id" = ANY(ARRAY(SELECT "id" FROM "users" WHERE "is_staff" UNION ALL SELECT "id" FROM "users" WHERE "is_superuser"))"#
        } else {
            r#""sessions"."user_id" IN (SELECT "id" FROM "users" WHERE "is_staff" UNION SELECT "id" FROM "users" WHERE "is_superuser")"#
        }));
    }
    let alive = if many {
        // PostgreSQL would make one join of all sessions and all people of an EXISTS, rather than stop where the page is full.
        SimpleExpr::SubQuery(None, Box::new(alive.into()))
    } else {
        Expr::exists(alive)
    };
    seen(query.filter(alive), filter, app.now())
}

fn seen(query: Select<Entity>, filter: &SessionFilter, now: i64) -> Select<Entity> {
    let lately = now - LATELY;
    match filter.seen {
        Seen::Whenever => query,
        Seen::Lately => query.filter(Column::LastSeenAt.gte(lately)),
        Seen::NotLately => query.filter(Column::LastSeenAt.lt(lately)),
    }
}
