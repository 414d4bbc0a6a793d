//! `/readyz`: whether requests can be answered, and by which part it fails.

use latchkey::{checks::Affects, news};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{Backend, Program, TestApp, until, wait};

/// The status and the body.
async fn readiness(app: &TestApp) -> (u16, Value) {
    let answer = app.anonymous().get("/readyz").await;
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    (answer.status, answer.json())
}

async fn execute(app: &TestApp, sql: &str) {
    let db = app.app.db.begin().await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.commit(Affects::Nobody).await.unwrap();
}

both! {
    async fn a_node_is_ready_when_its_database_is(app: &TestApp) {
        let nodes = if app.backend == Backend::Postgres { "not heard" } else { "none" };
        let mut ready = json!({
            "ready": true,
            "stopping": false,
            "database": "answers",
            "schema": "up to date",
            "other_nodes": nodes,
        });
        assert_eq!(readiness(app).await, (200, ready.clone()));
        execute(app, "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)").await;
        ready["ready"] = json!(false);
        ready["schema"] = json!("migrations are pending");
        assert_eq!(readiness(app).await, (503, ready.clone()));
        app.app.db.clone().close().await.unwrap();
        ready["database"] = json!("does not answer");
        ready["schema"] = json!("unknown");
        assert_eq!(readiness(app).await, (503, ready));
    }

    /// It asks the database at each check, so it must not be taken out for it.
    async fn a_node_that_loses_the_news_stays_ready_and_says_so(app: &TestApp) {
        if app.backend == Backend::Sqlite {
            return;
        }
        let ann = app.token_user("ann").await;
        let is = async |nodes: &str| {
            let (status, body) = readiness(app).await;
            assert_eq!(status, 200, "{body}");
            body["other_nodes"] == nodes
        };
        let follower = tokio::spawn(news::follow(app.app.clone()));
        until("the node hears", async || is("heard").await).await;
        ann.get("/studentapi/").await.expect(200);
        execute(
            app,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        )
        .await;
        until("it is told", async || is("not heard").await).await;
        ann.get("/studentapi/").await.expect(200);
        until("the node hears again", async || is("heard").await).await;
        follower.abort();
    }
}

/// For a balancer that asks `/readyz`: it finds the node leaving before one request fails.
#[test]
fn a_server_that_was_told_to_stop_says_so_while_it_answers() {
    let program = Program::new().set("LATCHKEY_STOP_DELAY", "300");
    let server = program.serve();
    assert_eq!(server.get("/readyz", "").expect(200)["stopping"], false);
    server.tell_to_stop();
    wait(until("it is not ready", async || {
        server.get("/readyz", "").status == 503
    }));
    let said = server.get("/readyz", "").expect(503);
    assert!(
        said["stopping"] == true && said["database"] == "answers",
        "{said}"
    );
    // Nobody asked for the end of the connection: this returns because the server ends it.
    let answer = server.exchange(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
    // Told again, it waits no longer.
    server.stop();
}
