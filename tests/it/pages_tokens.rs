//! Tokens in the panel: shown once, gone after a minute, revoked at once.

use latchkey::domain::{
    actor::Actor,
    tokens,
    users::{self, UserInput},
};

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

    async fn the_panel_renames_a_named_token_and_its_key_works_on(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (id, key) = app.named_token_with(&ann, |new| new).await;
        let path = format!("/admin/tokens/{id}/");
        let done = root.submit(&path, &path, &[("name", "  build job ")]).await;
        assert_eq!(done.redirect(), path);
        let page = root.get(&path).await;
        assert!(page.text.contains("The token is called “build job” now."), "{}", page.text);
        assert!(page.text.contains("<h1>build job</h1>"), "{}", page.text);
        app.anonymous().token(&key).get("/studentapi/").await.expect(200);
        assert_eq!(app.audited().await[0], "token.renamed");
    }

    async fn a_name_that_will_not_do_is_shown_again_with_the_reason(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (id, _) = app.named_token_with(&ann, |new| new).await;
        let path = format!("/admin/tokens/{id}/");
        for (name, reason) in [
            (" ", "Fill this in."),
            (&*"x".repeat(101), "No more than 100 characters."),
            ("a\u{7}b", "Control characters are not allowed."),
            ("C\u{200b}I", "Characters that cannot be seen are not allowed."),
            ("a\u{202e}b", "Characters that cannot be seen are not allowed."),
        ] {
            let refused = root.submit(&path, &path, &[("name", name)]).await;
            assert_eq!(refused.status, 400);
            crate::support::nothing_inline(&refused);
            assert!(refused.text.contains(reason), "{}", refused.text);
            assert!(refused.text.contains(&format!("value=\"{name}\"")), "{}", refused.text);
            assert!(refused.text.contains("aria-invalid=\"true\""));
        }
        assert_eq!(tokens::get(&app.app, id).await.unwrap().token.name, "CI");
    }

    async fn default_tokens_and_those_out_of_reach_are_not_renamed(app: &TestApp) {
        let root = app.superuser("root").await;
        app.default_token(&root).await;
        let default = tokens::find_default(&app.app, root.id).await.unwrap().unwrap();
        let (id, _) = app.named_token_with(&root, |new| new).await;
        let staff = |input| UserInput { is_staff: true, ..input };
        let staff = app.browser(&app.user_with("staff", staff).await).await;
        let path = format!("/admin/tokens/{id}/");
        assert_eq!(staff.submit("/admin/tokens/", &path, &[("name", "mine")]).await.status, 403);
        let root = app.browser(&root).await;
        let path = format!("/admin/tokens/{}/", default.id);
        assert!(!root.get(&path).await.text.contains("Rename"));
        let refused = root.submit("/admin/tokens/new/", &path, &[("name", "x")]).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains("The default token keeps its name."), "{}", refused.text);
        let gone = root.submit("/admin/tokens/new/", "/admin/tokens/999/", &[("name", "x")]).await;
        assert_eq!(gone.status, 404);
        for token in [id, default.id] {
            let name = tokens::get(&app.app, token).await.unwrap().token.name;
            assert!(name == "CI" || name == "default", "{name}");
        }
    }

    async fn a_rotated_token_says_so_leads_to_its_successor_and_is_not_rotated_again(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let own = app.browser(&ann).await;
        for (browser, list) in [(&root, "/admin/tokens/"), (&own, "/account/tokens/")] {
            let (id, _) = app.named_token_with(&ann, |new| new).await;
            let path = format!("{list}{id}/");
            let rotate = format!("{path}rotate/");
            let done = browser.submit(&rotate, &rotate, &[("grace", "3600")]).await;
            let next = done.redirect().trim_end_matches("created/").to_owned();
            let ends = latchkey::web::filters::utc(app.app.now() + 3600);
            let told = browser.get(done.redirect()).await.text;
            assert!(told.contains(&format!("in 1 h, at {ends}")), "{told}");
            let page = browser.get(&path).await.text;
            assert!(page.contains(&format!("Rotated, works until {ends}")), "{page}");
            assert!(page.contains(&format!("href=\"{next}\"")), "{page}");
            assert!(!page.contains("extend/") && !page.contains("rotate/"), "{page}");
            assert!(page.contains("revoke/"), "it can still be ended: {page}");
            let page = browser.get(list).await.text;
            assert!(page.contains(">Rotated<") && page.contains(&format!("works until {ends}")), "{page}");
            assert!(!page.contains(&rotate), "{page}");
            for (act, fields) in [("rotate", ("grace", "0")), ("extend", ("expires", "30"))] {
                let to = format!("{path}{act}/");
                let page = browser.get(&to).await;
                assert!(page.text.contains("Nothing to do") && page.text.contains(&next), "{page:?}");
                let refused = browser.submit(list, &to, &[fields]).await;
                assert_eq!(refused.status, 409, "{refused:?}");
                let why = format!("{act} the token that followed it.");
                assert!(refused.text.contains("role=\"alert\"") && refused.text.contains(&why), "{refused:?}");
            }
            app.clock.advance(3600);
            let page = browser.get(&path).await.text;
            assert!(page.contains(">Expired<") && page.contains("Replaced by"), "{page}");
        }
    }

    async fn a_replaced_default_token_is_no_named_one(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        app.default_token(&ann).await;
        let old = tokens::find_default(&app.app, ann.id).await.unwrap().unwrap();
        tokens::rotate(&app.app, &Actor::operator(), old.id, 3600).await.unwrap();
        let path = format!("/admin/tokens/{}/", old.id);
        let page = root.get(&path).await.text;
        for text in ["Default, replaced", "A replaced default token of", "<h1>Default token</h1>"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("Rename"), "{page}");
        let refused = root.submit("/admin/tokens/new/", &path, &[("name", "x")]).await;
        assert!(refused.text.contains("The default token keeps its name."), "{refused:?}");
        let csv = root.get("/admin/tokens/export/").await.text;
        assert!(csv.contains(&format!("{},ann,default,\"default, replaced\",", old.id)), "{csv}");
        let (id, _) = app.named_token_with(&ann, |new| new).await;
        tokens::rotate(&app.app, &Actor::operator(), id, 3600).await.unwrap();
        let page = root.get(&format!("/admin/tokens/{id}/")).await.text;
        assert!(page.contains("A named token of") && page.contains("Rename"), "{page}");
    }

    async fn a_token_of_a_disabled_account_says_that_it_opens_nothing(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        users::set_active(&app.app, &Actor::operator(), ann.id, false).await.unwrap();
        let page = "/admin/tokens/new/";
        let fields = [("owner", "ann"), ("kind", "named"), ("name", "CI"), ("expires", "90")];
        let shown = root.submit(page, page, &fields).await.redirect().to_owned();
        for visit in ["first", "second"] {
            let page = root.get(&shown).await;
            crate::support::nothing_inline(&page);
            assert!(page.text.contains("The account of ann is disabled"), "{visit}: {page:?}");
            assert!(page.text.contains("The API answers 401 until it is enabled."), "{visit}: {page:?}");
            assert!(!page.text.contains("nothing is lost: it works"), "{visit}: {page:?}");
        }
        let detail = shown.trim_end_matches("created/");
        for path in [detail, "/admin/tokens/"] {
            assert!(root.get(path).await.text.contains(">Owner disabled<"), "{path}");
        }
        users::set_active(&app.app, &Actor::operator(), ann.id, true).await.unwrap();
        for path in [detail, "/admin/tokens/"] {
            assert!(!root.get(path).await.text.contains(">Owner disabled<"), "{path}");
        }
        assert!(root.get(&shown).await.text.contains("nothing is lost: it works"));
    }
}
