//! Burning: whoever holds a key may end it, and its owner sees that.

use latchkey::domain::{
    actor::{Actor, Via},
    audit,
    scopes::Scopes,
    tokens,
};
use serde_json::{Value, json};

use crate::support::{Answer, Caller, TestApp, between};

const BURN: &str = "/api/tokens/burn/";

async fn named(app: &TestApp, owner: &str) -> (i64, String) {
    let user = app.user(owner).await;
    app.named_token_with(&user, |new| new).await
}

async fn burn(caller: &Caller, key: &str) -> Answer {
    caller.post_json(BURN, json!({"token": key})).await
}

async fn burned_events(app: &TestApp) -> usize {
    app.audited()
        .await
        .iter()
        .filter(|a| *a == "token.burned")
        .count()
}

both! {
    async fn whoever_holds_a_key_ends_it_at_once(app: &TestApp) {
        let (id, key) = named(app, "ann").await;
        let bob = app.user("bob").await;
        let default = app.default_token(&bob).await;
        let stranger = app.anonymous().at("192.0.2.7");
        for key in [&key, &default] {
            let holder = app.anonymous().token(key);
            holder.get("/studentapi/").await.expect(200);
            burn(&stranger, key).await.is(200, &json!({}));
            holder.get("/studentapi/").await.is_detail(401, "Invalid token.");
        }
        let token = tokens::get(&app.app, id).await.unwrap().token;
        assert_eq!(token.revoked_by.as_deref(), Some(tokens::BURNED));
        let events = audit::for_object(&app.app, "token", id, 1).await.unwrap();
        let detail: Value = serde_json::from_str(&events[0].detail).unwrap();
        assert_eq!(events[0].action, "token.burned");
        assert_eq!(events[0].address.as_deref(), Some("192.0.2.7"));
        assert_eq!(detail, json!({"owner": "ann", "prefix": key[..8]}));
        let again = app.default_token(&bob).await;
        assert_ne!(again, default, "get-or-create makes another one");
        app.anonymous().token(&again).get("/studentapi/").await.expect(200);
    }

    async fn the_answer_does_not_tell_known_from_unknown(app: &TestApp) {
        let (_, key) = named(app, "ann").await;
        let other = app.second_node(&[("LATCHKEY_SECRET_KEY", "a secret of another server, as long")]).await;
        let foreign = other.named_token(&app.find_user("ann").await, Scopes::FULL).await;
        let known = burn(&app.anonymous(), &key).await;
        for unknown in [&"0".repeat(40), &key, &foreign] {
            let answer = burn(&app.anonymous(), unknown).await;
            assert_eq!((answer.status, &answer.text), (known.status, &known.text));
        }
        assert_eq!(burned_events(app).await, 1, "a second time changes nothing");
        other.app.db.clone().close().await.unwrap();
    }

    async fn garbage_is_refused_without_a_look_up(app: &TestApp) {
        let (_, key) = named(app, "ann").await;
        app.app.db.clone().close().await.unwrap();
        let slip = format!("{}{}", &key[..42], if key.ends_with('x') { 'y' } else { 'x' });
        for garbage in ["x", "lk_", &slip, &"A".repeat(40), &"a".repeat(39), &key[1..]] {
            let refused = burn(&app.anonymous(), garbage).await;
            refused.is(400, &json!({"token": ["This is not an API token."]}));
        }
        app.anonymous().post_json(BURN, json!({})).await.expect(400);
        app.anonymous().post_json(BURN, json!({"token": 7})).await.expect(400);
        assert_eq!(burn(&app.anonymous(), &key).await.status, 500, "a real one needs it");
    }

    async fn every_kind_of_body_will_do_and_other_methods_are_refused(app: &TestApp) {
        let stranger = app.anonymous();
        let unknown = "0".repeat(40);
        let field = [("token", unknown.as_str())];
        stranger.post_form(BURN, &field).await.is(200, &json!({}));
        stranger.post_multipart(BURN, &field).await.is(200, &json!({}));
        stranger.post_form("/api/tokens/burn", &field).await.is(200, &json!({}));
        for answer in [stranger.get(BURN).await, stranger.delete(BURN).await] {
            answer.is_detail(405, &format!("Method \"{}\" not allowed.", method(&answer)));
            assert_eq!(answer.header("Allow"), Some("POST, OPTIONS"));
        }
        let about = stranger.options(BURN).await.expect(200);
        assert_eq!(about["actions"]["POST"]["token"]["required"], true);
    }

    async fn a_bad_credential_beside_it_does_not_matter(app: &TestApp) {
        let (_, key) = named(app, "ann").await;
        let caller = app.anonymous().token("nonsense");
        burn(&caller, &key).await.is(200, &json!({}));
        assert_eq!(burned_events(app).await, 1);
    }

    async fn burning_ends_the_very_token_and_no_other(app: &TestApp) {
        let (id, old) = named(app, "ann").await;
        let rotated = tokens::rotate(&app.app, &Actor::operator(), id, 3600).await.unwrap();
        let (old_holder, new_holder) =
            (app.anonymous().token(&old), app.anonymous().token(rotated.1.expose()));
        burn(&app.anonymous(), &old).await.expect(200);
        old_holder.get("/studentapi/").await.expect(401);
        new_holder.get("/studentapi/").await.expect(200);
    }

    async fn one_of_many_who_burn_at_once_is_recorded(app: &TestApp) {
        let (_, key) = named(app, "ann").await;
        let calls = (0..8).map(|_| {
            let (caller, key) = (app.anonymous(), key.clone());
            async move { burn(&caller, &key).await.status }
        });
        let answers = crate::support::parallel(calls).await;
        assert_eq!(answers, [200; 8]);
        assert_eq!(burned_events(app).await, 1);
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn one_address_burns_a_hundred_a_minute(app: &TestApp) {
        let caller = app.anonymous().at("192.0.2.9");
        let unknown = "0".repeat(40);
        for _ in 0..100 {
            burn(&caller, &unknown).await.expect(200);
        }
        let refused = burn(&caller, &unknown).await;
        assert_eq!(refused.status, 429);
        assert!(refused.header("Retry-After").is_some());
        burn(&app.anonymous().at("192.0.2.10"), &unknown).await.expect(200);
    }

    async fn the_owner_sees_that_a_key_was_burned_when_and_from_where(app: &TestApp) {
        let (id, key) = named(app, "ann").await;
        let user = app.find_user("ann").await;
        let ann = app.anonymous().token(&app.default_token(&user).await);
        let browser = app.browser(&user).await;
        let path = format!("/api/tokens/{id}/");
        let shown = ann.get(&path).await.expect(200);
        assert_eq!((&shown["revoked"], &shown["revoked_by"]), (&Value::Null, &Value::Null));
        let page = browser.get("/dashboard/").await;
        assert!(!page.text.contains("Tokens that ended"), "nothing ended");
        burn(&app.anonymous().at("192.0.2.7"), &key).await.expect(200);
        let shown = ann.get(&path).await.expect(200);
        assert_eq!(shown["state"], "revoked");
        assert_eq!(shown["revoked"], "2026-11-23T12:00:00Z");
        assert_eq!(shown["revoked_by"], "burned by a holder of its key");
        app.clock.advance(3600);
        let page = browser.get("/dashboard/").await;
        let ended = between(&page.text, "Tokens that ended", "</section>");
        for part in ["CI", &key[..8], "burned by a holder of its key", "1 h ago", "from 192.0.2.7"] {
            assert!(ended.contains(part), "{part}: {ended}");
        }
        // Not somebody else's.
        let bob = app.browser(&app.user("bob").await).await;
        assert!(!bob.get("/dashboard/").await.text.contains("Tokens that ended"));
    }

    async fn the_owner_sees_for_thirty_days_who_ended_a_token(app: &TestApp) {
        let (id, _) = named(app, "ann").await;
        let root = app.superuser("root").await;
        let by = Actor::anonymous(Via::Web, None, None).signed_in(&root);
        tokens::revoke(&app.app, &by, id).await.unwrap();
        let user = app.find_user("ann").await;
        for (days, is_told) in [(30, true), (1, false)] {
            app.clock.advance(days * 86_400);
            let page = app.browser(&user).await.get("/dashboard/").await;
            crate::support::nothing_inline(&page);
            assert_eq!(page.text.contains("by root"), is_told, "{}", page.text);
            assert!(!page.text.contains("leaked"));
        }
    }

    async fn the_panel_says_when_and_from_where(app: &TestApp) {
        let root = app.admin("root").await;
        let (id, key) = named(app, "ann").await;
        burn(&app.anonymous().at("192.0.2.7"), &key).await.expect(200);
        let page = root.get(&format!("/admin/tokens/{id}/")).await;
        assert!(page.text.contains("Burned just now from 192.0.2.7"), "{}", page.text);
        assert!(page.text.contains("burned this token"));
        let confirm = root.get(&format!("/admin/tokens/{id}/revoke/")).await;
        assert!(confirm.text.contains("It was burned by a holder of its key"), "{}", confirm.text);
    }
}

fn method(answer: &Answer) -> &'static str {
    if answer.text.contains("GET") {
        "GET"
    } else {
        "DELETE"
    }
}
