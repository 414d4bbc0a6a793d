//! How long tokens may live, and that the server revokes those that nobody uses.

use latchkey::domain::{
    actor::Actor,
    audit,
    scopes::Scopes,
    tokens::{self, NewToken, TokenState},
    users::User,
};
use serde_json::{Value, json};

use crate::support::{START, TestApp, parallel};

const DAY: i64 = 86_400;
const TOO_LONG: &str = "A token of this server may live for at most 30 days.";

async fn named(app: &TestApp, owner: &User, name: &str, life: Option<i64>) -> i64 {
    let new = |new| NewToken {
        name: name.to_owned(),
        expires_at: life.map(|seconds| app.app.now() + seconds),
        ..new
    };
    app.named_token_with(owner, new).await.0
}

async fn state(app: &TestApp, id: i64) -> TokenState {
    let row = tokens::get(&app.app, id).await.unwrap();
    tokens::state(&row.token, app.app.now())
}

async fn sweep(app: &TestApp) -> u64 {
    tokens::sweep_unused(&app.app).await.unwrap()
}

async fn revocations(app: &TestApp) -> Vec<audit::AuditEvent> {
    let events = audit::recent(&app.app, 1000).await.unwrap();
    events
        .into_iter()
        .filter(|event| event.action == "token.revoked")
        .collect()
}

both! {
    #[with(("LATCHKEY_TOKEN_LONGEST_LIFE", "2592000"))]
    async fn no_token_lives_longer_than_the_server_allows(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let make = async |body| ann.post_json("/api/tokens/", body).await;
        let refused = make(json!({"name": "x", "expires_in": 30 * DAY + 1})).await;
        refused.is(400, &json!({"expires_in": [TOO_LONG]}));
        let longest = make(json!({"name": "x", "expires_in": 30 * DAY})).await.expect(201);
        assert_eq!(longest["expires"], "2026-12-23T12:00:00Z");
        let unsaid = make(json!({"name": "x"})).await.expect(201);
        assert_eq!(unsaid["expires"], longest["expires"], "the longest is the default");
        let new = NewToken {
            user_id: app.find_user("ann").await.id,
            name: "x".to_owned(),
            expires_at: Some(START + 31 * DAY),
            scopes: Scopes::FULL,
        };
        let refused = tokens::issue(&app.app, &Actor::operator(), new).await.unwrap_err();
        assert!(format!("{refused}").contains(TOO_LONG), "{refused}");
        let default = ann.get("/api/tokens/").await.expect(200);
        let default = default.as_array().unwrap().last().unwrap().clone();
        assert_eq!((&default["is_default"], &default["expires"]), (&json!(true), &Value::Null));
        let path = format!("/api/tokens/{}/rotate/", default["id"]);
        let rotated = ann.post_json(&path, json!({})).await.expect(200);
        assert_eq!(rotated["expires"], Value::Null, "default tokens are exempt");
    }

    async fn a_limit_set_later_holds_when_a_token_is_rotated(app: &TestApp) {
        let ann = app.user("ann").await;
        let endless = named(app, &ann, "endless", None).await;
        let long = named(app, &ann, "long", Some(100 * DAY)).await;
        let short = named(app, &ann, "short", Some(DAY)).await;
        let limited = app.second_node(&[("LATCHKEY_TOKEN_LONGEST_LIFE", "2592000")]).await;
        for (id, expected) in [
            (endless, START + 30 * DAY),
            (long, START + 30 * DAY),
            (short, START + DAY),
        ] {
            let by = Actor::operator();
            let (token, _) = tokens::rotate(&limited.app, &by, id, 0).await.unwrap();
            assert_eq!(token.expires_at, Some(expected));
        }
        limited.app.db.clone().close().await.unwrap();
    }

    #[with(("LATCHKEY_TOKEN_LONGEST_LIFE", "2592000"))]
    async fn the_panel_offers_only_what_is_allowed(app: &TestApp) {
        let root = app.admin("root").await;
        let page = "/admin/tokens/new/";
        let shown = root.get(page).await.text;
        assert!(shown.contains("In 30 days") && shown.contains("at most 30 days."), "{shown}");
        assert!(!shown.contains("In 90 days") && !shown.contains(">Never<"), "{shown}");
        for expires in ["90", ""] {
            let fields = [("owner", "root"), ("kind", "named"), ("name", "x"), ("expires", expires)];
            let refused = root.submit(page, page, &fields).await;
            assert!(refused.text.contains("Choose one of the list."), "{refused:?}");
        }
        let fields = [("owner", "root"), ("kind", "named"), ("name", "x"), ("expires", "30")];
        root.submit(page, page, &fields).await.redirect();
    }

    #[with(("LATCHKEY_TOKEN_UNUSED_REVOKE_DAYS", "30"))]
    async fn what_nobody_used_is_revoked_by_the_server(app: &TestApp) {
        let ann = app.user("ann").await;
        let bob = app.token_user("bob").await;
        let never = named(app, &ann, "never used", None).await;
        let expired = named(app, &ann, "expired", Some(DAY)).await;
        let key = app.default_token(&ann).await;
        let default = tokens::find_default(&app.app, ann.id).await.unwrap().unwrap().id;
        app.clock.advance(30 * DAY - 1);
        assert_eq!(sweep(app).await, 0, "not yet");
        bob.get("/studentapi/").await.expect(200);
        let young = named(app, &ann, "young", None).await;
        app.clock.advance(1);
        assert_eq!(sweep(app).await, 2);
        for (id, expected) in [
            (never, TokenState::Revoked),
            (default, TokenState::Revoked),
            (expired, TokenState::Expired),
            (young, TokenState::Active),
        ] {
            assert_eq!(state(app, id).await, expected);
        }
        bob.get("/studentapi/").await.expect(200);
        app.anonymous().token(&key).get("/studentapi/").await.expect(401);
        let events = revocations(app).await;
        assert_eq!(events.len(), 2);
        for event in events {
            assert_eq!((event.actor.as_str(), event.via.as_str()), ("the server", "server"));
            let detail: Value = serde_json::from_str(&event.detail).unwrap();
            assert_eq!(detail["owner"], "ann");
            assert_eq!((&detail["because"], &detail["days"]), (&json!("unused"), &json!(30)));
        }
        assert_eq!(sweep(app).await, 0, "once");
        let root = app.admin("root").await;
        let page = root.get(&format!("/admin/tokens/{never}/")).await;
        assert!(page.text.contains("revoked this token: not used for 30 days"), "{}", page.text);
        assert_ne!(app.default_token(&ann).await, key, "get-or-create makes a new one");
    }

    #[with(("LATCHKEY_TOKEN_UNUSED_REVOKE_DAYS", "30"))]
    async fn a_use_that_is_not_written_yet_counts(app: &TestApp) {
        let ann = app.token_user("ann").await;
        app.clock.advance(31 * DAY);
        ann.get("/studentapi/").await.expect(200);
        assert_eq!(sweep(app).await, 0);
        ann.get("/studentapi/").await.expect(200);
    }

    #[with(("LATCHKEY_TOKEN_UNUSED_REVOKE_DAYS", "30"))]
    async fn what_is_remembered_of_a_revoked_token_is_dropped_and_of_others_kept(app: &TestApp) {
        if app.app.config.is_postgres() {
            app.app.db.checks().hear(true);
        }
        let ann = app.token_user("ann").await;
        let bob = app.token_user("bob").await;
        app.clock.advance(31 * DAY);
        for caller in [&ann, &bob] {
            caller.get("/studentapi/").await.expect(200);
        }
        // As if another node had seen these uses and written nothing yet.
        let mut node = app.app.clone();
        node.usage = std::sync::Arc::default();
        let token = tokens::find_default(&app.app, app.find_user("bob").await.id).await;
        node.usage.note(token.unwrap().unwrap().id, app.app.now(), "::1");
        assert_eq!(tokens::sweep_unused(&node).await.unwrap(), 1);
        ann.get("/studentapi/").await.expect(401);
        app.app.db.clone().close().await.unwrap();
        bob.get("/studentapi/").await.expect(200);
    }

    #[with(("LATCHKEY_TOKEN_UNUSED_REVOKE_DAYS", "1"))]
    async fn nodes_that_sweep_at_once_revoke_and_record_each_once(app: &TestApp) {
        let ann = app.user("ann").await;
        for n in 0..600 {
            named(app, &ann, &format!("n{n}"), None).await;
        }
        app.clock.advance(DAY);
        let sweeps = (0..4).map(|_| {
            let app = app.clone();
            async move { sweep(&app).await }
        });
        let revoked: u64 = parallel(sweeps).await.into_iter().sum();
        // What one node had locked another passed over.
        let revoked = revoked + sweep(app).await;
        assert_eq!(revoked, 600);
        let events = revocations(app).await;
        let mut ids: Vec<_> = events.iter().map(|event| event.object_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((events.len(), ids.len()), (600, 600));
    }

    async fn without_the_setting_nothing_is_revoked(app: &TestApp) {
        let ann = app.token_user("ann").await;
        app.clock.advance(10_000 * DAY);
        assert_eq!(sweep(app).await, 0);
        ann.get("/studentapi/").await.expect(200);
    }
}
