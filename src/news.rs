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
    domain::settings,
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
        // Without news, settings are at most a few seconds old.
        if let Err(e) = read_settings(app).await {
            tracing::warn!(error = %e, "cannot read the settings");
        }
    }
}

/// Not for ever: whoever hears must not wait for a full pool, or revocations would wait behind it. One that cannot
/// read in time is deaf instead.
async fn read_settings(app: &App) -> Result<()> {
    let read = timeout(PATIENCE, settings::load(app)).await;
    read.map_err(Error::internal)?.map(drop)
}

/// Returns when the connection is lost.
async fn hear(app: &App) -> Result<()> {
    let mut listener = PgListener::connect(&app.config.database_url)
        .await
        .map_err(Error::internal)?;
    listener.listen(CHANNEL).await.map_err(Error::internal)?;
    // What changed while nobody listened.
    read_settings(app).await?;
    app.db.checks().hear(true);
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(news))) => receive(app, news.payload()).await?,
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
async fn receive(app: &App, payload: &str) -> Result<()> {
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
    let concerns_settings = matches!(affects, Affects::Settings | Affects::Everything);
    checks.changed(affects);
    if concerns_settings {
        read_settings(app).await?;
    }
    if let (Some(node), Some(number)) = (node, number)
        && node == checks.echo().node()
    {
        checks.echo().came_back(number);
    }
    Ok(())
}

async fn watch(app: &App) {
    // Nothing is remembered yet that could be stale; settings may have changed since they were read.
    let mut seen = match (app.db.outside_changes().await, settings::load(app).await) {
        (Ok(seen), Ok(_)) => Some(seen),
        _ => None,
    };
    loop {
        sleep(LOOK).await;
        match look(app, &mut seen).await {
            Ok(()) => {}
            Err(e) => {
                tracing::warn!(error = %e, "cannot look for changes from outside");
                app.db.checks().changed(Affects::Everything);
            }
        }
    }
}

/// `seen`: the counter when everything was last dropped and read anew.
async fn look(app: &App, seen: &mut Option<i64>) -> Result<()> {
    let now = app.db.outside_changes().await?;
    if *seen != Some(now) {
        app.db.checks().changed(Affects::Everything);
        settings::load(app).await?;
        *seen = Some(now);
    }
    Ok(())
}
