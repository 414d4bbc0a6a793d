//! Refresh tokens that SimpleJWT wrote down: each becomes a family of its own, under its own `jti`,
//! as if it had been adopted; a blacklisted one becomes a family that has ended.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::Expr,
};

use super::{Pass, source::ForeignRefresh};
use crate::{
    checks::Affects,
    db::Change,
    domain::users::User,
    entity::{
        refresh_family::{ActiveModel, Column, Entity, Model},
        user,
    },
    error::Result,
    secret,
};

/// Characters of a `jti`, as in SimpleJWT's column.
const JTI_MAX: usize = 255;

type Families = HashMap<(i64, String), Model>;

impl Pass<'_> {
    pub(super) async fn refresh_tokens(&mut self) -> Result<()> {
        let all = self
            .source
            .count("token_blacklist_outstandingtoken")
            .await?;
        // One moment for all batches.
        let now = self.app.now();
        let mut after = i64::MIN;
        loop {
            let users = &self.wanted.users_table;
            let batch = self.source.refresh_tokens(users, after, now).await?;
            let Some(last) = batch.last() else { break };
            after = last.id;
            self.refresh_batch(batch).await?;
            (self.progress)("refresh tokens", self.report.refresh_tokens.read, all);
        }
        Ok(())
    }

    async fn refresh_batch(&mut self, batch: Vec<ForeignRefresh>) -> Result<()> {
        self.report.refresh_tokens.read += batch.len() as u64;
        let ids: Vec<i64> = batch.iter().map(|row| row.user_id).collect();
        let db = if self.writes {
            Some(self.app.db.begin().await?)
        } else {
            None
        };
        let families = match &db {
            Some(db) => families(db, &batch).await?,
            None => families(self.app.db.read(), &batch).await?,
        };
        let users = match &db {
            Some(db) => users(db, ids).await?,
            None => HashMap::new(),
        };
        let mut new = Vec::new();
        for row in batch {
            let tally = &mut self.report.refresh_tokens;
            let user = users.get(&row.user_id);
            let jti = row.jti.clone().filter(|jti| {
                !jti.is_empty() && !jti.contains('\0') && jti.chars().count() <= JTI_MAX
            });
            let (Some(jti), false) = (jti, self.left_out.contains(&row.user_id)) else {
                tally.left_out += 1;
                continue;
            };
            self.report.blacklisted += u64::from(row.blacklisted_at.is_some());
            if let Some(family) = families.get(&(row.user_id, jti.clone())) {
                tally.there += 1;
                if let (Some(db), Some(at)) = (&db, row.blacklisted_at) {
                    end(db, family, at).await?;
                }
                continue;
            }
            if self.writes && user.is_none() {
                tally.left_out += 1;
                continue;
            }
            tally.new += 1;
            if let Some(user) = user {
                new.push(self.family(&row, jti, user)?);
            }
        }
        if let Some(db) = db.as_ref().filter(|_| !new.is_empty()) {
            Entity::insert_many(new).exec_without_returning(db).await?;
        }
        self.finish(db, Affects::Everything).await
    }

    fn family(&self, row: &ForeignRefresh, jti: String, user: &User) -> Result<ActiveModel> {
        let created = row.created_at.unwrap_or(0);
        // Older than the last "sign out everywhere": of an epoch that is over.
        let epoch = if created > user.epoch_at {
            user.epoch
        } else {
            0
        };
        Ok(ActiveModel {
            id: NotSet,
            handle: Set(i64::from_be_bytes(secret::random()?)),
            origin_jti: Set(Some(jti)),
            user_id: Set(user.id),
            epoch: Set(epoch),
            counter: Set(0),
            created_at: Set(created),
            issued_at: Set(created),
            // Where it is refused: `exp` and the leeway.
            expires_at: Set(row.expires_at + self.app.config.jwt_leeway),
            address: Set(String::new()),
            revoked_at: Set(row.blacklisted_at),
            revoked_because: Set(row
                .blacklisted_at
                .map(|_| "blacklisted in Django".to_owned())),
        })
    }
}

/// Blacklisted in Django since an earlier import. One that was rotated here is no longer Django's.
async fn end(db: &Change, family: &Model, at: i64) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(at))
        .col_expr(Column::RevokedBecause, Expr::value("blacklisted in Django"))
        .filter(Column::Id.eq(family.id))
        .filter(Column::Counter.eq(0))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

async fn families<C: ConnectionTrait>(db: &C, batch: &[ForeignRefresh]) -> Result<Families> {
    let jtis = batch.iter().filter_map(|row| row.jti.clone());
    let found = Entity::find()
        .filter(Column::UserId.is_in(batch.iter().map(|row| row.user_id)))
        .filter(Column::OriginJti.is_in(jtis.filter(|jti| !jti.contains('\0'))))
        .all(db)
        .await?;
    let key = |family: &Model| {
        (
            family.user_id,
            family.origin_jti.clone().unwrap_or_default(),
        )
    };
    Ok(found
        .into_iter()
        .map(|family| (key(&family), family))
        .collect())
}

async fn users<C: ConnectionTrait>(db: &C, ids: Vec<i64>) -> Result<HashMap<i64, User>> {
    let found = user::Entity::find()
        .filter(user::Column::Id.is_in(ids))
        .all(db)
        .await?;
    Ok(found.into_iter().map(|user| (user.id, user)).collect())
}
