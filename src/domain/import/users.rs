//! Users: which can be taken over as they are, and their rows.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{
    ID_MAX, OnConflict, Pass, Report,
    groups::Newcomer,
    source::{ForeignUser, Texts},
};
use crate::{
    checks::Affects,
    domain::{
        search,
        users::{USERNAME_MAX, User, is_email, normalize_username, username_key},
    },
    entity::user::{Column, Entity},
    error::{Error, Result},
};

/// What is taken over of the table.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "username",
    "email",
    "first_name",
    "last_name",
    "password",
    "is_active",
    "is_staff",
    "is_superuser",
    "last_login",
    "date_joined",
];
/// Characters of a first or last name.
const NAME_MAX: usize = 150;
/// Characters of an e-mail address (RFC 5321).
const EMAIL_MAX: usize = 254;
/// Bytes of a password string; Django's column holds 128 characters.
const PASSWORD_MAX: usize = 1024;

/// Which names were met, in 16 bytes each: a million users must not cost a million strings. Equal
/// digests are looked at by name afterwards.
struct Names {
    hasher: RandomState,
    met: Vec<(u64, i64)>,
}

impl Names {
    fn note(&mut self, key: &str, id: i64) {
        self.met.push((self.hasher.hash_one(key), id));
    }

    /// For each name met more than once, its ids; the oldest account first.
    fn shared(mut self) -> Vec<Vec<i64>> {
        self.met.sort_unstable();
        self.met
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > 1)
            .map(|group| group.iter().map(|(_, id)| *id).collect())
            .collect()
    }
}

/// What is there already, of one batch.
struct There {
    by_id: HashMap<i64, User>,
    by_key: HashMap<String, (i64, String)>,
}

enum Verdict {
    New(Box<User>),
    There,
    Conflict(&'static str, String),
}

impl Pass<'_> {
    pub(super) async fn users(&mut self) -> Result<()> {
        let table = &self.wanted.users_table;
        let all = self.source.count(table).await?;
        let mut names = Names {
            hasher: RandomState::new(),
            met: Vec::with_capacity(usize::try_from(all).unwrap_or_default().min(100_000_000)),
        };
        // Ids below one are reported, too.
        let mut after = i64::MIN;
        loop {
            let batch = self.source.users(table, after).await?;
            let Some(last) = batch.last().map(|row| row.id) else {
                break;
            };
            self.user_batch(batch, after, &mut names).await?;
            after = last;
            (self.progress)("users", self.report.users.read, all);
        }
        if !self.writes {
            self.shared_names(names).await?;
        }
        Ok(())
    }

    async fn user_batch(
        &mut self,
        batch: Vec<ForeignUser>,
        after: i64,
        names: &mut Names,
    ) -> Result<()> {
        self.report.users.read += batch.len() as u64;
        let db = if self.writes {
            Some(self.app.db.begin().await?)
        } else {
            None
        };
        let mut there = match &db {
            Some(db) => there(db, &batch).await?,
            None => there(self.app.db.read(), &batch).await?,
        };
        let mut new = Vec::new();
        let mut newcomers = Vec::new();
        for row in batch {
            let id = row.id;
            if self.left_out.contains(&id) {
                self.report.users.left_out += 1;
                continue;
            }
            match judge(row, &there, self.app.now(), &mut self.report) {
                Verdict::Conflict(_, text)
                    if self.writes && self.wanted.on_conflict == OnConflict::Abort =>
                {
                    return Err(Error::Conflict(format!("{text} (since the check)")));
                }
                Verdict::Conflict(kind, text) => {
                    self.report.conflicts.add(kind, text);
                    self.report.users.left_out += 1;
                    self.left_out.insert(id);
                }
                Verdict::There => self.report.users.there += 1,
                Verdict::New(user) => {
                    self.last_user = self.last_user.max(id);
                    self.report.users.new += 1;
                    newcomers.push(Newcomer {
                        id,
                        who: format!("user {id} {:?}", user.username),
                        is_staff: user.is_staff,
                        is_superuser: user.is_superuser,
                    });
                    if self.writes {
                        let name = (id, user.username.clone());
                        there.by_key.insert(user.username_key.clone(), name);
                        new.push(user.into_active_model());
                    } else {
                        names.note(&user.username_key, id);
                    }
                }
            }
        }
        if let Some(db) = db.as_ref().filter(|_| !new.is_empty()) {
            Entity::insert_many(new).exec_without_returning(db).await?;
        }
        self.memberships(db.as_ref(), &newcomers, after).await?;
        self.finish(db, Affects::Nobody).await
    }

    /// Accounts whose names are one here: the oldest stays.
    async fn shared_names(&mut self, names: Names) -> Result<()> {
        for ids in names.shared() {
            let mut first: HashMap<String, (i64, String)> = HashMap::new();
            for id in ids {
                let batch = self.source.users(&self.wanted.users_table, id - 1).await?;
                let row = batch.into_iter().find(|row| row.id == id);
                let Some(username) = row.and_then(|row| row.texts).map(|texts| texts.username)
                else {
                    continue;
                };
                let key = username_key(&normalize_username(&username));
                if let Some((other, name)) = first.get(&key) {
                    let text = taken(id, &username, *other, name);
                    self.report.conflicts.add(SAME_NAME, text);
                    self.report.users.new -= 1;
                    self.report.users.left_out += 1;
                    self.left_out.insert(id);
                } else {
                    first.insert(key, (id, username));
                }
            }
        }
        Ok(())
    }
}

const SAME_NAME: &str = "names that are one here (case and compatibility forms do not count)";

fn taken(id: i64, username: &str, other: i64, name: &str) -> String {
    format!("user {id} {username:?}: its name is that of user {other} {name:?}")
}

async fn there<C: ConnectionTrait>(db: &C, batch: &[ForeignUser]) -> Result<There> {
    let ids = batch.iter().map(|row| row.id);
    let by_id = Entity::find().filter(Column::Id.is_in(ids)).all(db).await?;
    let names = batch.iter().filter_map(|row| row.texts.as_ref());
    let keys = names
        .map(|texts| username_key(&normalize_username(&texts.username)))
        .filter(|key| !key.contains('\0'));
    let by_key = Entity::find()
        .filter(Column::UsernameKey.is_in(keys))
        .all(db)
        .await?;
    Ok(There {
        by_id: by_id.into_iter().map(|user| (user.id, user)).collect(),
        by_key: by_key
            .into_iter()
            .map(|user| (user.username_key, (user.id, user.username)))
            .collect(),
    })
}

fn judge(row: ForeignUser, there: &There, now: i64, report: &mut Report) -> Verdict {
    let id = row.id;
    if !(1..=ID_MAX).contains(&id) {
        return Verdict::Conflict("ids", format!("user {id}: no id that can be kept"));
    }
    let Some(texts) = row.texts else {
        let text = format!("user {id}: a column holds no text (UTF-8)");
        return Verdict::Conflict("rows that cannot be read", text);
    };
    let username = normalize_username(&texts.username);
    let length = username.chars().count();
    if length == 0 || length > USERNAME_MAX || username.contains(char::is_control) {
        let text = format!("user {id}: the name is empty, too long or has control characters");
        return Verdict::Conflict("names that cannot be kept", text);
    }
    if texts.password.len() > PASSWORD_MAX || texts.password.contains('\0') {
        let text = format!("user {id} {username:?}: the password column holds no hash");
        return Verdict::Conflict("rows that cannot be read", text);
    }
    let key = username_key(&username);
    if let Some(other) = there.by_id.get(&id) {
        if other.username_key != key {
            let text = format!(
                "user {id} {username:?}: the id is that of {:?} here",
                other.username
            );
            return Verdict::Conflict("ids that are taken here", text);
        }
        report.note_difference(other, &username, &texts);
        return Verdict::There;
    }
    if let Some((other, name)) = there.by_key.get(&key) {
        return Verdict::Conflict(SAME_NAME, taken(id, &username, *other, name));
    }
    let who = format!("user {id} {username:?}");
    report.note_hash(&texts.password, &who);
    report.note_name(&who, &texts.username, &username);
    let date_joined = row.date_joined.filter(|at| *at > 0).unwrap_or_else(|| {
        report
            .notices
            .add("no date of joining: today's is taken", who.clone());
        now
    });
    let email = report.email(&who, &texts.email);
    let first_name = report.name(&who, &texts.first_name);
    let last_name = report.name(&who, &texts.last_name);
    Verdict::New(Box::new(User {
        id,
        search: search::text_of_user(&username, &email, &first_name, &last_name),
        username_key: key,
        username,
        email,
        first_name,
        last_name,
        password: texts.password,
        is_active: row.is_active,
        is_staff: row.is_staff,
        is_superuser: row.is_superuser,
        epoch: 0,
        epoch_at: 0,
        last_login: row.last_login.unwrap_or(0).max(0),
        date_joined,
        version: 1,
        email_verified_at: 0,
    }))
}

impl Report {
    fn note_name(&mut self, who: &str, django: &str, here: &str) {
        if django != here {
            let text = format!("{who}: {django:?} in Django");
            self.notices
                .add("names that are spelt in Unicode's normal form here", text);
        }
        if !here
            .chars()
            .all(|c| c.is_alphanumeric() || "@.+-_".contains(c))
        {
            let kind = "names with signs that forms refuse; they sign in all the same";
            self.notices.add(kind, who.to_owned());
        }
    }

    fn email(&mut self, who: &str, email: &str) -> String {
        let email = email.trim();
        if email.chars().count() > EMAIL_MAX || email.contains(char::is_control) {
            self.notices.add(
                "e-mail addresses left out: too long, or no text",
                who.to_owned(),
            );
            return String::new();
        }
        if !email.is_empty() && !is_email(email) {
            self.notices
                .add("e-mail addresses that are none, kept", who.to_owned());
        }
        email.to_owned()
    }

    fn name(&mut self, who: &str, name: &str) -> String {
        let name = name.trim();
        let kept: String = name
            .chars()
            .filter(|c| !c.is_control())
            .take(NAME_MAX)
            .collect();
        if kept != name {
            self.notices
                .add("first or last names shortened or cleaned", who.to_owned());
        }
        kept
    }

    /// A person who is there already stays as they are here.
    fn note_difference(&mut self, here: &User, username: &str, texts: &Texts) {
        // An upgraded hash is no difference.
        let upgraded = here.password.starts_with("$argon2id$");
        let differs = here.username != username
            || here.email != texts.email.trim()
            || (here.password != texts.password && !upgraded);
        if differs {
            let text = format!("user {} {:?}", here.id, here.username);
            self.notices
                .add("there already, and different by now: kept as here", text);
        }
    }
}
