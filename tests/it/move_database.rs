//! `latchkey move-database`: everything arrives, in both directions, or nothing does.

use latchkey::{
    config::{self, Config},
    db::{Db, Opener},
    domain::{actor::Actor, transfer},
    error::Error,
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::support::{
    Backend, PASSWORD, Program, SECRET, Server, TestApp, environment, postgres, run, wait,
    without_postgres,
};

fn program(url: &str) -> Program {
    Program::new()
        .set("LATCHKEY_SECRET_KEY", SECRET)
        .set("LATCHKEY_SUPERUSER_USERNAME", "root")
        .set("LATCHKEY_SUPERUSER_PASSWORD", PASSWORD)
        .set("LATCHKEY_DATABASE_URL", url)
}

fn config(url: &str) -> Config {
    let env = environment(&[
        ("LATCHKEY_DATABASE_URL", url),
        ("LATCHKEY_SECRET_KEY", SECRET),
    ]);
    Config::load(&config::figment(&env), &env).unwrap()
}

fn registration(name: &str) -> Value {
    json!({"username": name, "password": PASSWORD, "confirm_password": PASSWORD})
}

/// What clients hold while the database moves below them.
struct Held {
    key: String,
    access: String,
    refresh: String,
    /// The id of an account that was deleted: the highest that was given out.
    gone: i64,
}

impl Held {
    fn credential(&self) -> String {
        format!("Authorization: Token {}\r\n", self.key)
    }

    /// Signs in, makes things, and deletes the last account.
    fn collect(program: &Program) -> Self {
        program.succeeds(&["createsuperuser", "--noinput"]);
        let key = program.succeeds(&["create-token", "root"]);
        let server = program.serve();
        let body = json!({"username": "root", "password": PASSWORD});
        let pair = server.post("/api/token/", "", &body);
        let mut held = Self {
            key: key.trim().to_owned(),
            access: pair.string("access"),
            refresh: pair.string("refresh"),
            gone: 0,
        };
        let student = json!({"name": "Zoë \u{1F511} 'q'", "roll": -7, "city": "Pune"});
        let credential = held.credential();
        server
            .post("/studentapi/", &credential, &student)
            .expect(201);
        held.gone = held.register(&server, "short-lived");
        server.stop();
        held
    }

    /// Returns the new account's id.
    fn register(&self, server: &Server, name: &str) -> i64 {
        let registered = server.post("/registerapi/", &self.credential(), &registration(name));
        registered.expect(200);
        let claims = crate::support::claims_of(&registered.string("access"));
        claims["user_id"].as_str().unwrap().parse().unwrap()
    }

    fn still_open_everything(&mut self, server: &Server) {
        let students = server.get("/studentapi/", &self.credential()).expect(200);
        assert_eq!(students["data"][0]["name"], "Zoë \u{1F511} 'q'");
        assert_eq!(students["data"][0]["roll"], -7);
        let bearer = format!("Authorization: Bearer {}\r\n", self.access);
        server.get("/studentapi/", &bearer).expect(200);
        let body = json!({"username": "root", "password": PASSWORD});
        server.post("/api/token/", "", &body).expect(200);
        let key = server.post("/get-token/", &self.credential(), &body);
        assert_eq!(key.expect(200)["data"]["Token"], self.key, "sealed as well");
        let refreshed = server.post("/api/token/refresh/", "", &json!({"refresh": self.refresh}));
        refreshed.expect(200);
        self.refresh = refreshed.string("refresh");
    }
}

async fn delete_user(url: &str, id: i64) {
    let db = Db::connect(&config(url), Opener::Command).await.unwrap();
    for sql in ["refresh_families WHERE user_id", "users WHERE id"] {
        let sql = format!("DELETE FROM {sql} = {id}");
        db.read().execute_unprepared(&sql).await.unwrap();
    }
    db.close().await.unwrap();
}

#[test]
fn passwords_keys_and_tokens_open_the_moved_database_there_and_back() {
    let Some((name, url)) = wait(postgres::fresh()) else {
        return without_postgres();
    };
    let first = program("sqlite:first.sqlite3");
    let mut held = Held::collect(&first);
    let path = first.folder().join("first.sqlite3");
    wait(delete_user(
        &format!("sqlite:{}", path.display()),
        held.gone,
    ));
    let said = first.succeeds(&["move-database", "--to", &url]);
    assert!(said.contains("audit_events"), "{said}");
    let second = program(&url);
    let server = second.serve();
    held.still_open_everything(&server);
    let there = held.register(&server, "there");
    assert!(there > held.gone, "an id is not handed out twice");
    server.stop();
    wait(delete_user(&url, there));

    let back = second.folder().join("back.sqlite3");
    let back = format!("sqlite:{}", back.display());
    second.succeeds(&["move-database", "--to", &back]);
    let third = program(&back);
    let server = third.serve();
    held.still_open_everything(&server);
    assert!(held.register(&server, "back") > there);
    server.stop();
    wait(postgres::gone(&name));
}

#[test]
fn what_is_not_empty_not_ours_or_of_the_same_kind_is_refused() {
    let Some((name, url)) = wait(postgres::fresh()) else {
        return without_postgres();
    };
    let source = program("sqlite:source.sqlite3");
    let none = source.fails(&["move-database", "--to", &url]);
    assert!(none.contains("there is no database"), "{none}");
    source.succeeds(&["createsuperuser", "--noinput"]);
    let same = source.fails(&["move-database", "--to", "sqlite:other.sqlite3"]);
    assert!(same.contains("latchkey backup"), "{same}");
    assert!(!source.folder().join("other.sqlite3").exists());
    let odd = source.fails(&["move-database", "--to", "mysql://localhost/x"]);
    assert!(odd.contains("expected `sqlite:<path>`"), "{odd}");

    let other_secret = "another secret, as long as it has to be to be one";
    let served = program(&url).set("LATCHKEY_SECRET_KEY", other_secret);
    served.succeeds(&["migrate"]);
    let foreign = source.fails(&["move-database", "--to", &url]);
    assert!(
        foreign.contains("the target was made with another"),
        "{foreign}"
    );
    served.succeeds(&["createsuperuser", "--noinput"]);
    let full = source.fails(&["move-database", "--to", &url]);
    assert!(full.contains("the target is not empty"), "{full}");
    wait(postgres::gone(&name));
}

/// A source in process, an empty PostgreSQL beside it.
fn with_a_target(test: impl AsyncFnOnce(&TestApp, &Config)) {
    run(Backend::Sqlite, &[], async |app| {
        let Some((name, url)) = postgres::fresh().await else {
            return without_postgres();
        };
        test(app, &config(&url)).await;
        postgres::gone(&name).await;
    });
}

async fn rows(config: &Config, table: &str) -> i64 {
    let db = Db::connect(config, Opener::Command).await.unwrap();
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let question = Statement::from_string(db.read().get_database_backend(), sql);
    let row = db.read().query_one_raw(question).await.unwrap().unwrap();
    let rows = row.try_get_by_index(0).unwrap();
    db.close().await.unwrap();
    rows
}

async fn execute(config: &Config, sql: &str) {
    let db = Db::connect(config, Opener::Command).await.unwrap();
    db.read().execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

#[test]
fn a_row_that_does_not_arrive_as_it_was_is_noticed_and_nothing_is_moved() {
    with_a_target(async |app, target| {
        app.user("ann").await;
        let staff = app.staff_token().await;
        let student = json!({"name": "Nikhil", "roll": 1, "city": "Pune"});
        staff.post_json("/studentapi/", student).await.expect(201);
        let db = Db::connect(target, Opener::Command).await.unwrap();
        db.migrate().await.unwrap();
        db.close().await.unwrap();
        execute(
            target,
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.city := 'Puna'; RETURN NEW; END $$; \
             CREATE TRIGGER spoil BEFORE INSERT ON students FOR EACH ROW EXECUTE FUNCTION spoil()",
        )
        .await;
        let refused = transfer::move_to(&app.app, &Actor::operator(), target).await;
        let Err(Error::Conflict(text)) = refused else {
            panic!("{refused:?}");
        };
        assert!(
            text.starts_with("students differ: 1 rows here, 1 there"),
            "{text}"
        );
        assert_eq!(rows(target, "users").await, 0);
    });
}

#[test]
fn what_postgres_cannot_hold_is_named_and_nothing_is_moved() {
    with_a_target(async |app, target| {
        app.user("ann").await;
        let sql = "INSERT INTO students (name, roll, city) VALUES ('a' || char(0), 1, 'b')";
        execute(&app.app.config, sql).await;
        let refused = transfer::move_to(&app.app, &Actor::operator(), target).await;
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("students: "), "{text}");
        assert_eq!(rows(target, "users").await, 0);
    });
}

#[test]
fn more_rows_than_fit_into_a_batch_arrive_and_a_source_of_another_version_is_refused() {
    with_a_target(async |app, target| {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3500) \
                   INSERT INTO students (name, roll, city) SELECT 'S' || i, i % 7, 'Pune' FROM n";
        execute(&app.app.config, sql).await;
        let pair = "INSERT INTO token_uses (token_id, day, count) \
                    SELECT 1 + i % 2, i / 2 * 86400, i FROM \
                    (SELECT id - 1 AS i FROM students WHERE id <= 2500)";
        let ann = app.user("ann").await;
        let bob = app.user("bob").await;
        app.default_token(&ann).await;
        app.default_token(&bob).await;
        execute(&app.app.config, pair).await;
        execute(
            &app.app.config,
            "INSERT INTO seaql_migrations VALUES ('m2099', 0)",
        )
        .await;
        let later = transfer::move_to(&app.app, &Actor::operator(), target).await;
        assert!(
            later
                .unwrap_err()
                .to_string()
                .contains("not that of this version")
        );
        execute(
            &app.app.config,
            "DELETE FROM seaql_migrations WHERE version = 'm2099'",
        )
        .await;
        let report = transfer::move_to(&app.app, &Actor::operator(), target)
            .await
            .unwrap();
        let moved = |name| {
            let one = report.iter().find(|(table, _)| *table == name);
            one.unwrap().1.rows
        };
        assert_eq!((moved("students"), moved("token_uses")), (3500, 2500));
        assert_eq!(rows(target, "students").await, 3500);
        assert_eq!(rows(target, "token_uses").await, 2500);
        let audited = app.audited().await;
        assert!(
            !audited.contains(&"database.moved".to_owned()),
            "the source is untouched"
        );
        assert_eq!(
            rows(target, "audit_events WHERE action = 'database.moved'").await,
            1
        );
    });
}

both! {
    async fn every_table_and_column_of_the_schema_is_moved(app: &TestApp) {
        let mut moved: Vec<_> = transfer::moved();
        let mut names: Vec<&str> = moved.iter().map(|(table, _)| *table).collect();
        names.push("seaql_migrations");
        names.sort_unstable();
        let mut tables = app.app.db.tables().await.unwrap();
        tables.sort_unstable();
        assert_eq!(names, tables);
        for (table, columns) in &mut moved {
            let sql = if app.backend == Backend::Postgres {
                format!(
                    "SELECT column_name::text FROM information_schema.columns \
                     WHERE table_name = '{table}' AND table_schema = current_schema()"
                )
            } else {
                format!("SELECT name FROM pragma_table_info('{table}')")
            };
            let read = app.app.db.read();
            let question = Statement::from_string(read.get_database_backend(), sql);
            let found = read.query_all_raw(question).await.unwrap();
            let mut found: Vec<String> = found
                .iter()
                .map(|row| row.try_get_by_index(0).unwrap())
                .collect();
            found.sort_unstable();
            columns.sort_unstable();
            assert_eq!(*columns, found, "{table}");
        }
    }
}
