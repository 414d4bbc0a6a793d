//! `serve`: migrate, listen, say where; flush and close at the end.

use std::time::Duration;

use rocket::{Orbit, Rocket, fairing::AdHoc};
use tokio::time::sleep;

use super::{Context, Failure, say, stop};
use crate::{
    app::App,
    db::Opener,
    domain::{
        audit, families,
        health::{Chain, Job},
        mail, one_time_links, refusals, sessions, setup, signing_keys, tokens, totals, usage,
    },
    error::Result as Outcome,
    news,
    web::{self, fairings::UnderWay, metrics_address, tls},
};

/// Between two flushes of the uses of tokens and of refused requests.
const FLUSH: Duration = Duration::from_secs(10);
/// Between two looks into the outbox; a new letter rings before that.
const OUTBOX: Duration = Duration::from_secs(10);
/// Between two looks at what the audit log has to seal.
const SEAL: Duration = Duration::from_secs(1);
/// So many of them later it is asked whether a checkpoint is due; and after one that failed, so long
/// nothing is sealed.
const SEALS: u32 = 30;
/// Events that are sealed at most when the server stops; the next one goes on.
const LAST_SEALS: u64 = 20_000;
/// Before the first sweep: a start has enough to do.
const FIRST_SWEEP: Duration = Duration::from_mins(1);
/// Between two sweeps.
const SWEEP: Duration = Duration::from_hours(1);

pub async fn run(context: Context) -> Result<(), Failure> {
    let mut figment = context.figment.clone();
    let mut served = Chain::default();
    if let Some(tls) = &context.config.tls {
        served = tls::look(tls).map_err(Failure::Said)?;
        figment = tls::apply(figment, tls)?;
    }
    let delayed = context.config.stop_delay > 0;
    if delayed {
        figment = stop::take_signals(figment);
    }
    if !context.config.throttles_enabled {
        tracing::warn!("throttles are off: good for load tests, for nothing else");
    }
    let app = context.open(Opener::Server).await?;
    signing_keys::fit_settings(&app).await?;
    if let Some(address) = app.config.metrics_address {
        let refused = |e| {
            Failure::Said(format!(
                "LATCHKEY_METRICS_ADDRESS: cannot listen on {address}: {e}"
            ))
        };
        metrics_address::listen(app.clone(), address)
            .await
            .map_err(refused)?;
        tracing::info!(%address, "whoever reaches this address reads the metrics");
    }
    let timer = app.clone();
    let under_way = UnderWay::default();
    let rocket = web::rocket(app.clone(), figment)
        .manage(tls::Served(served))
        .attach(under_way.clone())
        .attach(AdHoc::on_liftoff("announce", |rocket| {
            Box::pin(announce(rocket))
        }))
        .attach(AdHoc::on_liftoff("timer", |rocket| {
            let mut shutdown = rocket.shutdown();
            Box::pin(async move {
                let news = tokio::spawn(news::follow(timer.clone()));
                // A long sweep does not delay the flushes, and is dropped half-way at the end.
                let seals = tokio::spawn(seal_for_ever(timer.clone()));
                let sweeps = tokio::spawn(sweep_for_ever(timer.clone()));
                let letters = tokio::spawn(deliver_for_ever(timer.clone()));
                let totals = tokio::spawn(totals::keep(timer.clone()));
                tokio::spawn(async move {
                    loop {
                        tokio::select! {
                            () = sleep(FLUSH) => flush(&timer).await,
                            () = &mut shutdown => break,
                        }
                    }
                    news.abort();
                    seals.abort();
                    sweeps.abort();
                    letters.abort();
                    totals.abort();
                });
            })
        }));
    let rocket = rocket
        .ignite()
        .await
        .map_err(|e| Failure::Said(explain(&e)))?;
    if delayed {
        // Not before: a signal ends what the start has to do.
        let signals = stop::Signals::new()?;
        tokio::spawn(stop::follow(app.clone(), signals, rocket.shutdown()));
    }
    let told = rocket.shutdown();
    let ended = tokio::select! {
        launched = rocket.launch() => launched.map(|_| ()).map_err(|e| Failure::Said(explain(&e))),
        () = drained(told, under_way) => Ok(()),
    };
    usage::flush(&app).await?;
    refusals::flush(&app).await?;
    audit::seal_some(&app, LAST_SEALS).await?;
    audit::checkpoint_now(&app).await?;
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

async fn flush(app: &App) {
    let uses = usage::flush(app).await;
    if let Err(e) = &uses {
        tracing::error!(error = %e, "flush of the uses of tokens failed");
    }
    let refused = refusals::flush(app).await;
    if let Err(e) = &refused {
        tracing::error!(error = %e, "flush of refused requests failed");
    }
    app.jobs
        .ended(Job::Flush, app.now(), uses.is_err() || refused.is_err());
}

/// A mail server that is slow or gone delays nothing but letters.
async fn deliver_for_ever(app: App) {
    loop {
        let delivered = mail::deliver(&app).await;
        app.jobs.ended(Job::Mail, app.now(), delivered.is_err());
        match delivered {
            Ok(0) => {}
            Ok(n) => tracing::info!(n, "letters sent"),
            Err(e) => tracing::error!(error = %e, "cannot look into the outbox"),
        }
        tokio::select! {
            () = sleep(OUTBOX) => {}
            () = app.mail_bell.notified() => {}
        }
    }
}

/// Events are written unsealed; here they get their place in the chain.
async fn seal_for_ever(app: App) {
    loop {
        for _ in 0..SEALS {
            sleep(SEAL).await;
            let sealed = audit::seal(&app).await;
            app.jobs.ended(Job::Seal, app.now(), sealed.is_err());
            if let Err(e) = sealed {
                tracing::error!(error = %e, "the audit log could not be sealed");
                sleep(SEAL * SEALS).await;
            }
        }
        if let Err(e) = audit::checkpoint_if_due(&app).await {
            tracing::error!(error = %e, "no checkpoint of the audit log could be made");
        }
    }
}

async fn sweep_for_ever(app: App) {
    sleep(FIRST_SWEEP).await;
    loop {
        sweep(&app).await;
        sleep(SWEEP).await;
    }
}

/// What the server clears away by itself. One that fails does not keep the others from their work.
async fn sweep(app: &App) {
    let rotated = signing_keys::sweep(app).await;
    let swept = [
        swept("signing keys", rotated.map(|()| 0)),
        swept("refresh families", families::sweep(app).await),
        swept("sessions", sessions::sweep(app).await),
        swept("counts of uses", usage::sweep(app).await),
        swept("refused requests", refusals::sweep(app).await),
        swept("one-time links", one_time_links::sweep(app).await),
        swept("letters", mail::sweep(app).await),
        swept("unused tokens", tokens::sweep_unused(app).await),
        swept("statistics", app.db.optimize().await.map(|()| 0)),
    ];
    app.jobs
        .ended(Job::Sweep, app.now(), swept.contains(&false));
}

/// Whether it worked.
fn swept(what: &str, outcome: Outcome<u64>) -> bool {
    match &outcome {
        Ok(0) => {}
        Ok(n) => tracing::info!(what, n, "swept"),
        Err(e) => tracing::error!(what, error = %e, "sweep failed"),
    }
    outcome.is_ok()
}

fn explain(e: &rocket::Error) -> String {
    match e.kind() {
        rocket::error::ErrorKind::Bind(e) => format!("cannot listen: {e}"),
        other => format!("cannot start: {other}"),
    }
}
