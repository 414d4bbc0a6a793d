//! `/studentapi/`: read with any credential, changed by staff, in DRF's verbs and words.

use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

fn student(name: &str, roll: i64) -> Value {
    json!({"name": name, "roll": roll, "city": "Dhule"})
}

/// Makes one and gives its id.
async fn made(staff: &Caller, name: &str, roll: i64) -> i64 {
    let answer = staff.post_json("/studentapi/", student(name, roll)).await;
    answer.expect(201)["id"].as_i64().unwrap()
}

both! {
    async fn any_credential_reads_the_records_in_order(app: &TestApp) {
        let staff = app.staff_token().await;
        let first = made(&staff, "Zoë", 2).await;
        let second = made(&staff, "Anil", 1).await;
        let all = json!({"status": true, "data": [
            {"id": first, "name": "Zoë", "roll": 2, "city": "Dhule"},
            {"id": second, "name": "Anil", "roll": 1, "city": "Dhule"},
        ]});
        for reader in [app.token_user("ann").await, app.bearer_user("bea").await] {
            for path in [
                "/studentapi/",
                "/studentapi",
                "/studentsapi/",
                "/studentsapi",
            ] {
                let answer = reader.get(path).await;
                answer.is(200, &all);
                assert!(answer.text.contains("Zoë"), "not escaped: {}", answer.text);
                assert_eq!(answer.header("Content-Type"), Some("application/json"));
                assert_eq!(answer.header("Vary"), Some("Accept, Cookie"));
            }
            let one = reader.get(&format!("/studentapi/{first}/")).await;
            one.is(
                200,
                &json!({"id": first, "name": "Zoë", "roll": 2, "city": "Dhule"}),
            );
        }
    }

    async fn an_empty_table_is_an_empty_list(app: &TestApp) {
        let answer = app.token_user("ann").await.get("/studentapi/").await;
        assert_eq!(answer.text, r#"{"status":true,"data":[]}"#);
    }

    async fn head_answers_as_get_without_a_body(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let answer = ann.head("/studentapi/").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(app.anonymous().head("/studentapi/").await.status, 401);
    }

    async fn staff_creates_replaces_changes_and_deletes(app: &TestApp) {
        let staff = app.staff_token().await;
        let id = made(&staff, "Anil", 1).await;
        let path = format!("/studentapi/{id}/");
        let replaced = json!({"name": "Anita", "roll": 7, "city": "Pune"});
        let answer = staff.put(&path, replaced).await;
        answer.is(
            200,
            &json!({"id": id, "name": "Anita", "roll": 7, "city": "Pune"}),
        );
        let answer = staff.patch(&path, json!({"city": "Nashik"})).await;
        answer.is(
            200,
            &json!({"id": id, "name": "Anita", "roll": 7, "city": "Nashik"}),
        );
        let answer = staff.patch(&path, json!({})).await;
        answer.is(
            200,
            &json!({"id": id, "name": "Anita", "roll": 7, "city": "Nashik"}),
        );
        let gone = staff.delete(&path).await;
        assert_eq!((gone.status, gone.text.as_str()), (204, ""));
        staff.get(&path).await.is_detail(404, "Not found.");
        staff.delete(&path).await.is_detail(404, "Not found.");
        let audited = app.audited().await;
        for action in ["student.created", "student.changed", "student.deleted"] {
            assert!(
                audited.iter().any(|a| a == action),
                "{action} in {audited:?}"
            );
        }
    }

    async fn others_than_staff_are_refused_before_their_body_is_read(app: &TestApp) {
        let staff = app.staff_token().await;
        let path = format!("/studentapi/{}/", made(&staff, "Anil", 1).await);
        let ann = app.token_user("ann").await;
        let no = "You do not have permission to perform this action.";
        ann.post_raw("/studentapi/", "application/json", "{")
            .await
            .is_detail(403, no);
        ann.put(&path, json!({})).await.is_detail(403, no);
        ann.patch(&path, json!({})).await.is_detail(403, no);
        ann.delete(&path).await.is_detail(403, no);
        staff.get(&path).await.expect(200);
        let nobody = app.anonymous();
        let missing = "Authentication credentials were not provided.";
        nobody
            .post_json("/studentapi/", student("x", 1))
            .await
            .is_detail(401, missing);
        nobody.delete(&path).await.is_detail(401, missing);
    }

    async fn wrong_fields_are_named(app: &TestApp) {
        let staff = app.staff_token().await;
        let id = made(&staff, "Anil", 1).await;
        let required = json!(["This field is required."]);
        let integer = json!(["A valid integer is required."]);
        let cases = [
            (
                json!({}),
                json!({"name": required, "roll": required, "city": required}),
            ),
            (
                json!({"name": "", "roll": "x", "city": "  "}),
                json!({
                    "name": ["This field may not be blank."],
                    "roll": integer,
                    "city": ["This field may not be blank."],
                }),
            ),
            (
                json!({"name": "a", "roll": null, "city": "b"}),
                json!({"roll": ["This field may not be null."]}),
            ),
            (
                json!({"name": "a", "roll": true, "city": "b"}),
                json!({"roll": integer}),
            ),
            (
                json!({"name": "a", "roll": 1.5, "city": "b"}),
                json!({"roll": integer}),
            ),
            (
                json!({"name": "n".repeat(101), "roll": 1, "city": "b"}),
                json!({"name": ["Ensure this field has no more than 100 characters."]}),
            ),
            (
                json!({"name": "a", "roll": 2_147_483_648_i64, "city": "b"}),
                json!({"roll": ["Ensure this value is less than or equal to 2147483647."]}),
            ),
        ];
        for (given, errors) in cases {
            staff
                .post_json("/studentapi/", given.clone())
                .await
                .is(400, &errors);
            staff
                .put(&format!("/studentapi/{id}/"), given)
                .await
                .is(400, &errors);
        }
        let answer = staff
            .patch(&format!("/studentapi/{id}/"), json!({"roll": "x"}))
            .await;
        answer.is(400, &json!({"roll": integer}));
    }

    async fn forms_are_taken_as_well(app: &TestApp) {
        let staff = app.staff_token().await;
        let fields = [("name", "Anil"), ("roll", " 12 "), ("city", "Pune")];
        assert_eq!(
            staff.post_form("/studentapi/", &fields).await.expect(201)["roll"],
            12
        );
        assert_eq!(
            staff
                .post_multipart("/studentapi/", &fields)
                .await
                .expect(201)["roll"],
            12
        );
    }

    async fn addresses_without_a_record_are_not_found(app: &TestApp) {
        let staff = app.staff_token().await;
        for id in [
            "999",
            "0",
            "-1",
            "x",
            "1e3",
            "99999999999999999999",
            "%00",
            "1%2F2",
        ] {
            let path = format!("/studentapi/{id}/");
            staff.get(&path).await.is_detail(404, "Not found.");
            staff
                .patch(&path, json!({}))
                .await
                .is_detail(404, "Not found.");
        }
    }

    async fn allow_lists_what_the_address_takes(app: &TestApp) {
        let staff = app.staff_token().await;
        let id = made(&staff, "Anil", 1).await;
        let list = staff.get("/studentapi/").await;
        assert_eq!(list.header("Allow"), Some("GET, HEAD, OPTIONS, POST"));
        let one = staff.get(&format!("/studentsapi/{id}/")).await;
        assert_eq!(
            one.header("Allow"),
            Some("DELETE, GET, HEAD, OPTIONS, PATCH, PUT")
        );
        staff
            .put("/studentapi/", json!({}))
            .await
            .is_detail(405, "Method \"PUT\" not allowed.");
        let post = staff
            .post_json(&format!("/studentapi/{id}/"), json!({}))
            .await;
        post.is_detail(405, "Method \"POST\" not allowed.");
        assert_eq!(
            staff.options("/studentapi/").await.expect(200)["name"],
            "Student Api"
        );
    }
}
