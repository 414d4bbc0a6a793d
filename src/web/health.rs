//! For whoever watches: alive, ready to serve, and what is counted.

use rocket::{
    Route, State, get,
    http::{ContentType, Header, Status},
    routes,
};

use crate::{
    app::App,
    domain::status_lists,
    error::Error,
    metrics::Now,
    web::{
        error::ApiError,
        guards::{ApiAuth, api_auth::MetricsRead},
    },
};

pub fn routes() -> Vec<Route> {
    routes![healthz, metrics, readyz]
}

/// 200 as long as the process answers.
#[get("/healthz")]
fn healthz() -> &'static str {
    "ok\n"
}

/// 200 when the database answers and its schema is up to date, else 503.
#[get("/readyz")]
async fn readyz(app: &State<App>) -> (Status, &'static str) {
    match app.db.is_migrated().await {
        Ok(true) => (Status::Ok, "ready\n"),
        Ok(false) => (Status::ServiceUnavailable, "migrations are pending\n"),
        Err(e) => {
            tracing::error!(error = %e, "not ready");
            (Status::ServiceUnavailable, "the database does not answer\n")
        }
    }
}

/// Counts and latencies for Prometheus. They tell of everybody's doings: for staff, and with a token
/// that is good for nothing else.
#[get("/metrics")]
fn metrics(auth: ApiAuth<MetricsRead>, app: &State<App>) -> Result<Text, ApiError> {
    if !auth.actor.is_staff && !auth.actor.is_superuser {
        return Err(Error::PermissionDenied.into());
    }
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let (connections, idle) = app.db.connections();
    let checks = app.db.checks();
    let now = Now {
        passwords_waiting: count(app.hasher.under_way()),
        remembered: i64::try_from(checks.count()).unwrap_or(i64::MAX),
        hears_other_nodes: !checks.is_deaf(),
        status_list_lag: status_lists::lag(app),
        connections: connections.into(),
        idle_connections: count(idle),
    };
    Ok(Text {
        body: app.metrics.text(now)?,
        content_type: ContentType::new("application", "openmetrics-text")
            .with_params([("version", "1.0.0"), ("charset", "utf-8")]),
        no_store: Header::new("Cache-Control", "no-store"),
    })
}

#[derive(rocket::Responder)]
struct Text {
    body: String,
    content_type: ContentType,
    no_store: Header<'static>,
}
