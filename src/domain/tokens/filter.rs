//! Which tokens a list shows: state, kind, access, owner, end, and a text that is searched for.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};

use super::{TokenState, key::is_well_formed, list::total, make::PREFIX_SHOWN};
use crate::{
    app::App,
    domain::{
        paging::{Count, List, PageRequest},
        scopes::Scope,
        search::Words,
        totals, users,
    },
    entity::{
        token::{Column, Entity},
        user,
    },
    error::Result,
};

#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Owner, name or first characters.
    pub q: Option<String>,
    pub state: Option<TokenState>,
    /// Of the active ones only some.
    pub only: Option<Only>,
    pub owner: Option<i64>,
    /// The owner's exact username.
    pub owner_named: Option<String>,
    /// Default tokens, or named ones.
    pub is_default: Option<bool>,
    pub access: Option<Access>,
    pub ends: Option<Ends>,
    pub page: PageRequest,
    /// How many there are, where that is known.
    pub total: Option<Count>,
}

/// What an administrator looks for among the active tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// End within a week.
    Expiring,
    /// Not used for ninety days; never used: made so long ago.
    Unused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Full,
    Limited,
    /// Limited, and this is among it.
    Has(Scope),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Never,
    /// Not yet, and in so many seconds at most.
    Within(i64),
}

const DAY: i64 = 86_400;

impl Only {
    /// `many`: see `matching`.
    pub(super) fn condition(self, now: i64, many: bool) -> Condition {
        match self {
            Self::Expiring => {
                let expires = if many {
                    Expr::cust(r#"+"tokens"."expires_at""#)
                } else {
                    Column::ExpiresAt.into_expr()
                };
                Condition::all()
                    .add(Column::ExpiresAt.is_not_null())
                    .add(expires.lte(now + 7 * DAY))
            }
            Self::Unused => {
                let seen = Expr::cust(super::unused::SEEN);
                let seen = if many { seen.add(0) } else { seen };
                Condition::all().add(seen.lte(now - 90 * DAY))
            }
        }
    }
}

impl Access {
    /// Spelled as in the index of limited tokens, not with values that are bound: by those SQLite would not know it.
    fn condition(self) -> Condition {
        let limited = Expr::cust(r#""tokens"."scopes" <> 'full'"#);
        match self {
            Self::Full => Condition::all().add(Expr::cust(r#""tokens"."scopes" = 'full'"#)),
            Self::Limited => Condition::all().add(limited),
            Self::Has(scope) => {
                let has = format!(
                    r#"(' ' || "tokens"."scopes" || ' ') LIKE '% {} %'"#,
                    scope.as_str()
                );
                Condition::all().add(limited).add(Expr::cust(has))
            }
        }
    }
}

impl Ends {
    fn condition(self, now: i64) -> Condition {
        match self {
            Self::Never => Condition::all().add(Column::ExpiresAt.is_null()),
            Self::Within(seconds) => Condition::all()
                .add(Column::ExpiresAt.gt(now))
                .add(Column::ExpiresAt.lte(now + seconds)),
        }
    }
}

impl TokenFilter {
    /// Whether something beside state and search leaves tokens out.
    pub(super) fn is_narrowed(&self) -> bool {
        self.owner.is_some()
            || self.owner_named.is_some()
            || self.is_default.is_some()
            || self.access.is_some()
            || self.ends.is_some()
    }

    fn narrow(&self, mut query: Select<Entity>, now: i64) -> Select<Entity> {
        if let Some(owner) = self.owner {
            query = query.filter(Column::UserId.eq(owner));
        }
        if let Some(name) = &self.owner_named {
            let owner = user::Entity::find()
                .select_only()
                .column(user::Column::Id)
                .filter(users::named(name));
            query = query.filter(Column::UserId.in_subquery(owner.into_query()));
        }
        if let Some(is_default) = self.is_default {
            let column: SimpleExpr = Column::IsDefault.into_expr();
            query = query.filter(if is_default { column } else { column.not() });
        }
        if let Some(access) = self.access {
            query = query.filter(access.condition());
        }
        match self.ends {
            Some(ends) => query.filter(ends.condition(now)),
            None => query,
        }
    }

    fn words(&self) -> Option<Words> {
        // Whoever pastes a whole key finds it by what it begins with.
        let words = self.q.as_deref()?.split_whitespace().map(|word| {
            if is_well_formed(word) {
                word.chars().take(PREFIX_SHOWN).collect()
            } else {
                word.to_owned()
            }
        });
        Words::of(&words.collect::<Vec<String>>().join(" "))
    }
}

pub(super) fn in_state(state: Option<TokenState>, now: i64) -> Select<Entity> {
    match state {
        None => Entity::find(),
        Some(TokenState::Active) => Entity::find().filter(Column::RevokedAt.is_null()).filter(
            Condition::any()
                .add(Column::ExpiresAt.is_null())
                .add(Column::ExpiresAt.gt(now)),
        ),
        Some(TokenState::Expired) => Entity::find()
            .filter(Column::RevokedAt.is_null())
            .filter(Column::ExpiresAt.is_not_null())
            .filter(Column::ExpiresAt.lte(now)),
        Some(TokenState::Revoked) => Entity::find().filter(Column::RevokedAt.is_not_null()),
    }
}

/// All that a filter finds, in no order.
pub(super) fn all_matching(app: &App, filter: &TokenFilter) -> Select<Entity> {
    let now = app.now();
    let mut query = filter.narrow(in_state(filter.state, now), now);
    if let Some(only) = filter.only {
        query = query.filter(only.condition(now, false));
    }
    match filter.words() {
        Some(words) => query.filter(words.in_index::<Entity>(app.db.read().get_database_backend())),
        None => query,
    }
}

pub(super) async fn matching(app: &App, filter: &TokenFilter) -> Result<List<Entity>> {
    let now = app.now();
    let search = filter.words();
    let total = match filter.total {
        _ if search.is_some() || filter.is_narrowed() => None,
        None => {
            let [total] = totals::counts(app, [total(filter.state, filter.only)]).await?;
            Some(total)
        }
        known => known,
    };
    // Where many have ended, they are met soon in the order of the list; with the indexes that find a few of them all
    // would be sorted. A plus sign before a column keeps its indexes away.
    let is_large = !total.is_some_and(Count::is_small);
    let mut query = match filter.state {
        Some(TokenState::Expired) if is_large => Entity::find()
            .filter(Expr::cust(r#"+"tokens"."revoked_at" IS NULL"#))
            .filter(Column::ExpiresAt.lte(now)),
        Some(TokenState::Revoked) if is_large => {
            Entity::find().filter(Expr::cust(r#"+"tokens"."revoked_at" IS NOT NULL"#))
        }
        state => in_state(state, now),
    };
    if let Some(only) = filter.only {
        query = query.filter(only.condition(now, is_large));
    }
    Ok(List {
        query: filter.narrow(query, now),
        search,
        total,
        is_filtered: filter.state.is_some() || filter.only.is_some() || filter.is_narrowed(),
    })
}
