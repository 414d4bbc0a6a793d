//! For whoever watches: alive, ready to serve, and what is counted.

use std::{sync::atomic::Ordering, time::Duration};

use rocket::{
    Route, State, get,
    http::{ContentType, Header, Status},
    routes,
};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    app::App,
    domain::{actor::Actor, status_lists},
    error::{Error, Result},
    metrics::Now,
    web::{
        error::ApiError,
        guards::{ApiAuth, api_auth::MetricsRead},
    },
};

/// A database that has not answered by then does not answer: whoever asks has others to send people to.
const PATIENCE: Duration = Duration::from_secs(2);

pub fn routes() -> Vec<Route> {
    routes![healthz, metrics, readyz]
}

/// 200 as long as the process answers.
#[get("/healthz")]
fn healthz() -> &'static str {
    "ok\n"
}

/// Whether requests can be answered, and by which part it fails.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Readiness {
    ready: bool,
    /// It was told to stop and answers for a little while yet.
    stopping: bool,
    /// `answers` or `does not answer`.
    database: &'static str,
    /// `up to date`, `migrations are pending`, or `unknown`.
    schema: &'static str,
    /// `heard`, `not heard`, or `none` on SQLite.
    other_nodes: &'static str,
}

/// A node that does not hear the others is ready all the same: it believes nothing that it remembers
/// and asks the database, so its answers are true, only slower. Were it taken out, a fault that all nodes
/// share, such as a pooler that lets no news through, would take all of them out.
async fn readiness(app: &App, request_id: &str) -> Readiness {
    let migrated = timeout(PATIENCE, app.db.is_migrated());
    let migrated = match migrated.await {
        Ok(Ok(migrated)) => Some(migrated),
        Ok(Err(e)) => {
            tracing::error!(request.id = request_id, error = %e, "not ready");
            None
        }
        Err(_) => {
            tracing::error!(
                request.id = request_id,
                "not ready: the database does not answer in time"
            );
            None
        }
    };
    let stopping = app.stopping.load(Ordering::SeqCst);
    Readiness {
        ready: migrated == Some(true) && !stopping,
        stopping,
        database: match migrated {
            Some(_) => "answers",
            None => "does not answer",
        },
        schema: match migrated {
            Some(true) => "up to date",
            Some(false) => "migrations are pending",
            None => "unknown",
        },
        other_nodes: match (app.config.is_postgres(), app.db.checks().is_deaf()) {
            (false, _) => "none",
            (true, false) => "heard",
            (true, true) => "not heard",
        },
    }
}

/// 200 when the database answers, its schema is up to date and nobody told the server to stop; else 503.
#[get("/readyz")]
async fn readyz(caller: Actor, app: &State<App>) -> Result<(Status, Text), ApiError> {
    let readiness = readiness(app, caller.request_id()).await;
    let status = if readiness.ready {
        Status::Ok
    } else {
        Status::ServiceUnavailable
    };
    let body = serde_json::to_string(&readiness).map_err(Error::internal)?;
    Ok((status, Text::new(body + "\n", ContentType::JSON)))
}

/// Counts and latencies for Prometheus. They tell of everybody's doings: for staff, and with a token
/// that is good for nothing else.
#[get("/metrics")]
fn metrics(auth: ApiAuth<MetricsRead>, app: &State<App>) -> Result<Text, ApiError> {
    if !auth.actor.is_staff && !auth.actor.is_superuser {
        return Err(Error::PermissionDenied.into());
    }
    Ok(figures(app)?)
}

/// What is counted and measured, for whoever may read it.
pub(super) fn figures(app: &App) -> Result<Text> {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let (connections, idle) = app.db.connections();
    let checks = app.db.checks();
    let now = Now {
        passwords_waiting: count(app.hasher.under_way()),
        passwords_refused: app.hasher.refused(),
        remembered: i64::try_from(checks.count()).unwrap_or(i64::MAX),
        hears_other_nodes: !checks.is_deaf(),
        revocation_lag: checks.echo().lag().as_secs_f64(),
        status_list_lag: status_lists::lag(app),
        connections: connections.into(),
        idle_connections: count(idle),
    };
    let kind = ContentType::new("application", "openmetrics-text")
        .with_params([("version", "1.0.0"), ("charset", "utf-8")]);
    Ok(Text::new(app.metrics.text(now)?, kind))
}

#[derive(rocket::Responder)]
pub(super) struct Text {
    body: String,
    content_type: ContentType,
    no_store: Header<'static>,
}

impl Text {
    fn new(body: String, content_type: ContentType) -> Self {
        Self {
            body,
            content_type,
            no_store: Header::new("Cache-Control", "no-store"),
        }
    }
}
