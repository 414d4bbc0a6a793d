//! What every address has in common when it says no: methods, media types, sizes, broken bodies.

use rocket::http::Method;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, TestApp};

/// Address, what it allows, and whether a credential comes first.
const ADDRESSES: &[(&str, &str, bool)] = &[
    ("/studentapi/", "GET, HEAD, OPTIONS, POST", true),
    ("/studentsapi/", "GET, HEAD, OPTIONS, POST", true),
    (
        "/studentapi/1/",
        "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
        true,
    ),
    ("/registerapi/", "POST, OPTIONS", true),
    ("/get-token/", "POST, OPTIONS", true),
    ("/api/token/", "POST, OPTIONS", false),
    ("/api/token/refresh/", "POST, OPTIONS", false),
    ("/api/token/verify/", "POST, OPTIONS", false),
    ("/api/token/blacklist/", "POST, OPTIONS", false),
    ("/api-token-auth/", "POST, OPTIONS", false),
    ("/generate-token/", "GET, HEAD, OPTIONS, POST", false),
];

/// Those that read a body in a POST.
fn takes_a_body(path: &str) -> bool {
    path != "/studentapi/1/"
}

fn protects(caller: &str, answer: &crate::support::Answer) {
    for (name, value) in [
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{caller}: {answer:?}");
    }
}

async fn people(app: &TestApp) -> (Caller, Caller) {
    (app.staff_token().await, app.anonymous())
}

both! {
    async fn a_wrong_method_is_405_with_allow_after_the_credential(app: &TestApp) {
        let (staff, nobody) = people(app).await;
        for (path, allow, guarded) in ADDRESSES {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
                if allow.split(", ").any(|m| m == method) {
                    continue;
                }
                for path in [path, path.trim_end_matches('/')] {
                    let sent: Method = method.parse().unwrap();
                    let answer = staff.send(sent, path, None).await;
                    answer.is_detail(405, &format!("Method \"{method}\" not allowed."));
                    assert_eq!(answer.header("Allow"), Some(*allow), "{method} {path}");
                    protects(path, &answer);
                    let expected = if *guarded { 401 } else { 405 };
                    let answer = nobody.send(sent, path, None).await;
                    assert_eq!(answer.status, expected, "{method} {path}: {answer:?}");
                }
            }
        }
    }

    async fn options_describes_with_and_without_slash(app: &TestApp) {
        let (staff, nobody) = people(app).await;
        for (path, allow, guarded) in ADDRESSES {
            for path in [path, path.trim_end_matches('/')] {
                let answer = staff.options(path).await;
                let description = answer.expect(200);
                assert!(description["parses"].is_array() && description["name"].is_string());
                assert_eq!(answer.header("Allow"), Some(*allow), "{path}");
                let expected = if *guarded { 401 } else { 200 };
                assert_eq!(nobody.options(path).await.status, expected, "{path}");
            }
        }
    }

    async fn an_accept_header_that_nothing_fits_is_406_before_the_credential(app: &TestApp) {
        let nobody = app.anonymous().with("Accept", "image/png");
        for (path, ..) in ADDRESSES {
            let answer = nobody.options(path).await;
            answer.is_detail(406, "Could not satisfy the request Accept header.");
            assert_eq!(
                nobody
                    .with("Accept", "*/*")
                    .options(path)
                    .await
                    .header("Content-Type"),
                Some("application/json")
            );
            let answer = app.anonymous().options(&format!("{path}?format=xml")).await;
            answer.is_detail(404, "Not found.");
        }
    }

    async fn other_media_types_are_415(app: &TestApp) {
        let (staff, _) = people(app).await;
        for (path, ..) in ADDRESSES.iter().filter(|(path, ..)| takes_a_body(path)) {
            for kind in ["text/plain", "application/xml", "application/vnd.api+json"] {
                let answer = staff.post_raw(path, kind, "x").await;
                let text = format!("Unsupported media type \"{kind}\" in request.");
                answer.is_detail(415, &text);
            }
        }
    }

    async fn broken_json_is_400_and_says_where(app: &TestApp) {
        let (staff, _) = people(app).await;
        let deep = "[".repeat(100_000);
        let bodies: [(&[u8], &str); 8] = [
            (
                b"{",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            (b"{\"a\": NaN}", ""),
            (b"{\"a\": Infinity}", ""),
            (
                b"\xef\xbb\xbf{}",
                "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
            ),
            (b"{\"a\": \"\xff\"}", ""),
            (b"{} {}", "Extra data: line 1 column 4 (char 3)"),
            (b"{'a': 1}", ""),
            (deep.as_bytes(), ""),
        ];
        for (path, ..) in ADDRESSES.iter().filter(|(path, ..)| takes_a_body(path)) {
            for (body, text) in &bodies {
                let answer = staff.post_raw(path, "application/json", *body).await;
                let detail = answer.expect(400)["detail"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                assert!(
                    detail.starts_with("JSON parse error - "),
                    "{path}: {answer:?}"
                );
                assert!(detail.ends_with(text), "{detail:?} {text:?}");
            }
        }
    }

    async fn a_body_that_is_no_object_is_refused_in_the_words_of_drf(app: &TestApp) {
        for (body, text) in [
            ("[]", "Invalid data. Expected a dictionary, but got list."),
            ("\"a\"", "Invalid data. Expected a dictionary, but got str."),
            ("1", "Invalid data. Expected a dictionary, but got int."),
            ("1.5", "Invalid data. Expected a dictionary, but got float."),
            ("true", "Invalid data. Expected a dictionary, but got bool."),
            ("null", "No data provided"),
        ] {
            for path in ["/api/token/", "/api/token/verify/", "/api-token-auth/"] {
                let answer = app
                    .anonymous()
                    .post_raw(path, "application/json", body)
                    .await;
                answer.is(400, &json!({"non_field_errors": [text]}));
            }
        }
    }

    async fn a_body_over_the_limit_is_413_and_never_cut(app: &TestApp) {
        let (staff, _) = people(app).await;
        let limit = 2_621_440;
        let body = |size: usize| {
            let frame = json!({"username": "x", "password": ""}).to_string().len();
            let long = "p".repeat(size - frame);
            json!({"username": "x", "password": long}).to_string()
        };
        let fits = body(limit);
        assert_eq!(fits.len(), limit);
        let answer = staff
            .post_raw("/api/token/", "application/json", fits)
            .await;
        assert_eq!(answer.status, 401, "read whole: {}", answer.status);
        let answer = staff
            .post_raw("/api/token/", "application/json", body(limit + 1))
            .await;
        answer.is_detail(413, "Request body is too large.");
        // Cut at the limit, this would be a valid form with a wrong password.
        let form = format!("username=x&password={}", "p".repeat(limit));
        for path in [
            "/api/token/",
            "/get-token/",
            "/registerapi/",
            "/generate-token/",
        ] {
            let answer = staff
                .post_raw(path, "application/x-www-form-urlencoded", form.clone())
                .await;
            answer.is_detail(413, "Request body is too large.");
        }
    }

    async fn a_form_of_too_many_fields_is_refused(app: &TestApp) {
        let fields: Vec<String> = (0..1001).map(|n| format!("f{n}=1")).collect();
        let kind = "application/x-www-form-urlencoded";
        let answer = app
            .anonymous()
            .post_raw("/api/token/", kind, fields.join("&"))
            .await;
        assert_eq!(answer.status, 413, "{answer:?}");
    }

    async fn a_form_does_not_choose_its_method(app: &TestApp) {
        let (staff, _) = people(app).await;
        let student = json!({"name": "Anil", "roll": 1, "city": "Pune"});
        let id = staff.post_json("/studentapi/", student).await.expect(201)["id"].clone();
        let path = format!("/studentapi/{id}/");
        for method in ["delete", "DELETE", "put", "patch"] {
            let form = [("_method", method), ("name", "changed")];
            let answer = staff.post_form(&path, &form).await;
            answer.is_detail(405, "Method \"POST\" not allowed.");
            assert_eq!(staff.get(&path).await.expect(200)["name"], "Anil");
        }
    }

    async fn an_unknown_address_is_json_for_clients_and_a_page_for_browsers(app: &TestApp) {
        for path in [
            "/nowhere/",
            "/api/",
            "/api/token/nowhere/",
            "/studentapi/1/2/",
            "/static/none",
        ] {
            let answer = app.anonymous().get(path).await;
            answer.is_detail(404, "Not found.");
            assert_eq!(answer.header("Content-Type"), Some("application/json"));
            protects(path, &answer);
            let browser = app
                .anonymous()
                .with("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
            let answer = browser.get(path).await;
            assert!(
                answer.status == 404 && answer.is_html(),
                "{path}: {answer:?}"
            );
            assert!(
                answer.text.contains("Nothing lives at this address"),
                "{}",
                answer.text
            );
        }
    }

    async fn an_empty_body_is_an_empty_object_whatever_its_type(app: &TestApp) {
        let required = json!(["This field is required."]);
        let both: Value = json!({"username": required, "password": required});
        for kind in [
            "",
            "application/json",
            "text/plain",
            "application/x-www-form-urlencoded",
        ] {
            let answer = app.anonymous().post_raw("/api/token/", kind, "").await;
            answer.is(400, &both);
        }
    }

    async fn multipart_without_a_boundary_says_so(app: &TestApp) {
        let answer = app
            .anonymous()
            .post_raw("/api/token/", "multipart/form-data", "x")
            .await;
        let text = "Multipart form parse error - Invalid boundary in multipart: None";
        answer.is_detail(400, text);
    }

    async fn every_answer_names_its_request(app: &TestApp) {
        let (first, second) = (
            app.anonymous().get("/nowhere/").await,
            app.anonymous().get("/nowhere/").await,
        );
        let id =
            |answer: &crate::support::Answer| answer.header("X-Request-Id").unwrap().to_owned();
        assert_ne!(id(&first), id(&second));
        let bold = app.anonymous().with("X-Request-Id", "chosen-by-a-stranger");
        assert_ne!(id(&bold.get("/nowhere/").await), "chosen-by-a-stranger");
    }

    async fn what_clients_send_in_numbers_is_read_as_text(app: &TestApp) {
        let body = json!({"username": 1, "password": PASSWORD});
        let answer = app.anonymous().post_json("/api/token/", body).await;
        answer.is_detail(401, "No active account found with the given credentials");
    }

    async fn health_and_readiness_answer_everybody(app: &TestApp) {
        for path in ["/healthz", "/readyz", "/healthz/"] {
            assert_eq!(app.anonymous().get(path).await.status, 200, "{path}");
        }
    }
}
