//! Many tokens at once: those that a filter matches, how much they are in use, their end, and another end for them.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, UpdateMany,
    sea_query::{Alias, Expr, Query, SimpleExpr},
};
use serde_json::json;

use super::{
    Token, TokenFilter, TokenRow, TokenState,
    filter::all_matching,
    list::with_owners,
    policy::{self, refuse_life},
    state,
};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    domain::{
        actor::Actor,
        audit::{self, Event},
        bulk::{self, Skip, Tally},
        paging::{Count, count_up_to},
        permissions::{Act, Permission, Record},
        usage::Recent,
        users::{self, User},
    },
    entity::{
        token::{Column, Entity},
        user,
    },
    error::{Error, Result},
};

/// The ids after `after` of those that the filter matches.
pub async fn ids(app: &App, filter: &TokenFilter, after: i64, limit: u64) -> Result<Vec<i64>> {
    let query = all_matching(app, filter);
    bulk::ids(app.db.read(), query, Column::Id, after, limit).await
}

pub async fn count(app: &App, filter: &TokenFilter) -> Result<Count> {
    count_up_to(app.db.read(), all_matching(app, filter), Column::Id).await
}

pub async fn newest_id(app: &App) -> Result<i64> {
    bulk::newest::<Entity, _>(app.db.read(), Column::Id).await
}

/// Those of these that there are, in the order of their ids.
pub async fn some(app: &App, ids: &[i64]) -> Result<Vec<TokenRow>> {
    let found = Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(Column::Id)
        .all(app.db.read())
        .await?;
    with_owners(app, found).await
}

/// Which tokens somebody is about to act on.
#[derive(Clone, Copy, Debug)]
pub enum Chosen<'a> {
    These(&'a [i64]),
    AllBut(&'a TokenFilter, &'a [i64]),
    /// Those of these users that are not revoked.
    Of(&'a [i64]),
}

/// What is known of them beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// As many were looked at; where there are more, the first `LOOKED_AT`.
    pub tokens: u64,
    pub is_whole: bool,
    /// Of these, such that work now.
    pub active: u64,
    pub expired: u64,
    pub revoked: u64,
    /// Used in the last hour, and how often.
    pub used_last_hour: u64,
    pub last_hour: u64,
    pub used_last_day: u64,
    pub last_day: u64,
}

/// Tokens that are looked at before an act on many.
const LOOKED_AT: u64 = 10_000;

pub async fn evidence(app: &App, chosen: Chosen<'_>) -> Result<Evidence> {
    let now = app.now();
    let most = usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
    let limited = |ids: &[i64]| ids.iter().copied().take(most).collect::<Vec<_>>();
    let query = match chosen {
        Chosen::These(ids) => Entity::find().filter(Column::Id.is_in(limited(ids))),
        Chosen::Of(users) => Entity::find()
            .filter(Column::UserId.is_in(limited(users)))
            .filter(Column::RevokedAt.is_null()),
        Chosen::AllBut(filter, []) => all_matching(app, filter),
        Chosen::AllBut(filter, but) => {
            all_matching(app, filter).filter(Column::Id.is_not_in(limited(but)))
        }
    };
    let live = in_words(&query, now);
    let some = Alias::new("some");
    let sum = |text: &str| Expr::cust(format!("CAST(COALESCE(SUM({text}), 0) AS BIGINT)"));
    let when = |text: &str| sum(&format!("CASE WHEN {text} THEN 1 ELSE 0 END"));
    let all = Query::select()
        .expr(Expr::cust("COUNT(*)"))
        .exprs([
            when("ended = 0"),
            when("ended = 1"),
            when("ended = 2"),
            when("last_hour > 0"),
            sum("last_hour"),
            when("last_day > 0"),
            sum("last_day"),
        ])
        .from_subquery(live, some)
        .to_owned();
    let row = app.db.read().query_one(&all).await?;
    let row = row.ok_or(Error::NotFound)?;
    let mut numbers = [0; 8];
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = u64::try_from(row.try_get_by_index::<i64>(at)?).unwrap_or(0);
    }
    let [
        tokens,
        active,
        expired,
        revoked,
        used_last_hour,
        last_hour,
        used_last_day,
        last_day,
    ] = numbers;
    Ok(Evidence {
        tokens,
        is_whole: tokens < LOOKED_AT,
        active,
        expired,
        revoked,
        used_last_hour,
        last_hour,
        used_last_day,
        last_day,
    })
}

/// The first of them, each with its state (0 active, 1 expired, 2 revoked) and its uses.
fn in_words(query: &Select<Entity>, now: i64) -> sea_orm::sea_query::SelectStatement {
    let state = format!(
        r#"CASE WHEN "tokens"."revoked_at" IS NOT NULL THEN 2 WHEN "tokens"."expires_at" <= {now} THEN 1 ELSE 0 END"#
    );
    query
        .clone()
        .select_only()
        .column_as(Expr::cust(state), "ended")
        .column_as(Recent::last_hour(now), "last_hour")
        .column_as(Recent::last_day(now), "last_day")
        .order_by_asc(Column::Id)
        .limit(LOOKED_AT)
        .into_query()
}

/// Ends what its filter finds, which must be tokens that are not revoked.
pub(crate) fn ending(now: i64, by: &Actor) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .col_expr(Column::RevokedBy, Expr::value(by.username.clone()))
        .col_expr(Column::Sealed, Expr::value(None::<Vec<u8>>))
}

/// Ends them for good, each with its own event.
pub async fn revoke_many(app: &App, by: &Actor, ids: &[i64]) -> Result<Tally> {
    by.require(Permission::new(Act::Delete, Record::Tokens))?;
    let now = app.now();
    let db = app.db.begin().await?;
    let mut locked = Locked::load(&db, by, ids).await?;
    locked.pass_over(Skip::Already, |token| token.revoked_at.is_some());
    let change = ending(now, by);
    locked
        .finish(
            app,
            db,
            by,
            change,
            "token.revoked",
            |token, owner| json!({"owner": owner, "prefix": token.prefix}),
        )
        .await
}

/// Lets them end then (Unix seconds; `None`: never, or as late as the server's settings allow). None is made to end
/// earlier. A field error for an end that will not do.
pub async fn extend_many(
    app: &App,
    by: &Actor,
    ids: &[i64],
    expires_at: Option<i64>,
) -> Result<Tally> {
    by.require(Permission::new(Act::Change, Record::Tokens))?;
    let now = app.now();
    let life = expires_at.map(|at| at.saturating_sub(now));
    if let Some(refusal) = life.and_then(|seconds| refuse_life(app, seconds)) {
        return Err(Error::field("expires", refusal));
    }
    let until = policy::capped(app, expires_at);
    let db = app.db.begin().await?;
    let mut locked = Locked::load(&db, by, ids).await?;
    locked.pass_over(Skip::Ended, |token| state(token, now) != TokenState::Active);
    // A default token never expires.
    locked.pass_over(Skip::Already, |token| {
        let ends = token.expires_at;
        ends.is_none_or(|ends| until.is_some_and(|until| until <= ends))
    });
    // In their grace time: they were rotated so that they end.
    let rotated = audit::happened_to(&db, "token.rotated", &locked.ids()).await?;
    locked.pass_over(Skip::Rotated, |token| rotated.contains(&token.id));
    let change = Entity::update_many().col_expr(Column::ExpiresAt, Expr::value(until));
    locked
        .finish(
            app,
            db,
            by,
            change,
            "token.extended",
            |token, owner| json!({"owner": owner, "expires": {"from": token.expires_at, "to": until}}),
        )
        .await
}

/// The tokens of one transaction that may be changed, and what became of the others.
struct Locked {
    tokens: Vec<Token>,
    owners: HashMap<i64, User>,
    tally: Tally,
}

impl Locked {
    /// The owners first, as a deletion does; each kind in the order of ids, so that two such changes do not wait for
    /// each other.
    async fn load(db: &Change, by: &Actor, ids: &[i64]) -> Result<Self> {
        let these = || Entity::find().filter(Column::Id.is_in(ids.iter().copied()));
        let whose: HashSet<i64> = these()
            .select_only()
            .column(Column::UserId)
            .into_tuple()
            .all(db)
            .await?
            .into_iter()
            .collect();
        let owners = user::Entity::find()
            .filter(user::Column::Id.is_in(whose))
            .order_by_asc(user::Column::Id)
            .lock_exclusive()
            .all(db)
            .await?;
        let owners: HashMap<i64, User> = owners.into_iter().map(|user| (user.id, user)).collect();
        let tokens = these()
            .order_by_asc(Column::Id)
            .lock_exclusive()
            .all(db)
            .await?;
        let mut tally = Tally::default();
        tally.skip_many(Skip::Gone, ids.len().saturating_sub(tokens.len()) as u64);
        let mut locked = Self {
            tokens,
            owners,
            tally,
        };
        let touched: HashSet<i64> = locked
            .owners
            .values()
            .filter(|owner| users::may_touch(by, owner).is_ok())
            .map(|owner| owner.id)
            .collect();
        locked.pass_over(Skip::OutOfReach, |token| !touched.contains(&token.user_id));
        Ok(locked)
    }

    fn pass_over(&mut self, why: Skip, is_it: impl Fn(&Token) -> bool) {
        let before = self.tokens.len();
        self.tokens.retain(|token| !is_it(token));
        let passed = before - self.tokens.len();
        self.tally.skip_many(why, passed as u64);
    }

    fn ids(&self) -> Vec<i64> {
        self.tokens.iter().map(|token| token.id).collect()
    }

    async fn finish(
        mut self,
        app: &App,
        db: Change,
        by: &Actor,
        change: UpdateMany<Entity>,
        action: &'static str,
        told: impl Fn(&Token, Option<&str>) -> serde_json::Value,
    ) -> Result<Tally> {
        if self.tokens.is_empty() {
            return Ok(self.tally);
        }
        let changed: SimpleExpr = Column::Id.is_in(self.ids());
        change.filter(changed).exec(&db).await?;
        let events = self.tokens.iter().map(|token| {
            let owner = self.owners.get(&token.user_id);
            let owner = owner.map(|owner| owner.username.as_str());
            Event::new(action, Some(token.id), &token.name).with(told(token, owner))
        });
        audit::record_all(&db, app.now(), by, events).await?;
        let whose: HashSet<i64> = self.tokens.iter().map(|token| token.user_id).collect();
        db.commit(Affects::Users(whose.into_iter().collect()))
            .await?;
        self.tally.done = self.tokens.len() as u64;
        Ok(self.tally)
    }
}
