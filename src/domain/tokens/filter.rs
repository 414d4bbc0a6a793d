//! Which tokens a list shows: state, kind, access, owner, end, and a text that is searched for.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, Select,
    sea_query::{Expr, ExprTrait},
};

use super::{TokenState, key::is_well_formed, list::total, make::PREFIX_SHOWN, spelling::Spelling};
use crate::{
    app::App,
    domain::{
        paging::{Count, List, PageRequest},
        scopes::Scope,
        search::Words,
        totals,
    },
    entity::token::{Column, Entity},
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
    /// Only what is not revoked has another order than `Newest`; without one, each tab has its own.
    pub sort: Option<TokenOrder>,
    pub page: PageRequest,
    /// How many there are before a text is looked for, where that is known.
    pub total: Option<Count>,
}

/// What an administrator looks for among the active tokens. Each is usually in an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// End within a week.
    Expiring,
    /// Not used for ninety days; never used: made so long ago.
    Unused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOrder {
    Newest,
    /// Those that never end come last.
    FirstToEnd,
    LastToEnd,
    /// By their last use; never used: by when they were made.
    LongestUnseen,
    LatestSeen,
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

pub(super) const DAY: i64 = 86_400;

impl Only {
    pub(super) fn condition(self, now: i64) -> Condition {
        match self {
            Self::Expiring => Condition::all()
                .add(Column::ExpiresAt.gt(now))
                .add(Column::ExpiresAt.lte(now + 7 * DAY)),
            Self::Unused => {
                Condition::all().add(Expr::cust(super::unused::SEEN).lte(now - 90 * DAY))
            }
        }
    }
}

impl TokenFilter {
    pub fn order(&self) -> TokenOrder {
        let is_live = matches!(self.state, Some(TokenState::Active | TokenState::Expired));
        match self.only {
            _ if is_live && self.sort.is_some() => self.sort.unwrap_or(TokenOrder::Newest),
            Some(Only::Expiring) => TokenOrder::FirstToEnd,
            Some(Only::Unused) => TokenOrder::LongestUnseen,
            None => TokenOrder::Newest,
        }
    }

    /// Whether something beside state and search leaves tokens out.
    pub(super) fn is_narrowed(&self) -> bool {
        self.owner.is_some()
            || self.owner_named.is_some()
            || self.is_default.is_some()
            || self.access.is_some()
            || self.ends.is_some()
    }

    pub(super) fn leaves_some_out(&self) -> bool {
        self.state.is_some() || self.only.is_some() || self.is_narrowed()
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
    let backend = app.db.read().get_database_backend();
    let query = Spelling::few(filter, backend).query(app.now());
    match filter.words() {
        Some(words) => query.filter(words.in_index::<Entity>(backend)),
        None => query,
    }
}

pub(super) async fn matching(app: &App, filter: &TokenFilter) -> Result<List<Entity>> {
    let now = app.now();
    let backend = app.db.read().get_database_backend();
    let search = filter.words();
    let is_filtered = filter.leaves_some_out();
    let total = match filter.total {
        _ if filter.is_narrowed() => None,
        None if is_filtered || search.is_none() => {
            let [total] = totals::counts(app, [total(filter.state, filter.only)]).await?;
            Some(total)
        }
        known => known,
    };
    let many = Spelling::many(filter, backend);
    Ok(List {
        query: many.query(now),
        few: Some(Spelling::few(filter, backend).query(now)),
        search,
        total,
        is_filtered,
        is_led: true,
        by_age: filter
            .sort
            .is_some()
            .then(|| Spelling::by_age(filter, backend).query(now)),
    })
}
