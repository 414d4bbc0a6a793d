//! Locked accounts: who sees it, who lifts it, on every node and after a restart; and that names which
//! nobody has are locked alike.

use latchkey::{
    domain::{
        actor::Actor,
        audit, login_pauses,
        users::{self, UserFilter, UserStatus},
    },
    news,
};
use serde_json::json;

use crate::support::{Answer, PASSWORD, START, TestApp, run, until};

const TRIES: usize = 10;
const PAUSE: i64 = 15 * 60;

async fn sign_in(app: &TestApp, from: &str, name: &str, password: &str) -> Answer {
    let body = json!({"username": name, "password": password});
    app.anonymous()
        .at(from)
        .post_json("/api/token/", body)
        .await
}

async fn lock(app: &TestApp, name: &str) {
    for _ in 0..TRIES {
        let answer = sign_in(app, "192.0.2.1", name, "wrong").await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

async fn status(app: &TestApp, name: &str) -> u16 {
    sign_in(app, "192.0.2.1", name, PASSWORD).await.status
}

async fn locked(app: &TestApp) -> Vec<String> {
    let filter = UserFilter {
        status: UserStatus::Locked,
        ..UserFilter::default()
    };
    let found = users::list(&app.app, &filter).await.unwrap().rows;
    assert!(found.iter().all(|row| row.is_locked));
    found.into_iter().map(|row| row.user.username).collect()
}

both! {
    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn the_list_and_the_account_say_who_is_locked_and_until_when(app: &TestApp) {
        app.user("bob").await;
        let ann = app.user("ann").await;
        let root = app.admin("root").await;
        assert!(locked(app).await.is_empty());
        lock(app, "ann").await;
        assert_eq!(locked(app).await, ["ann"]);
        let list = root.get("/admin/users/?status=locked").await.text;
        assert!(list.contains(">Locked</span>") && list.contains("Unlock") && !list.contains("bob"));
        let page = root.get(&format!("/admin/users/{}/", ann.id)).await.text;
        for words in ["Locked from 192.0.2.1", "After 10 wrong passwords", "2026-11-23 12:15 UTC"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        app.clock.advance(PAUSE);
        assert!(locked(app).await.is_empty());
        assert_eq!(status(app, "ann").await, 200);
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn the_beginning_of_a_lock_is_audited_once(app: &TestApp) {
        let ann = app.user("ann").await;
        lock(app, "ann").await;
        for _ in 0..3 {
            sign_in(app, "192.0.2.1", "ann", "wrong").await;
        }
        let events = audit::for_object(&app.app, "user", ann.id, 50).await.unwrap();
        let locks: Vec<_> = events.iter().filter(|e| e.action == "user.locked").collect();
        assert_eq!(locks.len(), 1);
        let detail: serde_json::Value = serde_json::from_str(&locks[0].detail).unwrap();
        let expected = json!({"tries": 10, "until": START + PAUSE, "only_from": "192.0.2.1"});
        assert_eq!(detail, expected);
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn an_administrator_unlocks_and_that_is_audited(app: &TestApp) {
        let ann = app.user("ann").await;
        let root = app.admin("root").await;
        lock(app, "ann").await;
        assert_eq!(status(app, "ann").await, 429);
        let path = format!("/admin/users/{}/", ann.id);
        let answer = root.submit(&path, &format!("{path}unlock/"), &[]).await;
        assert_eq!(answer.redirect(), path);
        assert_eq!(status(app, "ann").await, 200);
        assert!(locked(app).await.is_empty());
        let events = audit::for_object(&app.app, "user", ann.id, 50).await.unwrap();
        let lifted = events.iter().find(|e| e.action == "user.unlocked").unwrap();
        assert_eq!(lifted.actor, "root");
        let again = login_pauses::lift(&app.app, &Actor::operator(), ann.id).await;
        assert!(!again.unwrap(), "there is nothing left to lift");
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn staff_does_not_unlock_staff(app: &TestApp) {
        let staff = |input| users::UserInput { is_staff: true, ..input };
        let clerk = app.user_with("clerk", staff).await;
        let other = app.user_with("other", staff).await;
        lock(app, "other").await;
        let browser = app.browser(&clerk).await;
        let to = format!("/admin/users/{}/unlock/", other.id);
        let answer = browser.submit("/admin/users/", &to, &[]).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(status(app, "other").await, 429);
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn a_restart_forgives_nothing_and_tells_no_names_apart(app: &TestApp) {
        app.user("known").await;
        for name in ["known", "unknown"] {
            lock(app, name).await;
        }
        // Nothing of the first one's memory.
        let other = app.second_node(&[]).await;
        let known = sign_in(&other, "192.0.2.1", "known", "wrong").await;
        let unknown = sign_in(&other, "192.0.2.1", "unknown", "wrong").await;
        assert_eq!(known.status, 429, "{known:?}");
        assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
        assert_eq!(known.header("Retry-After"), unknown.header("Retry-After"));
        let elsewhere = sign_in(&other, "198.51.100.1", "known", PASSWORD).await;
        assert_eq!(elsewhere.status, 200, "{elsewhere:?}");
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn a_lock_goes_with_its_user(app: &TestApp) {
        let ann = app.user("ann").await;
        lock(app, "ann").await;
        users::delete(&app.app, &Actor::operator(), ann.id).await.unwrap();
        assert!(locked(app).await.is_empty());
    }

    async fn filters_by_token_and_by_day_narrow_the_list(app: &TestApp) {
        let with_one = app.user("with-one").await;
        app.default_token(&with_one).await;
        app.user("without").await;
        app.clock.advance(10 * 86_400);
        app.user("newcomer").await;
        let root = app.admin("root").await;
        let names = async |query: &str| {
            let page = root.get(&format!("/admin/users/?{query}")).await;
            assert_eq!(page.status, 200, "{page:?}");
            let all = ["newcomer", "with-one", "without"];
            let shown = |name: &&str| page.text.contains(&format!("Select {name}\""));
            all.into_iter().filter(shown).collect::<Vec<_>>()
        };
        assert_eq!(names("token=yes").await, ["with-one"]);
        assert_eq!(names("token=no").await, ["newcomer", "without"]);
        assert_eq!(names("joined=7").await, ["newcomer"]);
        assert_eq!(names("joined=dates&to=2026-11-23").await, ["with-one", "without"]);
        assert_eq!(names("joined=dates&from=2026-11-24&to=2026-12-03").await, ["newcomer"]);
        assert_eq!(names("joined=dates&from=nonsense&to=2026-13-99").await.len(), 3);
        assert_eq!(names("joined=x&token=x&status=x&role=x&sort=x&per=x").await.len(), 3);
        let page = root.get("/admin/users/?joined=dates&from=2026-11-24&token=no").await.text;
        assert!(page.contains("Joined since 2026-11-24") && page.contains("No token<"));
    }
}

#[test]
fn unlocking_reaches_the_memory_of_other_nodes() {
    let on = [("LATCHKEY_THROTTLES_ENABLED", "true")];
    run(
        crate::support::Backend::Postgres,
        &on,
        async |app: &TestApp| {
            let ann = app.user("ann").await;
            let other = app.second_node(&[]).await;
            let listening = tokio::spawn(news::follow(other.app.clone()));
            until("the other node hears", async || {
                !other.app.db.checks().is_deaf()
            })
            .await;
            lock(&other, "ann").await;
            assert_eq!(status(&other, "ann").await, 429, "by its own memory");
            assert_eq!(status(app, "ann").await, 429, "by what is written down");
            assert!(
                login_pauses::lift(&app.app, &Actor::operator(), ann.id)
                    .await
                    .unwrap()
            );
            assert_eq!(status(app, "ann").await, 200);
            until("the other node has heard", async || {
                status(&other, "ann").await == 200
            })
            .await;
            listening.abort();
            other.app.db.clone().close().await.unwrap();
        },
    );
}
