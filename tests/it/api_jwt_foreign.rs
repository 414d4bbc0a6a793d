//! JWTs that another server signed under the shared key: adopted once, ended like our own.

use latchkey::domain::{
    actor::Actor,
    users::{self, User},
};
use serde_json::json;

use crate::{
    api_jwt::{WINDOW, blacklist, refresh, refused, verify},
    support::{JWT_KEY, START, TestApp, forged, parallel},
};

/// A refresh token as another server under the same key signs it.
fn foreign(user: &User, kind: &str, jti: &str, iat: i64) -> String {
    let claims = json!({
        "token_type": kind, "exp": iat + 86_400, "iat": iat, "jti": jti,
        "user_id": user.id.to_string(),
    });
    forged(&claims, JWT_KEY)
}

both! {
    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn a_token_signed_elsewhere_is_adopted_once(app: &TestApp) {
        let ann = app.user("ann").await;
        let nobody = app.anonymous();
        for jti in ["a".repeat(32), "not hex at all, but an id".to_owned()] {
            let token = foreign(&ann, "refresh", &jti, START);
            verify(&nobody, &token).await.is(200, &json!({}));
            let first = refresh(&nobody, &token).await;
            first.expect(200);
            assert_eq!(refresh(&nobody, &token).await.text, first.text);
            app.clock.advance(WINDOW + 1);
            refused(&refresh(&nobody, &token).await, "Token is blacklisted");
            refused(
                &refresh(&nobody, &first.string("refresh")).await,
                "Token is blacklisted",
            );
        }
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn those_who_bring_a_foreign_token_at_once_get_one_successor(app: &TestApp) {
        let ann = app.user("ann").await;
        let token = foreign(&ann, "refresh", &"b".repeat(32), START);
        let ask = |_| {
            let (caller, token) = (app.anonymous(), token.clone());
            async move { refresh(&caller, &token).await }
        };
        let answers = parallel((0..24).map(ask)).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
        }
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn a_foreign_token_of_another_user_does_not_touch_this_ones_family(app: &TestApp) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let jti = "c".repeat(32);
        let nobody = app.anonymous();
        let of_ann = refresh(&nobody, &foreign(&ann, "refresh", &jti, START)).await;
        of_ann.expect(200);
        blacklist(&nobody, &foreign(&bob, "refresh", &jti, START))
            .await
            .expect(200);
        refresh(&nobody, &of_ann.string("refresh"))
            .await
            .expect(200);
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn a_token_blacklisted_by_many_at_once_is_blacklisted_once(app: &TestApp) {
        let ann = app.user("ann").await;
        let own = app.pair(&ann).await.1;
        for token in [foreign(&ann, "refresh", &"9".repeat(32), START), own] {
            let ask = |_| {
                let (caller, token) = (app.anonymous(), token.clone());
                async move { blacklist(&caller, &token).await }
            };
            let answers = parallel((0..16).map(ask)).await;
            let done = answers.iter().filter(|answer| answer.status == 200).count();
            assert_eq!(done, 1, "{answers:?}");
            for answer in answers.iter().filter(|answer| answer.status != 200) {
                refused(answer, "Token is blacklisted");
            }
        }
        let ended = app
            .audited()
            .await
            .iter()
            .filter(|a| *a == "jwt.family_ended")
            .count();
        assert_eq!(ended, 2);
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn signing_out_everywhere_ends_tokens_signed_elsewhere_too(app: &TestApp) {
        let ann = app.user("ann").await;
        let access = foreign(&ann, "access", &"d".repeat(32), START);
        let token = foreign(&ann, "refresh", &"e".repeat(32), START);
        let caller = app.anonymous().bearer(&access);
        caller.get("/studentapi/").await.expect(200);
        users::sign_out_everywhere(&app.app, &Actor::operator(), ann.id)
            .await
            .unwrap();
        assert_eq!(caller.get("/studentapi/").await.status, 401);
        refused(
            &refresh(&app.anonymous(), &token).await,
            "Token is blacklisted",
        );
        app.clock.advance(1);
        let later = foreign(&ann, "access", &"f".repeat(32), START + 1);
        app.anonymous()
            .bearer(&later)
            .get("/studentapi/")
            .await
            .expect(200);
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn validly_signed_odd_tokens_are_refused_not_broken(app: &TestApp) {
        app.user("ann").await;
        for user_id in [
            json!("seven"),
            json!([1]),
            json!({}),
            json!(-1),
            json!(1.5),
            json!(null),
        ] {
            for (path, field, kind) in [
                ("/api/token/refresh/", "refresh", "refresh"),
                ("/api/token/blacklist/", "refresh", "refresh"),
                ("/api/token/verify/", "token", "access"),
            ] {
                let claims = json!({
                    "token_type": kind, "exp": START + 60, "jti": "x", "user_id": user_id,
                });
                let body = json!({field: forged(&claims, JWT_KEY)});
                let answer = app.anonymous().post_json(path, body).await;
                refused(&answer, "Token is invalid");
            }
        }
        let no_id = forged(
            &json!({"token_type": "refresh", "exp": START + 60}),
            JWT_KEY,
        );
        refused(&refresh(&app.anonymous(), &no_id).await, "Token has no id");
    }
}
