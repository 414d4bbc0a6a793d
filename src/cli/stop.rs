//! Told to stop with the setting `stop_delay`: `/readyz` says so while everything is still answered, and whoever
//! sends requests here has that long to send them elsewhere. Only then does the listener close.

use std::{io, sync::atomic::Ordering, time::Duration};

use rocket::{Shutdown, figment::Figment};
use tokio::time::sleep;

use crate::app::App;

/// Rocket leaves signals to us: it would close the listener at once.
pub fn take_signals(figment: Figment) -> Figment {
    figment
        .merge(("shutdown.ctrlc", false))
        .merge(("shutdown.signals", [""; 0]))
}

/// Waits for a signal, then for the delay, which a second signal ends.
pub async fn follow(app: App, mut signals: Signals, shutdown: Shutdown) {
    signals.next().await;
    app.stopping.store(true, Ordering::SeqCst);
    let seconds = app.config.stop_delay;
    tracing::info!(seconds, "told to stop; not ready any more");
    tokio::select! {
        () = sleep(Duration::from_secs(seconds)) => {}
        () = signals.next() => {}
    }
    shutdown.notify();
}

/// SIGTERM and SIGINT, from the moment this is made.
#[cfg(unix)]
pub struct Signals {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without a handler there is nothing to wait for but the end of the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
