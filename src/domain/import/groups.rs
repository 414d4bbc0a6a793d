//! Django's groups and what they give. A group keeps its name; its permissions become ours where there is one that
//! means the same. What somebody had without a group is given by a group made for that: here rights come by
//! groups alone. Memberships come with their user, and never to one who is here already.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, EntityTrait, Set, sea_query::OnConflict as Clash};

use super::{Pass, source::ForeignPermission};
use crate::{
    checks::Affects,
    db::Change,
    domain::{
        groups::{self, Group, GroupInput},
        permissions::{Act, Permission, Permissions, Record},
        unseen::is_unseen,
    },
    entity::{group, meta, user_group},
    error::Result,
};

const NOWHERE: &str = "permissions that mean nothing here, left out";
const OWN: &str = "permissions without a group: a group is made for each such set";
const NOT_STAFF: &str =
    "groups and permissions of people who are not staff: kept, and without effect until they are";
const NOTHING: &str =
    "staff without a permission that counts here: they open the panel and can do nothing in it";

/// Somebody who is about to come, as far as rights go.
pub(super) struct Newcomer {
    pub id: i64,
    pub who: String,
    pub is_staff: bool,
    pub is_superuser: bool,
}

/// Groups by their ids in Django, and those made for permissions without a group.
#[derive(Default)]
pub(super) struct Groups {
    /// What each gives.
    gives: HashMap<i64, Permissions>,
    /// Our ids; nothing is there while nothing is written.
    ours: HashMap<i64, i64>,
    own: BTreeMap<String, Option<i64>>,
}

impl Pass<'_> {
    /// Before the users, who bring their memberships along.
    pub(super) async fn groups(&mut self) -> Result<()> {
        self.groups = Groups::default();
        if !self.source.has("auth_group") {
            return Ok(());
        }
        for foreign in self.source.groups().await? {
            self.report.groups.read += 1;
            let about = format!("group {:?}", foreign.name);
            let permissions = self.source.permissions_of_group(foreign.id).await?;
            let gives = self.translate(&about, &permissions);
            self.groups.gives.insert(foreign.id, gives);
            let mark = format!("django_group_{}", foreign.id);
            if let Some(ours) = made_for(self.app.db.read(), &mark).await? {
                self.report.groups.there += 1;
                self.groups.ours.insert(foreign.id, ours.id);
                continue;
            }
            self.report.groups.new += 1;
            if self.writes {
                let db = self.app.db.begin().await?;
                let id = self.make(&db, &mark, &foreign.name, gives).await?;
                db.commit(Affects::Everything).await?;
                self.groups.ours.insert(foreign.id, id);
            }
        }
        Ok(())
    }

    /// The memberships of those users of a batch that are new, whose ids lie after `after`.
    pub(super) async fn memberships(
        &mut self,
        db: Option<&Change>,
        newcomers: &[Newcomer],
        after: i64,
    ) -> Result<()> {
        let Some(last) = newcomers.iter().map(|new| new.id).max() else {
            return Ok(());
        };
        let users = self.wanted.users_table.clone();
        let in_groups = self.source.memberships(&users, after, last).await?;
        let own = self
            .source
            .permissions_of_users(&users, after, last)
            .await?;
        let mut rows = Vec::new();
        for new in newcomers {
            let theirs: Vec<i64> = in_groups.get(&new.id).cloned().unwrap_or_default();
            let mut gives = theirs
                .iter()
                .filter_map(|id| self.groups.gives.get(id))
                .fold(Permissions::NONE, |all, some| all.and(*some));
            let mut ours: Vec<i64> = theirs
                .iter()
                .filter_map(|id| self.groups.ours.get(id).copied())
                .collect();
            if let Some(permissions) = own.get(&new.id).filter(|_| !new.is_superuser) {
                // What a group of theirs gives already needs no other.
                let set = self.translate(&new.who, permissions).without(gives);
                if !set.is_empty() {
                    gives = gives.and(set);
                    let text = format!("{}: {}", new.who, set.in_words());
                    self.report.notices.add(OWN, text);
                    ours.extend(self.group_of_own(db, set).await?);
                }
            }
            if !new.is_superuser && new.is_staff && gives.is_empty() {
                self.report.notices.add(NOTHING, new.who.clone());
            }
            if !new.is_superuser && !new.is_staff && !gives.is_empty() {
                self.report.notices.add(NOT_STAFF, new.who.clone());
            }
            ours.sort_unstable();
            ours.dedup();
            rows.extend(ours.into_iter().map(|group_id| user_group::ActiveModel {
                user_id: Set(new.id),
                group_id: Set(group_id),
            }));
        }
        if let Some(db) = db {
            for some in rows.chunks(1000) {
                user_group::Entity::insert_many(some.to_vec())
                    .exec_without_returning(db)
                    .await?;
            }
        }
        Ok(())
    }

    /// The group for a set that somebody had without one; in a run that only looks, none.
    async fn group_of_own(&mut self, db: Option<&Change>, set: Permissions) -> Result<Option<i64>> {
        let names = set.names();
        if let Some(known) = self.groups.own.get(&names) {
            return Ok(*known);
        }
        let mark = format!("django_own {names}");
        let made = match db {
            Some(db) => made_for(db, &mark).await?,
            None => made_for(self.app.db.read(), &mark).await?,
        };
        // If somebody changed since what it gives, it is not for this set any more.
        let mut id = made
            .filter(|group| groups::permissions(group) == set)
            .map(|group| group.id);
        if id.is_none() {
            self.report.groups.new += 1;
            if let Some(db) = db {
                let name = format!("From Django: {}", set.in_words());
                id = Some(self.make(db, &mark, &name, set).await?);
            }
        }
        self.groups.own.insert(names, id);
        Ok(id)
    }

    /// The group, and the mark by which another run knows it again.
    async fn make(
        &self,
        db: &Change,
        mark: &str,
        name: &str,
        permissions: Permissions,
    ) -> Result<i64> {
        let name = free_name(db, name).await?;
        let input = GroupInput { name, permissions };
        let made = groups::insert(db, self.app, self.by, input).await?;
        let row = meta::ActiveModel {
            key: Set(mark.to_owned()),
            value: Set(made.id.to_string()),
        };
        meta::Entity::insert(row)
            .on_conflict(
                Clash::column(meta::Column::Key)
                    .update_column(meta::Column::Value)
                    .to_owned(),
            )
            .exec_without_returning(db)
            .await?;
        Ok(made.id)
    }

    /// Ours for theirs; what has none is named.
    fn translate(&mut self, about: &str, permissions: &[ForeignPermission]) -> Permissions {
        let students = self.wanted.students_table.as_deref();
        let users = self.wanted.users_table.as_str();
        let mut ours = Vec::new();
        for one in permissions {
            if let Some(permission) = one.translate(users, students) {
                ours.push(permission);
            } else {
                let text = format!("{about}: {}.{}", one.app, one.codename);
                self.report.notices.add(NOWHERE, text);
            }
        }
        Permissions::of(ours)
    }
}

impl ForeignPermission {
    fn translate(&self, users_table: &str, students_table: Option<&str>) -> Option<Permission> {
        let table = format!("{}_{}", self.app, self.model);
        let record = if table == users_table {
            Record::Users
        } else if Some(table.as_str()) == students_table {
            Record::Students
        } else if matches!(table.as_str(), "authtoken_token" | "authtoken_tokenproxy") {
            Record::Tokens
        } else {
            return None;
        };
        let of = format!("_{}", self.model);
        let act = self.codename.strip_suffix(&of)?;
        let act = Act::ALL.into_iter().find(|known| known.as_str() == act)?;
        Some(Permission::new(act, record))
    }
}

/// What an earlier run made for this, if it is still there. By name alone another group could be taken for it, and
/// give more.
async fn made_for<C: ConnectionTrait>(db: &C, mark: &str) -> Result<Option<Group>> {
    let known = meta::Entity::find_by_id(mark).one(db).await?;
    let Some(id) = known.and_then(|row| row.value.parse::<i64>().ok()) else {
        return Ok(None);
    };
    Ok(group::Entity::find_by_id(id).one(db).await?)
}

/// A name that can be kept and that nobody has. In Django, names may differ in case alone.
async fn free_name<C: ConnectionTrait>(db: &C, wanted: &str) -> Result<String> {
    let clean: String = wanted.chars().filter(|c| !is_unseen(*c)).collect();
    let clean = groups::normalized(&clean);
    let base = if clean.is_empty() {
        "From Django"
    } else {
        &clean
    };
    for n in 0..u32::MAX {
        let ending = match n {
            0 => String::new(),
            1 => " (from Django)".to_owned(),
            n => format!(" (from Django, {n})"),
        };
        let room = groups::NAME_MAX - ending.chars().count();
        let name: String = base.chars().take(room).chain(ending.chars()).collect();
        let name = groups::normalized(&name);
        if !groups::is_taken(db, &name).await? {
            return Ok(name);
        }
    }
    Ok(base.to_owned())
}
