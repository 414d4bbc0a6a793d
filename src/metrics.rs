//! What the server counts about itself, in the text form that Prometheus reads
//! (`OpenMetrics`).
//! Labels are routes, words and statuses, never what somebody sent.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::error::{Error, Result};

/// Upper ends, in seconds: from a remembered check to a sign-in that waited.
const LATENCIES: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    /// As the router knows it; `-` where there is none.
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Check {
    scheme: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LookUp {
    found_in: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    reason: &'static str,
}

/// What is measured at the moment somebody asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    pub passwords_waiting: i64,
    /// Since the start.
    pub passwords_refused: u64,
    pub remembered: i64,
    pub hears_other_nodes: bool,
    /// Seconds.
    pub revocation_lag: f64,
    pub status_list_lag: i64,
    pub connections: i64,
    pub idle_connections: i64,
}

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Histogram, fn() -> Histogram>,
    checks: Family<Check, Counter>,
    look_ups: Family<LookUp, Counter>,
    replays: Counter,
    refusals: Family<Refusal, Counter>,
    refusals_not_kept: Counter,
    passwords_waiting: Gauge,
    passwords_refused: Counter,
    remembered: Gauge,
    hears: Gauge,
    revocation_lag: Gauge<f64, AtomicU64>,
    status_list_lag: Gauge,
    connections: Gauge,
    idle_connections: Gauge,
}

fn latencies() -> Histogram {
    Histogram::new(LATENCIES)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("latchkey"),
            requests: Family::new_with_constructor(latencies),
            checks: Family::default(),
            look_ups: Family::default(),
            replays: Counter::default(),
            refusals: Family::default(),
            refusals_not_kept: Counter::default(),
            passwords_waiting: Gauge::default(),
            passwords_refused: Counter::default(),
            remembered: Gauge::default(),
            hears: Gauge::default(),
            revocation_lag: Gauge::default(),
            status_list_lag: Gauge::default(),
            connections: Gauge::default(),
            idle_connections: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register_with_unit(
            "request_duration",
            "From the head of a request to the head of its answer",
            Unit::Seconds,
            self.requests.clone(),
        );
        r.register(
            "checks",
            "Credentials that were judged, by scheme and outcome",
            self.checks.clone(),
        );
        r.register(
            "check_look_ups",
            "Where the answer to a check came from",
            self.look_ups.clone(),
        );
        r.register(
            "refresh_replays",
            "Refresh tokens that were used again too late; each ended a sign-in",
            self.replays.clone(),
        );
        r.register(
            "refusals",
            "Answers 401 and 403 by their reason, as the panel tells it; `-` where none was found",
            self.refusals.clone(),
        );
        r.register(
            "refusals_not_kept",
            "Refused requests of which nothing was kept, as there were too many",
            self.refusals_not_kept.clone(),
        );
        r.register(
            "passwords_waiting",
            "Passwords that are being hashed or wait for it",
            self.passwords_waiting.clone(),
        );
        r.register(
            "passwords_refused",
            "Passwords that were turned away, as too many waited",
            self.passwords_refused.clone(),
        );
        r.register(
            "remembered_credentials",
            "Credentials whose verdict is in memory",
            self.remembered.clone(),
        );
        r.register(
            "hears_other_nodes",
            "1: news of other nodes arrive; 0: nothing is remembered and the database is asked",
            self.hears.clone(),
        );
        r.register_with_unit(
            "revocation_lag",
            "After the last change here, until it was heard as other nodes hear it; PostgreSQL only",
            Unit::Seconds,
            self.revocation_lag.clone(),
        );
        r.register_with_unit(
            "status_list_lag",
            "How far the status list handed out last was behind the database",
            Unit::Seconds,
            self.status_list_lag.clone(),
        );
        r.register(
            "database_connections",
            "Open connections to the database",
            self.connections.clone(),
        );
        r.register(
            "database_connections_idle",
            "Of these, without work",
            self.idle_connections.clone(),
        );
    }

    pub fn request(&self, method: &'static str, route: &str, status: u16, seconds: f64) {
        let labels = Request {
            method,
            route: route.to_owned(),
            status,
        };
        self.requests.get_or_create(&labels).observe(seconds);
    }

    /// `scheme`: `token`, `bearer`, `session`, `none` or `malformed`; `introspected` for tokens that a
    /// service asked about.
    pub fn check(&self, scheme: &'static str, outcome: &'static str) {
        self.checks.get_or_create(&Check { scheme, outcome }).inc();
    }

    /// `memory` or `database`.
    pub fn look_up(&self, found_in: &'static str) {
        self.look_ups.get_or_create(&LookUp { found_in }).inc();
    }

    pub fn replay(&self) {
        self.replays.inc();
    }

    /// `reason`: one of a closed list.
    pub fn refusal(&self, reason: &'static str) {
        self.refusals.get_or_create(&Refusal { reason }).inc();
    }

    pub fn refusal_not_kept(&self) {
        self.refusals_not_kept.inc();
    }

    /// All of it as text.
    pub fn text(&self, now: Now) -> Result<String> {
        self.passwords_waiting.set(now.passwords_waiting);
        // Counted where they are turned away, and only growing.
        let refused = self.passwords_refused.inner();
        refused.store(now.passwords_refused, Ordering::Relaxed);
        self.remembered.set(now.remembered);
        self.hears.set(i64::from(now.hears_other_nodes));
        self.revocation_lag.set(now.revocation_lag);
        self.status_list_lag.set(now.status_list_lag);
        self.connections.set(now.connections);
        self.idle_connections.set(now.idle_connections);
        let mut out = String::new();
        text::encode(&mut out, &self.registry).map_err(Error::internal)?;
        Ok(out)
    }
}
