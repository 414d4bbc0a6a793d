//! What settings ask of signing keys and of what they sign: nobody is signed out by a change, and
//! processes with other settings do not undo each other's work.

use latchkey::{
    domain::{
        actor::Actor,
        signing_keys::{self, KeyState},
    },
    error::Error,
};
use serde_json::json;

use crate::{
    signing_keys::{LEAD, refresh, rotate, states, status},
    support::{JWT_KEY, TestApp, claims_of, header_of, hs256},
};

both! {
    async fn another_algorithm_by_setting_logs_nobody_out(app: &TestApp) {
        let user = app.user("ann").await;
        let (access, first) = app.pair(&user).await;
        let changed = app.second_node(&[("LATCHKEY_JWT_ALGORITHM", "EdDSA")]).await;
        signing_keys::fit_settings(&changed.app).await.unwrap();
        let old = changed.anonymous().bearer(&access);
        assert_eq!(status(&old).await, 200);
        let soon = refresh(&changed, &first).await;
        soon.expect(200);
        assert_eq!(header_of(&soon.string("access"))["alg"], "HS256", "not before it was published long enough");
        let first = soon.string("refresh");
        changed.clock.advance(signing_keys::PUBLISHED);
        assert_eq!(status(&old).await, 200);
        let answer = refresh(&changed, &first).await;
        answer.expect(200);
        assert_eq!(header_of(&answer.string("access"))["alg"], "EdDSA");
        changed.close().await;
    }

    async fn a_fixed_key_takes_over_and_verifies_what_kept_keys_signed(app: &TestApp) {
        // Also where keys were rotated before.
        rotate(app).await;
        app.clock.advance(LEAD);
        let user = app.user("ann").await;
        let (access, first) = app.pair(&user).await;
        let fixed = app.second_node(&[("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY)]).await;
        signing_keys::fit_settings(&fixed.app).await.unwrap();
        assert_eq!(status(&fixed.anonymous().bearer(&access)).await, 200);
        let answer = refresh(&fixed, &first).await;
        answer.expect(200);
        for _ in 0..2 {
            let (signed, _) = fixed.pair(&user).await;
            let (message, signature) = signed.rsplit_once('.').unwrap();
            assert_eq!(hs256(message, JWT_KEY), signature);
            assert_eq!(status(&fixed.anonymous().bearer(&signed)).await, 200);
            // Beyond the life of the kept keys.
            fixed.clock.advance(86_400 * 2);
        }
        let states = states(&fixed).await;
        assert!(states.iter().all(|state| *state == KeyState::Retired), "{states:?}");
        let refused = signing_keys::rotate(&fixed.app, &Actor::operator()).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        fixed.close().await;
    }

    async fn nodes_with_other_settings_do_not_undo_each_others_keys(app: &TestApp) {
        let other = app.second_node(&[("LATCHKEY_JWT_ALGORITHM", "EdDSA")]).await;
        for node in [app, &other] {
            signing_keys::fit_settings(&node.app).await.unwrap();
        }
        let before = states(app).await.len();
        let user = app.user("ann").await;
        for _ in 0..5 {
            for node in [app, &other] {
                let (access, _) = node.pair(&user).await;
                assert_eq!(status(&node.anonymous().bearer(&access)).await, 200);
                node.clock.advance(signing_keys::PUBLISHED);
            }
        }
        assert_eq!(states(app).await.len(), before);
        let news = app.audited().await;
        assert!(news.contains(&"signing_key.superseded".to_owned()), "{news:?}");
        other.close().await;
    }

    async fn looking_at_keys_changes_none(app: &TestApp) {
        let command = app.second_node(&[("LATCHKEY_JWT_ALGORITHM", "EdDSA")]).await;
        assert!(states(&command).await.is_empty());
        signing_keys::fit_settings(&app.app).await.unwrap();
        assert_eq!(states(&command).await, [KeyState::Current, KeyState::Next]);
        // A rotation asked for by a process with other settings keeps to the kind that signs.
        app.clock.advance(LEAD);
        signing_keys::rotate(&command.app, &Actor::operator()).await.unwrap();
        let keys = signing_keys::list(&app.app).await.unwrap();
        assert!(keys.iter().all(|key| key.algorithm == "HS256"), "{keys:?}");
        command.close().await;
    }

    async fn issuer_and_audience_are_written_and_required(app: &TestApp) {
        let user = app.user("ann").await;
        let (without, _) = app.pair(&user).await;
        let named = app
            .second_node(&[
                ("LATCHKEY_JWT_ISSUER", "https://auth.example.org"),
                ("LATCHKEY_JWT_AUDIENCE", "api"),
            ])
            .await;
        let (access, first) = named.pair(&user).await;
        let claims = claims_of(&access);
        assert_eq!((&claims["aud"], &claims["iss"]), (&json!("api"), &json!("https://auth.example.org")));
        assert_eq!(status(&named.anonymous().bearer(&access)).await, 200);
        assert_eq!(status(&named.anonymous().bearer(&without)).await, 401);
        refresh(&named, &first).await.expect(200);
        named.close().await;
    }
}
