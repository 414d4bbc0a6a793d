//! Tokens in the panel: shown once, gone after a minute, revoked at once.

use latchkey::domain::tokens;

use crate::support::{TestApp, between};

both! {
    async fn a_new_token_is_shown_once_and_only_to_whom_it_was_made(app: &TestApp) {
        let root = app.admin("root").await;
        let other = app.admin("other").await;
        app.user("ann").await;
        for kind in ["default", "named"] {
            let fields = [
                ("owner", "ann"),
                ("kind", kind),
                ("name", "CI"),
                ("expires", "90"),
            ];
            let page = "/admin/tokens/new/";
            let made = root.submit(page, page, &fields).await;
            let shown = made.redirect().to_owned();
            let spied = other.get(&shown).await;
            assert!(
                !spied.text.contains("id=\"token\""),
                "shown to another session"
            );
            let answer = root.get(&shown).await;
            assert_eq!(answer.header("Cache-Control"), Some("no-store"));
            let key = between(&answer.text, "id=\"token\" readonly value=\"", "\"").to_owned();
            app.anonymous()
                .token(&key)
                .get("/studentapi/")
                .await
                .expect(200);
            let again = root.get(&shown).await;
            assert!(
                again.status == 200 && !again.text.contains(&key),
                "shown twice"
            );
            for path in ["/admin/tokens/", "/admin/", "/admin/users/"] {
                assert!(!root.get(path).await.text.contains(&key), "{path}");
            }
            assert!(!app.audited().await.iter().any(|line| line.contains(&key)));
        }
    }

    async fn a_token_that_was_not_fetched_in_a_minute_is_gone(app: &TestApp) {
        let root = app.admin("root").await;
        let fields = [
            ("owner", "root"),
            ("kind", "named"),
            ("name", "CI"),
            ("expires", ""),
        ];
        let page = "/admin/tokens/new/";
        let shown = root.submit(page, page, &fields).await.redirect().to_owned();
        app.clock.advance(60);
        assert!(!root.get(&shown).await.text.contains("id=\"token\""));
    }

    async fn revoking_in_the_panel_works_on_the_next_request(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let caller = app.anonymous().token(&app.default_token(&ann).await);
        caller.get("/studentapi/").await.expect(200);
        let token = tokens::find_default(&app.app, ann.id)
            .await
            .unwrap()
            .unwrap();
        let path = format!("/admin/tokens/{}/revoke/", token.id);
        root.submit(&path, &path, &[]).await.redirect();
        caller
            .get("/studentapi/")
            .await
            .is_detail(401, "Invalid token.");
        let again = root.submit("/admin/tokens/new/", &path, &[]).await;
        assert!(again.status < 500, "{again:?}");
    }
}
