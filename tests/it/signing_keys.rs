//! Keys that sign JWTs change without a restart and without logging anybody out; a key that others
//! know is refused at once.

use latchkey::{
    domain::{
        actor::Actor,
        signing_keys::{self, KeyState},
    },
    error::Error,
    news,
};
use serde_json::json;

use crate::{
    support::{Answer, Backend, Caller, TestApp, header_of, run, until},
    well_known::jwks,
};

const REFRESH: &str = "/api/token/refresh/";
/// Seconds until a key that was called up signs.
pub(crate) const LEAD: i64 = 2;

pub(crate) async fn refresh(app: &TestApp, token: &str) -> Answer {
    let body = json!({"refresh": token});
    app.anonymous().post_json(REFRESH, body).await
}

pub(crate) async fn rotate(app: &TestApp) -> String {
    signing_keys::fit_settings(&app.app).await.unwrap();
    // The next one has been published long enough.
    app.clock.advance(signing_keys::PUBLISHED);
    let key = signing_keys::rotate(&app.app, &Actor::operator()).await;
    key.unwrap().kid
}

pub(crate) async fn status(caller: &Caller) -> u16 {
    caller.get("/studentapi/").await.status
}

pub(crate) async fn states(app: &TestApp) -> Vec<KeyState> {
    let keys = signing_keys::judged(&app.app).await.unwrap();
    keys.into_iter().map(|(_, state)| state).collect()
}

/// Signs as its owner would, is rotated, and what it signed goes on.
async fn rotation_logs_nobody_out(app: &TestApp) {
    let user = app.user("ann").await;
    let (access, first) = app.pair(&user).await;
    let old = app.anonymous().bearer(&access);
    assert_eq!(status(&old).await, 200);
    let kid = rotate(app).await;
    assert_eq!(status(&old).await, 200, "before the new key signs");
    app.clock.advance(LEAD);
    assert_eq!(status(&old).await, 200, "after it does");
    let answer = refresh(app, &first).await;
    answer.expect(200);
    let renewed = answer.string("access");
    assert_eq!(header_of(&renewed)["kid"], json!(kid), "the new key signs");
    assert_eq!(status(&app.anonymous().bearer(&renewed)).await, 200);
    assert_eq!(
        states(app).await,
        [KeyState::Previous, KeyState::Current, KeyState::Next]
    );
    // The last token that the old key can have signed has expired.
    app.clock.advance(86_400 + 61);
    assert_eq!(
        states(app).await,
        [KeyState::Retired, KeyState::Current, KeyState::Next]
    );
}
both! {
    async fn the_first_key_names_none_as_clients_of_the_django_stack_know_it(app: &TestApp) {
        let user = app.user("ann").await;
        let (access, _) = app.pair(&user).await;
        assert_eq!(header_of(&access), json!({"alg": "HS256", "typ": "JWT"}));
        assert_eq!(states(app).await, [KeyState::Current, KeyState::Next]);
        assert!(jwks(app).await.is_empty(), "a shared secret is not published");
    }

    async fn rotation_of_hs256_logs_nobody_out(app: &TestApp) {
        rotation_logs_nobody_out(app).await;
    }

    #[with(("LATCHKEY_JWT_ALGORITHM", "EdDSA"))]
    async fn rotation_of_eddsa_logs_nobody_out(app: &TestApp) {
        rotation_logs_nobody_out(app).await;
    }

    #[with(("LATCHKEY_JWT_ALGORITHM", "ES256"))]
    async fn rotation_of_es256_logs_nobody_out(app: &TestApp) {
        rotation_logs_nobody_out(app).await;
    }

    #[with(("LATCHKEY_JWT_ALGORITHM", "RS256"))]
    async fn rotation_of_rs256_logs_nobody_out(app: &TestApp) {
        rotation_logs_nobody_out(app).await;
    }

    #[with(("LATCHKEY_JWT_ALGORITHM", "ES256"))]
    async fn a_retry_across_a_rotation_gets_the_same_bytes(app: &TestApp) {
        let user = app.user("ann").await;
        let (_, first) = app.pair(&user).await;
        rotate(app).await;
        app.clock.advance(LEAD - 1);
        let before = refresh(app, &first).await;
        before.expect(200);
        app.clock.advance(1);
        let again = refresh(app, &first).await;
        assert_eq!(again.json(), before.json(), "signed by the key of then");
        let (access, _) = app.pair(&user).await;
        assert_ne!(header_of(&access)["kid"], header_of(&before.string("access"))["kid"]);
    }

    async fn what_a_revoked_key_signed_is_refused_at_once_and_nothing_else(app: &TestApp) {
        let user = app.user("ann").await;
        let (old_access, old_refresh) = app.pair(&user).await;
        let by_token = app.anonymous().token(&app.default_token(&user).await);
        rotate(app).await;
        app.clock.advance(LEAD);
        let (access, _) = app.pair(&user).await;
        let callers = [&old_access, &access].map(|jwt| app.anonymous().bearer(jwt));
        for caller in &callers {
            assert_eq!(status(caller).await, 200);
        }
        let keys = signing_keys::list(&app.app).await.unwrap();
        let by = Actor::operator();
        signing_keys::revoke(&app.app, &by, keys[0].id).await.unwrap();
        assert_eq!(status(&callers[0]).await, 401, "remembered or not");
        assert_eq!(refresh(app, &old_refresh).await.status, 401);
        assert_eq!(status(&callers[1]).await, 200);
        assert_eq!(status(&by_token).await, 200);
        let again = signing_keys::revoke(&app.app, &by, keys[0].id).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        assert_eq!(app.audited().await[0], "signing_key.revoked");
    }

    async fn where_the_current_key_is_revoked_the_next_one_takes_over(app: &TestApp) {
        let user = app.user("ann").await;
        let (access, first) = app.pair(&user).await;
        let answer = refresh(app, &first).await;
        answer.expect(200);
        let keys = signing_keys::list(&app.app).await.unwrap();
        let by = Actor::operator();
        signing_keys::revoke(&app.app, &by, keys[0].id).await.unwrap();
        assert_eq!(status(&app.anonymous().bearer(&access)).await, 401);
        assert_eq!(refresh(app, &first).await.status, 401, "a retry is no way around");
        let (access, _) = app.pair(&user).await;
        assert_eq!(header_of(&access)["kid"], json!(keys[1].kid));
        assert_eq!(status(&app.anonymous().bearer(&access)).await, 200);
        assert_eq!(states(app).await, [KeyState::Retired, KeyState::Current, KeyState::Next]);
    }

    #[with(("LATCHKEY_JWT_ALGORITHM", "EdDSA"))]
    async fn a_key_that_verifiers_may_not_know_waits(app: &TestApp) {
        rotate(app).await;
        app.clock.advance(LEAD);
        let early = signing_keys::rotate(&app.app, &Actor::operator()).await;
        assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
        app.clock.advance(signing_keys::PUBLISHED - LEAD);
        signing_keys::rotate(&app.app, &Actor::operator()).await.unwrap();
    }

    async fn one_rotation_at_a_time(app: &TestApp) {
        rotate(app).await;
        let again = signing_keys::rotate(&app.app, &Actor::operator()).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        app.clock.advance(LEAD);
        rotate(app).await;
    }

    #[with(("LATCHKEY_JWT_KEY_LIFETIME", "1000"))]
    async fn a_key_that_has_served_its_time_is_followed_by_itself(app: &TestApp) {
        signing_keys::fit_settings(&app.app).await.unwrap();
        assert_eq!(states(app).await, [KeyState::Current, KeyState::Next]);
        app.clock.advance(999);
        signing_keys::sweep(&app.app).await.unwrap();
        assert_eq!(states(app).await.len(), 2);
        app.clock.advance(1);
        let second = app.second_node(&[]).await;
        for node in [app, &second, app] {
            signing_keys::sweep(&node.app).await.unwrap();
        }
        app.clock.advance(LEAD);
        assert_eq!(states(app).await, [KeyState::Previous, KeyState::Current, KeyState::Next]);
        assert_eq!(app.audited().await, ["signing_key.rotated"]);
        // Long after it retired a row goes; the first key's stays, so that it cannot come back.
        for _ in 0..2 {
            app.clock.advance(86_400 * 32);
            signing_keys::sweep(&app.app).await.unwrap();
            app.clock.advance(LEAD);
        }
        let listed = signing_keys::judged(&app.app).await.unwrap();
        assert_eq!(listed.len(), 4, "the first, the one before, this one, the next");
        assert_eq!((signing_keys::name(&listed[0].0), listed[0].1), ("first", KeyState::Retired));
        second.close().await;
    }

    async fn an_unknown_key_is_looked_for_once_a_second(app: &TestApp) {
        tokio::spawn(news::follow(app.app.clone()));
        until("the node hears", async || !app.app.db.checks().is_deaf()).await;
        let user = app.user("ann").await;
        let (good, _) = app.pair(&user).await;
        assert_eq!(status(&app.anonymous().bearer(&good)).await, 200);
        let named = |kid: &str| {
            let header = format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{kid}"}}"#);
            crate::support::forged_with_header(&header, "{}", "no key of ours")
        };
        for kid in ["one", "two"] {
            assert_eq!(status(&app.anonymous().bearer(&named(kid))).await, 401);
        }
        // Within the second nothing asks the database, not even with it gone.
        app.app.db.clone().close().await.unwrap();
        assert_eq!(status(&app.anonymous().bearer(&named("three"))).await, 401);
        app.clock.advance(1);
        assert_eq!(status(&app.anonymous().bearer(&named("four"))).await, 500, "it looks again");
    }

    async fn keys_are_the_business_of_superusers(app: &TestApp) {
        let staff = app.user_with("sam", |input| latchkey::domain::users::UserInput {
            is_staff: true,
            ..input
        });
        let staff = app.browser(&staff.await).await;
        assert_eq!(staff.get("/admin/keys/").await.status, 403);
        assert!(!staff.get("/admin/").await.text.contains("/admin/keys/"));
        let root = app.admin("root").await;
        let page = root.get("/admin/keys/").await;
        assert!(page.text.contains("first"), "{page:?}");
        app.clock.advance(LEAD);
        let sent = root.submit("/admin/keys/", "/admin/keys/rotate/", &[]).await;
        assert_eq!(sent.redirect(), "/admin/keys/");
        assert_eq!(states(app).await.len(), 3);
        app.clock.advance(LEAD);
        let first = signing_keys::list(&app.app).await.unwrap()[0].id;
        let form = format!("/admin/keys/{first}/revoke/");
        assert_eq!(root.submit(&form, &form, &[]).await.redirect(), "/admin/keys/");
        assert_eq!(states(app).await[0], KeyState::Retired);
        assert_eq!(root.get(&form).await.status, 404, "there is nothing to revoke any more");
    }
}

/// A rotation on one node is known to the other, by news or, where they are late, by looking once.
#[test]
fn another_node_knows_the_new_key() {
    run(Backend::Postgres, &[], async |one| {
        let two = one.second_node(&[]).await;
        for node in [one, &two] {
            tokio::spawn(news::follow(node.app.clone()));
            until("the node hears", async || !node.app.db.checks().is_deaf()).await;
        }
        let user = one.user("ann").await;
        let (access, _) = one.pair(&user).await;
        assert_eq!(status(&two.anonymous().bearer(&access)).await, 200);
        rotate(one).await;
        one.clock.advance(LEAD);
        let (access, _) = one.pair(&user).await;
        assert!(header_of(&access)["kid"].is_string());
        assert_eq!(status(&two.anonymous().bearer(&access)).await, 200);
        two.close().await;
    });
}
