//! The header that carries a credential: every spelling that is accepted, every one that is not.

use crate::support::{Caller, TestApp};

struct Credentials {
    key: String,
    access: String,
    nobody: Caller,
}

async fn credentials(app: &TestApp) -> Credentials {
    let ann = app.user("ann").await;
    Credentials {
        key: app.default_token(&ann).await,
        access: app.pair(&ann).await.0,
        nobody: app.anonymous(),
    }
}

both! {
    async fn schemes_are_accepted_in_any_case_and_spacing(app: &TestApp) {
        let Credentials {
            key,
            access,
            nobody,
        } = credentials(app).await;
        for header in [
            format!("Token {key}"),
            format!("token {key}"),
            format!("TOKEN   {key}"),
            format!("Token\t{key}"),
            format!("Bearer {access}"),
            format!("bearer {access}"),
            format!("BEARER  {access}"),
            format!("Bearer {access}="),
        ] {
            let answer = nobody
                .with("Authorization", &header)
                .get("/studentapi/")
                .await;
            assert_eq!(answer.status, 200, "{header}: {answer:?}");
        }
    }

    async fn the_header_named_authentication_is_read_as_well(app: &TestApp) {
        let Credentials {
            key,
            access,
            nobody,
        } = credentials(app).await;
        for header in [format!("Token {key}"), format!("bearer {access}")] {
            let answer = nobody
                .with("Authentication", &header)
                .get("/studentapi/")
                .await;
            assert_eq!(answer.status, 200, "{header}");
        }
        let answer = nobody
            .with("Authentication", "Token junk")
            .get("/studentapi/")
            .await;
        answer.is_detail(401, "Invalid token.");
    }

    async fn authorization_wins_over_authentication(app: &TestApp) {
        let Credentials { key, nobody, .. } = credentials(app).await;
        let good = format!("Token {key}");
        let answer = nobody
            .with("Authorization", &good)
            .with("Authentication", "Token junk");
        answer.get("/studentapi/").await.expect(200);
        let answer = nobody
            .with("Authorization", "Token junk")
            .with("Authentication", &good);
        answer
            .get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
        let answer = nobody
            .with("Authorization", "Basic abc")
            .with("Authentication", &good);
        let missing = "Authentication credentials were not provided.";
        answer.get("/studentapi/").await.is_detail(401, missing);
    }

    async fn what_is_malformed_is_told_in_the_words_of_drf(app: &TestApp) {
        let Credentials {
            key,
            access,
            nobody,
        } = credentials(app).await;
        let token = "Token, Bearer realm=\"api\"";
        let bearer = "Bearer realm=\"api\", Token";
        for (header, detail, challenge) in [
            ("", "Authentication credentials were not provided.", token),
            (
                "Basic abc",
                "Authentication credentials were not provided.",
                token,
            ),
            (&key, "Authentication credentials were not provided.", token),
            (
                "Token",
                "Invalid token header. No credentials provided.",
                token,
            ),
            (
                "Token a b",
                "Invalid token header. Token string should not contain spaces.",
                token,
            ),
            ("Token x", "Invalid token.", token),
            (
                &format!("Token {}", key.to_uppercase()),
                "Invalid token.",
                token,
            ),
            (
                "Bearer",
                "Authorization header must contain two space-delimited values",
                bearer,
            ),
            (
                "Bearer a b",
                "Authorization header must contain two space-delimited values",
                bearer,
            ),
            (
                "Bearer junk",
                "Given token not valid for any token type",
                bearer,
            ),
            (
                &format!("Bearer {key}"),
                "Given token not valid for any token type",
                bearer,
            ),
            (&format!("Token {access}"), "Invalid token.", token),
        ] {
            let answer = nobody
                .with("Authorization", header)
                .get("/studentapi/")
                .await;
            answer.is_detail(401, detail);
            assert_eq!(
                answer.header("WWW-Authenticate"),
                Some(challenge),
                "{header}"
            );
        }
    }

    async fn a_token_of_a_strange_length_is_refused_unread(app: &TestApp) {
        let nobody = app.anonymous();
        for junk in ["a".repeat(100_000), "😀".repeat(50)] {
            nobody
                .token(&junk)
                .get("/studentapi/")
                .await
                .is_detail(401, "Invalid token.");
            assert_eq!(nobody.bearer(&junk).get("/studentapi/").await.status, 401);
        }
    }

    async fn a_browser_session_counts_on_the_api_with_csrf_on_unsafe_methods(app: &TestApp) {
        let ann = app.user("ann").await;
        let browser = app.browser(&ann).await.with("Accept", "application/json");
        browser.get("/studentapi/").await.expect(200);
        let answer = browser
            .post_json("/registerapi/", serde_json::json!({}))
            .await;
        assert_eq!(answer.status, 403, "{answer:?}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("CSRF Failed: "), "{detail}");
    }

    async fn a_dead_session_leaves_the_header_to_decide(app: &TestApp) {
        let Credentials { key, nobody, .. } = credentials(app).await;
        nobody.set_cookie("sessionid", "nobody-knows-this-one");
        nobody.token(&key).get("/studentapi/").await.expect(200);
        assert_eq!(nobody.get("/studentapi/").await.status, 401);
    }
}
