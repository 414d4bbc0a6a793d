//! Who is in which group. A membership belongs to the user: it is changed with the account, under its version, and told
//! in its history.

use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, SelectStatement},
};
use serde_json::json;

use super::{Group, change::require_superuser};
use crate::{
    app::App,
    checks::{Affects, GroupNames},
    domain::{
        actor::Actor,
        audit::{self, Event},
        one_time_links, users,
    },
    entity::{
        group::{Column, Entity},
        user_group,
    },
    error::Result,
};

/// Groups that a form offers to tick, and takes.
pub const OFFERED: usize = 200;

/// A group, and whether somebody is in it.
#[derive(Clone, Debug)]
pub struct Membership {
    pub group: Group,
    pub is_in: bool,
}

/// What becomes of somebody's groups.
#[derive(Debug, Default)]
pub struct Picked {
    join: Vec<i64>,
    leave: Vec<i64>,
    /// Their names, for the event.
    pub before: String,
    pub after: String,
}

impl Picked {
    pub fn is_nothing(&self) -> bool {
        self.join.is_empty() && self.leave.is_empty()
    }
}

/// The groups to tick, by name, and which of them this user is in.
#[derive(Clone, Debug)]
pub struct Choices {
    pub groups: Vec<Membership>,
    /// There are others.
    pub more: bool,
}

pub async fn choices(app: &App, user_id: i64) -> Result<Choices> {
    let theirs = user_group::Entity::find()
        .select_only()
        .expr(Expr::cust("1"))
        .filter(user_group::Column::UserId.eq(user_id))
        .filter(
            Expr::col((user_group::Entity, user_group::Column::GroupId))
                .equals((Entity, Column::Id)),
        )
        .into_query();
    let found: Vec<(i64, String, String, bool)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Name, Column::Permissions])
        .expr_as(Expr::exists(theirs), "is_in")
        // One's own are always among them, however many there are.
        .order_by_desc(Expr::col("is_in"))
        .order_by_asc(Column::NameKey)
        .limit(OFFERED as u64 + 1)
        .into_tuple()
        .all(app.db.read())
        .await?;
    let more = found.len() > OFFERED;
    let membership = |(id, name, permissions, is_in)| Membership {
        group: Group {
            id,
            name,
            name_key: String::new(),
            permissions,
            version: 0,
        },
        is_in,
    };
    let found = found.into_iter().take(OFFERED);
    let mut groups: Vec<Membership> = found.map(membership).collect();
    groups.sort_by_cached_key(|one| super::key(&one.group.name));
    Ok(Choices { groups, more })
}

/// Id and name of those that a filter offers, by name. Remembered: see `checks`.
pub async fn names(app: &App) -> Result<GroupNames> {
    let checks = app.db.checks();
    if let Some(names) = checks.find_groups() {
        return Ok(names);
    }
    let stamp = checks.stamp();
    let names: Vec<(i64, String)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Name])
        .order_by_asc(Column::NameKey)
        .limit(OFFERED as u64)
        .into_tuple()
        .all(app.db.read())
        .await?;
    let names = GroupNames::from(names);
    checks.keep_groups(stamp, names.clone());
    Ok(names)
}

/// The groups of a user, by name.
pub async fn of_user<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<Group>> {
    let is_theirs =
        Expr::col((user_group::Entity, user_group::Column::GroupId)).equals((Entity, Column::Id));
    let mut query = Entity::find();
    QuerySelect::query(&mut query).join(JoinType::InnerJoin, user_group::Entity, is_theirs);
    Ok(query
        .filter(user_group::Column::UserId.eq(user_id))
        .order_by_asc(Column::NameKey)
        .all(db)
        .await?)
}

/// What is to be changed, for these groups and no others to be the user's; their row is locked. Where only some were
/// `shown`, they stay in the others.
pub(crate) async fn pick<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    wanted: &[i64],
    shown: Option<&[i64]>,
) -> Result<Picked> {
    let there = of_user(db, user_id).await?;
    let mut wanted: BTreeSet<i64> = wanted.iter().copied().collect();
    if let Some(shown) = shown {
        let unseen = there.iter().filter(|group| !shown.contains(&group.id));
        wanted.extend(unseen.map(|group| group.id));
    }
    let wanted = Entity::find()
        .filter(Column::Id.is_in(wanted))
        .order_by_asc(Column::NameKey)
        .all(db)
        .await?;
    let without = |some: &[Group], others: &[Group]| {
        let ids = some.iter().map(|group| group.id);
        ids.filter(|id| others.iter().all(|other| other.id != *id))
            .collect()
    };
    Ok(Picked {
        join: without(&wanted, &there),
        leave: without(&there, &wanted),
        before: in_a_row(&there),
        after: in_a_row(&wanted),
    })
}

/// Whoever joins a group gets rights: see `one_time_links::end_passwords`.
pub(crate) async fn put<C: ConnectionTrait>(db: &C, user_id: i64, picked: &Picked) -> Result<()> {
    if !picked.leave.is_empty() {
        user_group::Entity::delete_many()
            .filter(user_group::Column::UserId.eq(user_id))
            .filter(user_group::Column::GroupId.is_in(picked.leave.iter().copied()))
            .exec(db)
            .await?;
    }
    if !picked.join.is_empty() {
        let rows = picked.join.iter().map(|group_id| user_group::ActiveModel {
            user_id: sea_orm::Set(user_id),
            group_id: sea_orm::Set(*group_id),
        });
        user_group::Entity::insert_many(rows)
            .exec_without_returning(db)
            .await?;
        one_time_links::end_passwords(db, user_id).await?;
    }
    Ok(())
}

/// Puts a user into a group. False: was in it already.
pub async fn add(app: &App, by: &Actor, group: &Group, user_id: i64) -> Result<bool> {
    step(app, by, user_id, |ids| {
        if !ids.contains(&group.id) {
            ids.push(group.id);
        }
    })
    .await
}

/// Takes a user out of a group. False: was not in it.
pub async fn remove(app: &App, by: &Actor, group: &Group, user_id: i64) -> Result<bool> {
    step(app, by, user_id, |ids| ids.retain(|id| *id != group.id)).await
}

async fn step(
    app: &App,
    by: &Actor,
    user_id: i64,
    change: impl FnOnce(&mut Vec<i64>),
) -> Result<bool> {
    require_superuser(by)?;
    let db = app.db.begin().await?;
    let user = users::get_in(&db, user_id).await?;
    let mut ids: Vec<i64> = of_user(&db, user_id)
        .await?
        .iter()
        .map(|group| group.id)
        .collect();
    change(&mut ids);
    let picked = pick(&db, user_id, &ids, None).await?;
    if picked.is_nothing() {
        return Ok(false);
    }
    put(&db, user_id, &picked).await?;
    users::touch(&db, &user).await?;
    let event = Event::new("user.changed", Some(user_id), &user.username)
        .with(json!({"groups": {"from": picked.before, "to": picked.after}}));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::User(user_id)).await?;
    Ok(true)
}

/// The ids of its members, as a query.
pub(crate) fn member_ids(group_id: i64) -> SelectStatement {
    user_group::Entity::find()
        .select_only()
        .column(user_group::Column::UserId)
        .filter(user_group::Column::GroupId.eq(group_id))
        .into_query()
}

pub(super) async fn count_in<C: ConnectionTrait>(db: &C, group_id: i64) -> Result<u64> {
    let members = user_group::Entity::find().filter(user_group::Column::GroupId.eq(group_id));
    Ok(PaginatorTrait::count(members, db).await?)
}

fn in_a_row(groups: &[Group]) -> String {
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    names.join(", ")
}
