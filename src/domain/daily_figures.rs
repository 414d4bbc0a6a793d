//! How often things happened, by day (UTC): counted from the audit log where it is sealed, in the same
//! transaction. So each event is counted once, whoever restarts when, and no sign-in waits for a row
//! that all of them would write to.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, Statement,
};
use serde_json::{Value, json};

use crate::{
    app::App,
    db::Change,
    domain::audit::AuditEvent,
    entity::daily_figure::{Column, Entity},
    error::Result,
};

/// Seconds.
pub const DAY: i64 = 86_400;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    SignIns,
    FailedSignIns,
    Registrations,
    /// By staff or at set-up.
    AccountsAdded,
    AccountsDeleted,
    TokensMade,
    TokensEnded,
    /// What was refused although the credential had once been good, or the person known.
    Refusals,
}

impl Figure {
    pub const ALL: [Self; 8] = [
        Self::SignIns,
        Self::FailedSignIns,
        Self::Registrations,
        Self::AccountsAdded,
        Self::AccountsDeleted,
        Self::TokensMade,
        Self::TokensEnded,
        Self::Refusals,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIns => "sign_ins",
            Self::FailedSignIns => "failed_sign_ins",
            Self::Registrations => "registrations",
            Self::AccountsAdded => "accounts_added",
            Self::AccountsDeleted => "accounts_deleted",
            Self::TokensMade => "tokens_made",
            Self::TokensEnded => "tokens_ended",
            Self::Refusals => "refusals",
        }
    }

    fn of(event: &AuditEvent) -> Option<Self> {
        Some(match event.action.as_str() {
            "session.started" | "jwt.issued" => Self::SignIns,
            "user.login_failed" => Self::FailedSignIns,
            "user.registered" => Self::Registrations,
            "user.created" | "user.set_up" => Self::AccountsAdded,
            "user.deleted" => Self::AccountsDeleted,
            "token.created" => Self::TokensMade,
            "token.revoked" | "token.burned" => Self::TokensEnded,
            _ if event.failed => Self::Refusals,
            _ => return None,
        })
    }
}

/// Midnight UTC before `at`; both in Unix seconds.
pub fn day_of(at: i64) -> i64 {
    at - at.rem_euclid(DAY)
}

/// Adds events that have not been counted before. Of the sealer alone.
pub(super) async fn count(db: &Change, events: &[AuditEvent]) -> Result<()> {
    let mut counts = BTreeMap::<(i64, Figure), i64>::new();
    for event in events {
        if let Some(figure) = Figure::of(event) {
            *counts.entry((day_of(event.at), figure)).or_default() += 1;
        }
    }
    if counts.is_empty() {
        return Ok(());
    }
    let rows: Value = counts
        .iter()
        .map(|((day, figure), n)| json!({"day": day, "name": figure.as_str(), "n": n}))
        .collect();
    let rows_of = if db.get_database_backend() == DbBackend::Postgres {
        "SELECT * FROM json_to_recordset(CAST($1 AS json)) AS c(day bigint, name text, n bigint)"
    } else {
        "SELECT value ->> 'day', value ->> 'name', value ->> 'n' FROM json_each($1)"
    };
    let sql = format!(
        "INSERT INTO daily_figures (day, name, n) {rows_of} WHERE TRUE \
         ON CONFLICT (day, name) DO UPDATE SET n = daily_figures.n + excluded.n"
    );
    let values = [rows.to_string().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement).await?;
    Ok(())
}

/// The figures of some days, as far as events have been sealed.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Midnights, the oldest first.
    pub days: Vec<i64>,
    counts: BTreeMap<(i64, String), i64>,
}

impl Figures {
    pub fn new(days: Vec<i64>, counts: impl IntoIterator<Item = (i64, Figure, i64)>) -> Self {
        let counts = counts
            .into_iter()
            .map(|(day, figure, n)| ((day, figure.as_str().to_owned()), n));
        Self {
            days,
            counts: counts.collect(),
        }
    }

    pub fn on(&self, day: i64, figure: Figure) -> i64 {
        let key = (day, figure.as_str().to_owned());
        self.counts.get(&key).copied().unwrap_or(0)
    }

    /// Of the last `days` of them.
    pub fn last(&self, days: usize, figure: Figure) -> i64 {
        let last = self.days.iter().rev().take(days);
        last.map(|day| self.on(*day, figure)).sum()
    }

    /// Of the `days` before the last `days` of them.
    pub fn before_last(&self, days: usize, figure: Figure) -> i64 {
        let before = self.days.iter().rev().skip(days).take(days);
        before.map(|day| self.on(*day, figure)).sum()
    }
}

/// Of the last `days`, today included.
pub async fn of_days(app: &App, days: i64) -> Result<Figures> {
    let today = day_of(app.now());
    let first = today - (days - 1) * DAY;
    let rows = Entity::find()
        .filter(Column::Day.gte(first))
        .filter(Column::Day.lte(today))
        .order_by_asc(Column::Day)
        .all(app.db.read())
        .await?;
    Ok(Figures {
        days: (0..days).map(|n| first + n * DAY).collect(),
        counts: rows
            .into_iter()
            .map(|row| ((row.day, row.name), row.n))
            .collect(),
    })
}
