//! For whoever watches: alive, and ready to serve.

use rocket::{Route, State, get, http::Status, routes};

use crate::app::App;

pub fn routes() -> Vec<Route> {
    routes![healthz, readyz]
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
