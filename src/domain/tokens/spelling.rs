//! How the conditions of a token filter are written, so that the index is read that leaves the fewest rows: it leads, the
//! other conditions keep out of its way. PostgreSQL knows how many rows a condition leaves; SQLite counts nothing
//! beforehand. What the conditions mean is in `filter.rs`.

use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, SimpleExpr},
};

use super::{
    Token, TokenState,
    filter::{Access, DAY, Ends, Only, TokenFilter, TokenOrder},
    unused::SEEN,
};
use crate::{
    domain::users,
    entity::{
        token::{Column, Entity},
        user,
    },
};

/// When a token ends, as the index says it. Those that never do come last, each with a number of its own: SQLite goes to
/// a place in an index of expressions by its first one alone.
pub(super) const END: &str =
    r#"COALESCE("tokens"."expires_at", 4611686018427387904 + "tokens"."id")"#;
const NEVER: i64 = 1 << 62;

/// What `END` is of this one.
pub(super) fn end(token: &Token) -> i64 {
    token.expires_at.unwrap_or(NEVER + token.id)
}

/// What has an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Owner,
    /// Tokens that may do one certain thing.
    Scope,
    Revoked,
    /// When tokens end.
    Ends,
    /// The same, of all that are not revoked.
    End,
    Seen,
    Access,
    Kind,
    /// The order of the list; the index also has what all filters ask.
    Wide,
}

pub(super) struct Spelling<'a> {
    filter: &'a TokenFilter,
    lead: Lead,
    backend: DbBackend,
}

impl<'a> Spelling<'a> {
    /// For counting, and for collecting what is few.
    pub(super) fn few(filter: &'a TokenFilter, backend: DbBackend) -> Self {
        let by_end = matches!(filter.ends, Some(Ends::Within(_)))
            || filter.state == Some(TokenState::Expired)
            || filter.only == Some(Only::Expiring);
        let lead = match Self::by_age(filter, backend).lead {
            lead @ (Lead::Owner | Lead::Scope | Lead::Revoked) => lead,
            _ if by_end => Lead::Ends,
            _ if filter.only == Some(Only::Unused) => Lead::Seen,
            lead => lead,
        };
        Self {
            filter,
            lead,
            backend,
        }
    }

    /// For what is met soon in the order of the list. With an index of another order all would be sorted; but one owner's
    /// are few.
    pub(super) fn many(filter: &'a TokenFilter, backend: DbBackend) -> Self {
        let by_age = Self::by_age(filter, backend);
        let lead = match filter.order() {
            _ if by_age.lead == Lead::Owner => Lead::Owner,
            TokenOrder::FirstToEnd | TokenOrder::LastToEnd => {
                if filter.only == Some(Only::Expiring) {
                    Lead::Ends
                } else {
                    Lead::End
                }
            }
            TokenOrder::LongestUnseen | TokenOrder::LatestSeen => Lead::Seen,
            TokenOrder::Newest => by_age.lead,
        };
        Self { lead, ..by_age }
    }

    /// For what is met soon in the order of ids.
    pub(super) fn by_age(filter: &'a TokenFilter, backend: DbBackend) -> Self {
        let lead = if filter.owner.is_some() || filter.owner_named.is_some() {
            Lead::Owner
        } else if matches!(filter.access, Some(Access::Has(_))) {
            Lead::Scope
        } else if filter.state == Some(TokenState::Revoked) {
            Lead::Revoked
        } else if filter.only == Some(Only::Unused) {
            Lead::Wide
        } else if filter.access.is_some() {
            Lead::Access
        } else if filter.is_default.is_some() {
            Lead::Kind
        } else {
            Lead::Wide
        };
        Self {
            filter,
            lead,
            backend,
        }
    }

    /// A column, under a plus sign where its indexes must not be read.
    fn column(&self, name: &str, of: Lead) -> String {
        let is_number = matches!(of, Lead::Ends | Lead::Seen);
        let kept_away = match self.backend {
            // Which knows no plus sign before texts and flags, and needs none.
            DbBackend::Postgres => is_number && self.lead != of,
            _ => self.lead != of,
        };
        if kept_away {
            format!("+{name}")
        } else {
            name.to_owned()
        }
    }

    pub(super) fn query(&self, now: i64) -> Select<Entity> {
        let filter = self.filter;
        let mut query = Entity::find();
        if self.lead == Lead::Wide && filter.leaves_some_out() {
            query = query.filter(Expr::cust(r#""tokens"."id" > 0"#));
        }
        let is_postgres = self.backend == DbBackend::Postgres;
        let (expires, is_end) = match self.lead {
            Lead::End => (END.to_owned(), true),
            // By the column SQLite would know that tokens without an end are left out, and read the index of the others.
            Lead::Seen if !is_postgres => (format!("+{END}"), true),
            _ => (self.column(r#""tokens"."expires_at""#, Lead::Ends), false),
        };
        let never = if is_end {
            format!("{expires} >= {NEVER}")
        } else {
            format!("{expires} IS NULL")
        };
        // In its own order SQLite is to begin where the page does, not where the filter does.
        let edge = |condition: String| {
            if is_postgres || !matches!(self.lead, Lead::End | Lead::Seen) {
                condition
            } else {
                format!("likely({condition})")
            }
        };
        let revoked = self.column(r#""tokens"."revoked_at""#, Lead::Revoked);
        let bound = |sql: String, values: Vec<i64>| -> SimpleExpr {
            let sql = match self.backend {
                DbBackend::Postgres => sql.replacen('?', "$1", 1).replacen('?', "$2", 1),
                _ => sql,
            };
            Expr::cust_with_values(sql, values)
        };
        let live = || Column::RevokedAt.is_null();
        query = match filter.state {
            None => query,
            // Those that expire soon are asked for their end alone, below.
            Some(TokenState::Active) if filter.only == Some(Only::Expiring) => query.filter(live()),
            // What never ends, or not yet, is told below.
            Some(TokenState::Active) if self.lead == Lead::End && filter.ends.is_some() => {
                query.filter(live())
            }
            Some(TokenState::Active) => query.filter(live()).filter(bound(
                if is_end {
                    edge(format!("{expires} > ?"))
                } else {
                    format!("({never} OR {expires} > ?)")
                },
                vec![now],
            )),
            Some(TokenState::Expired) => query
                .filter(live())
                .filter(bound(edge(format!("{expires} <= ?")), vec![now])),
            Some(TokenState::Revoked) => query.filter(Expr::cust(format!("{revoked} IS NOT NULL"))),
        };
        query = match filter.only {
            None => query,
            Some(Only::Expiring) => query.filter(bound(
                format!("{expires} > ? AND {expires} <= ?"),
                vec![now, now + 7 * DAY],
            )),
            Some(Only::Unused) => {
                let seen = self.column(SEEN, Lead::Seen);
                query.filter(bound(edge(format!("{seen} <= ?")), vec![now - 90 * DAY]))
            }
        };
        query = match filter.ends {
            None => query,
            // What has expired ended before now.
            Some(_) if filter.state == Some(TokenState::Expired) => {
                query.filter(Expr::cust("1 = 0"))
            }
            Some(Ends::Never) => query.filter(Expr::cust(edge(never))),
            Some(Ends::Within(seconds)) => query.filter(bound(
                format!(
                    "{} AND {}",
                    edge(format!("{expires} > ?")),
                    edge(format!("{expires} <= ?"))
                ),
                vec![now, now + seconds],
            )),
        };
        self.access(self.kind(self.owner(query)))
    }

    fn owner(&self, query: Select<Entity>) -> Select<Entity> {
        let query = match self.filter.owner {
            Some(owner) => query.filter(Column::UserId.eq(owner)),
            None => query,
        };
        let Some(name) = &self.filter.owner_named else {
            return query;
        };
        let owner = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(users::named(name));
        query.filter(Column::UserId.in_subquery(owner.into_query()))
    }

    fn kind(&self, query: Select<Entity>) -> Select<Entity> {
        let is_default = self.column(r#""tokens"."is_default""#, Lead::Kind);
        match self.filter.is_default {
            None => query,
            Some(true) => query.filter(Expr::cust(is_default)),
            Some(false) => query.filter(Expr::cust(format!("NOT {is_default}"))),
        }
    }

    /// Spelled as in the indexes, not with values that are bound: by those SQLite would not know them.
    fn access(&self, query: Select<Entity>) -> Select<Entity> {
        let scopes = self.column(r#""tokens"."scopes""#, Lead::Access);
        match self.filter.access {
            None => query,
            Some(Access::Full) => query.filter(Expr::cust(format!("{scopes} = 'full'"))),
            Some(Access::Limited) => query.filter(Expr::cust(format!("{scopes} <> 'full'"))),
            Some(Access::Has(scope)) => {
                let find = match self.backend {
                    DbBackend::Postgres => "strpos",
                    _ => "instr",
                };
                let scope = scope.as_str();
                query.filter(Expr::cust(format!(
                    r#"{find}(' ' || "tokens"."scopes" || ' ', ' {scope} ') > 0"#
                )))
            }
        }
    }
}
