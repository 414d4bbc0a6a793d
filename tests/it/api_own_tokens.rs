//! `/api/tokens/`: one's own tokens over the API, and what staff reaches.

use latchkey::domain::{
    actor::Actor,
    scopes::{Scope, Scopes},
    tokens::{self, NewToken},
};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

async fn create(caller: &Caller, body: Value) -> Value {
    caller.post_json("/api/tokens/", body).await.expect(201)
}

fn names(list: &Value) -> Vec<&str> {
    let rows = list.as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

both! {
    async fn a_token_makes_none_that_outlives_it(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let body = json!({"name": "short", "expires_in": 60, "scopes": ["tokens:manage"]});
        let short = create(&ann, body).await;
        let short = app.anonymous().token(short["key"].as_str().unwrap());
        let longer = json!({"name": "longer", "expires_in": 61, "scopes": ["tokens:manage"]});
        let refused = short.post_json("/api/tokens/", longer).await;
        assert!(refused.expect(400)["expires_in"].is_array(), "{refused:?}");
        let child = create(&short, json!({"name": "child", "scopes": ["tokens:manage"]})).await;
        assert_eq!(child["expires"], "2026-11-23T12:01:00Z");
    }

    async fn a_token_lives_its_whole_life_over_the_api(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let body = json!({"name": "CI", "expires_in": 3600, "scopes": ["students:read"]});
        let made = create(&ann, body).await;
        let key = made["key"].as_str().unwrap().to_owned();
        assert!(key.starts_with("lk_"));
        let mut shown = made.clone();
        shown.as_object_mut().unwrap().remove("key");
        assert_eq!(
            shown,
            json!({
                "id": made["id"],
                "name": "CI",
                "is_default": false,
                "prefix": key[..8],
                "scopes": ["students:read"],
                "state": "active",
                "created": "2026-11-23T12:00:00Z",
                "created_by": "ann",
                "expires": "2026-11-23T13:00:00Z",
                "last_used": null,
                "last_used_address": null,
                "revoked": null,
                "revoked_by": null,
            })
        );
        let path = format!("/api/tokens/{}/", made["id"]);
        shown["uses"] = json!({"today": 0, "last_30_days": 0});
        ann.get(&path).await.is(200, &shown);
        assert_eq!(names(&ann.get("/api/tokens/").await.expect(200)), ["CI", "default"]);
        let ci = app.anonymous().token(&key);
        ci.get("/studentapi/").await.expect(200);

        let renamed = ann.patch(&path, json!({"name": "build"})).await.expect(200);
        assert_eq!(renamed["name"], "build");
        ci.get("/studentapi/").await.expect(200);

        let rotated = ann.post_json(&format!("{path}rotate/"), json!({"grace": 60})).await;
        let rotated = rotated.expect(200);
        let next = app.anonymous().token(rotated["key"].as_str().unwrap());
        next.get("/studentapi/").await.expect(200);
        ci.get("/studentapi/").await.expect(200);
        app.clock.advance(60);
        ci.get("/studentapi/").await.expect(401);

        let path = format!("/api/tokens/{}/", rotated["id"]);
        assert_eq!(ann.delete(&path).await.status, 204);
        next.get("/studentapi/").await.expect(401);
        let ended = ann.get(&path).await.expect(200);
        assert_eq!(ended["state"], "revoked");
        assert_eq!(ended["revoked"], "2026-11-23T12:01:00Z");
        assert_eq!(ended["revoked_by"], "ann");
        ann.delete(&path).await.is_detail(409, "This token is revoked already.");
    }

    async fn a_token_that_works_gets_another_end(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let made = create(&ann, json!({"name": "CI", "expires_in": 60})).await;
        let path = format!("/api/tokens/{}/", made["id"]);
        let later = ann.patch(&path, json!({"expires_in": 7200})).await.expect(200);
        assert_eq!((&later["expires"], &later["name"]), (&json!("2026-11-23T14:00:00Z"), &json!("CI")));
        let both = ann.patch(&path, json!({"name": "build", "expires_in": "3600"})).await.expect(200);
        assert_eq!((&both["expires"], &both["name"]), (&json!("2026-11-23T13:00:00Z"), &json!("build")));
        assert_eq!(app.audited().await[..2], ["token.extended", "token.renamed"]);
        let same = ann.patch(&path, json!({})).await.expect(200);
        assert_eq!(same["name"], "build");
        for (body, field) in [
            (json!({"expires_in": 0}), "expires_in"),
            (json!({"expires_in": "soon"}), "expires_in"),
            (json!({"expires_in": 60, "name": " "}), "name"),
        ] {
            let refused = ann.patch(&path, body).await.expect(400);
            assert!(refused[field].is_array(), "{refused}");
        }
        assert_eq!(ann.get(&path).await.expect(200)["expires"], "2026-11-23T13:00:00Z", "all or nothing");

        // A token lets nothing outlive it, itself included.
        let key = made["key"].as_str().unwrap();
        let ci = app.anonymous().token(key);
        for body in [json!({"expires_in": 7200}), json!({"expires_in": null})] {
            let refused = ci.patch(&path, body).await.expect(400);
            assert_eq!(refused["expires_in"], json!(["A token cannot make one that outlives it."]));
        }
        let never = ann.patch(&path, json!({"expires_in": null})).await.expect(200);
        assert_eq!(never["expires"], Value::Null);

        let all = ann.get("/api/tokens/").await.expect(200);
        let default = all.as_array().unwrap().iter().find(|token| token["is_default"] == true).unwrap();
        let refused = ann.patch(&format!("/api/tokens/{}/", default["id"]), json!({"expires_in": 60})).await;
        assert_eq!(refused.expect(400)["expires_in"], json!(["The default token never expires."]));
        assert_eq!(ann.delete(&path).await.status, 204);
        ann.patch(&path, json!({"expires_in": 60})).await.is_detail(409, "Only an active token can be extended.");
    }

    async fn other_peoples_tokens_are_not_there(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let bob = app.token_user("bob").await;
        let made = create(&bob, json!({"name": "of bob"})).await;
        let path = format!("/api/tokens/{}/", made["id"]);
        ann.get(&path).await.is_detail(404, "Not found.");
        ann.patch(&path, json!({"name": "x"})).await.expect(404);
        assert_eq!(ann.delete(&path).await.status, 404);
        ann.post_json(&format!("{path}rotate/"), json!({})).await.expect(404);
        ann.get("/api/tokens/?owner=bob").await.expect(403);
        ann.post_json("/api/tokens/", json!({"name": "x", "owner": "bob"})).await.expect(403);

        let staff = app.staff_token().await;
        staff.get(&path).await.expect(200);
        assert_eq!(names(&staff.get("/api/tokens/?owner=bob").await.expect(200)).len(), 2);
        create(&staff, json!({"name": "for bob", "owner": "bob"})).await;
        let root = app.superuser("root").await;
        let of_root = app.default_token(&root).await;
        let of_root = app.anonymous().token(&of_root).get("/api/tokens/").await.expect(200);
        let path = format!("/api/tokens/{}/", of_root[0]["id"]);
        staff.get(&path).await.expect(404);
        staff.get("/api/tokens/?owner=root").await.expect(403);
    }

    async fn a_token_hands_out_no_more_than_it_has(app: &TestApp) {
        let ann = app.user("ann").await;
        let by = Actor::operator();
        let new = NewToken {
            user_id: ann.id,
            name: "manager".to_owned(),
            expires_at: None,
            scopes: Scopes::of([Scope::TokensManage, Scope::StudentsRead]),
        };
        let (_, key) = tokens::issue(&app.app, &by, new).await.unwrap();
        let manager = app.anonymous().token(key.expose());
        let made = create(&manager, json!({"name": "same"})).await;
        assert_eq!(made["scopes"], json!(["students:read", "tokens:manage"]));
        for scopes in [json!("full"), json!(["students:write"])] {
            let more = json!({"name": "more", "scopes": scopes});
            let refused = manager.post_json("/api/tokens/", more).await.expect(400);
            let text = "A token cannot hand out what it may not do itself.";
            assert_eq!(refused, json!({"scopes": [text]}));
        }
        let default = tokens::get_or_create_default(&app.app, &by, ann.id).await.unwrap();
        let path = format!("/api/tokens/{}/rotate/", default.token.id);
        manager.post_json(&path, json!({})).await.expect(400);
        let reader = create(&manager, json!({"name": "r", "scopes": "students:read"})).await;
        let reader = app.anonymous().token(reader["key"].as_str().unwrap());
        let text = "This credential lacks the scope \"tokens:manage\".";
        reader.get("/api/tokens/").await.is_detail(403, text);
    }

    async fn bad_input_is_named(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let long = "x".repeat(101);
        for (body, field) in [
            (json!({}), "name"),
            (json!({"name": " "}), "name"),
            (json!({"name": long}), "name"),
            (json!({"name": "x", "expires_in": 0}), "expires_in"),
            (json!({"name": "x", "expires_in": i64::MAX}), "expires_in"),
            (json!({"name": "x", "expires_in": "soon"}), "expires_in"),
            (json!({"name": "x", "scopes": ["students:eat"]}), "scopes"),
            (json!({"name": "x", "scopes": [1]}), "scopes"),
            (json!({"name": "x", "scopes": []}), "scopes"),
        ] {
            let refused = ann.post_json("/api/tokens/", body.clone()).await.expect(400);
            assert!(refused[field].is_array(), "{body}: {refused}");
        }
        for id in ["0", "x", "99999999999999999999"] {
            ann.get(&format!("/api/tokens/{id}/")).await.expect(404);
        }
        let list = ann.get("/api/tokens/").await.expect(200);
        let default = format!("/api/tokens/{}/", list[0]["id"]);
        let refused = ann.patch(&default, json!({"name": "mine"})).await.expect(400);
        assert_eq!(refused, json!({"name": ["The default token keeps its name."]}));
    }
}
