//! The signed list of what is revoked, as a service that verifies offline reads it.

use std::io::Read;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::read::ZlibDecoder;
use latchkey::{
    domain::{actor::Actor, signing_keys, users},
    news,
};
use serde_json::json;

use crate::support::{Answer, TestApp, claims_of, header_of, until};

/// The path of a token's list and its place in it.
fn place(jwt: &str) -> (String, usize) {
    let status = claims_of(jwt)["status"]["status_list"].clone();
    let uri = status["uri"].as_str().unwrap();
    let path = uri.strip_prefix("https://auth.example.org").unwrap();
    (
        path.to_owned(),
        serde_json::from_value(status["idx"].clone()).unwrap(),
    )
}

fn bits(list: &Answer) -> Vec<u8> {
    let said = claims_of(&list.text)["status_list"]["lst"].clone();
    let zipped = URL_SAFE_NO_PAD.decode(said.as_str().unwrap()).unwrap();
    let mut bits = Vec::new();
    ZlibDecoder::new(&*zipped).read_to_end(&mut bits).unwrap();
    bits
}

async fn is_revoked(app: &TestApp, jwt: &str) -> bool {
    let (path, idx) = place(jwt);
    let list = app.anonymous().get(&path).await;
    assert_eq!(list.status, 200, "{list:?}");
    bits(&list)[idx / 8] >> (idx % 8) & 1 == 1
}

/// A list is built once a second at most.
fn a_second_later(app: &TestApp) {
    app.clock.advance(1);
}

both! {
    #[with(
        ("LATCHKEY_JWT_STATUS_LIST", "true"),
        ("LATCHKEY_JWT_ALGORITHM", "EdDSA"),
        ("LATCHKEY_JWT_ISSUER", "https://auth.example.org"),
    )]
    async fn whatever_ends_a_sign_in_sets_its_bit_and_no_other(app: &TestApp) {
        let by = Actor::operator();
        let bystander = app.pair(&app.user("bystander").await).await.0;
        for act in ["blacklist", "sign out", "password", "disable", "delete"] {
            let user = app.user(&act.replace(' ', "")).await;
            let (access, refresh) = app.pair(&user).await;
            assert_eq!(place(&access), place(&refresh), "one bit a sign-in");
            a_second_later(app);
            assert!(!is_revoked(app, &access).await, "{act}");
            match act {
                "blacklist" => {
                    let body = json!({"refresh": refresh});
                    let ended = app.anonymous().post_json("/api/token/blacklist/", body).await;
                    assert_eq!(ended.status, 200);
                }
                "sign out" => users::sign_out_everywhere(&app.app, &by, user.id).await.unwrap(),
                "password" => {
                    let new = latchkey::secret::Password::new("another Password 7");
                    users::set_password(&app.app, &by, user.id, new).await.unwrap();
                }
                "disable" => users::set_active(&app.app, &by, user.id, false).await.unwrap(),
                _ => users::delete(&app.app, &by, user.id).await.unwrap(),
            }
            a_second_later(app);
            assert!(is_revoked(app, &access).await, "{act}");
            assert!(!is_revoked(app, &bystander).await, "{act}");
        }
        // What has expired needs no bit.
        app.clock.advance(86_400 + 3600);
        let fresh = app.pair(&app.find_user("bystander").await).await.0;
        let (path, _) = place(&fresh);
        let list = app.anonymous().get(&path).await;
        assert_eq!(bits(&list).iter().map(|byte| byte.count_ones()).sum::<u32>(), 0);
    }

    #[with(
        ("LATCHKEY_JWT_STATUS_LIST", "true"),
        ("LATCHKEY_JWT_ALGORITHM", "EdDSA"),
        ("LATCHKEY_JWT_ISSUER", "https://auth.example.org"),
    )]
    async fn a_list_is_signed_small_tagged_and_no_credential(app: &TestApp) {
        let user = app.user("ann").await;
        let (access, _) = app.pair(&user).await;
        let (path, _) = place(&access);
        let all = app.anonymous().get("/status-lists/").await;
        assert_eq!(all.expect(200)["status_lists"], json!([format!("https://auth.example.org{path}")]));
        let list = app.anonymous().get(&path).await;
        assert_eq!(list.header("Content-Type"), Some("application/statuslist+jwt"));
        assert_eq!(header_of(&list.text)["typ"], "statuslist+jwt");
        assert!(list.text.len() < 1000, "{} bytes", list.text.len());
        let claims = claims_of(&list.text);
        assert_eq!(claims["sub"], format!("https://auth.example.org{path}"));
        assert_eq!((&claims["ttl"], &claims["status_list"]["bits"]), (&json!(30), &json!(1)));
        let tag = list.header("ETag").unwrap();
        let asks = app.anonymous().with("If-None-Match", tag);
        assert_eq!(asks.get(&path).await.status, 304);
        users::sign_out_everywhere(&app.app, &Actor::operator(), user.id).await.unwrap();
        a_second_later(app);
        assert_eq!(asks.get(&path).await.status, 200, "it has changed");
        let shown = app.anonymous().bearer(&list.text).get("/studentapi/").await;
        assert_eq!(shown.status, 401);
        for nowhere in ["/status-lists/1", "/status-lists/-1", "/status-lists/x", "/status-lists/9223372036854775807"] {
            assert_eq!(app.anonymous().get(nowhere).await.status, 404, "{nowhere}");
        }
    }

    #[with(
        ("LATCHKEY_JWT_STATUS_LIST", "true"),
        ("LATCHKEY_JWT_ALGORITHM", "EdDSA"),
        ("LATCHKEY_JWT_ISSUER", "https://auth.example.org"),
    )]
    async fn a_list_is_signed_by_a_key_that_is_published(app: &TestApp) {
        let verifies = async |list: &str| {
            use jsonwebtoken::{Algorithm, DecodingKey, jwk::JwkSet};
            let set = app.anonymous().get("/.well-known/jwks.json").await;
            let set: JwkSet = serde_json::from_str(&set.text).unwrap();
            let kid = header_of(list)["kid"].as_str().unwrap().to_owned();
            let Some(jwk) = set.find(&kid) else {
                return false;
            };
            let (message, signature) = list.rsplit_once('.').unwrap();
            let key = DecodingKey::from_jwk(jwk).unwrap();
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, Algorithm::EdDSA).unwrap()
        };
        let user = app.user("ann").await;
        let (access, _) = app.pair(&user).await;
        let (path, _) = place(&access);
        let list = app.anonymous().get(&path).await.text;
        assert!(verifies(&list).await);
        let keys = signing_keys::list(&app.app).await.unwrap();
        signing_keys::revoke(&app.app, &Actor::operator(), keys[0].id).await.unwrap();
        let anew = app.anonymous().get(&path).await.text;
        assert!(!verifies(&list).await && verifies(&anew).await);
        // Unchanged, but soon too old to be believed.
        app.clock.advance(1800);
        let later = app.anonymous().get(&path).await.text;
        assert_eq!(claims_of(&later)["iat"], json!(app.clock.now()));
    }

    #[with(
        ("LATCHKEY_JWT_STATUS_LIST", "true"),
        ("LATCHKEY_JWT_ALGORITHM", "EdDSA"),
        ("LATCHKEY_JWT_ISSUER", "https://auth.example.org"),
        ("LATCHKEY_JWT_ROTATE_REFRESH_TOKENS", "false"),
    )]
    async fn an_access_token_that_outlives_its_refresh_token_keeps_its_bit(app: &TestApp) {
        let user = app.user("ann").await;
        let (_, refresh) = app.pair(&user).await;
        app.clock.advance(86_400 - 10);
        let body = json!({"refresh": refresh});
        let access = app.anonymous().post_json("/api/token/refresh/", body.clone()).await;
        let access = access.string("access");
        app.anonymous().post_json("/api/token/blacklist/", body).await.expect(200);
        app.clock.advance(1800);
        assert!(is_revoked(app, &access).await);
    }

    #[with(
        ("LATCHKEY_JWT_STATUS_LIST", "true"),
        ("LATCHKEY_JWT_ALGORITHM", "EdDSA"),
        ("LATCHKEY_JWT_ISSUER", "https://auth.example.org"),
    )]
    async fn the_lag_is_the_age_of_what_verifiers_hold(app: &TestApp) {
        tokio::spawn(news::follow(app.app.clone()));
        until("the node hears", async || !app.app.db.checks().is_deaf()).await;
        let user = app.user("ann").await;
        let (access, _) = app.pair(&user).await;
        assert!(!is_revoked(app, &access).await);
        app.clock.advance(5);
        assert_eq!(latchkey::domain::status_lists::lag(&app.app), 0, "nothing has changed");
        users::sign_out_everywhere(&app.app, &Actor::operator(), user.id).await.unwrap();
        assert_eq!(latchkey::domain::status_lists::lag(&app.app), 5);
        assert!(is_revoked(app, &access).await);
        assert_eq!(latchkey::domain::status_lists::lag(&app.app), 0);
    }

    async fn without_the_setting_there_is_no_list_and_no_claim(app: &TestApp) {
        let user = app.user("ann").await;
        let (access, _) = app.pair(&user).await;
        assert!(claims_of(&access).get("status").is_none());
        for path in ["/status-lists/", "/status-lists/0"] {
            assert_eq!(app.anonymous().get(path).await.status, 404);
        }
    }
}
