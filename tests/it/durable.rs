//! What was answered stays, and what many write at once arrives: also when the process is killed.

use serde_json::{Value, json};

use crate::support::{
    PASSWORD, Program, SECRET, TestApp, parallel, postgres, wait, without_postgres,
};

fn registration(name: &str) -> Value {
    json!({"username": name, "password": PASSWORD, "confirm_password": PASSWORD})
}

both! {
    async fn of_many_who_register_one_name_at_once_one_gets_it(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let ask = |_| {
            let ann = ann.clone();
            async move { ann.post_json("/registerapi/", registration("wanted")).await }
        };
        let answers = parallel((0..64).map(ask)).await;
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 200).count(),
            1
        );
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            let data = json!({"username": ["A user with that username already exists."]});
            assert_eq!(answer.expect(400)["data"], data);
        }
    }

    async fn many_who_write_at_once_all_succeed(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let ask = |n: usize| {
            let ann = ann.clone();
            async move {
                ann.post_json("/registerapi/", registration(&format!("new-{n}")))
                    .await
            }
        };
        for answer in parallel((0..64).map(ask)).await {
            answer.expect(200);
        }
        let registered = app
            .audited()
            .await
            .iter()
            .filter(|a| *a == "user.registered")
            .count();
        assert_eq!(registered, 64, "an event for each");
    }

    async fn readers_and_writers_do_not_stop_each_other(app: &TestApp) {
        let staff = app.staff_token().await;
        let ask = |n: i64| {
            let staff = staff.clone();
            async move {
                if n % 2 == 0 {
                    let student = json!({"name": format!("S{n}"), "roll": n, "city": "Pune"});
                    staff.post_json("/studentapi/", student).await
                } else {
                    staff.get("/studentapi/").await
                }
            }
        };
        for answer in parallel((0..64).map(ask)).await {
            assert!([200, 201].contains(&answer.status), "{answer:?}");
        }
        let all = staff.get("/studentapi/").await.expect(200);
        assert_eq!(all["data"].as_array().unwrap().len(), 32);
    }
}

/// Registers, kills the server at the moment of the answer, starts it again, signs in.
fn survives_a_kill(program: &Program) {
    let program_key = {
        program.succeeds(&["migrate"]);
        program.succeeds(&["createsuperuser", "--noinput"]);
        program.succeeds(&["create-token", "root"])
    };
    let credential = format!("Authorization: Token {}\r\n", program_key.trim());
    for n in 0..3 {
        let name = format!("survivor-{n}");
        let server = program.serve();
        let answer = server.post("/registerapi/", &credential, &registration(&name));
        server.kill();
        answer.expect(200);
        let server = program.serve();
        let body = json!({"username": name, "password": PASSWORD});
        server.post("/api/token/", "", &body).expect(200);
        let refresh = json!({"refresh": answer.string("refresh")});
        server.post("/api/token/refresh/", "", &refresh).expect(200);
        server.get("/studentapi/", &credential).expect(200);
    }
}

fn program() -> Program {
    Program::new()
        .set("LATCHKEY_SECRET_KEY", SECRET)
        .set("LATCHKEY_SUPERUSER_USERNAME", "root")
        .set("LATCHKEY_SUPERUSER_PASSWORD", PASSWORD)
}

#[test]
fn an_answered_registration_survives_a_kill_on_sqlite() {
    survives_a_kill(&program());
}

#[test]
fn an_answered_registration_survives_a_kill_on_postgres() {
    let Some((name, url)) = wait(async {
        let cluster = postgres::cluster().await?;
        let name = cluster.database(false).await;
        let url = cluster.url(&name);
        Some((name, url))
    }) else {
        return without_postgres();
    };
    survives_a_kill(&program().set("DATABASE_URL", &url));
    wait(async {
        let cluster = postgres::cluster().await.unwrap();
        cluster.drop_database(&name).await;
    });
}
