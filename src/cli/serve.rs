//! `serve`: migrate, listen, say where; flush and close at the end.

use std::time::Duration;

use rocket::{Orbit, Rocket, fairing::AdHoc};
use tokio::time::sleep;

use super::{Context, Failure, say};
use crate::{
    app::App,
    db::Opener,
    domain::{families, sessions, setup, signing_keys, usage},
    news,
    web::{self, fairings::UnderWay},
};

/// Seconds between two flushes of "last used".
const FLUSH: u64 = 10;
/// Flushes between two sweeps of what has expired: an hour.
const SWEEP: u64 = 360;

pub async fn run(context: Context) -> Result<(), Failure> {
    let figment = context.figment.clone();
    if !context.config.throttles_enabled {
        tracing::warn!("throttles are off: good for load tests, for nothing else");
    }
    let app = context.open(Opener::Server).await?;
    let timer = app.clone();
    let under_way = UnderWay::default();
    let rocket = web::rocket(app.clone(), figment)
        .attach(under_way.clone())
        .attach(AdHoc::on_liftoff("announce", |rocket| {
            Box::pin(announce(rocket))
        }))
        .attach(AdHoc::on_liftoff("timer", |rocket| {
            let mut shutdown = rocket.shutdown();
            Box::pin(async move {
                let news = tokio::spawn(news::follow(timer.clone()));
                tokio::spawn(async move {
                    for beat in 1_u64.. {
                        let pause = sleep(Duration::from_secs(FLUSH));
                        tokio::select! {
                            () = pause => tick(&timer, beat).await,
                            () = &mut shutdown => break,
                        }
                    }
                    news.abort();
                });
            })
        }));
    let rocket = rocket
        .ignite()
        .await
        .map_err(|e| Failure::Said(explain(&e)))?;
    let stop = rocket.shutdown();
    let ended = tokio::select! {
        launched = rocket.launch() => launched.map(|_| ()).map_err(|e| Failure::Said(explain(&e))),
        () = drained(stop, under_way) => Ok(()),
    };
    usage::flush(&app).await?;
    app.db.close().await?;
    ended
}

/// Told to stop, and nothing is under way any more. Rocket itself would sit out its whole grace
/// period as soon as one connection is open, used or not.
async fn drained(stop: rocket::Shutdown, under_way: UnderWay) {
    stop.await;
    let mut quiet = 0;
    // The last answers are still being written when their requests have ended.
    while quiet < 3 {
        sleep(Duration::from_millis(100)).await;
        quiet = if under_way.count() == 0 { quiet + 1 } else { 0 };
    }
}

async fn announce(rocket: &Rocket<Orbit>) {
    let config = rocket.config();
    let scheme = if config.tls_enabled() {
        "https"
    } else {
        "http"
    };
    let host = if config.address.is_unspecified() {
        format!("localhost:{}", config.port)
    } else {
        std::net::SocketAddr::new(config.address, config.port).to_string()
    };
    let base = format!("{scheme}://{host}");
    say(&format!("Latchkey listens on {base}/"));
    let Some(app) = rocket.state::<App>() else {
        return;
    };
    match setup::is_open(app).await {
        Ok(true) => {
            let code = app.keys.setup_code().expose();
            let code: String = form_urlencoded::byte_serialize(code.as_bytes()).collect();
            say("There is no superuser yet. Create the first one here:");
            say(&format!("    {base}/setup/?code={code}"));
        }
        Ok(false) => {}
        Err(e) => tracing::error!(error = %e, "cannot tell whether there is a superuser"),
    }
}

async fn tick(app: &App, beat: u64) {
    if let Err(e) = usage::flush(app).await {
        tracing::error!(error = %e, "flush of last-used times failed");
    }
    if beat.is_multiple_of(SWEEP) {
        if let Err(e) = signing_keys::sweep(app).await {
            tracing::error!(error = %e, "rotation of signing keys failed");
        }
        match (families::sweep(app).await, sessions::sweep(app).await) {
            (Ok(families), Ok(sessions)) => tracing::info!(families, sessions, "swept"),
            (Err(e), _) | (_, Err(e)) => tracing::error!(error = %e, "sweep failed"),
        }
    }
}

fn explain(e: &rocket::Error) -> String {
    match e.kind() {
        rocket::error::ErrorKind::Bind(e) => format!("cannot listen: {e}"),
        other => format!("cannot start: {other}"),
    }
}
