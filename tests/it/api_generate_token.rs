//! `/generate-token/`: signs what anybody gives; data with a signature, never a credential.

use serde_json::json;

use crate::support::{START, TestApp, claims_of, hs256};

const PATH: &str = "/generate-token/";
const REQUIRED: &str = "firstname, lastname, and age are required";
const KEY: &str = "a signing key that another server shares with us";

both! {
    async fn query_form_json_and_multipart_are_signed_alike(app: &TestApp) {
        let nobody = app.anonymous();
        let fields = [("firstname", "Ann"), ("lastname", "Lee"), ("age", "30")];
        let by_json = json!({"firstname": "Ann", "lastname": "Lee", "age": 30});
        let answers = [
            nobody
                .get("/generate-token/?firstname=Ann&lastname=Lee&age=30")
                .await,
            nobody
                .get("/generate-token?firstname=Ann&lastname=Lee&age=30")
                .await,
            nobody
                .post("/generate-token/?firstname=Ann&lastname=Lee&age=30")
                .await,
            nobody.post_json(PATH, by_json).await,
            nobody.post_form(PATH, &fields).await,
            nobody.post_multipart(PATH, &fields).await,
            nobody
                .post_form("/generate-token/?age=30", &fields[..2])
                .await,
        ];
        for answer in answers {
            answer.expect(200);
            let claims = claims_of(&answer.string("token"));
            let expected = json!({
                "firstname": "Ann", "lastname": "Lee", "age": "30",
                "iat": START, "exp": START + 3600,
            });
            assert_eq!(claims, expected);
            assert_eq!(answer.json().as_object().unwrap().len(), 1);
        }
    }

    async fn names_of_fields_are_read_in_any_case(app: &TestApp) {
        let nobody = app.anonymous();
        let answer = nobody
            .get("/generate-token/?Firstname=A&LASTNAME=B&aGe=1")
            .await;
        assert_eq!(claims_of(&answer.string("token"))["firstname"], "A");
        let body = json!({"Firstname": "A", "LastName": "B", "AGE": "1"});
        let answer = nobody.post_json(PATH, body).await;
        assert_eq!(claims_of(&answer.string("token"))["lastname"], "B");
    }

    async fn each_missing_field_is_named(app: &TestApp) {
        let nobody = app.anonymous();
        for (query, fields) in [
            ("", vec!["firstname", "lastname", "age"]),
            ("?firstname=a", vec!["lastname", "age"]),
            ("?firstname=a&lastname=%20&age=1", vec!["lastname"]),
            ("?firstname=a&lastname=b&age=", vec!["age"]),
        ] {
            let answer = nobody.get(&format!("{PATH}{query}")).await;
            answer.is(400, &json!({"Error": REQUIRED, "fields": fields}));
        }
        let answer = nobody
            .post_json(PATH, json!({"firstname": null, "lastname": "b"}))
            .await;
        answer.is(
            400,
            &json!({"Error": REQUIRED, "fields": ["firstname", "age"]}),
        );
    }

    async fn sizes_are_limited_and_lists_are_no_texts(app: &TestApp) {
        let nobody = app.anonymous();
        let long = "x".repeat(256);
        let body = json!({"firstname": long, "lastname": "b", "age": "1"});
        let answer = nobody.post_json(PATH, body).await;
        assert_eq!(answer.expect(400)["fields"], json!(["firstname"]));
        let body = json!({"firstname": ["a"], "lastname": "b", "age": "1"});
        let answer = nobody.post_json(PATH, body).await;
        assert_eq!(answer.expect(400)["fields"], json!(["firstname"]));
    }

    async fn signed_data_opens_nothing(app: &TestApp) {
        let ann = app.user("ann").await;
        let query = format!(
            "?firstname=a&lastname=b&age=1&user_id={}&token_type=access",
            ann.id
        );
        let answer = app.anonymous().get(&format!("{PATH}{query}")).await;
        let jwt = answer.string("token");
        let refused = app.anonymous().bearer(&jwt).get("/studentapi/").await;
        refused.is_detail(401, "Given token not valid for any token type");
        for (path, field) in [
            ("/api/token/refresh/", "refresh"),
            ("/api/token/blacklist/", "refresh"),
            ("/api/token/verify/", "token"),
        ] {
            let body = json!({field: jwt});
            assert_eq!(
                app.anonymous().post_json(path, body).await.status,
                401,
                "{path}"
            );
        }
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", KEY))]
    async fn with_a_shared_key_those_who_read_the_tokens_go_on_reading(app: &TestApp) {
        let answer = app
            .anonymous()
            .get("/generate-token/?firstname=a&lastname=b&age=1")
            .await;
        let jwt = answer.string("token");
        let (message, signature) = jwt.rsplit_once('.').unwrap();
        assert_eq!(hs256(message, KEY), signature);
        let refused = app.anonymous().bearer(&jwt).get("/studentapi/").await;
        assert_eq!(
            refused.expect(401)["messages"][0]["message"],
            "Token has no id"
        );
    }

    #[with(("LATCHKEY_GENERATE_TOKEN_ENABLED", "false"))]
    async fn a_setting_switches_it_off(app: &TestApp) {
        let nobody = app.anonymous();
        nobody
            .get("/generate-token/?firstname=a&lastname=b&age=1")
            .await
            .is_detail(404, "Not found.");
        nobody
            .post_json(PATH, json!({}))
            .await
            .is_detail(404, "Not found.");
    }

    async fn a_bad_credential_does_not_matter(app: &TestApp) {
        let odd = app.anonymous().token("junk");
        odd.get("/generate-token/?firstname=a&lastname=b&age=1")
            .await
            .expect(200);
    }
}
