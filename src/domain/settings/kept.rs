//! What is stored of settings, and what counts: read at the start and after each change. What cannot be used
//! (another version wrote it) is left where it is and told of; it never keeps a server from starting.

use std::sync::Arc;

use arc_swap::ArcSwap;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};
use tokio::sync::Mutex;

use super::{
    given::Given,
    lives::{self, Lives},
    table::{PAIRED, Setting, Settings, find},
    value::Value,
};
use crate::{
    app::App,
    entity::setting::{Column, Entity, Model},
    error::Result,
};

/// What counts now, in memory.
#[derive(Debug)]
pub struct Current {
    settings: ArcSwap<Settings>,
    lives: ArcSwap<Lives>,
    /// One reading at a time: a slow one cannot put back what a later one has replaced.
    reading: Mutex<()>,
}

impl Current {
    /// Before anything was read.
    pub fn new(given: &Given) -> Self {
        Self {
            settings: ArcSwap::from_pointee(given.settings().clone()),
            lives: ArcSwap::default(),
            reading: Mutex::default(),
        }
    }

    pub fn get(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The longest life in seconds that an access token may have that is about at `now`.
    pub fn longest_access(&self, now: i64) -> i64 {
        self.lives.load().access(now, &self.settings.load())
    }

    /// Of any JWT.
    pub fn longest_jwt(&self, now: i64) -> i64 {
        let refresh = self.lives.load().refresh(now, &self.settings.load());
        refresh.max(self.longest_access(now))
    }
}

/// What is stored, and what follows from it.
#[derive(Clone, Debug)]
pub struct Kept {
    pub settings: Settings,
    /// Also those that something else fixes.
    pub stored: Vec<(&'static Setting, Value)>,
    pub ignored: Vec<Ignored>,
}

/// A stored row that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    pub name: String,
    pub value: String,
    pub why: String,
}

impl Kept {
    pub fn of(&self, setting: &Setting) -> Option<&Value> {
        let mut stored = self.stored.iter();
        stored
            .find(|(one, _)| *one == setting)
            .map(|(_, value)| value)
    }

    pub(super) fn is_ignored(&self, setting: &Setting) -> bool {
        self.ignored.iter().any(|one| one.name == setting.name)
    }
}

/// Reads what is stored and lets it count. Returns what it found.
pub async fn load(app: &App) -> Result<Kept> {
    let _alone = app.settings.reading.lock().await;
    let kept = kept(app).await?;
    let lives = lives::read(app.db.read()).await?;
    app.settings.lives.store(Arc::new(lives));
    app.settings.settings.store(Arc::new(kept.settings.clone()));
    Ok(kept)
}

/// What is stored. Reads only.
pub async fn kept(app: &App) -> Result<Kept> {
    kept_in(app.db.read(), &app.config.given).await
}

pub(super) async fn kept_in<C: ConnectionTrait>(db: &C, given: &Given) -> Result<Kept> {
    let rows = Entity::find().order_by_asc(Column::Name).all(db).await?;
    Ok(judge(given, rows))
}

fn judge(given: &Given, rows: Vec<Model>) -> Kept {
    let mut kept = Kept {
        settings: given.settings().clone(),
        stored: Vec::new(),
        ignored: Vec::new(),
    };
    for Model { name, value, .. } in rows {
        let known = find(&name).ok_or_else(|| "there is no such setting".to_owned());
        match known.and_then(|setting| Ok((setting, setting.kind.read(&value)?))) {
            Ok((setting, value)) => {
                if given.by(setting).is_none() {
                    setting.set(&mut kept.settings, value.clone());
                }
                kept.stored.push((setting, value));
            }
            Err(why) => kept.ignored.push(Ignored { name, value, why }),
        }
    }
    leave_out_discord(given, &mut kept);
    kept
}

/// What was stored under another environment may not go together with this one. What is given does:
/// that is judged at the start.
fn leave_out_discord(given: &Given, kept: &mut Kept) {
    for setting in PAIRED.iter().filter_map(|name| find(name)) {
        let Some((_, why)) = kept.settings.discord() else {
            return;
        };
        let at = kept.stored.iter().position(|(one, _)| *one == setting);
        if let Some(at) = at.filter(|_| given.by(setting).is_none()) {
            let (_, value) = kept.stored.remove(at);
            setting.set(&mut kept.settings, setting.of(given.settings()));
            kept.ignored.push(Ignored {
                name: setting.name.to_owned(),
                value: value.to_string(),
                why: why.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::By, *};

    fn rows(pairs: &[(&str, &str)]) -> Vec<Model> {
        let row = |(name, value): &(&str, &str)| Model {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            changed_at: 0,
        };
        pairs.iter().map(row).collect()
    }

    fn names(kept: &Kept) -> Vec<&str> {
        kept.ignored.iter().map(|one| one.name.as_str()).collect()
    }

    #[test]
    fn what_another_version_stored_is_left_out_and_told_of() {
        let kept = judge(
            &Given::default(),
            rows(&[
                ("login_tries", "1000"),
                ("session_lifetime", "soon"),
                ("colour_of_the_shed", "green"),
                ("contact", "Room 12"),
            ]),
        );
        let expected = Settings {
            contact: "Room 12".to_owned(),
            ..Settings::default()
        };
        assert_eq!(kept.settings, expected);
        assert_eq!(
            names(&kept),
            ["login_tries", "session_lifetime", "colour_of_the_shed"]
        );
    }

    #[test]
    fn what_no_longer_goes_together_is_left_out() {
        let access = find("jwt_access_lifetime").unwrap();
        let mut given = Given::default();
        given.fix(access, Value::Number(7200), By::Environment("X".to_owned()));
        let kept = judge(&given, rows(&[("jwt_refresh_lifetime", "3600")]));
        assert_eq!(kept.settings.jwt_refresh_lifetime, 86_400);
        assert_eq!(names(&kept), ["jwt_refresh_lifetime"]);

        let both = [
            ("jwt_access_lifetime", "172800"),
            ("jwt_refresh_lifetime", "86401"),
        ];
        let kept = judge(&Given::default(), rows(&both));
        assert_eq!(kept.settings, Settings::default());
        assert_eq!(
            names(&kept),
            ["jwt_refresh_lifetime", "jwt_access_lifetime"]
        );
    }

    #[test]
    fn what_is_fixed_counts_and_what_is_stored_waits() {
        let tries = find("login_tries").unwrap();
        let mut given = Given::default();
        given.fix(tries, Value::Number(5), By::File("Rocket.toml".to_owned()));
        let kept = judge(&given, rows(&[("login_tries", "20")]));
        assert_eq!(kept.settings.login_tries, 5);
        assert_eq!(kept.of(tries), Some(&Value::Number(20)));
        assert!(kept.ignored.is_empty());
    }
}
