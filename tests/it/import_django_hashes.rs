//! What Django's password strings mean at sign-in.

use latchkey::{
    domain::{actor::Actor, users},
    entity::user,
    secret::Password,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::support::{
    TestApp,
    django_project::{DJANGO, PASSWORD},
    parallel,
};

async fn old_hash(app: &TestApp, name: &str, stored: &str) {
    app.user(name).await;
    user::Entity::update_many()
        .col_expr(user::Column::Password, Expr::value(stored))
        .filter(user::Column::Username.eq(name))
        .exec(app.app.db.read())
        .await
        .unwrap();
}

both! {
    async fn a_hash_of_django_is_renewed_at_sign_in_and_nobody_is_logged_out(app: &TestApp) {
        old_hash(app, "ann", DJANGO).await;
        let before = app.find_user("ann").await;
        let (access, _) = app.pair(&before).await;
        let ask = |_| {
            let caller = app.anonymous();
            async move {
                let body = json!({"username": "ann", "password": PASSWORD});
                caller.post_json("/api/token/", body).await
            }
        };
        for answer in parallel((0..4).map(ask)).await {
            answer.expect(200);
        }
        let after = app.find_user("ann").await;
        assert!(after.password.starts_with("$argon2id$"), "{}", after.password);
        assert_eq!((after.epoch, after.version), (before.epoch, before.version));
        app.anonymous().bearer(&access).get("/studentapi/").await.expect(200);
        let audited = app.audited().await;
        assert!(!audited.iter().any(|action| action.contains("password")), "{audited:?}");
    }

    async fn a_wrong_password_renews_nothing(app: &TestApp) {
        old_hash(app, "ann", DJANGO).await;
        let body = json!({"username": "ann", "password": "S3cure-pass-2"});
        let answer = app.anonymous().post_json("/api/token/", body).await;
        assert_eq!(answer.status, 401);
        assert_eq!(app.find_user("ann").await.password, DJANGO);
    }

    async fn a_new_password_outlives_the_renewal_of_the_old_hash(app: &TestApp) {
        old_hash(app, "ann", DJANGO).await;
        let ann = app.find_user("ann").await;
        let sign_in = async {
            let body = json!({"username": "ann", "password": PASSWORD});
            app.anonymous().post_json("/api/token/", body).await
        };
        let new = Password::new("Another-pass-1");
        let by = Actor::operator();
        let change = users::set_password(&app.app, &by, ann.id, new);
        let (_, changed) = tokio::join!(sign_in, change);
        changed.unwrap();
        let body = json!({"username": "ann", "password": "Another-pass-1"});
        app.anonymous().post_json("/api/token/", body).await.expect(200);
    }

    async fn stored_strings_that_nobody_can_pay_for_are_refused_at_once(app: &TestApp) {
        for (name, stored) in [
            ("a", "pbkdf2_sha256$4000000000$salt$5yan7jk3h1lUGiiaGhmoDPBOyznm23U+cmEJbquRTxE="),
            ("b", "$argon2id$v=19$m=8,t=4000000000,p=1$c2FsdHNhbHRzYWx0$U8rh56S7eXhKpDXh+KYmKNs28F4GCLg8Zjn7jxOgTRQ"),
            ("c", "$argon2id$v=19$m=4000000000,t=1,p=1$c2FsdHNhbHRzYWx0$U8rh56S7eXhKpDXh+KYmKNs28F4GCLg8Zjn7jxOgTRQ"),
            ("d", "$argon2id$v=19$m=8,t=0,p=1$c2FsdA$U8rh56S7eXhKpDXh+KYm"),
            ("e", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$U8rh56S7eXhKpDXh+KYm"),
            ("f", "no hash"),
            ("g", "!"),
        ] {
            old_hash(app, name, stored).await;
            let body = json!({"username": name, "password": PASSWORD});
            let answer = app.anonymous().post_json("/api/token/", body).await;
            answer.is_detail(401, "No active account found with the given credentials");
        }
    }
}
