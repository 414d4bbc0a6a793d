//! The only caller of "now". Everything else is handed a clock, so that tests can move it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Unix seconds as `2026-11-23T12:00:00Z`: as Django REST framework writes dates in UTC.
pub fn rfc3339(seconds: i64) -> String {
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
    date.and_then(|date| date.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    /// A hand that only tests move. Unix seconds.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(start: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start)))
    }

    /// Unix seconds, UTC.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system"
    )]
    pub fn now(&self) -> i64 {
        match self {
            Self::System => OffsetDateTime::now_utc().unix_timestamp(),
            Self::Manual(hand) => hand.load(Ordering::SeqCst),
        }
    }

    /// Moves a manual clock; a system clock stays as it is.
    pub fn advance(&self, seconds: i64) {
        if let Self::Manual(hand) = self {
            hand.fetch_add(seconds, Ordering::SeqCst);
        }
    }
}
