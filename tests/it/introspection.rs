//! `/api/introspect/` (RFC 7662): what a token is worth, told to those who may ask.

use latchkey::domain::{
    actor::Actor,
    scopes::{Scope, Scopes},
    tokens::{self, NewToken},
    usage,
    users::{self, User},
};
use serde_json::{Value, json};

use crate::support::{Answer, Caller, JWT_KEY, START, TestApp, claims_of, forged};

const PATH: &str = "/api/introspect/";

async fn ask(caller: &Caller, token: &str) -> Value {
    let answer = caller.post_form(PATH, &[("token", token)]).await;
    assert_eq!(
        answer.header("Cache-Control"),
        Some("no-store"),
        "{answer:?}"
    );
    answer.expect(200)
}

#[track_caller]
fn inactive(answer: &Value) {
    assert_eq!(answer, &json!({"active": false}));
}

async fn named(app: &TestApp, user: &User, scopes: &[Scope], expires_at: Option<i64>) -> String {
    let new = |new| NewToken {
        expires_at,
        scopes: Scopes::of(scopes.iter().copied()),
        ..new
    };
    app.named_token_with(user, new).await.1
}

/// A service next door: an account of staff, a token for nothing else.
async fn service(app: &TestApp) -> Caller {
    let staff = |input| users::UserInput {
        is_staff: true,
        ..input
    };
    let user = app.user_with("service", staff).await;
    let key = named(app, &user, &[Scope::TokensIntrospect], None).await;
    app.anonymous().token(&key)
}

both! {
    async fn every_kind_of_token_is_described(app: &TestApp) {
        let service = service(app).await;
        let ann = app.user("ann").await;
        let key = named(app, &ann, &[Scope::StudentsRead, Scope::StudentsWrite], Some(START + 60));
        let described = ask(&service, &key.await).await;
        let sub = ann.id.to_string();
        let expected = json!({
            "active": true,
            "scope": "students:read students:write",
            "username": "ann",
            "token_type": "Token",
            "exp": START + 60,
            "iat": START,
            "sub": sub,
            "is_staff": false,
            "is_superuser": false,
        });
        assert_eq!(described, expected);

        let default = ask(&service, &app.default_token(&ann).await).await;
        let full = "full students:read students:write users:read users:write tokens:manage \
                    tokens:introspect metrics:read";
        assert_eq!((&default["scope"], &default["exp"]), (&json!(full), &Value::Null));

        let (access, refresh) = app.pair(&ann).await;
        let described = ask(&service, &access).await;
        let claims = claims_of(&access);
        assert_eq!(described["token_type"], "Bearer");
        assert_eq!(described["scope"], full);
        for claim in ["exp", "iat", "jti"] {
            assert_eq!(described[claim], claims[claim], "{claim}");
        }
        let described = ask(&service, &refresh).await;
        assert_eq!(described["token_type"], "refresh_token");
        assert_eq!(described["sub"], sub);
        assert_eq!(described["jti"], claims_of(&refresh)["jti"]);
        assert!(described.get("scope").is_none(), "it opens nothing: {described}");
    }

    async fn staff_is_not_told_about_superusers_and_other_staff_but_a_service_is(app: &TestApp) {
        let service = service(app).await;
        let staff = |input| users::UserInput { is_staff: true, ..input };
        let clerk = app.user_with("clerk", staff).await;
        let own = app.default_token(&clerk).await;
        let (access, _) = app.pair(&clerk).await;
        let clerk = [app.anonymous().token(&own), app.anonymous().bearer(&access)];
        let root = app.superuser("root").await;
        let of_root = app.default_token(&root).await;
        for other in [&root, &app.user_with("colleague", staff).await] {
            let (access, refresh) = app.pair(other).await;
            for token in [&app.default_token(other).await, &access, &refresh] {
                for clerk in &clerk {
                    inactive(&ask(clerk, token).await);
                }
                assert_eq!(ask(&service, token).await["username"], other.username);
                let by_root = app.anonymous().token(&of_root);
                assert_eq!(ask(&by_root, token).await["active"], true);
            }
        }
        let of_ann = app.default_token(&app.user("ann").await).await;
        for clerk in &clerk {
            assert_eq!(ask(clerk, &own).await["active"], true);
            assert_eq!(ask(clerk, &of_ann).await["username"], "ann");
        }
    }

    async fn forms_json_and_multipart_are_read_and_hints_change_nothing(app: &TestApp) {
        let service = service(app).await;
        let (access, _) = app.pair(&app.user("ann").await).await;
        let answers: [Answer; 3] = [
            service.post_json(PATH, json!({"token": access})).await,
            service.post_multipart(PATH, &[("token", &access)]).await,
            service
                .post_form(PATH, &[("token", &access), ("token_type_hint", "refresh_token")])
                .await,
        ];
        for answer in answers {
            assert_eq!(answer.expect(200)["active"], true);
        }
    }

    async fn what_does_not_count_is_inactive_and_nothing_else_is_said(app: &TestApp) {
        let service = service(app).await;
        let ann = app.user("ann").await;
        let short = named(app, &ann, &[Scope::StudentsRead], Some(START + 60)).await;
        let data = app.anonymous().get("/generate-token/?firstname=A&lastname=B&age=3").await;
        for garbage in ["x", "lk_x", &"0".repeat(40), "a.b.c", "..", "é", &data.string("token")] {
            inactive(&ask(&service, garbage).await);
        }
        app.clock.advance(60);
        inactive(&ask(&service, &short).await);

        let (access, refresh) = app.pair(&ann).await;
        let key = app.default_token(&ann).await;
        users::set_active(&app.app, &Actor::operator(), ann.id, false).await.unwrap();
        for token in [&access, &refresh, &key] {
            inactive(&ask(&service, token).await);
        }
        users::set_active(&app.app, &Actor::operator(), ann.id, true).await.unwrap();
        assert_eq!(ask(&service, &key).await["active"], true);
        for ended in [&access, &refresh] {
            inactive(&ask(&service, ended).await);
        }
        let token = tokens::find_default(&app.app, ann.id).await.unwrap().unwrap();
        tokens::revoke(&app.app, &Actor::operator(), token.id).await.unwrap();
        inactive(&ask(&service, &key).await);

        let (access, refresh) = app.pair(&app.find_user("ann").await).await;
        assert_eq!(ask(&service, &access).await["active"], true);
        users::sign_out_everywhere(&app.app, &Actor::operator(), ann.id).await.unwrap();
        for ended in [&access, &refresh] {
            inactive(&ask(&service, ended).await);
        }
        let (access, refresh) = app.pair(&app.find_user("ann").await).await;
        app.clock.advance(3600);
        inactive(&ask(&service, &access).await);
        assert_eq!(ask(&service, &refresh).await["active"], true);
        app.clock.advance(86_400);
        inactive(&ask(&service, &refresh).await);
    }

    async fn asking_about_a_spent_refresh_token_ends_nothing(app: &TestApp) {
        let service = service(app).await;
        let (_, first) = app.pair(&app.user("ann").await).await;
        let refresh = json!({"refresh": first});
        let second = app.anonymous().post_json("/api/token/refresh/", refresh).await.string("refresh");
        app.clock.advance(60);
        for _ in 0..2 {
            inactive(&ask(&service, &first).await);
        }
        assert_eq!(ask(&service, &second).await["active"], true);
        let next = json!({"refresh": second});
        app.anonymous().post_json("/api/token/refresh/", next).await.expect(200);
    }

    async fn people_ask_about_their_own_tokens_and_services_about_all(app: &TestApp) {
        let root = app.superuser("root").await;
        let of_root = app.default_token(&root).await;
        let (access_of_root, refresh_of_root) = app.pair(&root).await;
        let ann = app.user("ann").await;
        let of_ann = app.default_token(&ann).await;
        let caller = app.anonymous().token(&of_ann);
        assert_eq!(ask(&caller, &of_ann).await["active"], true);
        for token in [&of_root, &access_of_root, &refresh_of_root] {
            inactive(&ask(&caller, token).await);
            assert_eq!(ask(&service_once(app, token).await, token).await["active"], true);
        }
    }

    async fn the_call_asks_for_a_credential_the_scope_and_a_token(app: &TestApp) {
        app.anonymous().post_form(PATH, &[("token", "x")]).await.is_detail(
            401,
            "Authentication credentials were not provided.",
        );
        let ann = app.user("ann").await;
        let others = Scope::ALL.into_iter().filter(|s| *s != Scope::TokensIntrospect);
        let others: Vec<Scope> = others.collect();
        let without = app.anonymous().token(&named(app, &ann, &others, None).await);
        without.post_form(PATH, &[("token", "x")]).await.is_detail(
            403,
            "This credential lacks the scope \"tokens:introspect\".",
        );
        let service = service(app).await;
        for fields in [&[][..], &[("token", "")], &[("token_type_hint", "access_token")]] {
            let refused = service.post_form(PATH, fields).await;
            assert_eq!(refused.expect(400)["error"], "invalid_request", "{fields:?}");
        }
        let unreadable = service.post_raw(PATH, "application/json", "{").await;
        assert_eq!(unreadable.expect(400)["error"], "invalid_request");
        let by_query = service.get("/api/introspect/?token=x").await;
        assert_eq!((by_query.status, by_query.header("Allow")), (405, Some("POST, OPTIONS")));
        service.options(PATH).await.expect(200);
        // The token that asks opens nothing else.
        service.get("/studentapi/").await.expect(403);
    }

    async fn a_token_that_services_ask_about_is_in_use(app: &TestApp) {
        let service = service(app).await;
        let ann = app.user("ann").await;
        let key = app.default_token(&ann).await;
        // Who may not ask leaves no trace.
        let stranger = named(app, &app.user("eve").await, &[Scope::TokensIntrospect], None).await;
        inactive(&ask(&app.anonymous().token(&stranger), &key).await);
        usage::flush(&app.app).await.unwrap();
        let token = tokens::find_default(&app.app, ann.id).await.unwrap().unwrap();
        assert_eq!(token.last_used_at, None);
        ask(&service, &key).await;
        usage::flush(&app.app).await.unwrap();
        let token = tokens::find_default(&app.app, ann.id).await.unwrap().unwrap();
        assert_eq!(token.last_used_at, Some(START));
    }

    async fn warm_it_needs_no_database(app: &TestApp) {
        app.hear().await;
        let service = service(app).await;
        let ann = app.user("ann").await;
        let key = named(app, &ann, &[Scope::StudentsRead], Some(START + 60)).await;
        let (access, _) = app.pair(&ann).await;
        let nobody = "0".repeat(40);
        let cold = (ask(&service, &key).await, ask(&service, &access).await);
        inactive(&ask(&service, &nobody).await);
        app.app.db.clone().close().await.unwrap();
        assert_eq!((ask(&service, &key).await, ask(&service, &access).await), cold);
        inactive(&ask(&service, &nobody).await);
    }

    #[with(
        ("LATCHKEY_JWT_ALGORITHM", "EdDSA"),
        ("LATCHKEY_JWT_ISSUER", "https://auth.example.org"),
        ("LATCHKEY_JWT_AUDIENCE", "api"),
    )]
    async fn other_algorithms_issuer_and_audience_are_told(app: &TestApp) {
        let service = service(app).await;
        let (access, refresh) = app.pair(&app.user("ann").await).await;
        for token in [&access, &refresh] {
            let described = ask(&service, token).await;
            assert_eq!(described["active"], true);
            assert_eq!(described["iss"], "https://auth.example.org");
            assert_eq!(described["aud"], "api");
        }
        let mut other = access.clone();
        other.replace_range(access.len() - 10.., "AAAAAAAAAA");
        inactive(&ask(&service, &other).await);
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn tokens_signed_elsewhere_keep_their_own_claims(app: &TestApp) {
        let service = service(app).await;
        let ann = app.user("ann").await;
        let claims = json!({
            "token_type": "access", "exp": START + 60, "jti": "elsewhere", "user_id": ann.id,
            "iss": "https://other.example", "aud": ["a", "b"],
        });
        let described = ask(&service, &forged(&claims, JWT_KEY)).await;
        assert_eq!(described["active"], true);
        for claim in ["iss", "aud", "jti", "exp"] {
            assert_eq!(described[claim], claims[claim], "{claim}");
        }
        assert!(described.get("iat").is_none());
        // Well signed, but no credential: the claim alone does not make it one.
        let mut odd = claims.clone();
        odd["token_type"] = json!("sliding");
        inactive(&ask(&service, &forged(&odd, JWT_KEY)).await);
        inactive(&ask(&service, &forged(&claims, "not the key, as long as it may be")).await);
        let mut refresh = claims;
        refresh["token_type"] = json!("refresh");
        assert_eq!(ask(&service, &forged(&refresh, JWT_KEY)).await["token_type"], "refresh_token");
        inactive(&ask(&service, &forged(&refresh, "not the key, as long as it may be")).await);
    }
}

/// A new member of staff each time.
async fn service_once(app: &TestApp, seed: &str) -> Caller {
    let staff = |input| users::UserInput {
        is_staff: true,
        ..input
    };
    let name = format!(
        "staff-{}",
        seed.len() + seed.bytes().map(usize::from).sum::<usize>()
    );
    let user = app.user_with(&name, staff).await;
    let key = named(app, &user, &[Scope::TokensIntrospect], None).await;
    app.anonymous().token(&key)
}
