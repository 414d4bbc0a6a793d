//! Groups: what staff may do. Somebody has what any of the own groups gives; only superusers manage groups and say
//! who is in which, so that nobody gives rights to oneself. Changing them is in `change`, who is in them in
//! `members`; how what they give comes to each request is `users/entitled`.

mod change;
mod members;

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, Query, SimpleExpr},
};
use unicode_normalization::UnicodeNormalization;

pub use change::{GroupInput, create, delete, update};
pub use members::{Choices, Membership, OFFERED, Picked, add, choices, names, of_user, remove};

pub(crate) use change::insert;
pub(crate) use members::{member_ids, pick, put};

use change::key;

pub use crate::entity::group::Model as Group;
use crate::{
    app::App,
    domain::{
        paging::{By, Count, EXACT, Key, Kind, Order, Page, PageRequest, counting, page},
        permissions::Permissions,
    },
    entity::{
        group::{Column, Entity},
        user_group,
    },
    error::{Error, Result},
};

/// Characters.
pub const NAME_MAX: usize = 150;

#[derive(Debug)]
pub struct GroupRow {
    pub group: Group,
    pub members: Count,
}

/// What its members may do.
pub fn permissions(group: &Group) -> Permissions {
    Permissions::read(&group.permissions)
}

pub async fn list(app: &App, request: &PageRequest) -> Result<Page<GroupRow>> {
    let order = Order {
        by: By::Column(Column::NameKey),
        id: Column::Id,
        descending: false,
        kind: Kind::Text,
    };
    let key_of = |group: &Group| (Key::Text(group.name_key.clone()), group.id);
    let found = page(app.db.read(), Entity::find(), order, request, key_of).await?;
    let ids: Vec<i64> = found.rows.iter().map(|group| group.id).collect();
    let members = count_members(app, &ids).await?;
    Ok(found.map(|group| GroupRow {
        members: members
            .get(&group.id)
            .copied()
            .unwrap_or(Count { n: 0, exact: true }),
        group,
    }))
}

pub async fn get(app: &App, id: i64) -> Result<Group> {
    let group = Entity::find_by_id(id).one(app.db.read()).await?;
    group.ok_or(Error::NotFound)
}

pub async fn get_with_members(app: &App, id: i64) -> Result<GroupRow> {
    let group = get(app, id).await?;
    let members = count_members(app, &[id]).await?;
    let members = members.get(&id).copied();
    Ok(GroupRow {
        group,
        members: members.unwrap_or(Count { n: 0, exact: true }),
    })
}

pub async fn find_by_name(app: &App, name: &str) -> Result<Option<Group>> {
    named(app.db.read(), &normalized(name)).await
}

pub(crate) async fn is_taken<C: ConnectionTrait>(db: &C, name: &str) -> Result<bool> {
    Ok(named(db, name).await?.is_some())
}

async fn named<C: ConnectionTrait>(db: &C, name: &str) -> Result<Option<Group>> {
    // PostgreSQL takes no such text, and no name has it.
    if name.contains('\0') {
        return Ok(None);
    }
    Ok(Entity::find()
        .filter(Column::NameKey.eq(key(name)))
        .one(db)
        .await?)
}

/// All of them, for the command line.
pub async fn all(app: &App) -> Result<Vec<GroupRow>> {
    let groups = Entity::find()
        .order_by_asc(Column::NameKey)
        .all(app.db.read())
        .await?;
    let mut rows = Vec::new();
    for some in groups.chunks(100) {
        let ids: Vec<i64> = some.iter().map(|group| group.id).collect();
        let members = count_members(app, &ids).await?;
        rows.extend(some.iter().map(|group| {
            GroupRow {
                members: members
                    .get(&group.id)
                    .copied()
                    .unwrap_or(Count { n: 0, exact: true }),
                group: group.clone(),
            }
        }));
    }
    Ok(rows)
}

/// By group, in one statement; of each at most as many as are counted exactly.
async fn count_members(app: &App, ids: &[i64]) -> Result<HashMap<i64, Count>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let of_one = |id: i64| {
        let members = Query::select()
            .expr(Expr::cust("1"))
            .from(user_group::Entity)
            .and_where(user_group::Column::GroupId.eq(id))
            .to_owned();
        let count = counting(members, Some(EXACT + 1));
        SimpleExpr::SubQuery(None, Box::new(count.into()))
    };
    let query = Query::select()
        .exprs(ids.iter().copied().map(of_one))
        .to_owned();
    let Some(row) = app.db.read().query_one(&query).await? else {
        return Ok(HashMap::new());
    };
    let count = |(at, id): (usize, &i64)| {
        let n = u64::try_from(row.try_get_by_index::<i64>(at)?).unwrap_or(0);
        Ok((
            *id,
            Count {
                n: n.min(EXACT),
                exact: n <= EXACT,
            },
        ))
    };
    ids.iter().enumerate().map(count).collect()
}

/// As names of users: compatibility forms are one name.
pub(crate) fn normalized(name: &str) -> String {
    // Far beyond any name: it will be refused for its length, at no cost before.
    if name.len() > 8 * NAME_MAX {
        return name.to_owned();
    }
    name.nfkc()
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
