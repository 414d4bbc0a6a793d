//! How long JWTs may live that were issued before their lives were made shorter: what ends them early, or says of them
//! that they are revoked, must not forget them before.

use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

use super::table::Settings;
use crate::{
    entity::meta::{ActiveModel, Column, Entity},
    error::{Error, Result},
};

/// The row that says it.
const ROW: &str = "jwt_lives";

/// Lives that were longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lives {
    access: Longer,
    refresh: Longer,
}

/// A life in seconds, and until when (Unix seconds) something may be about that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Longer {
    seconds: i64,
    until: i64,
}

impl Longer {
    fn at(self, now: i64, current: i64) -> i64 {
        if now < self.until {
            self.seconds.max(current)
        } else {
            current
        }
    }

    /// After `before` became `after` at `now`.
    fn shortened(self, now: i64, before: i64, after: i64) -> Self {
        let longest = self.at(now, before);
        if longest <= after {
            return Self::default();
        }
        Self {
            seconds: longest,
            until: self.until.max(now + before),
        }
    }
}

impl Lives {
    /// The longest that an access token may have at `now`.
    pub(super) fn access(self, now: i64, settings: &Settings) -> i64 {
        self.access.at(now, settings.jwt_access_lifetime)
    }

    pub(super) fn refresh(self, now: i64, settings: &Settings) -> i64 {
        self.refresh.at(now, settings.jwt_refresh_lifetime)
    }
}

/// What was written cannot be read by another version only: then nothing longer is known.
pub(super) async fn read<C: ConnectionTrait>(db: &C) -> Result<Lives> {
    let row = Entity::find_by_id(ROW).one(db).await?;
    let lives = row.and_then(|row| serde_json::from_str(&row.value).ok());
    Ok(lives.unwrap_or_default())
}

/// In the transaction that changes the settings.
pub(super) async fn note<C: ConnectionTrait>(
    db: &C,
    now: i64,
    before: &Settings,
    after: &Settings,
) -> Result<()> {
    let known = read(db).await?;
    let lives = Lives {
        access: known
            .access
            .shortened(now, before.jwt_access_lifetime, after.jwt_access_lifetime),
        refresh: known.refresh.shortened(
            now,
            before.jwt_refresh_lifetime,
            after.jwt_refresh_lifetime,
        ),
    };
    if lives == known {
        return Ok(());
    }
    let row = ActiveModel {
        key: Set(ROW.to_owned()),
        value: Set(serde_json::to_string(&lives).map_err(Error::internal)?),
    };
    let again = OnConflict::column(Column::Key)
        .update_column(Column::Value)
        .to_owned();
    Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_life_is_remembered_as_long_as_something_may_have_it() {
        let longer = Longer::default().shortened(1000, 600, 60);
        assert_eq!((longer.at(1599, 60), longer.at(1600, 60)), (600, 60));
        // Shorter again: the first is still about.
        let again = longer.shortened(1100, 60, 30);
        assert_eq!((again.at(1599, 30), again.at(1600, 30)), (600, 30));
        // Longer than ever: nothing to remember.
        assert_eq!(again.shortened(1200, 30, 900), Longer::default());
        // A little longer, and the first is still about.
        let between = longer.shortened(1100, 60, 90);
        assert_eq!((between.at(1599, 90), between.at(1600, 90)), (600, 90));
    }
}
