//! API tokens: get-or-create at its three addresses, and what makes a key stop working.

use latchkey::{
    domain::{
        actor::Actor,
        scopes::Scopes,
        tokens::{self, NewToken},
        users,
    },
    error::Error,
};
use serde_json::json;

use crate::support::{PASSWORD, START, TestApp, parallel};

fn is_key(text: &str) -> bool {
    text.len() == 40
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

both! {
    async fn every_address_gives_the_same_key_each_time(app: &TestApp) {
        let ann = app.token_user("ann").await;
        app.user("bob").await;
        let bob = json!({"username": "bob", "password": PASSWORD});
        let first = ann.post_json("/get-token/", bob.clone()).await;
        let key = first.expect(200)["data"]["Token"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(is_key(&key), "{key}");
        first.is(200, &json!({"status": true, "data": {"Token": key}}));
        for path in ["/get-token/", "/get-token", "/login/", "/login"] {
            let again = ann.post_json(path, bob.clone()).await;
            again.is(200, &json!({"status": true, "data": {"Token": key}}));
        }
        let drf = app.anonymous().post_json("/api-token-auth/", bob).await;
        drf.is(200, &json!({"token": key}));
        app.anonymous()
            .token(&key)
            .get("/studentapi/")
            .await
            .expect(200);
        let made = app
            .audited()
            .await
            .iter()
            .filter(|a| *a == "token.created")
            .count();
        assert_eq!(made, 2, "one for ann, one for bob");
    }

    async fn those_who_ask_at_once_get_one_key(app: &TestApp) {
        let bob = app.user("bob").await;
        let ask = |n: usize| {
            let caller = app.anonymous();
            let path = if n.is_multiple_of(2) {
                "/api-token-auth/"
            } else {
                "/api-token-auth"
            };
            async move {
                let body = json!({"username": "bob", "password": PASSWORD});
                caller.post_json(path, body).await
            }
        };
        let answers = parallel((0..32).map(ask)).await;
        let mut keys: Vec<String> = answers
            .iter()
            .map(|answer| answer.expect(200)["token"].as_str().unwrap().to_owned())
            .collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert_eq!(tokens::list_for(&app.app, bob.id).await.unwrap().len(), 1);
    }

    async fn a_wrong_password_an_unknown_name_and_a_disabled_account_read_the_same(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let off = app.user("off").await;
        users::set_active(&app.app, &Actor::operator(), off.id, false)
            .await
            .unwrap();
        for (name, password) in [("ann", "wrong"), ("nobody", PASSWORD), ("off", PASSWORD)] {
            let body = json!({"username": name, "password": password});
            let envelope = json!({"status": false, "data": {}, "message": "Invalid Credentials"});
            for path in ["/get-token/", "/login/"] {
                ann.post_json(path, body.clone()).await.is(401, &envelope);
            }
            let drf = app.anonymous().post_json("/api-token-auth/", body).await;
            let text = "Unable to log in with provided credentials.";
            drf.is(400, &json!({"non_field_errors": [text]}));
        }
    }

    async fn the_envelope_addresses_need_a_credential(app: &TestApp) {
        app.user("bob").await;
        let bob = json!({"username": "bob", "password": PASSWORD});
        for path in ["/get-token/", "/login/"] {
            let answer = app.anonymous().post_json(path, bob.clone()).await;
            answer.is_detail(401, "Authentication credentials were not provided.");
        }
    }

    async fn names_are_matched_exactly_at_sign_in(app: &TestApp) {
        app.user("Bob").await;
        let sign_in = async |name: &str| {
            let body = json!({"username": name, "password": PASSWORD});
            app.anonymous()
                .post_json("/api-token-auth/", body)
                .await
                .status
        };
        assert_eq!(sign_in("Bob").await, 200);
        assert_eq!(sign_in(" Bob ").await, 200);
        assert_eq!(sign_in("bob").await, 400);
    }

    async fn a_revoked_token_is_refused_and_a_new_default_is_another(app: &TestApp) {
        let bob = app.user("bob").await;
        let key = app.default_token(&bob).await;
        let caller = app.anonymous().token(&key);
        caller.get("/studentapi/").await.expect(200);
        let token = tokens::find_default(&app.app, bob.id)
            .await
            .unwrap()
            .unwrap();
        tokens::revoke(&app.app, &Actor::operator(), token.id)
            .await
            .unwrap();
        caller
            .get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
        let other = app.default_token(&bob).await;
        assert_ne!(key, other);
        app.anonymous()
            .token(&other)
            .get("/studentapi/")
            .await
            .expect(200);
        caller
            .get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
    }

    async fn a_token_ends_at_its_second(app: &TestApp) {
        let bob = app.user("bob").await;
        let new = NewToken {
            user_id: bob.id,
            name: "build server".to_owned(),
            expires_at: Some(START + 60),
            scopes: Scopes::FULL,
        };
        let (token, key) = tokens::issue(&app.app, &Actor::operator(), new)
            .await
            .unwrap();
        assert!(!token.is_default && token.prefix == key.expose()[..8]);
        let caller = app.anonymous().token(key.expose());
        app.clock.advance(59);
        caller.get("/studentapi/").await.expect(200);
        app.clock.advance(1);
        caller
            .get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
    }

    async fn a_rotated_token_works_on_through_its_grace(app: &TestApp) {
        let bob = app.user("bob").await;
        let key = app.default_token(&bob).await;
        let token = tokens::find_default(&app.app, bob.id)
            .await
            .unwrap()
            .unwrap();
        let by = Actor::operator();
        let (next, next_key) = tokens::rotate(&app.app, &by, token.id, 300).await.unwrap();
        assert!(next.is_default);
        assert_eq!(
            app.default_token(&bob).await,
            next_key.expose(),
            "the new one is the default"
        );
        let (old, new) = (
            app.anonymous().token(&key),
            app.anonymous().token(next_key.expose()),
        );
        let again = tokens::rotate(&app.app, &by, token.id, 300).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "one successor: {again:?}");
        app.clock.advance(299);
        old.get("/studentapi/").await.expect(200);
        new.get("/studentapi/").await.expect(200);
        app.clock.advance(1);
        old.get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
        new.get("/studentapi/").await.expect(200);
        let (_, last) = tokens::rotate(&app.app, &by, next.id, 0).await.unwrap();
        new.get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
        app.anonymous()
            .token(last.expose())
            .get("/studentapi/")
            .await
            .expect(200);
    }

    async fn a_disabled_users_key_says_so_and_a_deleted_users_is_unknown(app: &TestApp) {
        let bob = app.user("bob").await;
        let caller = app.anonymous().token(&app.default_token(&bob).await);
        let by = Actor::operator();
        users::set_active(&app.app, &by, bob.id, false)
            .await
            .unwrap();
        caller
            .get("/studentapi/")
            .await
            .is_detail(401, "User inactive or deleted.");
        users::set_active(&app.app, &by, bob.id, true)
            .await
            .unwrap();
        caller.get("/studentapi/").await.expect(200);
        users::delete(&app.app, &by, bob.id).await.unwrap();
        caller
            .get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
    }

    async fn no_key_stands_in_the_database(app: &TestApp) {
        let bob = app.user("bob").await;
        let key = app.default_token(&bob).await;
        let token = tokens::find_default(&app.app, bob.id)
            .await
            .unwrap()
            .unwrap();
        let row = format!("{token:?}");
        assert!(!row.contains(&key) && !row.contains(&format!("{:?}", key.as_bytes())));
        assert!(!row.contains(&format!("{:?}", hex::decode(&key).unwrap())));
        assert!(
            token.sealed.is_some(),
            "the default is sealed, to be shown again"
        );
    }

    async fn use_is_noted_in_memory_and_written_by_the_flush(app: &TestApp) {
        let bob = app.user("bob").await;
        let caller = app
            .anonymous()
            .token(&app.default_token(&bob).await)
            .at("192.0.2.9");
        app.clock.advance(100);
        caller.get("/studentapi/").await.expect(200);
        let token = tokens::find_default(&app.app, bob.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(token.last_used_at, None, "the check path never writes");
        latchkey::domain::usage::flush(&app.app).await.unwrap();
        let token = tokens::find_default(&app.app, bob.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(token.last_used_at, Some(START + 100));
        assert_eq!(token.last_used_address.as_deref(), Some("192.0.2.9"));
    }
}
