//! What the server counts about itself, as Prometheus reads it.

use latchkey::{
    domain::scopes::{Scope, Scopes},
    news,
};
use serde_json::json;

use crate::support::{Caller, TestApp, until};

/// A watcher whose token is good for nothing else.
async fn watcher(app: &TestApp) -> Caller {
    let root = app.superuser("root").await;
    let key = app
        .named_token(&root, Scopes::of([Scope::MetricsRead]))
        .await;
    app.anonymous().token(&key)
}

/// The value of a line that begins so.
async fn value(watcher: &Caller, start: &str) -> Option<f64> {
    let answer = watcher.get("/metrics").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let line = answer.text.lines().find(|line| line.starts_with(start));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
}

both! {
    async fn requests_checks_and_replays_are_counted(app: &TestApp) {
        tokio::spawn(news::follow(app.app.clone()));
        until("the node hears", async || !app.app.db.checks().is_deaf()).await;
        let watcher = watcher(app).await;
        let ann = app.token_user("ann").await;
        for _ in 0..3 {
            ann.get("/studentapi/").await.expect(200);
        }
        app.anonymous().get("/studentapi/").await.expect(401);
        let of_students = "latchkey_request_duration_seconds_count{method=\"GET\",route=\"/studentapi\",status=\"200\"}";
        assert_eq!(value(&watcher, of_students).await, Some(3.0));
        assert_eq!(value(&watcher, "latchkey_checks_total{scheme=\"none\",outcome=\"refused\"}").await, Some(1.0));
        let from_memory = value(&watcher, "latchkey_check_look_ups_total{found_in=\"memory\"}").await;
        assert!(from_memory >= Some(2.0), "{from_memory:?}");
        assert_eq!(value(&watcher, "latchkey_hears_other_nodes").await, Some(1.0));

        let user = app.user("bob").await;
        let (_, first) = app.pair(&user).await;
        let body = json!({"refresh": first});
        app.anonymous().post_json("/api/token/refresh/", body.clone()).await.expect(200);
        app.clock.advance(60);
        app.anonymous().post_json("/api/token/refresh/", body).await.expect(401);
        assert_eq!(value(&watcher, "latchkey_refresh_replays_total").await, Some(1.0));
        for measured in [
            "latchkey_passwords_waiting",
            "latchkey_passwords_refused_total",
            "latchkey_revocation_lag_seconds",
            "latchkey_remembered_credentials",
            "latchkey_status_list_lag_seconds",
            "latchkey_database_connections",
        ] {
            assert!(value(&watcher, measured).await.is_some(), "{measured}");
        }
    }

    async fn what_the_service_next_door_asks_is_counted(app: &TestApp) {
        let watcher = watcher(app).await;
        let checks = async |scheme, outcome| {
            let start = format!("latchkey_checks_total{{scheme=\"{scheme}\",outcome=\"{outcome}\"}}");
            value(&watcher, &start).await
        };
        let ann = app.user("ann").await;
        let browser = app.browser(&ann).await;
        let same = browser.with("Sec-Fetch-Site", "same-origin");
        assert_eq!(same.get("/auth/verify/").await.status, 200);
        let cross = browser.with("Sec-Fetch-Site", "cross-site");
        assert_eq!(cross.get("/auth/verify/").await.status, 403);
        assert_eq!(checks("session", "accepted").await, Some(1.0));
        assert_eq!(checks("session", "refused").await, Some(1.0));
        let key = app.default_token(&ann).await;
        let caller = app.anonymous().token(&key);
        for token in [&key, "nonsense"] {
            caller.post_json("/api/introspect/", json!({"token": token})).await.expect(200);
        }
        assert_eq!(checks("introspected", "accepted").await, Some(1.0));
        assert_eq!(checks("introspected", "refused").await, Some(1.0));
    }

    async fn they_are_for_staff_with_the_scope(app: &TestApp) {
        let watcher = watcher(app).await;
        assert_eq!(watcher.get("/metrics").await.status, 200);
        assert_eq!(watcher.get("/studentapi/").await.status, 403, "the token is good for nothing else");
        assert_eq!(app.anonymous().get("/metrics").await.status, 401);
        let ann = app.token_user("ann").await;
        assert_eq!(ann.get("/metrics").await.status, 403);
        // What Prometheus sends.
        let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let answer = watcher.with("Accept", accept).get("/metrics").await;
        assert_eq!(answer.status, 200);
        let kind = answer.header("Content-Type").unwrap();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        assert!(answer.text.ends_with("# EOF\n"));
        assert!(!answer.text.contains("root") && !answer.text.contains("127.0.0.1"));
    }
}
