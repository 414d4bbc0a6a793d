//! Hearing of changes that other processes make, so that nothing stale is believed: PostgreSQL's
//! LISTEN, or on SQLite the counter that commands raise beside the server.
//!
//! Whoever cannot hear believes nothing: a lost connection drops everything that is remembered, and
//! the database is asked until there is a new one.

use std::time::Duration;

use sea_orm::sqlx::{self, postgres::PgListener};
use tokio::time::{sleep, timeout};

use crate::{
    app::App,
    checks::Affects,
    db::CHANNEL,
    error::{Error, Result},
};

/// Between two looks at the counter.
const LOOK: Duration = Duration::from_millis(250);
/// Silence after which the connection is tried, and how long its answer may take: a peer that is
/// gone without a word is noticed within the sum.
const SILENCE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries to connect.
const PAUSE: Duration = Duration::from_secs(1);

/// Never ends by itself; the server drops it when it stops.
pub async fn follow(app: App) {
    if app.config.is_postgres() {
        listen(&app).await;
    } else {
        watch(&app).await;
    }
}

async fn listen(app: &App) {
    loop {
        let lost = hear(app).await;
        app.db.checks().hear(false);
        if let Err(e) = lost {
            tracing::warn!(error = %e, "lost the news of other nodes; asking the database instead");
        }
        sleep(PAUSE).await;
    }
}

/// Returns when the connection is lost.
async fn hear(app: &App) -> Result<()> {
    let mut listener = PgListener::connect(&app.config.database_url)
        .await
        .map_err(Error::internal)?;
    listener.listen(CHANNEL).await.map_err(Error::internal)?;
    app.db.checks().hear(true);
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(news))) => receive(app, news.payload()),
            // It would connect again by itself; what was said in between would be missing.
            Ok(Ok(None)) => return Err(Error::internal(std::io::Error::other("disconnected"))),
            Ok(Err(e)) => return Err(Error::internal(e)),
            Err(_) => {
                let probe = sqlx::query("SELECT 1").execute(&mut listener);
                timeout(PATIENCE, probe)
                    .await
                    .map_err(Error::internal)?
                    .map_err(Error::internal)?;
            }
        }
    }
}

/// `<node> <number> <whom it affects>`.
fn receive(app: &App, payload: &str) {
    let checks = app.db.checks();
    let mut parts = payload.splitn(3, ' ');
    let node = parts
        .next()
        .and_then(|text| u64::from_str_radix(text, 16).ok());
    let number = parts.next().and_then(|text| text.parse().ok());
    let affects = parts.next().map_or(Affects::Everything, Affects::read);
    if let Affects::Forgiven(digests) = &affects {
        app.throttles.forgive_all(digests);
    }
    checks.changed(affects);
    if let (Some(node), Some(number)) = (node, number)
        && node == checks.echo().node()
    {
        checks.echo().came_back(number);
    }
}

async fn watch(app: &App) {
    let mut seen = app.db.outside_changes().await.unwrap_or(0);
    loop {
        sleep(LOOK).await;
        match app.db.outside_changes().await {
            Ok(now) if now == seen => {}
            Ok(now) => {
                seen = now;
                app.db.checks().changed(Affects::Everything);
            }
            Err(e) => {
                tracing::warn!(error = %e, "cannot look for changes from outside");
                app.db.checks().changed(Affects::Everything);
            }
        }
    }
}
