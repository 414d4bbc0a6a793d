//! Keys of Django REST framework: each becomes its user's default token.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};

use super::{OnConflict, Pass, source::ForeignToken};
use crate::{
    checks::Affects,
    domain::{
        scopes::Scopes,
        tokens::{DEFAULT_NAME, PREFIX_SHOWN, is_plausible, seal_owner},
    },
    entity::{
        token::{ActiveModel, Column, Entity},
        user,
    },
    error::{Error, Result},
    secret::TokenKey,
};

/// Bytes of a key; Django REST framework's are 40.
const KEY_MAX: usize = 255;

/// What is there already, of one batch.
struct There {
    digests: HashSet<Vec<u8>>,
    with_default: HashSet<i64>,
    users: HashSet<i64>,
}

impl Pass<'_> {
    pub(super) async fn tokens(&mut self) -> Result<()> {
        let all = self.source.count("authtoken_token").await?;
        let mut after = i64::MIN;
        loop {
            let batch = self.source.tokens(&self.wanted.users_table, after).await?;
            let Some(last) = batch.last() else { break };
            after = last.user_id;
            self.token_batch(batch).await?;
            (self.progress)("tokens", self.report.tokens.read, all);
        }
        Ok(())
    }

    async fn token_batch(&mut self, batch: Vec<ForeignToken>) -> Result<()> {
        self.report.tokens.read += batch.len() as u64;
        let digests: HashMap<i64, Vec<u8>> = batch
            .iter()
            .filter_map(|row| {
                let key = row.key.as_ref()?;
                Some((
                    row.user_id,
                    self.app.keys.token_digest(key.expose()).to_vec(),
                ))
            })
            .collect();
        let db = if self.writes {
            Some(self.app.db.begin().await?)
        } else {
            None
        };
        let there = match &db {
            Some(db) => there(db, &digests).await?,
            None => there(self.app.db.read(), &digests).await?,
        };
        let mut new = Vec::new();
        for row in batch {
            let id = row.user_id;
            let tally = &mut self.report.tokens;
            // A user deleted here while this runs takes the token along.
            if self.left_out.contains(&id) || (self.writes && !there.users.contains(&id)) {
                tally.left_out += 1;
                continue;
            }
            let digest = digests.get(&id);
            if digest.is_some_and(|digest| there.digests.contains(digest)) {
                tally.there += 1;
                continue;
            }
            let key = row.key.filter(|key| is_usable(self, key));
            let problem = if key.is_none() {
                Some(("keys that cannot be sent", "its key is no key"))
            } else if there.with_default.contains(&id) {
                Some(("tokens", "has another default token here"))
            } else {
                None
            };
            if let Some((kind, words)) = problem {
                let text = format!("the token of user {id}: {words}");
                if self.writes && self.wanted.on_conflict == OnConflict::Abort {
                    return Err(Error::Conflict(format!("{text} (since the check)")));
                }
                self.report.conflicts.add(kind, text);
                self.report.tokens.left_out += 1;
                continue;
            }
            self.report.tokens.new += 1;
            if let (Some(key), Some(digest), true) = (key, digest, self.writes) {
                new.push(self.token(id, &key, digest.clone(), row.created)?);
            }
        }
        if let Some(db) = db.as_ref().filter(|_| !new.is_empty()) {
            Entity::insert_many(new).exec_without_returning(db).await?;
        }
        self.finish(db, Affects::Unknown).await
    }

    fn token(
        &self,
        user_id: i64,
        key: &TokenKey,
        digest: Vec<u8>,
        created: Option<i64>,
    ) -> Result<ActiveModel> {
        let text = key.expose();
        Ok(ActiveModel {
            id: NotSet,
            user_id: Set(user_id),
            name: Set(DEFAULT_NAME.to_owned()),
            is_default: Set(true),
            digest: Set(digest),
            sealed: Set(Some(
                self.app.keys.seal(text.as_bytes(), &seal_owner(user_id))?,
            )),
            prefix: Set(text.chars().take(PREFIX_SHOWN).collect()),
            scopes: Set(Scopes::FULL.to_string()),
            created_at: Set(created.unwrap_or_else(|| self.app.now())),
            created_by: Set(self.by.username.clone()),
            expires_at: Set(None),
            // Django does not say; else the sweep of unused tokens would end the old ones at once.
            last_used_at: Set(Some(self.app.now())),
            last_used_address: Set(None),
            revoked_at: Set(None),
            revoked_by: Set(None),
            // Holds the name of the owner, too: filled in at the end.
            search: NotSet,
        })
    }
}

/// Whether a client can send it and this server will look it up.
fn is_usable(pass: &Pass<'_>, key: &TokenKey) -> bool {
    let text = key.expose();
    !text.is_empty()
        && text.len() <= KEY_MAX
        && text.bytes().all(|b| b.is_ascii_graphic())
        && is_plausible(&pass.app.keys, text)
}

async fn there<C: ConnectionTrait>(db: &C, digests: &HashMap<i64, Vec<u8>>) -> Result<There> {
    let of_these = Condition::all()
        .add(Column::UserId.is_in(digests.keys().copied()))
        .add(Column::IsDefault.eq(true))
        .add(Column::RevokedAt.is_null());
    let known: Vec<Vec<u8>> = Entity::find()
        .select_only()
        .column(Column::Digest)
        .filter(Column::Digest.is_in(digests.values().cloned()))
        .into_tuple()
        .all(db)
        .await?;
    let with_default: Vec<i64> = Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(of_these)
        .into_tuple()
        .all(db)
        .await?;
    let users: Vec<i64> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Id.is_in(digests.keys().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(There {
        digests: known.into_iter().collect(),
        with_default: with_default.into_iter().collect(),
        users: users.into_iter().collect(),
    })
}
