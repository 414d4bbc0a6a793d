//! Throttles: when the pause begins, whom it concerns, when it ends.

use serde_json::json;

use crate::support::{Answer, Caller, PASSWORD, TestApp};

/// Wrong passwords for one name from one address before the pause, and its seconds.
const TRIES: usize = 10;
const PAUSE: i64 = 15 * 60;

/// The addresses that take a password, with the status of a wrong one.
const SIGN_INS: &[(&str, u16)] = &[
    ("/api/token/", 401),
    ("/get-token/", 401),
    ("/login/", 401),
    ("/api-token-auth/", 400),
];

async fn sign_in(caller: &Caller, path: &str, name: &str, password: &str) -> Answer {
    caller
        .post_json(path, json!({"username": name, "password": password}))
        .await
}

#[track_caller]
fn paused(answer: &Answer, at_most: i64) {
    assert_eq!(answer.status, 429, "{answer:?}");
    let seconds: i64 = answer
        .header("Retry-After")
        .expect("Retry-After")
        .parse()
        .unwrap();
    assert!((1..=at_most).contains(&seconds), "{seconds}");
    let plural = if seconds == 1 { "" } else { "s" };
    assert_eq!(
        answer.string("detail"),
        format!("Request was throttled. Expected available in {seconds} second{plural}.")
    );
}

both! {
    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn too_many_wrong_passwords_bring_a_pause_that_ends(app: &TestApp) {
        let key = app.default_token(&app.user("caller").await).await;
        for (n, (path, wrong)) in SIGN_INS.iter().enumerate() {
            let name = format!("person-{n}");
            app.user(&name).await;
            let caller = app.anonymous().token(&key).at(&format!("192.0.2.{n}"));
            for _ in 0..TRIES {
                assert_eq!(sign_in(&caller, path, &name, "wrong").await.status, *wrong);
            }
            paused(&sign_in(&caller, path, &name, "wrong").await, PAUSE);
            paused(&sign_in(&caller, path, &name, PASSWORD).await, PAUSE);
            let elsewhere = caller.at("198.51.100.1");
            sign_in(&elsewhere, path, &name, PASSWORD).await.expect(200);
            app.clock.advance(PAUSE - 1);
            paused(&sign_in(&caller, path, &name, PASSWORD).await, 1_000);
            app.clock.advance(1);
            sign_in(&caller, path, &name, PASSWORD).await.expect(200);
        }
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn the_addresses_share_one_count(app: &TestApp) {
        let key = app.default_token(&app.user("ann").await).await;
        let caller = app.anonymous().token(&key);
        for n in 0..TRIES {
            let (path, wrong) = SIGN_INS[n % SIGN_INS.len()];
            assert_eq!(sign_in(&caller, path, "ann", "wrong").await.status, wrong);
        }
        for (path, _) in SIGN_INS {
            paused(&sign_in(&caller, path, "ann", PASSWORD).await, PAUSE);
        }
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn a_known_and_an_unknown_name_read_the_same(app: &TestApp) {
        app.user("known").await;
        let known = app.anonymous().at("192.0.2.1");
        let unknown = app.anonymous().at("192.0.2.2");
        for _ in 0..=TRIES {
            let one = sign_in(&known, "/api/token/", "known", "wrong").await;
            let other = sign_in(&unknown, "/api/token/", "unknown", "wrong").await;
            assert_eq!((one.status, &one.text), (other.status, &other.text));
            assert_eq!(one.header("Retry-After"), other.header("Retry-After"));
        }
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn the_right_password_forgives_the_wrong_ones_before_it(app: &TestApp) {
        app.user("ann").await;
        let caller = app.anonymous();
        for _ in 0..3 {
            for _ in 0..TRIES - 1 {
                assert_eq!(
                    sign_in(&caller, "/api/token/", "ann", "wrong").await.status,
                    401
                );
            }
            sign_in(&caller, "/api/token/", "ann", PASSWORD)
                .await
                .expect(200);
        }
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn spelling_a_name_otherwise_gives_no_further_tries(app: &TestApp) {
        app.user("ann").await;
        let caller = app.anonymous();
        for n in 0..TRIES {
            let name = ["ann", "ANN", " Ann ", "\u{ff41}nn"][n % 4];
            assert_eq!(
                sign_in(&caller, "/api/token/", name, "wrong").await.status,
                401
            );
        }
        paused(
            &sign_in(&caller, "/api/token/", "ann", PASSWORD).await,
            PAUSE,
        );
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn headers_of_strangers_do_not_change_the_address(app: &TestApp) {
        app.user("ann").await;
        for n in 0..TRIES {
            let caller = app
                .anonymous()
                .with("X-Real-IP", &format!("10.0.0.{n}"))
                .with("X-Forwarded-For", &format!("10.0.1.{n}"))
                .with("Forwarded", &format!("for=10.0.2.{n}"));
            assert_eq!(
                sign_in(&caller, "/api/token/", "ann", "wrong").await.status,
                401
            );
        }
        let caller = app
            .anonymous()
            .with("X-Real-IP", "10.9.9.9")
            .with("X-Forwarded-For", "10.8.8.8");
        paused(
            &sign_in(&caller, "/api/token/", "ann", PASSWORD).await,
            PAUSE,
        );
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"), ("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"))]
    async fn a_trusted_proxy_tells_whose_request_it_is(app: &TestApp) {
        app.user("ann").await;
        let from = |client: &str| {
            app.anonymous()
                .with("X-Forwarded-For", &format!("1.2.3.4, {client}, 10.0.0.7"))
        };
        for _ in 0..TRIES {
            assert_eq!(
                sign_in(&from("192.0.2.1"), "/api/token/", "ann", "wrong")
                    .await
                    .status,
                401
            );
        }
        paused(
            &sign_in(&from("192.0.2.1"), "/api/token/", "ann", PASSWORD).await,
            PAUSE,
        );
        sign_in(&from("192.0.2.2"), "/api/token/", "ann", PASSWORD)
            .await
            .expect(200);
        sign_in(&from("192.0.2.3:4711"), "/api/token/", "ann", PASSWORD)
            .await
            .expect(200);
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn one_address_cannot_try_all_names(app: &TestApp) {
        let caller = app.anonymous();
        for n in 0..60 {
            let name = format!("name-{n}");
            assert_eq!(
                sign_in(&caller, "/api/token/", &name, "wrong").await.status,
                401
            );
        }
        paused(
            &sign_in(&caller, "/api/token/", "another", "wrong").await,
            PAUSE,
        );
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn a_stranger_does_not_lock_a_person_out(app: &TestApp) {
        app.user("ann").await;
        for n in 0..50 {
            let stranger = app.anonymous().at(&format!("203.0.113.{n}"));
            assert_eq!(
                sign_in(&stranger, "/api/token/", "ann", "wrong")
                    .await
                    .status,
                401
            );
        }
        sign_in(&app.anonymous(), "/api/token/", "ann", PASSWORD)
            .await
            .expect(200);
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn registrations_and_signatures_are_counted_by_address(app: &TestApp) {
        let key = app.default_token(&app.user("ann").await).await;
        let caller = app.anonymous().token(&key);
        for _ in 0..150 {
            let answer = caller.post_json("/registerapi/", json!({})).await;
            assert_eq!(answer.status, 400, "{answer:?}");
        }
        paused(&caller.post_json("/registerapi/", json!({})).await, 60);
        let other = caller.at("192.0.2.1");
        assert_eq!(
            other.post_json("/registerapi/", json!({})).await.status,
            400
        );
        for _ in 0..100 {
            assert_eq!(caller.get("/generate-token/").await.status, 400);
        }
        paused(&caller.get("/generate-token/").await, 60);
        paused(&caller.post_json("/generate-token/", json!({})).await, 60);
        app.clock.advance(60);
        assert_eq!(
            caller.post_json("/registerapi/", json!({})).await.status,
            400
        );
        assert_eq!(caller.get("/generate-token/").await.status, 400);
    }

    async fn switched_off_nothing_pauses(app: &TestApp) {
        app.user("ann").await;
        for _ in 0..TRIES * 2 {
            let answer = sign_in(&app.anonymous(), "/api/token/", "ann", "wrong").await;
            assert_eq!(answer.status, 401);
        }
        sign_in(&app.anonymous(), "/api/token/", "ann", PASSWORD)
            .await
            .expect(200);
    }
}
