//! `/api/revoke/` (RFC 7009): ending tokens and sign-ins that one holds.

use latchkey::{
    domain::{
        actor::Actor,
        scopes::{Scope, Scopes},
        tokens::{self, NewToken},
        users::{self, UserInput},
    },
    news,
};
use serde_json::json;

use crate::support::{Caller, JWT_KEY, START, TestApp, forged, until};

const PATH: &str = "/api/revoke/";

#[track_caller]
fn done(answer: &crate::support::Answer) {
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (200, ""),
        "{answer:?}"
    );
}

async fn revoke(caller: &Caller, token: &str) {
    done(&caller.post_form(PATH, &[("token", token)]).await);
}

async fn status(caller: &Caller) -> u16 {
    caller.get("/studentapi/").await.status
}

both! {
    async fn an_api_token_ends_at_once_and_again_is_fine(app: &TestApp) {
        tokio::spawn(news::follow(app.app.clone()));
        until("the node hears", async || !app.app.db.checks().is_deaf()).await;
        let ann = app.user("ann").await;
        let caller = app.bearer_user("bob").await;
        let caller_key = app.default_token(&app.find_user("bob").await).await;
        let by_key = app.anonymous().token(&caller_key);
        assert_eq!(status(&by_key).await, 200);
        for _ in 0..2 {
            revoke(&caller, &caller_key).await;
            assert_eq!(status(&by_key).await, 401);
        }
        let audited = app.audited().await;
        assert_eq!(audited.iter().filter(|action| *action == "token.revoked").count(), 1);
        // A token may end itself.
        let own = app.anonymous().token(&app.default_token(&ann).await);
        let key = app.default_token(&ann).await;
        revoke(&own, &key).await;
        assert_eq!(status(&own).await, 401);
    }

    async fn a_jwt_ends_its_whole_sign_in_and_no_other(app: &TestApp) {
        let ann = app.user("ann").await;
        let caller = app.anonymous().token(&app.default_token(&ann).await);
        for by_refresh in [true, false] {
            let (access, refresh) = app.pair(&ann).await;
            let (other, _) = app.pair(&ann).await;
            let bearer = app.anonymous().bearer(&access);
            assert_eq!(status(&bearer).await, 200);
            for _ in 0..2 {
                revoke(&caller, if by_refresh { &refresh } else { &access }).await;
            }
            assert_eq!(status(&bearer).await, 401);
            let again = json!({"refresh": refresh});
            app.anonymous().post_json("/api/token/refresh/", again).await.expect(401);
            assert_eq!(status(&app.anonymous().bearer(&other)).await, 200);
        }
        let ended = app.audited().await;
        assert_eq!(ended.iter().filter(|action| *action == "jwt.family_ended").count(), 2);
        assert!(!ended.contains(&"jwt.replayed".to_owned()));
    }

    async fn a_spent_refresh_token_ends_its_sign_in_too(app: &TestApp) {
        let ann = app.user("ann").await;
        let caller = app.anonymous().token(&app.default_token(&ann).await);
        let (_, first) = app.pair(&ann).await;
        let second = app
            .anonymous()
            .post_json("/api/token/refresh/", json!({"refresh": first}))
            .await;
        revoke(&caller, &first).await;
        assert_eq!(status(&app.anonymous().bearer(&second.string("access"))).await, 401);
    }

    async fn what_does_not_count_is_answered_like_what_was_ended(app: &TestApp) {
        let caller = app.token_user("ann").await;
        let ann = app.find_user("ann").await;
        let (access, refresh) = app.pair(&ann).await;
        app.clock.advance(10 * 86_400);
        for token in ["x", "lk_x", &"0".repeat(40), "a.b.c", "é.", &access, &refresh] {
            revoke(&caller, token).await;
        }
        for body in [json!({"token": "x"}), json!({"token": "x", "token_type_hint": "cookie"})] {
            done(&caller.post_json(PATH, body).await);
        }
        done(&caller.post_multipart(PATH, &[("token", "x")]).await);
        assert_eq!(caller.post_form(PATH, &[]).await.expect(400)["error"], "invalid_request");
    }

    async fn one_ends_only_what_one_may_touch(app: &TestApp) {
        let root = app.superuser("root").await;
        let ann = app.user("ann").await;
        let staff = app.staff_token().await;
        let tokens_of = async |user| {
            let (access, refresh) = app.pair(user).await;
            [app.default_token(user).await, access, refresh]
        };
        let bob = app.token_user("bob").await;
        for token in tokens_of(&root).await {
            for caller in [&bob, &staff] {
                let refused = caller.post_form(PATH, &[("token", &token)]).await;
                refused.is_detail(403, "You do not have permission to perform this action.");
            }
        }
        for token in tokens_of(&ann).await {
            assert_eq!(bob.post_form(PATH, &[("token", &token)]).await.status, 403);
            revoke(&staff, &token).await;
        }
        for token in tokens_of(&root).await {
            let by_root = app.anonymous().bearer(&app.pair(&root).await.0);
            revoke(&by_root, &token).await;
        }
    }

    async fn the_call_asks_for_a_credential_and_the_scope(app: &TestApp) {
        app.anonymous().post_form(PATH, &[("token", "x")]).await.expect(401);
        let ann = app.user("ann").await;
        let new = NewToken {
            user_id: ann.id,
            name: "reader".to_owned(),
            expires_at: None,
            scopes: Scopes::of(Scope::ALL.into_iter().filter(|s| *s != Scope::TokensManage)),
        };
        let (_, key) = tokens::issue(&app.app, &Actor::operator(), new).await.unwrap();
        let without = app.anonymous().token(key.expose());
        let refused = without.post_form(PATH, &[("token", key.expose())]).await;
        refused.is_detail(403, "This credential lacks the scope \"tokens:manage\".");
        assert_eq!(status(&without).await, 200);
        // In a browser, no page of elsewhere can do it.
        let browser = app.browser(&ann).await;
        assert_eq!(browser.post_form(PATH, &[("token", key.expose())]).await.status, 403);
    }

    async fn tokens_of_a_disabled_account_stay_ended(app: &TestApp) {
        let by = Actor::operator();
        let ann = app.user("ann").await;
        let staff = app.staff_token().await;
        let key = app.default_token(&ann).await;
        users::set_active(&app.app, &by, ann.id, false).await.unwrap();
        revoke(&staff, &key).await;
        let active = UserInput {
            username: "ann".to_owned(),
            is_active: true,
            ..UserInput::default()
        };
        let version = app.find_user("ann").await.version;
        users::update(&app.app, &by, ann.id, active, version).await.unwrap();
        assert_eq!(status(&app.anonymous().token(&key)).await, 401);
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn tokens_signed_elsewhere_end_one_by_one(app: &TestApp) {
        let ann = app.user("ann").await;
        let caller = app.anonymous().token(&app.default_token(&ann).await);
        let claims = |kind: &str, jti: &str| {
            let claims = json!({
                "token_type": kind, "exp": START + 600, "iat": START, "jti": jti, "user_id": ann.id,
            });
            forged(&claims, JWT_KEY)
        };
        let (access, refresh) = (claims("access", "a"), claims("refresh", "r"));
        let bearer = app.anonymous().bearer(&access);
        assert_eq!(status(&bearer).await, 200);
        for _ in 0..2 {
            revoke(&caller, &refresh).await;
            assert_eq!(status(&bearer).await, 200, "nothing ties the two together");
        }
        let again = json!({"refresh": refresh});
        app.anonymous().post_json("/api/token/refresh/", again).await.expect(401);
        for _ in 0..2 {
            revoke(&caller, &access).await;
            assert_eq!(status(&bearer).await, 401);
        }
        // Signed data is no token, whatever key signed it.
        let data = app.anonymous().get("/generate-token/?firstname=A&lastname=B&age=3").await;
        for token in [data.string("token"), claims("sliding", "s")] {
            let refused = caller.post_form(PATH, &[("token", &token)]).await;
            assert_eq!(refused.expect(400)["error"], "unsupported_token_type");
        }
    }
}
