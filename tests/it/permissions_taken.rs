//! What a group gave and gives no more is gone at the very next request, here and on other nodes. Who may do what is
//! in `permissions`.

use latchkey::{
    domain::{
        actor::Actor,
        groups::{self, GroupInput},
        users::UserInput,
    },
    news,
};
use serde_json::json;

use crate::{
    permissions::set,
    support::{Backend, TestApp, run, until},
};

both! {
    async fn what_is_taken_away_is_gone_at_the_next_request(app: &TestApp) {
        if app.backend == Backend::Postgres {
            tokio::spawn(news::follow(app.app.clone()));
            until("the node hears", async || !app.app.db.checks().is_deaf()).await;
        }
        let by = Actor::operator();
        let group = groups::create(&app.app, &by, gives(&["add_students", "view_users"])).await.unwrap();
        let staff = app.user_with("sam", |input| member(input, group.id)).await;
        let browser = app.browser(&staff).await;
        let token = app.anonymous().token(&app.default_token(&staff).await);
        let bearer = app.anonymous().bearer(&app.pair(&staff).await.0);
        let status = async || {
            [
                browser.get("/admin/users/").await.status,
                token.post_json("/studentapi/", student()).await.status,
                bearer.post_json("/studentapi/", student()).await.status,
            ]
        };
        let (open, shut) = ([200, 201, 201], [403, 403, 403]);
        assert_eq!(status().await, open);
        // Changed, changed back, left, joined, deleted.
        groups::update(&app.app, &by, group.id, gives(&["view_audit"]), 1).await.unwrap();
        assert_eq!(status().await, shut);
        groups::update(&app.app, &by, group.id, gives(&["add_students", "view_users"]), 2).await.unwrap();
        assert_eq!(status().await, open);
        assert!(groups::remove(&app.app, &by, &group, staff.id).await.unwrap());
        assert_eq!(status().await, shut);
        assert!(groups::add(&app.app, &by, &group, staff.id).await.unwrap());
        assert_eq!(status().await, open);
        groups::delete(&app.app, &by, group.id).await.unwrap();
        assert_eq!(status().await, shut);
    }
}

/// Two nodes share a PostgreSQL database; a SQLite file has one.
#[test]
fn what_is_taken_away_is_gone_on_the_other_node() {
    run(Backend::Postgres, &[], async |app: &TestApp| {
        let other = app.second_node(&[]).await;
        let hearing = tokio::spawn(news::follow(other.app.clone()));
        until("the other node hears", async || {
            !other.app.db.checks().is_deaf()
        })
        .await;
        let by = Actor::operator();
        let group = groups::create(&app.app, &by, gives(&["add_students"]))
            .await
            .unwrap();
        let staff = app.user_with("sam", |input| member(input, group.id)).await;
        let client = other.anonymous().token(&app.default_token(&staff).await);
        let status = async || client.post_json("/studentapi/", student()).await.status;
        assert_eq!(status().await, 201);
        groups::update(&app.app, &by, group.id, gives(&["view_audit"]), 1)
            .await
            .unwrap();
        until("the other node has heard of the group", async || {
            status().await == 403
        })
        .await;
        groups::update(&app.app, &by, group.id, gives(&["add_students"]), 2)
            .await
            .unwrap();
        until("and that it gives it again", async || status().await == 201).await;
        assert!(
            groups::remove(&app.app, &by, &group, staff.id)
                .await
                .unwrap()
        );
        until("the other node has heard of the membership", async || {
            status().await == 403
        })
        .await;
        hearing.abort();
        other.app.db.clone().close().await.unwrap();
    });
}

fn gives(names: &[&str]) -> GroupInput {
    GroupInput {
        name: "Writers".to_owned(),
        permissions: set(names),
    }
}

fn member(input: UserInput, group: i64) -> UserInput {
    UserInput {
        is_staff: true,
        groups: Some(vec![group]),
        ..input
    }
}

fn student() -> serde_json::Value {
    json!({"name": "Asha", "roll": 7, "city": "Pune"})
}
