//! The pages of one's own account: nobody else's things are reachable there, and what changes the
//! way in ends what the old way opened.

use latchkey::domain::{sessions, tokens, users};

use crate::support::{PASSWORD, TestApp, between};

both! {
    async fn an_own_token_gets_another_end_and_nobody_elses(app: &TestApp) {
        let (user, other) = (app.user("ann").await, app.user("ben").await);
        let (ann, ben) = (app.browser(&user).await, app.browser(&other).await);
        let (id, _) = app.named_token_with(&user, |new| new).await;
        let path = format!("/account/tokens/{id}/extend/");
        assert!(ann.get(&format!("/account/tokens/{id}/")).await.text.contains(&path));
        assert!(ann.get(&path).await.text.contains("Another end for the token"));
        let done = ann.submit(&path, &path, &[("expires", "30")]).await;
        assert_eq!(done.redirect(), format!("/account/tokens/{id}/"));
        let token = tokens::get(&app.app, id).await.unwrap().token;
        assert_eq!(token.expires_at, Some(app.app.now() + 30 * 86_400));
        let refused = ann.submit(&path, &path, &[("expires", "8")]).await;
        assert_eq!(refused.status, 400);
        assert_eq!(ben.get(&path).await.status, 404);
        let theirs = ben.submit("/account/tokens/new/", &path, &[("expires", "7")]).await;
        assert_eq!(theirs.status, 404);
    }

    async fn names_are_saved_and_a_stale_form_is_not(app: &TestApp) {
        let user = app.user("ann").await;
        let ann = app.browser(&user).await;
        let fields = [("version", "1"), ("first_name", "Ann"), ("last_name", "Lee")];
        let saved = ann.submit("/account/", "/account/", &fields).await;
        assert_eq!(saved.redirect(), "/account/");
        let now = app.find_user("ann").await;
        assert_eq!((now.first_name.as_str(), now.last_name.as_str()), ("Ann", "Lee"));
        let fields = [("version", "1"), ("first_name", "Anna")];
        let stale = ann.submit("/account/", "/account/", &fields).await;
        assert_eq!(stale.status, 409, "{stale:?}");
        assert!(stale.text.contains("value=\"Anna\"") && stale.text.contains("<b>Lee</b>"));
        assert_eq!(between(&stale.text, "name=\"version\" value=\"", "\""), "2");
        assert_eq!(app.find_user("ann").await.first_name, "Ann");
    }

    async fn nobody_makes_oneself_staff_and_a_bad_address_is_kept_and_told(app: &TestApp) {
        let ann = app.browser(&app.user("ann").await).await;
        let fields = [
            ("version", "1"),
            ("is_staff", "on"),
            ("is_superuser", "on"),
            ("username", "root"),
            ("email", "ann@@example"),
        ];
        let refused = ann.submit("/account/", "/account/", &fields).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.text.contains("value=\"ann@@example\""));
        let fields = [&fields[..4], &[("email", "ann@example.org")]].concat();
        ann.submit("/account/", "/account/", &fields).await.redirect();
        let now = app.find_user("ann").await;
        assert!(!now.is_staff && !now.is_superuser && now.email == "ann@example.org");
    }

    async fn another_address_for_mail_asks_for_the_password(app: &TestApp) {
        let ann = app.browser(&app.user("ann").await).await;
        app.clock.advance(sessions::CONFIRMED_FOR);
        let fields = [("version", "1"), ("email", "ann@example.org")];
        let asked = ann.submit("/account/", "/account/", &fields).await;
        assert_eq!(asked.status, 403);
        assert!(asked.text.contains("Change your e-mail to ann@example.org"));
        let fields = [("version", "1"), ("first_name", "Ann")];
        ann.submit("/account/", "/account/", &fields).await.redirect();
    }

    async fn a_new_password_ends_what_the_old_one_opened_and_renews_the_session(app: &TestApp) {
        let user = app.user("ann").await;
        let (here, there) = (app.browser(&user).await, app.browser(&user).await);
        let (access, _) = app.pair(&user).await;
        let before = here.cookie("sessionid");
        let page = "/account/password/";
        let fields = [
            ("current_password", PASSWORD),
            ("password", "another-Good-one"),
            ("confirm_password", "another-Good-one"),
            ("end_others", "on"),
        ];
        assert_eq!(here.submit(page, page, &fields).await.redirect(), page);
        assert_ne!(here.cookie("sessionid"), before, "a new id");
        assert_eq!(here.get("/account/").await.status, 200);
        assert!(there.get("/account/").await.redirect().starts_with("/login/"));
        let thief = app.anonymous().with("Accept", "text/html");
        thief.set_cookie("sessionid", &before.unwrap());
        assert!(thief.get("/account/").await.redirect().starts_with("/login/"));
        app.anonymous().bearer(&access).get("/studentapi/").await.expect(401);
        assert_eq!(app.audited().await[0], "user.password_changed");
    }

    async fn other_browsers_may_go_on_when_that_is_wanted_and_jwts_end_all_the_same(app: &TestApp) {
        let user = app.user("ann").await;
        let (here, there) = (app.browser(&user).await, app.browser(&user).await);
        let (access, _) = app.pair(&user).await;
        let page = "/account/password/";
        let fields = [
            ("current_password", PASSWORD),
            ("password", "another-Good-one"),
            ("confirm_password", "another-Good-one"),
        ];
        here.submit(page, page, &fields).await.redirect();
        for browser in [&here, &there] {
            assert_eq!(browser.get("/account/").await.status, 200);
        }
        app.anonymous().bearer(&access).get("/studentapi/").await.expect(401);
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn a_password_is_changed_only_by_who_knows_it_and_only_for_a_good_one(app: &TestApp) {
        let user = app.user("ann").await;
        let ann = app.browser(&user).await;
        let page = "/account/password/";
        for (current, new, again, told) in [
            ("wrong", "another-Good-one", "another-Good-one", "9 tries left"),
            (PASSWORD, "password1", "password1", "Too many people use"),
            (PASSWORD, "another-Good-one", "another", "not the same"),
            (PASSWORD, PASSWORD, PASSWORD, "the password you have now"),
        ] {
            let fields = [
                ("current_password", current),
                ("password", new),
                ("confirm_password", again),
                ("end_others", "on"),
            ];
            let refused = ann.submit(page, page, &fields).await;
            assert_eq!(refused.status, 400, "{refused:?}");
            assert!(refused.text.contains(told), "{told}: {refused:?}");
            assert!(!refused.text.contains("another-Good-one"), "typed passwords stay out");
        }
        assert_eq!(app.find_user("ann").await.password, user.password);
    }

    async fn own_sessions_are_listed_and_ended_and_nobody_elses(app: &TestApp) {
        let user = app.user("ann").await;
        let (here, there) = (app.browser(&user).await, app.browser(&user).await);
        let ben = app.user("ben").await;
        let bens = app.browser(&ben).await;
        let of_ben = sessions::list_for(&app.app, &ben).await.unwrap()[0].id.to_string();
        let page = "/account/sessions/";
        here.submit(page, "/account/sessions/end/", &[("id", &of_ben)]).await.redirect();
        assert_eq!(bens.get(page).await.status, 200, "not touched");
        let shown = here.get(page).await;
        assert!(shown.text.contains("This one"));
        here.submit(page, "/account/sessions/end-others/", &[]).await.redirect();
        assert!(there.get(page).await.redirect().starts_with("/login/"));
        let shown = here.get(page).await;
        assert!(shown.text.contains("You are signed in nowhere else."));
        assert_eq!(app.audited().await[0], "session.others_ended");
    }

    async fn own_tokens_are_made_shown_once_rotated_and_revoked(app: &TestApp) {
        let user = app.user("ann").await;
        let ann = app.browser(&user).await;
        app.clock.advance(sessions::CONFIRMED_FOR);
        let page = "/account/tokens/new/";
        let fields = [("owner", "root"), ("kind", "named"), ("name", "CI"), ("expires", "90")];
        let made = ann.submit(page, page, &fields).await;
        let shown = made.redirect().to_owned();
        let answer = ann.get(&shown).await;
        let key = between(&answer.text, "id=\"token\" readonly value=\"", "\"").to_owned();
        app.anonymous().token(&key).get("/studentapi/").await.expect(200);
        assert!(!ann.get(&shown).await.text.contains(&key), "shown twice");
        let own = &tokens::list_for(&app.app, user.id).await.unwrap()[0];
        let to = format!("/account/tokens/{}/rotate/", own.id);
        let rotated = ann.submit(&to, &to, &[("grace", "0")]).await;
        assert!(rotated.redirect().starts_with("/account/tokens/"));
        app.anonymous().token(&key).get("/studentapi/").await.expect(401);
        let own = &tokens::list_for(&app.app, user.id).await.unwrap()[0];
        let to = format!("/account/tokens/{}/revoke/", own.id);
        assert_eq!(ann.submit(&to, &to, &[]).await.redirect(), "/account/tokens/");
        assert!(tokens::list_for(&app.app, user.id).await.unwrap().is_empty());
        for path in ["/account/tokens/", "/account/tokens/?state=revoked", "/dashboard/"] {
            assert_eq!(ann.get(path).await.status, 200, "{path}");
        }
    }

    async fn tokens_of_others_do_not_exist_here(app: &TestApp) {
        let root = app.superuser("root").await;
        let (id, _) = app.named_token_with(&root, |new| new).await;
        let (ann, mut boss) = (app.user("ann").await, app.superuser("boss").await);
        boss = users::get(&app.app, boss.id).await.unwrap();
        for user in [&ann, &boss] {
            let browser = app.browser(user).await;
            for page in ["", "rotate/", "revoke/", "created/"] {
                let path = format!("/account/tokens/{id}/{page}");
                assert_eq!(browser.get(&path).await.status, 404, "{path}");
            }
            for page in ["", "rotate/", "revoke/"] {
                let path = format!("/account/tokens/{id}/{page}");
                let fields = [("name", "mine"), ("grace", "0")];
                let answer = browser.submit("/account/", &path, &fields).await;
                assert_eq!(answer.status, 404, "{path}");
            }
        }
        assert_eq!(tokens::list_for(&app.app, root.id).await.unwrap().len(), 1);
    }
}
