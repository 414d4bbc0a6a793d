//! The hashing governor over HTTP: bounded, polite when full, the same for known and unknown names.

use latchkey::{
    domain::{actor::Actor, users},
    error::Error,
    secret::Password,
};
use serde_json::json;

use crate::support::{Answer, PASSWORD, TestApp, parallel, until};

async fn many(app: &TestApp, name: &str, n: usize) -> Vec<Answer> {
    let ask = |_| {
        let (caller, name) = (app.anonymous(), name.to_owned());
        async move {
            let body = json!({"username": name, "password": PASSWORD});
            caller.post_json("/api/token/", body).await
        }
    };
    parallel((0..n).map(ask)).await
}

both! {
    // One at a time, none waits, and each takes its while: of many at once some find no place.
    #[with(
        ("LATCHKEY_HASH_PARALLEL", "1"),
        ("LATCHKEY_HASH_QUEUE_LENGTH", "0"),
        ("LATCHKEY_HASH_MEMORY_KIB", "16384"),
        ("LATCHKEY_HASH_ITERATIONS", "3"),
    )]
    async fn a_full_queue_says_when_to_come_back(app: &TestApp) {
        app.user("ann").await;
        let mut turned_away = 0;
        for name in ["ann", "nobody"] {
            let answers = many(app, name, 24).await;
            let busy: Vec<&Answer> = answers.iter().filter(|a| a.status == 503).collect();
            assert!(
                !busy.is_empty() && busy.len() < 24,
                "{name} is hashed for, too"
            );
            turned_away += busy.len() as u64;
            for answer in busy {
                assert_eq!(answer.header("Retry-After"), Some("10"));
                answer.is_detail(503, "The server is busy. Try again in 10 seconds.");
            }
        }
        assert_eq!(app.app.hasher.refused(), turned_away, "they are counted");
        let done = many(app, "ann", 1).await;
        done[0].expect(200);
    }

    #[with(("LATCHKEY_HASH_PARALLEL", "2"), ("LATCHKEY_HASH_QUEUE_LENGTH", "256"))]
    async fn with_room_in_the_queue_everybody_is_served(app: &TestApp) {
        app.user("ann").await;
        for answer in many(app, "ann", 64).await {
            answer.expect(200);
        }
    }

    #[with(
        ("LATCHKEY_HASH_PARALLEL", "1"),
        ("LATCHKEY_HASH_QUEUE_LENGTH", "0"),
        ("LATCHKEY_HASH_MEMORY_KIB", "65536"),
        ("LATCHKEY_HASH_ITERATIONS", "6"),
        ("LATCHKEY_THROTTLES_ENABLED", "true"),
    )]
    async fn being_turned_away_is_no_wrong_password(app: &TestApp) {
        app.user("ann").await;
        let hasher = app.app.hasher.clone();
        // Takes the only place, for longer than the requests below need.
        let busy = tokio::spawn(async move {
            while hasher.hash(Password::new("x")).await.is_err() {
                tokio::task::yield_now().await;
            }
        });
        let full = async || many(app, "nobody", 1).await[0].status == 503;
        until("there is no place", full).await;
        // Fewer at once than the tries there are: each counts while it is under way.
        for _ in 0..3 {
            for answer in many(app, "ann", 8).await {
                assert!([200, 503].contains(&answer.status), "{answer:?}");
            }
        }
        busy.await.unwrap();
        many(app, "ann", 1).await[0].expect(200);
    }

    async fn a_hash_of_another_cost_is_renewed_at_sign_in(app: &TestApp) {
        let before = app.user("ann").await.password;
        assert!(
            before.starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{before}"
        );
        let strong = app.second_node(&[("LATCHKEY_HASH_ITERATIONS", "2")]).await;
        many(&strong, "ann", 1).await[0].expect(200);
        let after = app.find_user("ann").await.password;
        assert!(after.starts_with("$argon2id$v=19$m=8,t=2,p=1$"), "{after}");
        many(&strong, "ann", 1).await[0].expect(200);
        assert_eq!(
            app.find_user("ann").await.password,
            after,
            "and then left alone"
        );
        strong.close().await;
    }

    async fn equal_passwords_have_different_hashes(app: &TestApp) {
        assert_ne!(
            app.user("ann").await.password,
            app.user("bob").await.password
        );
    }

    async fn an_endless_password_is_refused_without_reading_it_all(app: &TestApp) {
        app.user("ann").await;
        let long = "p".repeat(100_000);
        let body = json!({"username": "ann", "password": long});
        let answer = app.anonymous().post_json("/api/token/", body).await;
        answer.is_detail(401, "No active account found with the given credentials");
        let ann = app.find_user("ann").await;
        let set =
            users::set_password(&app.app, &Actor::operator(), ann.id, Password::new(long)).await;
        assert!(matches!(set, Err(Error::Validation(_))), "{set:?}");
    }
}
