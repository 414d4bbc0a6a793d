//! Making, changing and deleting groups. What a group gives changes what its members may do at their very next
//! request: nothing that was remembered before is believed, on any node.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, SqlErr,
};
use serde_json::{Map, Value, json};

use super::{Group, NAME_MAX, normalized, permissions};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        permissions::{Permission, Permissions},
        unseen,
    },
    entity::{
        group::{ActiveModel, Entity},
        user,
    },
    error::{Error, FieldErrors, Result},
};

/// Members that the event of a deletion names; the rest is counted.
const NAMED: u64 = 100;
const TAKEN: &str = "A group with that name already exists.";

/// A group as somebody typed it.
#[derive(Clone, Debug, Default)]
pub struct GroupInput {
    pub name: String,
    pub permissions: Permissions,
}

impl GroupInput {
    fn normalized(self) -> Self {
        Self {
            name: normalized(&self.name),
            ..self
        }
    }

    fn complaints(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if self.name.is_empty() {
            errors.push("name", "This field may not be blank.");
        }
        if let Some(complaint) = unseen::complaint(&self.name) {
            errors.push("name", complaint);
        }
        if self.name.chars().count() > NAME_MAX {
            let text = format!("Ensure this field has no more than {NAME_MAX} characters.");
            errors.push("name", text);
        }
        errors
    }
}

/// What uniqueness is judged by.
pub(super) fn key(name: &str) -> String {
    name.to_lowercase()
}

pub async fn create(app: &App, by: &Actor, input: GroupInput) -> Result<Group> {
    require_superuser(by)?;
    let input = input.normalized();
    input.complaints().into_result(|| ())?;
    let db = app.db.begin().await?;
    let group = insert(&db, app, by, input).await?;
    // Their names are remembered, too.
    db.commit(Affects::Everything).await?;
    Ok(group)
}

/// The row and its event. Whoever comes second with a name gets the field error.
pub(crate) async fn insert<C: ConnectionTrait>(
    db: &C,
    app: &App,
    by: &Actor,
    input: GroupInput,
) -> Result<Group> {
    let row = ActiveModel {
        id: NotSet,
        name_key: Set(key(&input.name)),
        name: Set(input.name),
        permissions: Set(input.permissions.names()),
        version: Set(1),
    };
    let made = Entity::insert(row).exec_with_returning(db).await;
    let group = made.map_err(taken)?;
    let event = Event::new("group.created", Some(group.id), &group.name)
        .with(json!({"permissions": spelled(input.permissions)}));
    audit::record(db, app.now(), by, event).await?;
    Ok(group)
}

/// Saves the form of a group. `version` is the one its editor saw; a stale one is a `Conflict`. Returns the names of
/// what changed, empty when nothing did.
pub async fn update(
    app: &App,
    by: &Actor,
    id: i64,
    input: GroupInput,
    version: i64,
) -> Result<Vec<&'static str>> {
    require_superuser(by)?;
    let input = input.normalized();
    let db = app.db.begin().await?;
    let group = locked(&db, id).await?;
    if group.version != version {
        return Err(Error::Conflict(
            "Somebody else saved this group meanwhile.".to_owned(),
        ));
    }
    input.complaints().into_result(|| ())?;
    let held = permissions(&group);
    let mut changed = Vec::new();
    let mut detail = Map::new();
    if group.name != input.name {
        changed.push("name");
        let change = json!({"from": group.name, "to": input.name});
        detail.insert("name".to_owned(), change);
    }
    if held != input.permissions {
        changed.push("permissions");
        let change = json!({"from": spelled(held), "to": spelled(input.permissions)});
        detail.insert("permissions".to_owned(), change);
    }
    if changed.is_empty() {
        return Ok(changed);
    }
    let mut row = group.clone().into_active_model();
    row.name_key = Set(key(&input.name));
    row.name = Set(input.name);
    row.permissions = Set(input.permissions.names());
    row.version = Set(group.version + 1);
    row.update(&db).await.map_err(taken)?;
    let event = Event::new("group.changed", Some(id), &group.name).with(Value::Object(detail));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Everything).await?;
    Ok(changed)
}

/// Deletes the group. Its members stay, without what it gave. Returns its name.
pub async fn delete(app: &App, by: &Actor, id: i64) -> Result<String> {
    require_superuser(by)?;
    let db = app.db.begin().await?;
    let group = locked(&db, id).await?;
    let members = super::members::count_in(&db, id).await?;
    let names: Vec<String> = user::Entity::find()
        .select_only()
        .column(user::Column::Username)
        .filter(user::Column::Id.in_subquery(super::member_ids(id)))
        .order_by_asc(user::Column::UsernameKey)
        .limit(NAMED)
        .into_tuple()
        .all(&db)
        .await?;
    Entity::delete_by_id(id).exec(&db).await?;
    let event = Event::new("group.deleted", Some(id), &group.name).with(json!({
        "permissions": spelled(permissions(&group)),
        "members": members,
        "members_named": names,
    }));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Everything).await?;
    Ok(group.name)
}

pub(super) fn require_superuser(by: &Actor) -> Result<()> {
    if by.is_superuser {
        Ok(())
    } else {
        Err(Error::PermissionDenied)
    }
}

/// For a change: whoever joins the group at the same moment waits, or is waited for.
async fn locked<C: ConnectionTrait>(db: &C, id: i64) -> Result<Group> {
    let group = Entity::find_by_id(id).lock_exclusive().one(db).await?;
    group.ok_or(Error::NotFound)
}

fn taken(e: sea_orm::DbErr) -> Error {
    match e.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::field("name", TAKEN),
        _ => e.into(),
    }
}

/// For people, one after the other.
fn spelled(permissions: Permissions) -> Vec<String> {
    permissions
        .iter()
        .map(|p: Permission| p.to_string())
        .collect()
}
