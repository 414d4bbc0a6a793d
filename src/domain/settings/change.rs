//! Changing settings: several at once, all or none, with one event.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::OnConflict,
};
use serde_json::{Map, Value as Json, json};

use super::{
    kept::{self, Ignored, Kept},
    lives,
    table::Setting,
    value::Value,
};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        installation,
    },
    entity::setting::{ActiveModel, Column, Entity},
    error::{Error, FieldErrors, Result},
};

/// What somebody wants a setting to be; its default takes the row away.
#[derive(Clone, Debug)]
pub struct Wish {
    pub setting: &'static Setting,
    pub value: Value,
    /// What they saw before: another one is a `Conflict`. None: it does not matter.
    pub seen: Option<Value>,
}

/// What became of a setting, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub name: String,
    pub label: String,
    pub from: String,
    pub to: String,
}

/// Changes what differs from what is; `Validation` by the names of settings. Returns what changed.
pub async fn change(app: &App, by: &Actor, wishes: &[Wish]) -> Result<Vec<Changed>> {
    require_superuser(by)?;
    let mut errors = FieldErrors::default();
    for Wish { setting, value, .. } in wishes {
        if let Some(by) = app.config.given.by(setting) {
            errors.push(setting.name, format!("{by} fixes it; change it there."));
        } else if let Some(problem) = setting.kind.complaint(value) {
            errors.push(setting.name, format!("{problem}."));
        }
    }
    errors.into_result(|| ())?;
    let db = app.db.begin().await?;
    installation::lock(&db, "settings").await?;
    let before = kept::kept_in(&db, &app.config.given).await?;
    let mut after = before.settings.clone();
    let mut changed = Vec::new();
    for wish in wishes {
        let Wish { setting, value, .. } = wish;
        let now = setting.of(&before.settings);
        let is_same = now == *value;
        if is_same && !before.is_ignored(setting) {
            continue;
        }
        if !is_same && wish.seen.as_ref().is_some_and(|seen| *seen != now) {
            return Err(Error::Conflict(
                "Somebody else changed the same meanwhile.".to_owned(),
            ));
        }
        setting.set(&mut after, value.clone());
        write(&db, setting, value, app.now()).await?;
        changed.push(told(&before, setting, value));
    }
    if let Some((name, problem)) = after.discord() {
        return Err(Error::field(name, format!("It {problem}.")));
    }
    lives::note(&db, app.now(), &before.settings, &after).await?;
    record_and_commit(app, by, db, changed).await
}

/// Everything to its default, rows that this version cannot read included. Returns what changed.
pub async fn reset_all(app: &App, by: &Actor) -> Result<Vec<Changed>> {
    require_superuser(by)?;
    let db = app.db.begin().await?;
    installation::lock(&db, "settings").await?;
    let before = kept::kept_in(&db, &app.config.given).await?;
    let stored = before.stored.iter();
    let mut changed: Vec<Changed> = stored
        .map(|(setting, value)| Changed {
            from: setting.kind.in_words(value),
            ..told(&before, setting, &setting.default())
        })
        .collect();
    changed.extend(before.ignored.iter().map(dropped));
    Entity::delete_many().exec(&db).await?;
    let after = app.config.given.settings();
    lives::note(&db, app.now(), &before.settings, after).await?;
    record_and_commit(app, by, db, changed).await
}

async fn record_and_commit(
    app: &App,
    by: &Actor,
    db: crate::db::Change,
    changed: Vec<Changed>,
) -> Result<Vec<Changed>> {
    if changed.is_empty() {
        return Ok(changed);
    }
    let names: Vec<&str> = changed.iter().map(|one| one.name.as_str()).collect();
    let detail: Map<String, Json> = changed
        .iter()
        .map(|one| (one.name.clone(), json!({"from": one.from, "to": one.to})))
        .collect();
    let names = names.join(", ");
    let event = Event::new("setting.changed", None, &names).with(Json::Object(detail));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::Settings).await?;
    // It is done, whoever hears of it when.
    if let Err(e) = kept::load(app).await {
        tracing::warn!(error = %e, "settings were changed and cannot be read yet");
    }
    Ok(changed)
}

async fn write<C: ConnectionTrait>(
    db: &C,
    setting: &Setting,
    value: &Value,
    now: i64,
) -> Result<()> {
    if *value == setting.default() {
        let row = Entity::delete_many().filter(Column::Name.eq(setting.name));
        row.exec(db).await?;
        return Ok(());
    }
    let row = ActiveModel {
        name: Set(setting.name.to_owned()),
        value: Set(value.to_string()),
        changed_at: Set(now),
    };
    let again = OnConflict::column(Column::Name)
        .update_columns([Column::Value, Column::ChangedAt])
        .to_owned();
    Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

fn told(before: &Kept, setting: &Setting, to: &Value) -> Changed {
    let ignored = before.ignored.iter().find(|row| row.name == setting.name);
    Changed {
        name: setting.name.to_owned(),
        label: setting.label.to_owned(),
        from: match ignored {
            Some(row) => row.value.clone(),
            None => setting.kind.in_words(&setting.of(&before.settings)),
        },
        to: setting.kind.in_words(to),
    }
}

fn dropped(row: &Ignored) -> Changed {
    Changed {
        name: row.name.clone(),
        label: row.name.clone(),
        from: row.value.clone(),
        to: String::new(),
    }
}

fn require_superuser(by: &Actor) -> Result<()> {
    if by.is_superuser {
        Ok(())
    } else {
        Err(Error::PermissionDenied)
    }
}
