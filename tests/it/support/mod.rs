//! What tests are made of: `TestApp`, callers, answers, databases, and `both!`.

mod answer;
mod caller;
mod certificates;
pub mod django_project;
mod forge;
mod html;
mod next_door;
pub mod postgres;
mod program;
mod proxy;
mod python;
mod smtp;
mod test_app;

use std::{
    future::Future,
    sync::{LazyLock, Once},
    time::Duration,
};

pub use answer::Answer;
pub use caller::Caller;
pub use certificates::{certificate, certificate_for};
pub use forge::{claims_of, forged, forged_with_header, header_of, hs256};
pub use html::{between, csrf, nothing_inline};
pub use next_door::{NextDoor, Scene, next_door_command, next_door_scene};
pub use program::{Program, Server, exchange, folder, raw};
pub use proxy::{Proxy, Upstream, find_program, free_port, without};
pub use python::{python, without_django};
pub use smtp::{Received, Sink, Speech, acceptor, mail_settings};
pub use test_app::{Backend, JWT_KEY, PASSWORD, SECRET, START, TestApp, environment};

/// Shared by all tests: connections belong to the runtime that opened them.
static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
});

/// Waits for a future on the shared runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// Runs one test on one database. Without PostgreSQL on this machine its tests say so and pass.
pub fn run(backend: Backend, settings: &[(&str, &str)], test: impl AsyncFnOnce(&TestApp)) {
    wait(async {
        if backend == Backend::Postgres && postgres::cluster().await.is_none() {
            return without_postgres();
        }
        let app = TestApp::with(backend, settings).await;
        test(&app).await;
        app.close().await;
    });
}

/// Once, and past the capture of the test harness, which hides what tests print.
pub fn without_postgres() {
    static SAID: Once = Once::new();
    assert!(
        variable("CI").is_none(),
        "CI is set and there is no PostgreSQL: install it (initdb and pg_ctl)"
    );
    SAID.call_once(|| {
        use std::io::Write;
        let text = "\n*** PostgreSQL was not found (initdb, pg_ctl): its half of the tests did NOT run ***\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    });
}

/// Of the environment of `cargo test`.
#[expect(
    clippy::disallowed_methods,
    reason = "the surroundings of the tests, not settings of the application"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Starts all at once on the shared runtime's threads and gathers what they give.
pub async fn parallel<T, F>(tasks: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Looks again and again, at most ten seconds.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("in ten seconds it did not come true that {what}");
}

/// Declares tests that run on both databases. `#[with(("NAME", "value"))]` changes settings.
macro_rules! both {
    () => {};
    (
        $(#[doc = $doc:literal])*
        #[with($($setting:expr),* $(,)?)]
        async fn $name:ident($app:ident: &TestApp) $body:block
        $($rest:tt)*
    ) => {
        $(#[doc = $doc])*
        mod $name {
            use super::*;

            async fn test($app: &TestApp) $body

            #[test]
            fn sqlite() {
                $crate::support::run($crate::support::Backend::Sqlite, &[$($setting),*], test);
            }

            #[test]
            fn postgres() {
                $crate::support::run($crate::support::Backend::Postgres, &[$($setting),*], test);
            }
        }
        both! { $($rest)* }
    };
    (
        $(#[doc = $doc:literal])*
        async fn $name:ident($app:ident: &TestApp) $body:block
        $($rest:tt)*
    ) => {
        both! {
            $(#[doc = $doc])*
            #[with()]
            async fn $name($app: &TestApp) $body
            $($rest)*
        }
    };
}
