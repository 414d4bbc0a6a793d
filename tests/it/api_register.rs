//! `POST /registerapi/`: who may, what is accepted, what each refusal says.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, claims_of};

fn body(username: &str, password: &str) -> Value {
    json!({"username": username, "password": password, "confirm_password": password})
}

fn refusal(data: &Value) -> Value {
    json!({"status": false, "message": "Something Wrong", "data": data})
}

both! {
    async fn a_registered_user_gets_a_pair_that_works(app: &TestApp) {
        for caller in [app.token_user("ann").await, app.bearer_user("bea").await] {
            let name = format!("new-{}", caller.get("/studentapi/").await.text.len());
            let name = format!("{name}-{}", app.audited().await.len());
            let answer = caller
                .post_json("/registerapi/", body(&name, PASSWORD))
                .await;
            answer.expect(200);
            let order = (
                answer.text.find("\"refresh\""),
                answer.text.find("\"access\""),
            );
            assert!(
                order.0 < order.1,
                "clients saw refresh first: {}",
                answer.text
            );
            assert_eq!(answer.json().as_object().unwrap().len(), 2);
            let user = app.find_user(&name).await;
            assert_eq!(
                claims_of(&answer.string("access"))["user_id"],
                user.id.to_string()
            );
            let new = app.anonymous().bearer(&answer.string("access"));
            new.get("/studentapi/").await.expect(200);
            let refresh = json!({"refresh": answer.string("refresh")});
            app.anonymous()
                .post_json("/api/token/refresh/", refresh)
                .await
                .expect(200);
            assert!(!user.is_staff && !user.is_superuser && user.is_active);
        }
    }

    async fn nobody_registers_without_a_credential(app: &TestApp) {
        let answer = app
            .anonymous()
            .post_json("/registerapi/", body("new", PASSWORD))
            .await;
        answer.is_detail(401, "Authentication credentials were not provided.");
        assert_eq!(
            answer.header("WWW-Authenticate"),
            Some("Token, Bearer realm=\"api\"")
        );
    }

    async fn json_form_and_multipart_are_the_same(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let fields = |name| {
            [
                ("username", name),
                ("password", PASSWORD),
                ("confirm_password", PASSWORD),
            ]
        };
        ann.post_json("/registerapi/", body("by-json", PASSWORD))
            .await
            .expect(200);
        ann.post_form("/registerapi/", &fields("by-form"))
            .await
            .expect(200);
        ann.post_multipart("/registerapi/", &fields("by-multipart"))
            .await
            .expect(200);
        for name in ["by-json", "by-form", "by-multipart"] {
            let answer = ann.post_json(
                "/api/token/",
                json!({"username": name, "password": PASSWORD}),
            );
            answer.await.expect(200);
        }
    }

    async fn a_taken_name_is_a_field_error_in_any_case_and_with_any_password(app: &TestApp) {
        let ann = app.token_user("ann").await;
        for (name, password) in [
            ("ann", PASSWORD),
            ("ann", "An0ther-password"),
            ("ANN", PASSWORD),
            (" Ann ", PASSWORD),
            ("\u{ff41}nn", PASSWORD),
        ] {
            let answer = ann.post_json("/registerapi/", body(name, password)).await;
            let data = json!({"username": ["A user with that username already exists."]});
            assert_eq!(answer.expect(400)["data"], data, "{name:?}");
            assert_eq!(answer.json()["status"], false);
        }
    }

    async fn names_that_differ_in_unicode_case_only_are_one_name(app: &TestApp) {
        let ann = app.token_user("ann").await;
        ann.post_json("/registerapi/", body("Žofie", PASSWORD))
            .await
            .expect(200);
        let again = ann
            .post_json("/registerapi/", body("žOFIE", PASSWORD))
            .await;
        assert!(again.expect(400)["data"]["username"].is_array());
    }

    async fn each_complaint_stands_at_its_field(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let required = json!(["This field is required."]);
        let cases = [
            (
                json!({}),
                json!({"username": required, "password": required, "confirm_password": required}),
            ),
            (
                json!({"username": null, "password": true, "confirm_password": {}}),
                json!({
                    "username": ["This field may not be null."],
                    "password": ["Not a valid string."],
                    "confirm_password": ["Not a valid string."],
                }),
            ),
            (
                json!({"username": "new", "password": PASSWORD, "confirm_password": "Other-pass-1"}),
                json!({"confirm_password": ["The two passwords do not match."]}),
            ),
            (
                body("a b", PASSWORD),
                json!({"username": ["Enter a valid username. This value may contain only letters, \
                                     numbers, and @/./+/-/_ characters."]}),
            ),
            (
                body("new", "12345"),
                json!({"password": [
                    "This password is too short. It must contain at least 8 characters.",
                    "This password is too common.",
                    "This password is entirely numeric.",
                ]}),
            ),
            (
                body("catherine-zeta", "catherine-zeta1"),
                json!({"password": ["The password is too similar to the username."]}),
            ),
            (
                json!([]),
                json!({"non_field_errors":
                    ["Invalid data. Expected a dictionary, but got list."]}),
            ),
        ];
        for (given, data) in cases {
            let answer = ann.post_json("/registerapi/", given).await;
            answer.is(400, &refusal(&data));
        }
    }

    async fn passwords_are_kept_to_the_byte(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let padded = "  S3cure-pass-1  ";
        ann.post_json("/registerapi/", body("spaces", padded))
            .await
            .expect(200);
        let sign_in = async |password: &str| {
            let body = json!({"username": "spaces", "password": password});
            app.anonymous().post_json("/api/token/", body).await.status
        };
        assert_eq!(sign_in(padded).await, 200);
        assert_eq!(sign_in(padded.trim()).await, 401);
    }

    async fn nobody_registers_as_staff(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let mut wish = body("climber", PASSWORD);
        wish["is_staff"] = json!(true);
        wish["is_superuser"] = json!(true);
        wish["id"] = json!(1);
        ann.post_json("/registerapi/", wish).await.expect(200);
        let climber = app.find_user("climber").await;
        assert!(!climber.is_staff && !climber.is_superuser);
    }

    async fn a_registration_is_audited_with_who_did_it(app: &TestApp) {
        let ann = app.token_user("ann").await.at("192.0.2.7");
        ann.post_json("/registerapi/", body("new", PASSWORD))
            .await
            .expect(200);
        let events = latchkey::domain::audit::recent(&app.app, 1).await.unwrap();
        let event = &events[0];
        assert_eq!(event.action, "user.registered");
        assert_eq!(
            (event.actor.as_str(), event.object.as_str()),
            ("ann", "new")
        );
        assert_eq!(event.address.as_deref(), Some("192.0.2.7"));
        assert!(!event.detail.contains(PASSWORD));
    }
}
