//! `/metrics` on an address of its own (the setting `metrics_address`), for a network that only the
//! collector reaches: no credential is asked for, and nothing else is served there.

use std::net::SocketAddr;

use rocket::{
    Build, Request, Rocket, State,
    config::{Config, Ident, LogLevel, Shutdown},
    fairing::AdHoc,
    get, routes,
};
use tokio::sync::oneshot;

use super::health::{Text, figures};
use crate::{app::App, web::error::ApiError};

/// Listens until the process ends; returns once it does. `Err` says why it cannot.
pub async fn listen(app: App, address: SocketAddr) -> Result<(), String> {
    let (tell, told) = oneshot::channel();
    let server = rocket(app, address).attach(AdHoc::on_liftoff("listens", |_| {
        Box::pin(async move {
            // Whoever waited has gone: the process is ending.
            let _gone = tell.send(());
        })
    }));
    let launched = tokio::spawn(async move {
        let launched = server.launch().await;
        launched.err().map(|e| match e.kind() {
            rocket::error::ErrorKind::Bind(e) => e.to_string(),
            other => other.to_string(),
        })
    });
    tokio::select! {
        Ok(()) = told => Ok(()),
        ended = launched => Err(match ended {
            Ok(Some(why)) => why,
            Ok(None) => "it stopped".to_owned(),
            Err(e) => e.to_string(),
        }),
    }
}

fn rocket(app: App, address: SocketAddr) -> Rocket<Build> {
    let config = Config {
        address: address.ip(),
        port: address.port(),
        ident: Ident::none(),
        ip_header: None,
        log_level: LogLevel::Off,
        cli_colors: false,
        // Signals are for the other one; this one goes with the process.
        shutdown: Shutdown {
            ctrlc: false,
            signals: [].into(),
            ..Shutdown::default()
        },
        ..Config::default()
    };
    rocket::custom(config)
        .manage(app)
        .mount("/", routes![metrics])
        .register("/", rocket::catchers![nothing_else])
}

#[get("/metrics")]
fn metrics(app: &State<App>) -> Result<Text, ApiError> {
    Ok(figures(app)?)
}

#[rocket::catch(default)]
fn nothing_else(_: &Request<'_>) -> &'static str {
    "only /metrics is served here\n"
}
