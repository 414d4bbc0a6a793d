//! What a named token may be used for, and what its text gives away.

use latchkey::domain::{
    actor::Actor,
    scopes::{Scope, Scopes},
    tokens::{self, NewToken},
    users::User,
};
use serde_json::json;

use crate::support::{Caller, PASSWORD, TestApp};

async fn limited(app: &TestApp, user: &User, scopes: Scopes) -> Caller {
    app.anonymous().token(&app.named_token(user, scopes).await)
}

both! {
    async fn each_address_needs_its_scope_and_names_it(app: &TestApp) {
        let root = app.superuser("root").await;
        app.user("bob").await;
        let bob = json!({"username": "bob", "password": PASSWORD});
        let new = json!({"username": "eve", "password": PASSWORD, "confirm_password": PASSWORD});
        let student = json!({"name": "A", "roll": 1, "city": "B"});
        for (path, scope, body, success) in [
            ("/studentapi/", Scope::StudentsWrite, student, 201),
            ("/registerapi/", Scope::UsersWrite, new, 200),
            ("/get-token/", Scope::TokensManage, bob.clone(), 200),
            ("/login/", Scope::TokensManage, bob, 200),
        ] {
            let others = Scope::ALL.into_iter().filter(|other| *other != scope);
            let without = limited(app, &root, Scopes::of(others)).await;
            let refused = without.post_json(path, body.clone()).await;
            let text = format!("This credential lacks the scope \"{}\".", scope.as_str());
            refused.is_detail(403, &text);
            let with = limited(app, &root, Scopes::of([scope])).await;
            with.post_json(path, body).await.expect(success);
        }
        let reader = limited(app, &root, Scopes::of([Scope::StudentsRead])).await;
        reader.get("/studentapi/").await.expect(200);
        reader.get("/studentapi/1/").await.expect(200);
        assert_eq!(reader.delete("/studentapi/1/").await.status, 403);
        let writer = limited(app, &root, Scopes::of([Scope::StudentsWrite])).await;
        let text = "This credential lacks the scope \"students:read\".";
        writer.get("/studentapi/").await.is_detail(403, text);
    }

    async fn a_scope_gives_no_right_that_the_user_lacks(app: &TestApp) {
        let ann = app.user("ann").await;
        let caller = limited(app, &ann, Scopes::FULL).await;
        let student = json!({"name": "A", "roll": 1, "city": "B"});
        let text = "You do not have permission to perform this action.";
        caller
            .post_json("/studentapi/", student)
            .await
            .is_detail(403, text);
    }

    async fn rotation_keeps_form_and_scopes(app: &TestApp) {
        let ann = app.user("ann").await;
        let reads = |new| NewToken {
            scopes: Scopes::of([Scope::StudentsRead]),
            ..new
        };
        let (id, _) = app.named_token_with(&ann, reads).await;
        let by = Actor::operator();
        let (next, key) = tokens::rotate(&app.app, &by, id, 0).await.unwrap();
        assert!(key.expose().starts_with("lk_"));
        assert_eq!(next.scopes, "students:read");
    }

    async fn a_made_up_key_is_refused_without_a_look(app: &TestApp) {
        let nobody = app.anonymous().token(&format!("lk_{}", "x".repeat(40)));
        app.app.db.clone().close().await.unwrap();
        nobody
            .get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
    }

    async fn a_token_for_nothing_is_not_made(app: &TestApp) {
        let ann = app.user("ann").await;
        let new = NewToken {
            user_id: ann.id,
            name: "nothing".to_owned(),
            expires_at: None,
            scopes: Scopes::of([]),
        };
        assert!(
            tokens::issue(&app.app, &Actor::operator(), new)
                .await
                .is_err()
        );
    }
}
