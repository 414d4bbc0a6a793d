//! What other services read: the public keys, and where things are.

use latchkey::{
    domain::{actor::Actor, signing_keys},
    error::Error,
};
use serde_json::{Value, json};

use crate::{
    signing_keys::{LEAD, rotate},
    support::{TestApp, header_of},
};

pub(crate) async fn jwks(app: &TestApp) -> Vec<Value> {
    let answer = app.anonymous().get("/.well-known/jwks.json").await;
    answer.expect(200)["keys"].as_array().unwrap().clone()
}

both! {
    #[with(("LATCHKEY_JWT_ALGORITHM", "EdDSA"))]
    async fn the_published_keys_verify_what_is_signed_and_the_next_is_among_them(app: &TestApp) {
        let user = app.user("ann").await;
        let (access, _) = app.pair(&user).await;
        let before = jwks(app).await;
        assert_eq!(before.len(), 2);
        for key in &before {
            let mut names: Vec<_> = key.as_object().unwrap().keys().cloned().collect();
            names.sort();
            assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"], "{key}");
        }
        let find = |keys: &[Value], jwt: &str| {
            let kid = header_of(jwt)["kid"].clone();
            keys.iter().find(|key| key["kid"] == kid).cloned().unwrap()
        };
        let verifies = |key: &Value, jwt: &str| {
            use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
            let jwk: Jwk = serde_json::from_value(key.clone()).unwrap();
            let (message, signature) = jwt.rsplit_once('.').unwrap();
            let key = DecodingKey::from_jwk(&jwk).unwrap();
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, Algorithm::EdDSA)
                .unwrap()
        };
        assert!(verifies(&find(&before, &access), &access));
        rotate(app).await;
        app.clock.advance(LEAD);
        let (renewed, _) = app.pair(&user).await;
        assert!(verifies(&find(&before, &renewed), &renewed), "it was known before it signed");
        assert_eq!(jwks(app).await.len(), 3, "the old one, the new one, the next");
    }

    async fn a_revoked_key_is_no_longer_published(app: &TestApp) {
        let changed = app.second_node(&[("LATCHKEY_JWT_ALGORITHM", "ES256")]).await;
        let by = Actor::operator();
        signing_keys::fit_settings(&changed.app).await.unwrap();
        let before = jwks(&changed).await;
        let keys = signing_keys::list(&changed.app).await.unwrap();
        let staff = Actor { is_superuser: false, ..by.clone() };
        let refused = signing_keys::revoke(&changed.app, &staff, keys[0].id).await;
        assert!(matches!(refused, Err(Error::PermissionDenied)), "{refused:?}");
        signing_keys::revoke(&changed.app, &by, keys[0].id).await.unwrap();
        let after = jwks(&changed).await;
        assert!(before.iter().any(|key| key["kid"] == keys[0].kid.as_str()));
        assert!(!after.iter().any(|key| key["kid"] == keys[0].kid.as_str()));
        changed.close().await;
    }

    #[with(("LATCHKEY_JWT_ALGORITHM", "EdDSA"))]
    async fn the_metadata_say_where_things_are(app: &TestApp) {
        let anybody = app.anonymous().with("Host", "auth.example.org");
        let answer = anybody.get("/.well-known/oauth-authorization-server").await;
        let data = answer.expect(200);
        let same = anybody.get("/.well-known/openid-configuration").await;
        assert_eq!(same.json(), data);
        for name in ["issuer", "jwks_uri", "token_endpoint", "introspection_endpoint", "revocation_endpoint"] {
            assert!(data[name].is_string(), "{name}: {data}");
        }
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "made for this caller");
        let named = app.second_node(&[("LATCHKEY_JWT_ISSUER", "https://id.example.org")]).await;
        let answer = named.anonymous().with("Host", "evil.example").get("/.well-known/oauth-authorization-server").await;
        let said = answer.expect(200);
        assert_eq!((&said["issuer"], &said["token_endpoint"]), (&json!("https://id.example.org"), &json!("https://id.example.org/api/token/")));
        assert_eq!(answer.header("Cache-Control"), Some("public, max-age=300"));
        named.close().await;
        let keys = anybody.get("/.well-known/jwks.json").await;
        let tag = keys.header("ETag").unwrap();
        let again = anybody.with("If-None-Match", tag).get("/.well-known/jwks.json").await;
        assert_eq!((again.status, again.text.as_str()), (304, ""));
    }
}
