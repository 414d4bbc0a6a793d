//! JWTs over HTTP: pairs, rotation, retries, replays, revocation. Those signed elsewhere are in
//! `api_jwt_foreign`.

use latchkey::domain::{actor::Actor, audit, families, users};
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Caller, PASSWORD, START, TestApp, claims_of, run};

/// Seconds within which a retry gets the same answer; the setting's default.
pub(crate) const WINDOW: i64 = 10;

pub(crate) async fn refresh(caller: &Caller, token: &str) -> Answer {
    caller
        .post_json("/api/token/refresh/", json!({"refresh": token}))
        .await
}

pub(crate) async fn verify(caller: &Caller, token: &str) -> Answer {
    caller
        .post_json("/api/token/verify/", json!({"token": token}))
        .await
}

pub(crate) async fn blacklist(caller: &Caller, token: &str) -> Answer {
    caller
        .post_json("/api/token/blacklist/", json!({"refresh": token}))
        .await
}

#[track_caller]
pub(crate) fn refused(answer: &Answer, message: &str) {
    answer.is(401, &json!({"detail": message, "code": "token_not_valid"}));
    assert_eq!(
        answer.header("WWW-Authenticate"),
        Some("Bearer realm=\"api\"")
    );
}

both! {
    async fn a_pair_says_what_simplejwt_says(app: &TestApp) {
        let ann = app.user("ann").await;
        let body = json!({"username": "ann", "password": PASSWORD});
        let answer = app.anonymous().post_json("/api/token/", body).await;
        answer.expect(200);
        for (field, lifetime) in [("access", 3600), ("refresh", 86_400)] {
            let jwt = answer.string(field);
            assert!(
                jwt.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."),
                "{jwt}"
            );
            let claims = claims_of(&jwt);
            assert_eq!(claims["token_type"], field);
            assert_eq!(claims["iat"], START);
            assert_eq!(claims["exp"], START + lifetime);
            assert_eq!(claims["user_id"], ann.id.to_string());
            assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
            assert_eq!(claims.as_object().unwrap().len(), 5);
        }
        assert!(app.audited().await.contains(&"jwt.issued".to_owned()));
    }

    async fn wrong_unknown_and_inactive_read_the_same(app: &TestApp) {
        app.user("ann").await;
        let off = app.user("off").await;
        users::set_active(&app.app, &Actor::operator(), off.id, false)
            .await
            .unwrap();
        for (name, password) in [("ann", "wrong"), ("nobody", PASSWORD), ("off", PASSWORD)] {
            let body = json!({"username": name, "password": password});
            let answer = app.anonymous().post_json("/api/token/", body).await;
            answer.is_detail(401, "No active account found with the given credentials");
        }
    }

    async fn refresh_rotates_and_the_new_pair_works(app: &TestApp) {
        let ann = app.user("ann").await;
        let nobody = app.anonymous();
        let (_, mut token) = app.pair(&ann).await;
        for turn in 1..=3 {
            app.clock.advance(100);
            let answer = refresh(&nobody, &token).await;
            answer.expect(200);
            assert_ne!(answer.string("refresh"), token);
            token = answer.string("refresh");
            let claims = claims_of(&token);
            assert_eq!(claims["iat"], START + turn * 100);
            assert_eq!(claims["exp"], START + turn * 100 + 86_400);
            nobody
                .bearer(&answer.string("access"))
                .get("/studentapi/")
                .await
                .expect(200);
        }
    }

    async fn a_retry_inside_the_window_gets_the_same_bytes(app: &TestApp) {
        let (_, token) = app.pair(&app.user("ann").await).await;
        let nobody = app.anonymous();
        let first = refresh(&nobody, &token).await;
        first.expect(200);
        app.clock.advance(WINDOW);
        let retry = refresh(&nobody, &token).await;
        assert_eq!((retry.status, &retry.text), (200, &first.text));
        let next = refresh(&nobody, &first.string("refresh")).await;
        next.expect(200);
    }

    async fn a_replay_outside_the_window_ends_the_family_and_is_audited(app: &TestApp) {
        let (access, token) = app.pair(&app.user("ann").await).await;
        let nobody = app.anonymous();
        let first = refresh(&nobody.at("192.0.2.1"), &token).await;
        first.expect(200);
        app.clock.advance(WINDOW + 1);
        refused(
            &refresh(&nobody.at("198.51.100.2"), &token).await,
            "Token is blacklisted",
        );
        // Nobody can tell thief from owner: what either of them holds is void.
        refused(
            &refresh(&nobody, &first.string("refresh")).await,
            "Token is blacklisted",
        );
        for jwt in [access, first.string("access")] {
            let answer = nobody.bearer(&jwt).get("/studentapi/").await;
            answer.is_detail(401, "Given token not valid for any token type");
        }
        let events = audit::recent(&app.app, 1).await.unwrap();
        assert_eq!(events[0].action, "jwt.replayed");
        let detail: Value = serde_json::from_str(&events[0].detail).unwrap();
        let addresses = json!({"rotated_from": "192.0.2.1", "replayed_from": "198.51.100.2"});
        assert_eq!(detail, addresses);
    }

    async fn a_token_older_than_the_last_is_a_replay_even_inside_the_window(app: &TestApp) {
        let (_, first) = app.pair(&app.user("ann").await).await;
        let nobody = app.anonymous();
        let second = refresh(&nobody, &first).await.string("refresh");
        let third = refresh(&nobody, &second).await.string("refresh");
        refused(&refresh(&nobody, &first).await, "Token is blacklisted");
        refused(&refresh(&nobody, &third).await, "Token is blacklisted");
    }

    #[with(("LATCHKEY_JWT_REFRESH_RETRY_WINDOW", "0"))]
    async fn without_a_window_only_the_same_second_is_a_retry(app: &TestApp) {
        let (_, token) = app.pair(&app.user("ann").await).await;
        refresh(&app.anonymous(), &token).await.expect(200);
        app.clock.advance(1);
        refused(
            &refresh(&app.anonymous(), &token).await,
            "Token is blacklisted",
        );
    }

    #[with(("LATCHKEY_JWT_ROTATE_REFRESH_TOKENS", "false"))]
    async fn without_rotation_refresh_gives_access_only_again_and_again(app: &TestApp) {
        let (_, token) = app.pair(&app.user("ann").await).await;
        let nobody = app.anonymous();
        let mut seen = Vec::new();
        for _ in 0..3 {
            app.clock.advance(WINDOW + 1);
            let answer = refresh(&nobody, &token).await;
            assert_eq!(answer.expect(200).as_object().unwrap().len(), 1);
            seen.push(answer.string("access"));
        }
        seen.dedup();
        assert_eq!(seen.len(), 3);
        nobody
            .bearer(&seen[0])
            .get("/studentapi/")
            .await
            .expect(200);
        blacklist(&nobody, &token).await.is(200, &json!({}));
        refused(&refresh(&nobody, &token).await, "Token is blacklisted");
    }

    async fn blacklist_ends_the_family_and_verify_tells_the_truth(app: &TestApp) {
        let (access, token) = app.pair(&app.user("ann").await).await;
        let nobody = app.anonymous();
        verify(&nobody, &token).await.is(200, &json!({}));
        verify(&nobody, &access).await.is(200, &json!({}));
        blacklist(&nobody, &token).await.is(200, &json!({}));
        refused(&blacklist(&nobody, &token).await, "Token is blacklisted");
        refused(&verify(&nobody, &token).await, "Token is blacklisted");
        refused(&verify(&nobody, &access).await, "Token is blacklisted");
        refused(&refresh(&nobody, &token).await, "Token is blacklisted");
        let answer = nobody.bearer(&access).get("/studentapi/").await;
        answer.is_detail(401, "Given token not valid for any token type");
    }

    async fn a_rotated_token_no_longer_verifies(app: &TestApp) {
        let (_, token) = app.pair(&app.user("ann").await).await;
        let nobody = app.anonymous();
        let next = refresh(&nobody, &token).await.string("refresh");
        refused(&verify(&nobody, &token).await, "Token is blacklisted");
        verify(&nobody, &next).await.is(200, &json!({}));
        app.clock.advance(WINDOW + 1);
        refused(&blacklist(&nobody, &token).await, "Token is blacklisted");
    }

    async fn a_tab_that_missed_the_refresh_of_another_can_still_sign_out(app: &TestApp) {
        let (access, token) = app.pair(&app.user("ann").await).await;
        let nobody = app.anonymous();
        let next = refresh(&nobody, &token).await.string("refresh");
        blacklist(&nobody, &token).await.is(200, &json!({}));
        for ended in [&access, &next] {
            refused(&verify(&nobody, ended).await, "Token is blacklisted");
        }
    }

    async fn each_is_taken_only_for_what_it_is(app: &TestApp) {
        let (access, token) = app.pair(&app.user("ann").await).await;
        let nobody = app.anonymous();
        refused(&refresh(&nobody, &access).await, "Token has wrong type");
        refused(&blacklist(&nobody, &access).await, "Token has wrong type");
        let answer = nobody.bearer(&token).get("/studentapi/").await;
        assert_eq!(
            answer.expect(401)["messages"][0]["message"],
            "Token has wrong type"
        );
        for junk in ["junk", "a.b.c", "", " "] {
            let answer = verify(&nobody, junk).await;
            assert!([400, 401].contains(&answer.status), "{answer:?}");
        }
    }

    async fn tokens_end_at_their_second(app: &TestApp) {
        let (access, token) = app.pair(&app.user("ann").await).await;
        let caller = app.anonymous().bearer(&access);
        app.clock.advance(3599);
        caller.get("/studentapi/").await.expect(200);
        app.clock.advance(1);
        let answer = caller.get("/studentapi/").await;
        assert_eq!(
            answer.expect(401)["messages"][0]["message"],
            "Token is expired"
        );
        app.clock.advance(86_400 - 3601);
        verify(&caller, &token).await.expect(200);
        app.clock.advance(1);
        refused(&refresh(&app.anonymous(), &token).await, "Token is expired");
    }

    async fn whatever_ends_an_account_ends_its_tokens_on_the_next_request(app: &TestApp) {
        let by = Actor::operator();
        for what in ["password", "everywhere", "disable", "delete"] {
            let user = app.user(what).await;
            let (access, token) = app.pair(&user).await;
            let nobody = app.anonymous();
            let caller = nobody.bearer(&access);
            caller.get("/studentapi/").await.expect(200);
            let new = latchkey::secret::Password::new("An0ther-pass-2");
            let done = match what {
                "password" => users::set_password(&app.app, &by, user.id, new).await,
                "everywhere" => users::sign_out_everywhere(&app.app, &by, user.id).await,
                "disable" => users::set_active(&app.app, &by, user.id, false).await,
                _ => users::delete(&app.app, &by, user.id).await,
            };
            done.unwrap();
            assert_eq!(caller.get("/studentapi/").await.status, 401, "{what}");
            for answer in [
                refresh(&nobody, &token).await,
                verify(&nobody, &token).await,
                verify(&nobody, &access).await,
            ] {
                assert_eq!(answer.status, 401, "{what}: {answer:?}");
            }
            if what == "disable" {
                let answer = refresh(&nobody, &token).await;
                answer.is(
                    401,
                    &json!({"detail": "No active account found for the given token."}),
                );
                users::set_active(&app.app, &by, user.id, true)
                    .await
                    .unwrap();
                assert_eq!(caller.get("/studentapi/").await.status, 401, "stays ended");
            }
        }
    }

    async fn expired_families_are_swept_a_day_later(app: &TestApp) {
        app.pair(&app.user("ann").await).await;
        app.clock.advance(86_400 * 2);
        assert_eq!(families::sweep(&app.app).await.unwrap(), 0);
        app.clock.advance(1);
        assert_eq!(families::sweep(&app.app).await.unwrap(), 1);
    }
}

#[test]
fn a_second_node_gives_the_same_successor() {
    run(Backend::Postgres, &[], async |app| {
        let node = app.second_node(&[]).await;
        let (_, token) = app.pair(&app.user("ann").await).await;
        let here = refresh(&app.anonymous(), &token).await;
        assert_eq!(
            refresh(&node.anonymous(), &token).await.text,
            here.text,
            "the same bytes"
        );
        node.app.db.clone().close().await.unwrap();
    });
}
