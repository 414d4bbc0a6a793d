//! How often tokens are used: counted in memory, written in batches, kept for a while.

use latchkey::domain::{actor::Actor, tokens, usage, users};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use crate::support::{Backend, Program, TestApp, parallel, run, until};

const DAY: i64 = 86_400;

async fn flush(app: &TestApp) {
    usage::flush(&app.app).await.unwrap();
}

async fn execute(app: &TestApp, sql: &str) {
    let db = app.app.db.begin().await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.commit(latchkey::checks::Affects::Nobody).await.unwrap();
}

async fn number(app: &TestApp, sql: &str) -> i64 {
    let db = app.app.db.read();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

const ROWS: &str = "SELECT COUNT(*) FROM token_uses";
const SUM: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM token_uses";

async fn id_of(app: &TestApp, name: &str) -> i64 {
    let user = app.find_user(name).await;
    let token = tokens::find_default(&app.app, user.id).await.unwrap();
    token.unwrap().id
}

both! {
    async fn uses_are_counted_by_day_and_shown_by_the_api(app: &TestApp) {
        let ann = app.token_user("ann").await.at("192.0.2.7");
        let id = id_of(app, "ann").await;
        for _ in 0..3 {
            ann.get("/studentapi/").await.expect(200);
        }
        app.clock.advance(DAY);
        ann.get("/studentapi/").await.expect(200);
        flush(app).await;
        ann.get("/studentapi/").await.expect(200);
        flush(app).await;
        let path = format!("/api/tokens/{id}/");
        let shown = ann.get(&path).await.expect(200);
        assert_eq!(shown["uses"], json!({"today": 2, "last_30_days": 5}));
        assert_eq!(shown["last_used_address"], "192.0.2.7");
        let list = ann.get("/api/tokens/").await.expect(200);
        assert_eq!(list[0]["last_used_address"], "192.0.2.7");
        assert!(list[0].get("uses").is_none());
        assert_eq!(number(app, ROWS).await, 2, "a row a day");
        app.clock.advance(29 * DAY);
        let uses = usage::uses_of(&app.app, id).await.unwrap();
        assert_eq!((uses.days.len(), uses.today(), uses.total()), (30, 0, 2));
    }

    async fn a_jwt_and_a_wrong_key_are_not_counted(app: &TestApp) {
        let bob = app.bearer_user("bob").await;
        bob.get("/studentapi/").await.expect(200);
        app.anonymous().token(&"0".repeat(40)).get("/studentapi/").await.expect(401);
        flush(app).await;
        assert_eq!(number(app, ROWS).await, 0);
    }

    async fn what_cannot_be_written_is_kept_and_counted_once(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let id = id_of(app, "ann").await;
        execute(app, "ALTER TABLE token_uses RENAME TO away").await;
        for _ in 0..2 {
            ann.get("/studentapi/").await.expect(200);
            usage::flush(&app.app).await.unwrap_err();
        }
        execute(app, "ALTER TABLE away RENAME TO token_uses").await;
        ann.get("/studentapi/").await.expect(200);
        flush(app).await;
        flush(app).await;
        assert_eq!(number(app, SUM).await, 3);
        let token = tokens::get(&app.app, id).await.unwrap().token;
        assert_eq!(token.last_used_at, Some(app.app.now()));
    }

    async fn uses_of_a_deleted_token_hinder_nobody(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let bob = app.token_user("bob").await;
        for caller in [&ann, &bob] {
            caller.get("/studentapi/").await.expect(200);
        }
        let gone = app.find_user("ann").await;
        users::delete(&app.app, &Actor::operator(), gone.id).await.unwrap();
        flush(app).await;
        assert_eq!((number(app, ROWS).await, number(app, SUM).await), (1, 1));
        let bob = app.find_user("bob").await;
        users::delete(&app.app, &Actor::operator(), bob.id).await.unwrap();
        assert_eq!(number(app, ROWS).await, 0, "counts go with their token");
    }

    async fn many_tokens_are_flushed_together_and_each_gets_its_own(app: &TestApp) {
        let ann = app.user("ann").await;
        let now = app.app.now();
        for n in 0..1201 {
            let sql = format!(
                "INSERT INTO tokens (user_id, name, is_default, digest, prefix, scopes, \
                 created_at, created_by) VALUES ({}, 'n', FALSE, {}, 'lk_', 'full', {now}, '')",
                ann.id,
                digest(app, n)
            );
            execute(app, &sql).await;
        }
        let first = number(app, "SELECT MIN(id) FROM tokens").await;
        for id in first..first + 1201 {
            for _ in 0..=(id % 3) {
                app.app.usage.note(id, now, &format!("192.0.2.{}", id % 200));
            }
        }
        flush(app).await;
        let wrong = "SELECT COUNT(*) FROM tokens LEFT JOIN token_uses ON token_id = id \
                     WHERE count IS NULL OR count <> id % 3 + 1 \
                     OR last_used_address <> '192.0.2.' || (id % 200)";
        assert_eq!((number(app, ROWS).await, number(app, wrong).await), (1201, 0));
    }

    async fn two_nodes_that_flush_at_once_add_up(app: &TestApp) {
        app.user("ann").await;
        let key = app.default_token(&app.find_user("ann").await).await;
        let id = id_of(app, "ann").await;
        let (nodes, now) = (20, app.app.now());
        let flushes = (0..nodes).map(|n| {
            let app = app.clone();
            async move {
                // Each with notes of its own, as another node has.
                let mut node = app.app.clone();
                node.usage = std::sync::Arc::default();
                node.usage.note(id, now - n, "::1");
                usage::flush(&node).await.unwrap();
            }
        });
        parallel(flushes).await;
        assert_eq!(number(app, SUM).await, nodes);
        app.anonymous().token(&key).get("/studentapi/").await.expect(200);
        let token = tokens::get(&app.app, id).await.unwrap().token;
        assert_eq!(token.last_used_at, Some(now), "the latest of them");
    }

    async fn counts_of_days_long_past_are_swept(app: &TestApp) {
        let ann = app.token_user("ann").await;
        ann.get("/studentapi/").await.expect(200);
        flush(app).await;
        app.clock.advance(400 * DAY);
        assert_eq!(usage::sweep(&app.app).await.unwrap(), 1, "the count by ten minutes");
        assert_eq!(number(app, ROWS).await, 1, "kept for 400 days");
        app.clock.advance(DAY);
        assert_eq!(usage::sweep(&app.app).await.unwrap(), 1);
        assert_eq!(number(app, ROWS).await, 0);
    }

    async fn the_panel_draws_the_uses(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.token_user("ann").await.at("192.0.2.7");
        let path = format!("/admin/tokens/{}/", id_of(app, "ann").await);
        assert!(root.get(&path).await.text.contains("Not used in the last 30 days."));
        for _ in 0..5 {
            ann.get("/studentapi/").await.expect(200);
        }
        flush(app).await;
        let page = root.get(&path).await;
        crate::support::nothing_inline(&page);
        assert!(page.text.contains("5 in all, 5 on the busiest, 23 Nov."), "{}", page.text);
        assert!(page.text.contains("from 192.0.2.7"));
    }
}

fn digest(app: &TestApp, n: i64) -> String {
    if app.app.config.is_postgres() {
        format!("'\\x{n:064x}'")
    } else {
        format!("x'{n:064x}'")
    }
}

/// The flush takes tokens by their ids. These lie on disk the other way round.
#[test]
fn deleting_an_account_and_writing_its_uses_do_not_block_each_other() {
    run(Backend::Postgres, &[], async |app| {
        let ann = app.user("ann").await;
        for id in [200, 100] {
            let sql = format!(
                "INSERT INTO tokens (id, user_id, name, is_default, digest, prefix, scopes, \
                 created_at, created_by) VALUES ({id}, {}, 'n', FALSE, {}, 'lk_', 'full', 1, '')",
                ann.id,
                digest(app, id)
            );
            execute(app, &sql).await;
        }
        let lock = "SELECT id FROM tokens WHERE id = $1 FOR NO KEY UPDATE";
        let flush = app.app.db.begin().await.unwrap();
        flush
            .execute_unprepared(&lock.replace("$1", "100"))
            .await
            .unwrap();
        let (node, id) = (app.app.clone(), ann.id);
        let deletion =
            tokio::spawn(async move { users::delete(&node, &Actor::operator(), id).await });
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("the deletion waits", async || {
            number(app, waiting).await == 1
        })
        .await;
        flush
            .execute_unprepared(&lock.replace("$1", "200"))
            .await
            .unwrap();
        flush
            .commit(latchkey::checks::Affects::Nobody)
            .await
            .unwrap();
        deletion.await.unwrap().unwrap();
        assert_eq!(number(app, "SELECT COUNT(*) FROM tokens").await, 0);
    });
}

/// The server is told to stop; what it noted is in the database when it is gone.
#[test]
fn uses_are_written_when_the_server_stops() {
    let program = Program::new()
        .set("LATCHKEY_SUPERUSER_USERNAME", "root")
        .set("LATCHKEY_SUPERUSER_PASSWORD", crate::support::PASSWORD);
    program.succeeds(&["createsuperuser", "--noinput"]);
    let key = program.succeeds(&["create-token", "root"]);
    let credential = format!("Authorization: Token {}\r\n", key.trim());
    let server = program.serve();
    for _ in 0..2 {
        server.get("/studentapi/", &credential).expect(200);
    }
    server.stop();
    let shown = program.succeeds(&["tokens", "show", "1", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["uses_last_30_days"], 2, "{shown}");
    assert_eq!(shown["last_used_address"], "127.0.0.1");
}
