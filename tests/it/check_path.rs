//! The check path: warm it needs no database, and whatever takes a right away is noticed by the
//! next request, here and on another node.

use latchkey::{
    domain::{actor::Actor, families, permissions::Permissions, scopes::Scopes, tokens, users},
    news,
    secret::{Jwt, Password},
};
use serde_json::json;

use crate::support::{Backend, Caller, TestApp, run, until};

async fn status(caller: &Caller) -> u16 {
    caller.get("/studentapi/").await.status
}

both! {
    async fn a_warm_check_needs_no_database(app: &TestApp) {
        app.hear().await;
        let ann = app.token_user("ann").await;
        let bob = app.bearer_user("bob").await;
        let nobody = app.anonymous().token(&"0".repeat(40));
        for _ in 0..2 {
            assert_eq!(status(&ann).await, 200);
            assert_eq!(status(&bob).await, 200);
            assert_eq!(status(&nobody).await, 401);
        }
        app.app.db.clone().close().await.unwrap();
        for _ in 0..3 {
            assert_eq!(status(&ann).await, 200, "a token");
            assert_eq!(status(&bob).await, 200, "an access token");
            assert_eq!(status(&nobody).await, 401, "a key that is known to be none");
        }
        let cold = app.anonymous().token(&"1".repeat(40));
        assert_eq!(status(&cold).await, 500, "the database really is closed");
    }

    async fn a_warm_check_is_no_statement(app: &TestApp) {
        if app.backend == Backend::Postgres {
            // On SQLite a server looks for commands beside it, which are statements, too.
            app.hear().await;
        }
        let ann = app.token_user("ann").await;
        let bob = app.bearer_user("bob").await;
        let nobody = app.anonymous().token(&"0".repeat(40));
        let forged = app.anonymous().bearer("e30.e30.e30");
        let cases = [
            ("a token", &ann, 200, true),
            ("an access token", &bob, 200, true),
            ("a key that is none", &nobody, 401, true),
            ("what was never signed here", &forged, 401, false),
        ];
        for (what, caller, expected, asks) in cases {
            let cold = app.statements();
            assert_eq!(status(caller).await, expected, "{what}");
            let warm = app.statements();
            assert_eq!(warm > cold, asks, "{what}, cold");
            for _ in 0..10 {
                assert_eq!(status(caller).await, expected, "{what}");
            }
            assert_eq!(app.statements(), warm, "{what}");
        }
    }

    async fn every_change_is_noticed_by_the_next_request(app: &TestApp) {
        app.hear().await;
        let by = Actor::operator();
        for act in [
            "disable",
            "delete",
            "password",
            "sign out",
            "revoke",
            "rotate",
            "blacklist",
        ] {
            let name = act.replace(' ', "");
            let user = app.user(&name).await;
            let key = app.default_token(&user).await;
            let (access, refresh) = app.pair(&user).await;
            let by_token = app.anonymous().token(&key);
            let by_jwt = app.anonymous().bearer(&access);
            assert_eq!(
                (status(&by_token).await, status(&by_jwt).await),
                (200, 200),
                "{act}"
            );
            let token = tokens::find_default(&app.app, user.id)
                .await
                .unwrap()
                .unwrap();
            match act {
                "disable" => users::set_active(&app.app, &by, user.id, false)
                    .await
                    .unwrap(),
                "delete" => users::delete(&app.app, &by, user.id).await.unwrap(),
                "password" => {
                    let new = Password::new("another Password 7");
                    users::set_password(&app.app, &by, user.id, new)
                        .await
                        .unwrap();
                }
                "sign out" => users::sign_out_everywhere(&app.app, &by, user.id)
                    .await
                    .unwrap(),
                "revoke" => tokens::revoke(&app.app, &by, token.id).await.unwrap(),
                "rotate" => {
                    tokens::rotate(&app.app, &by, token.id, 0).await.unwrap();
                }
                _ => families::blacklist(&app.app, &Jwt::new(refresh), &by)
                    .await
                    .unwrap(),
            }
            let expected = match act {
                "disable" | "delete" => (401, 401),
                "revoke" | "rotate" => (401, 200),
                _ => (200, 401),
            };
            assert_eq!(
                (status(&by_token).await, status(&by_jwt).await),
                expected,
                "{act}"
            );
        }
    }

    async fn what_a_credential_allows_follows_its_user(app: &TestApp) {
        app.hear().await;
        let student = json!({"name": "A", "roll": 1, "city": "B"});
        let user = app.user("ann").await;
        // Her own: what others made for her ends with the rise.
        let by = Actor::operator().signed_in(&user);
        let own = tokens::get_or_create_default(&app.app, &by, user.id).await;
        let ann = app.anonymous().token(own.unwrap().key.expose());
        ann.post_json("/studentapi/", student.clone())
            .await
            .expect(403);
        let staff = users::UserInput {
            username: "ann".to_owned(),
            is_active: true,
            is_staff: true,
            groups: Some(vec![app.group("Staff", Permissions::all()).await]),
            ..users::UserInput::default()
        };
        users::update(&app.app, &Actor::operator(), user.id, staff, 1)
            .await
            .unwrap();
        ann.post_json("/studentapi/", student).await.expect(201);
    }

    async fn a_token_and_an_access_token_end_in_memory_too(app: &TestApp) {
        app.hear().await;
        let user = app.user("ann").await;
        let new = tokens::NewToken {
            user_id: user.id,
            name: "short".to_owned(),
            expires_at: Some(app.app.now() + 60),
            scopes: Scopes::FULL,
        };
        let (_, key) = tokens::issue(&app.app, &Actor::operator(), new)
            .await
            .unwrap();
        let by_token = app.anonymous().token(key.expose());
        let (access, _) = app.pair(&user).await;
        let by_jwt = app.anonymous().bearer(&access);
        assert_eq!((status(&by_token).await, status(&by_jwt).await), (200, 200));
        app.clock.advance(60);
        assert_eq!((status(&by_token).await, status(&by_jwt).await), (401, 200));
        app.clock.advance(3600 - 60);
        assert_eq!(status(&by_jwt).await, 401);
    }

    async fn the_list_of_students_is_never_stale(app: &TestApp) {
        app.hear().await;
        let staff = app.staff_token().await;
        let names = async || {
            let list = staff.get("/studentapi/").await.expect(200);
            let rows = list["data"].as_array().unwrap().clone();
            rows.iter()
                .map(|row| row["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert!(names().await.is_empty());
        staff
            .post_json("/studentapi/", json!({"name": "A", "roll": 1, "city": "B"}))
            .await
            .expect(201);
        assert_eq!(names().await, ["A"]);
        staff
            .patch("/studentapi/1/", json!({"name": "C"}))
            .await
            .expect(200);
        assert_eq!(names().await, ["C"]);
        assert_eq!(staff.delete("/studentapi/1/").await.status, 204);
        assert!(names().await.is_empty());
    }
}

#[test]
fn what_one_node_revokes_another_refuses() {
    run(Backend::Postgres, &[], async |app| {
        let other = app.second_node(&[]).await;
        app.hear().await;
        other.hear().await;
        let user = app.user("ann").await;
        let key = app.default_token(&user).await;
        let (access, _) = app.pair(&user).await;
        let (by_token, by_jwt) = (
            other.anonymous().token(&key),
            other.anonymous().bearer(&access),
        );
        for _ in 0..2 {
            assert_eq!((status(&by_token).await, status(&by_jwt).await), (200, 200));
        }
        let token = tokens::find_default(&app.app, user.id)
            .await
            .unwrap()
            .unwrap();
        tokens::revoke(&app.app, &Actor::operator(), token.id)
            .await
            .unwrap();
        until("the token is refused there", async || {
            status(&by_token).await == 401
        })
        .await;
        assert_eq!(status(&by_jwt).await, 200);
        users::sign_out_everywhere(&app.app, &Actor::operator(), user.id)
            .await
            .unwrap();
        until("the JWT is refused there", async || {
            status(&by_jwt).await == 401
        })
        .await;
        other.app.db.clone().close().await.unwrap();
    });
}

#[test]
fn a_node_that_hears_nothing_asks_the_database() {
    run(Backend::Postgres, &[], async |app| {
        // Nobody listens here: the news of the other node never arrive.
        let other = app.second_node(&[]).await;
        assert!(other.app.db.checks().is_deaf());
        let user = app.user("ann").await;
        let by_token = other.anonymous().token(&app.default_token(&user).await);
        assert_eq!(status(&by_token).await, 200);
        users::set_active(&app.app, &Actor::operator(), user.id, false)
            .await
            .unwrap();
        assert_eq!(status(&by_token).await, 401);
        other.app.db.clone().close().await.unwrap();
    });
}

#[test]
fn a_command_beside_a_sqlite_server_is_noticed() {
    run(Backend::Sqlite, &[], async |app| {
        tokio::spawn(news::follow(app.app.clone()));
        let user = app.user("ann").await;
        let by_token = app.anonymous().token(&app.default_token(&user).await);
        assert_eq!(status(&by_token).await, 200);
        let command = app.command().await;
        users::set_active(&command, &Actor::operator(), user.id, false)
            .await
            .unwrap();
        until("the token is refused", async || {
            status(&by_token).await == 401
        })
        .await;
        command.db.close().await.unwrap();
    });
}
