//! Why a request was refused: each reason is told apart, found by the request's id, and nothing that was
//! sent as a secret is kept.

use latchkey::domain::{
    actor::Actor,
    refusals::{self, Detail, Reason, Told},
    scopes::{Scope, Scopes},
    tokens, users,
};
use rocket::http::Method;
use serde_json::json;

use crate::support::{Answer, Caller, JWT_KEY, TestApp, claims_of, forged, forged_with_header};

const PATH: &str = "/studentapi/";

/// What is told about the request of this answer.
async fn told(app: &TestApp, answer: &Answer) -> Told {
    let id = answer.header("X-Request-Id").expect("an id");
    let found = refusals::find_request(&app.app, id).await.unwrap();
    let found = found.unwrap_or_else(|| panic!("nothing is kept of {answer:?}"));
    refusals::tell(&app.app, &Actor::operator(), found)
        .await
        .unwrap()
}

#[track_caller]
fn is(told: &Told, reason: Reason) {
    assert_eq!(told.reason, reason, "{told:?}");
}

async fn refused(app: &TestApp, caller: &Caller) -> Told {
    let answer = caller.get(PATH).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    told(app, &answer).await
}

fn with(app: &TestApp, header: &str, value: &str) -> Caller {
    app.anonymous().with(header, value)
}

/// What a good access token of this server says, changed and signed anew.
fn changed(access: &str, f: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut claims = claims_of(access);
    f(&mut claims);
    forged(&claims, JWT_KEY)
}

both! {
    async fn what_is_wrong_with_a_header_is_told(app: &TestApp) {
        let key = app.default_token(&app.user("ann").await).await;
        for (header, value, reason, what) in [
            ("Accept", "*/*", Reason::NoHeader, None),
            ("X-Api-Key", &*key, Reason::WrongHeader, Some("X-Api-Key")),
            ("Authorization", "", Reason::EmptyHeader, None),
            ("Authorization", &*key, Reason::NoScheme, None),
            ("Authorization", "Tokn abc", Reason::SchemeMisspelt, Some("Token")),
            ("Authorization", "Basic YTpi", Reason::OtherScheme, Some("Basic")),
            ("Authorization", "Sesame open", Reason::OtherScheme, Some("")),
            ("Authorization", "Token", Reason::NoValue, Some("Token")),
            ("Authentication", "Token a b", Reason::Spaces, Some("Token")),
            ("Authorization", "Bearer a b", Reason::Spaces, Some("Bearer")),
            ("Authorization", "Token aaaaaaaa.bbbbbbbb.cccccccc", Reason::JwtAsToken, None),
            ("Authorization", "Bearer abc", Reason::JwtUnreadable, None),
        ] {
            let told = refused(app, &with(app, header, value)).await;
            is(&told, reason);
            assert_eq!(told.detail.what.as_deref(), what, "{header}: {value}");
            let read = header.starts_with("Authentic") || header == "Authorization";
            assert_eq!(told.refusal.header, if read { header } else { "" });
            assert_eq!((told.refusal.status, told.refusal.path.as_str()), (401, PATH));
        }
        let told = refused(app, &with(app, "Authorization", &format!("Bearer {key}"))).await;
        is(&told, Reason::TokenAsBearer);
        assert!(told.token.is_some(), "the owner of the key is known");
    }

    async fn what_is_wrong_with_a_token_is_told(app: &TestApp) {
        let by = Actor::operator();
        let ann = app.user("ann").await;
        let (id, key) = app.named_token_with(&ann, |new| new).await;
        let last = if key.ends_with('x') { "y" } else { "x" };
        let slip = format!("{}{last}", &key[..key.len() - 1]);
        is(&refused(app, &app.anonymous().token(&slip)).await, Reason::TokenChecksum);
        let foreign = "lk_0CrSqaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        is(&refused(app, &app.anonymous().token(foreign)).await, Reason::TokenChecksum);
        is(&refused(app, &app.anonymous().token(&"0".repeat(40))).await, Reason::TokenUnknown);
        app.anonymous().token(&key).get(PATH).await.expect(200);
        app.clock.advance(60);
        tokens::revoke(&app.app, &by, id).await.unwrap();
        let told = refused(app, &app.anonymous().token(&key)).await;
        is(&told, Reason::TokenRevoked);
        assert_eq!((told.detail.at, told.detail.by.as_deref()), (Some(app.app.now()), Some("command line")));
        assert_eq!(told.refusal.token_id, Some(id));
        assert_eq!(told.user.unwrap().username, "ann");
        let ends = app.app.now() + 10;
        let (_, key) = app.named_token_with(&ann, |new| tokens::NewToken { expires_at: Some(ends), ..new }).await;
        app.clock.advance(10);
        let told = refused(app, &app.anonymous().token(&key)).await;
        is(&told, Reason::TokenExpired);
        assert_eq!(told.detail.at, Some(ends));
        let key = app.default_token(&ann).await;
        users::set_active(&app.app, &by, ann.id, false).await.unwrap();
        is(&refused(app, &app.anonymous().token(&key)).await, Reason::UserInactive);
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn what_is_wrong_with_a_jwt_is_told(app: &TestApp) {
        let ann = app.user("ann").await;
        let (access, refresh) = app.pair(&ann).await;
        let now = app.app.now();
        let bearer = |jwt: &str| app.anonymous().bearer(jwt);
        let claims = claims_of(&access).to_string();
        for (jwt, reason) in [
            (forged(&claims_of(&access), "another key of thirty-two bytes or so"), Reason::JwtSignature),
            (forged_with_header(r#"{"alg":"HS256","kid":"nobody"}"#, &claims, "another key, and long enough"), Reason::JwtUnknownKey),
            (forged_with_header(r#"{"alg":"ES256","typ":"JWT"}"#, &claims, JWT_KEY), Reason::JwtAlgorithm),
            (forged_with_header(r#"{"alg":"HS256","crit":["x"]}"#, &claims, JWT_KEY), Reason::JwtHeader),
            (changed(&access, |c| c["exp"] = json!(now - 300)), Reason::JwtExpired),
            (changed(&access, |c| c["iat"] = json!(now + 90)), Reason::JwtNotYet),
            (changed(&access, |c| c["nbf"] = json!(now + 90)), Reason::JwtNotYet),
            (changed(&access, |c| c["exp"] = json!("soon")), Reason::JwtClaims),
            (changed(&access, |c| { c.as_object_mut().unwrap().remove("exp"); }), Reason::JwtNoExpiry),
            (changed(&access, |c| { c.as_object_mut().unwrap().remove("jti"); }), Reason::JwtNoId),
            (changed(&access, |c| { c.as_object_mut().unwrap().remove("token_type"); }), Reason::JwtNoType),
            (changed(&access, |c| { c.as_object_mut().unwrap().remove("user_id"); }), Reason::JwtNoUser),
            (changed(&access, |c| c["token_type"] = json!("sliding")), Reason::JwtWrongType),
            (changed(&access, |c| c["user_id"] = json!("999999")), Reason::UserGone),
            (refresh, Reason::RefreshAsAccess),
            (format!("{access}{}", "a".repeat(9000)), Reason::JwtTooLong),
            ("aaaaaaaa.bbbbbbbb.cccccccc".to_owned(), Reason::JwtUnreadable),
        ] {
            let told = refused(app, &bearer(&jwt)).await;
            assert_eq!(told.reason, reason, "{jwt}");
            match reason {
                Reason::JwtNotYet => assert_eq!(told.detail, Detail::n(90)),
                Reason::JwtExpired => assert_eq!(told.detail, Detail::at(now - 300)),
                Reason::JwtSignature => assert!(told.refusal.user_id.is_none(), "it says so itself"),
                _ => {}
            }
        }
        let path = "/generate-token/?firstname=a&lastname=b&age=1";
        let data = app.anonymous().get(path).await.string("token");
        is(&refused(app, &bearer(&data)).await, Reason::SignedData);
    }

    #[with(("LATCHKEY_JWT_ISSUER", "https://a.example"), ("LATCHKEY_JWT_AUDIENCE", "ours"), ("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn issuer_and_audience_are_told_apart(app: &TestApp) {
        let (access, _) = app.pair(&app.user("ann").await).await;
        let other = changed(&access, |c| c["iss"] = json!("https://b.example"));
        is(&refused(app, &app.anonymous().bearer(&other)).await, Reason::JwtIssuer);
        let other = changed(&access, |c| c["aud"] = json!("theirs"));
        is(&refused(app, &app.anonymous().bearer(&other)).await, Reason::JwtAudience);
    }

    async fn what_became_of_a_sign_in_is_told(app: &TestApp) {
        let by = Actor::operator();
        let ann = app.user("ann").await;
        let refresh = async |token: &str| {
            app.anonymous().at("192.0.2.7").post_json("/api/token/refresh/", json!({"refresh": token})).await
        };
        let (access, first) = app.pair(&ann).await;
        refresh(&first).await.expect(200);
        app.clock.advance(60);
        let replayed = refresh(&first).await;
        assert_eq!(replayed.status, 401);
        for told in [told(app, &replayed).await, refused(app, &app.anonymous().bearer(&access)).await] {
            is(&told, Reason::FamilyReplayed);
            assert_eq!(told.detail.at, Some(app.app.now()));
            assert_eq!(told.events[0].action, "jwt.replayed");
            assert!(told.refusal.family.is_some() && told.user.is_some());
        }
        let (access, refresh_token) = app.pair(&ann).await;
        app.anonymous().post_json("/api/token/blacklist/", json!({"refresh": refresh_token})).await.expect(200);
        let told_ended = refused(app, &app.anonymous().bearer(&access)).await;
        is(&told_ended, Reason::FamilyEnded);
        assert_eq!(told_ended.detail.what.as_deref(), Some("logout"));
        let (access, refresh_token) = app.pair(&ann).await;
        let wrong = refresh(&access).await;
        is(&told(app, &wrong).await, Reason::AccessAsRefresh);
        users::sign_out_everywhere(&app.app, &by, ann.id).await.unwrap();
        let signed_out = refused(app, &app.anonymous().bearer(&access)).await;
        is(&signed_out, Reason::SignedOut);
        assert_eq!(signed_out.events[0].action, "user.signed_out_everywhere");
        is(&told(app, &refresh(&refresh_token).await).await, Reason::SignedOut);
        let (access, _) = app.pair(&app.find_user("ann").await).await;
        users::set_active(&app.app, &by, ann.id, false).await.unwrap();
        is(&refused(app, &app.anonymous().bearer(&access)).await, Reason::UserInactive);
        let bob = app.user("bob").await;
        let (access, spent) = app.pair(&bob).await;
        refresh(&spent).await.expect(200);
        let verify = app.anonymous().post_json("/api/token/verify/", json!({"token": spent})).await;
        is(&told(app, &verify).await, Reason::RefreshSpent);
        users::delete(&app.app, &by, bob.id).await.unwrap();
        is(&refused(app, &app.anonymous().bearer(&access)).await, Reason::UserGone);
    }

    async fn what_a_good_credential_lacks_is_told(app: &TestApp) {
        let ann = app.user("ann").await;
        let key = app.named_token(&ann, Scopes::of([Scope::StudentsWrite])).await;
        let answer = app.anonymous().token(&key).get(PATH).await;
        assert_eq!(answer.status, 403);
        let scope = told(app, &answer).await;
        is(&scope, Reason::ScopeMissing);
        assert_eq!(scope.detail.what.as_deref(), Some("students:read"));
        assert_eq!(scope.user.unwrap().id, ann.id);
        let caller = app.anonymous().token(&app.default_token(&ann).await);
        let denied = caller.get("/api/tokens/?owner=root").await;
        assert_eq!(denied.status, 403);
        let denied = told(app, &denied).await;
        is(&denied, Reason::PermissionMissing);
        assert_eq!(denied.detail.what.as_deref(), Some("view tokens"));
        let browser = app.browser(&ann).await.with("Accept", "application/json");
        let forged = browser.post_json(PATH, json!({})).await;
        assert_eq!(forged.status, 403);
        let csrf = told(app, &forged).await;
        is(&csrf, Reason::CsrfFailed);
        assert_eq!(csrf.refusal.scheme, "session");
        assert_eq!(csrf.refusal.user_id, Some(ann.id));
        let body = json!({"username": "ann", "password": "wrong"});
        let wrong = app.anonymous().post_json("/api/token/", body).await;
        assert_eq!(wrong.status, 401);
        is(&told(app, &wrong).await, Reason::WrongPassword);
        let proxy = caller.get("/auth/verify/?scope=nonsense").await;
        is(&told(app, &proxy).await, Reason::UnknownRequirement);
        let proxy = app.anonymous().get("/auth/verify/").await;
        let told = told(app, &proxy).await;
        is(&told, Reason::NoHeader);
        assert_eq!(told.refusal.path, "/auth/verify/");
    }

    async fn nothing_that_was_sent_is_kept(app: &TestApp) {
        let ann = app.user("ann").await;
        let (access, refresh) = app.pair(&ann).await;
        let key = app.default_token(&ann).await;
        users::set_active(&app.app, &Actor::operator(), ann.id, false).await.unwrap();
        let secret = "sesame-open-now";
        for value in [
            format!("Token {key}"),
            format!("Bearer {access}"),
            key.clone(),
            format!("{secret} x"),
            format!("Token {secret}"),
            secret.to_owned(),
        ] {
            with(app, "Authorization", &value).get(&format!("{PATH}?token={secret}")).await;
        }
        with(app, "X-Api-Key", secret).get(&format!("/api/tokens/{secret}/")).await;
        app.anonymous().post_json("/api/token/refresh/", json!({"refresh": refresh})).await;
        app.anonymous().post_json("/api/token/", json!({"username": "ann", "password": secret})).await;
        refusals::flush(&app.app).await.unwrap();
        let page = refusals::RefusalFilter::default();
        let rows = refusals::list(&app.app, &page).await.unwrap().rows;
        assert_eq!(rows.len(), 9);
        let all = format!("{rows:?}");
        for sent in [secret, &key, &key[..12], &access, access.rsplit('.').next().unwrap(), &refresh] {
            assert!(!all.contains(sent), "{sent} is in {all}");
        }
        let id = claims_of(&access)["jti"].as_str().unwrap().to_owned();
        assert!(!all.contains(&id), "the handle is kept, as a number, and not what follows it");
    }

    async fn refusals_outlive_a_restart_for_a_week_and_no_longer(app: &TestApp) {
        let answer = app.anonymous().get(PATH).await;
        let id = answer.header("X-Request-Id").unwrap().to_owned();
        refusals::flush(&app.app).await.unwrap();
        let later = app.second_node(&[]).await;
        app.clock.advance(86_400);
        assert!(refusals::find_request(&later.app, &id).await.unwrap().is_some());
        refusals::sweep(&app.app).await.unwrap();
        assert!(refusals::find_request(&later.app, &id).await.unwrap().is_some());
        app.clock.advance(6 * 86_400 + 1);
        assert_eq!(refusals::sweep(&app.app).await.unwrap(), 1);
        assert!(refusals::find_request(&later.app, &id).await.unwrap().is_none());
        later.close().await;
    }

    async fn a_flood_costs_few_rows_and_says_how_many_it_hid(app: &TestApp) {
        let flood = app.anonymous().at("192.0.2.66");
        for _ in 0..70 {
            flood.get(PATH).await;
        }
        let other = app.anonymous().at("192.0.2.7").get(PATH).await;
        is(&told(app, &other).await, Reason::NoHeader);
        let filter = refusals::RefusalFilter { reason: Some(Reason::NotKept), ..Default::default() };
        let hidden = refusals::list(&app.app, &filter).await.unwrap().rows;
        assert_eq!(Detail::read(&hidden[0].refusal.detail), Detail::n(20));
        let all = refusals::list(&app.app, &refusals::RefusalFilter::default()).await.unwrap();
        assert_eq!(all.total.n, 52);
    }

    async fn the_check_path_writes_nothing_for_a_refusal(app: &TestApp) {
        let caller = app.anonymous().token("lk_nonsense");
        caller.get(PATH).await;
        let before = app.statements();
        for _ in 0..5 {
            assert_eq!(caller.get(PATH).await.status, 401);
        }
        assert_eq!(app.statements(), before);
    }

    async fn other_methods_and_ids_in_paths_are_told(app: &TestApp) {
        let answer = app.anonymous().send(Method::Delete, "/api/tokens/7/", None).await;
        let told = told(app, &answer).await;
        assert_eq!((told.refusal.method.as_str(), told.refusal.path.as_str()), ("DELETE", "/api/tokens/7/"));
    }

    async fn an_answer_that_is_a_page_shows_the_id(app: &TestApp) {
        let answer = app.anonymous().with("Accept", "text/html").get(PATH).await;
        assert_eq!(answer.status, 401);
        let id = answer.header("X-Request-Id").unwrap();
        assert!(answer.text.contains(id), "{}", answer.text);
    }
}
