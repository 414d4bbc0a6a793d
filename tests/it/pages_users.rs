//! One user in the panel: what a deletion takes along, from where the last sign-in came, one after the other.

use latchkey::domain::{
    permissions::Permissions,
    sessions,
    tokens::{self, NewToken},
    users,
};

use crate::support::{PASSWORD, TestApp, nothing_inline};

both! {
    async fn a_deletion_names_what_goes_with_it_and_offers_to_disable_first(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        for n in 0..9 {
            let name = format!("job {n}");
            app.named_token_with(&ann, |new| NewToken { name, ..new }).await;
        }
        for _ in 0..3 {
            app.browser(&ann).await;
        }
        let (gone, _) = app.named_token_with(&ann, |new| NewToken { name: "revoked".to_owned(), ..new }).await;
        tokens::revoke(&app.app, &latchkey::domain::actor::Actor::operator(), gone).await.unwrap();
        let path = format!("/admin/users/{}/delete/", ann.id);
        let page = root.get(&path).await;
        nothing_inline(&page);
        let html = &page.text;
        assert!(html.contains("Goes: the account, 9 tokens, 3 sessions"), "{html}");
        assert!(html.contains("job 0") && html.contains("job 8") && html.contains("and 2 more"), "{html}");
        assert!(!html.contains("<div>revoked<"), "{html}");
        let (disable, delete) = (html.find("Disable instead").unwrap(), html.find("Delete ann</button>").unwrap());
        assert!(disable < delete);
        assert!(!html.contains("name=\"typed\""), "only of superusers");
        root.submit(&path, &path, &[]).await.redirect();
        assert!(users::find(&app.app, ann.id).await.unwrap().is_none());
    }

    async fn a_deletion_shows_no_more_of_somebody_than_one_may_view(app: &TestApp) {
        let (ann, boss) = (app.user("ann").await, app.superuser("boss").await);
        for user in [&ann, &boss] {
            app.named_token_with(user, |new| NewToken { name: "nightly job".to_owned(), ..new }).await;
            app.browser(user).await;
        }
        let path = |id| format!("/admin/users/{id}/delete/");
        for (name, permissions, tokens, sessions) in [
            ("none", "delete_users", false, false),
            ("keys", "delete_users view_tokens", true, false),
            ("both", "delete_users view_tokens view_sessions", true, true),
        ] {
            let staff = app.browser(&app.staff(name, Permissions::read(permissions)).await).await;
            let page = staff.get(&path(ann.id)).await;
            assert!(page.text.contains("Goes: the account, 1 token, 1 session"), "{name}: {page:?}");
            assert_eq!(page.text.contains("nightly job"), tokens, "{name}: {page:?}");
            // One line is of what stays.
            let lines = 1 + usize::from(tokens) + usize::from(sessions);
            assert_eq!(page.text.matches("pip info").count(), lines, "{name}: {page:?}");
            assert!(!page.text.contains(" more</p>"), "{name}: {page:?}");
            // What it may not touch it does not see, whatever it types.
            for typed in ["", "wrong", "boss"] {
                let answer = staff.submit(&path(ann.id), &path(boss.id), &[("typed", typed)]).await;
                assert_eq!(answer.status, 403, "{name}: {answer:?}");
                assert!(!answer.text.contains("nightly job") && !answer.text.contains("Delete boss?"), "{answer:?}");
            }
        }
        assert!(users::find(&app.app, boss.id).await.unwrap().is_some());
    }

    async fn a_superuser_is_deleted_only_once_the_username_is_typed(app: &TestApp) {
        let root = app.browser(&app.superuser("root").await).await;
        let boss = app.superuser("boss").await;
        let path = format!("/admin/users/{}/delete/", boss.id);
        for typed in ["", "root"] {
            let refused = root.submit(&path, &path, &[("typed", typed)]).await;
            assert_eq!(refused.status, 400, "{refused:?}");
            assert!(refused.text.contains("Type boss to go on."), "{refused:?}");
        }
        root.submit(&path, &path, &[("typed", "boss")]).await.redirect();
        assert!(users::find(&app.app, boss.id).await.unwrap().is_none());
        let root_id = app.find_user("root").await.id;
        let last = root.get(&format!("/admin/users/{root_id}/delete/")).await.text;
        assert!(last.contains("This is the only superuser.") && !last.contains("name=\"typed\""), "{last}");
    }

    async fn the_last_sign_in_is_told_with_its_address(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let path = format!("/admin/users/{}/", ann.id);
        assert!(!root.get(&path).await.text.contains("from 192.0.2."));
        for address in ["192.0.2.7", "192.0.2.8"] {
            let browser = app.anonymous().with("Accept", "text/html").at(address);
            let fields = [("username", "ann"), ("password", PASSWORD)];
            browser.submit("/login/", "/login/", &fields).await.redirect();
            let user = app.find_user("ann").await;
            for session in sessions::list_for(&app.app, &user).await.unwrap() {
                sessions::end(&app.app, &latchkey::domain::actor::Actor::operator(), &session).await.unwrap();
            }
        }
        let page = root.get(&path).await.text;
        assert!(page.contains("from 192.0.2.8") && !page.contains("from 192.0.2.7"), "{page}");
    }

    async fn one_after_the_other_is_added(app: &TestApp) {
        let root = app.admin("root").await;
        let fields = [("username", "ann"), ("password", PASSWORD), ("confirm_password", PASSWORD), ("is_active", "on"), ("then", "another")];
        let added = root.submit("/admin/users/new/", "/admin/users/new/", &fields).await;
        assert_eq!(added.redirect(), "/admin/users/new/");
        assert!(root.get("/admin/users/new/").await.text.contains("ann was added."));
        let fields = [("name", "Asha"), ("roll", "7"), ("city", "Pune"), ("then", "another")];
        let added = root.submit("/admin/students/new/", "/admin/students/new/", &fields).await;
        assert_eq!(added.redirect(), "/admin/students/new/");
    }

    async fn disabling_asks_first_and_enabling_does_not(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let at = format!("/admin/users/{}/", ann.id);
        let disable = format!("{at}disable/");
        for path in ["/admin/users/", &at] {
            let page = root.get(path).await.text;
            assert!(page.contains(&format!("href=\"{disable}\"")), "{page}");
            assert!(!page.contains(&format!("action=\"{disable}\"")), "{page}");
        }
        let asked = root.get(&disable).await;
        nothing_inline(&asked);
        assert!(asked.text.contains("<h1>Disable ann?</h1>"), "{asked:?}");
        assert!(app.find_user("ann").await.is_active);
        assert_eq!(root.submit(&disable, &disable, &[]).await.redirect(), at);
        assert!(!app.find_user("ann").await.is_active);
        assert!(root.get(&disable).await.text.contains("It is disabled already."));
        root.submit(&at, &format!("{at}enable/"), &[]).await.redirect();
        assert!(app.find_user("ann").await.is_active);
    }

    async fn nobody_disables_the_account_that_they_are_in(app: &TestApp) {
        app.superuser("boss").await;
        let clerk = app.staff("clerk", Permissions::read("view_users change_users")).await;
        let root = app.superuser("root").await;
        for user in [&clerk, &root] {
            let browser = app.browser(user).await;
            let at = format!("/admin/users/{}/", user.id);
            let disable = format!("{at}disable/");
            for path in ["/admin/users/", &at] {
                let page = browser.get(path).await.text;
                assert!(!page.contains(&disable), "{page}");
            }
            let page = browser.get(&disable).await.text;
            assert!(page.contains("This is your own account") && !page.contains("bad-fill"), "{page}");
            let refused = browser.submit(&at, &disable, &[]).await;
            let told = browser.get(refused.redirect()).await.text;
            assert!(told.contains("This is your own account"), "{told}");
            let form = browser.get(&at).await.text;
            let version = crate::support::between(&form, "name=\"version\" value=\"", "\"").to_owned();
            let flags = [("is_staff", "on"), ("is_superuser", "on")];
            let fields = [("username", user.username.as_str()), ("version", &version)];
            let fields: Vec<_> = fields.into_iter().chain(flags).collect();
            let refused = browser.submit(&at, &at, &fields).await;
            assert_eq!(refused.status, 400, "{refused:?}");
            assert!(refused.text.contains("This is your own account"), "{refused:?}");
            assert!(app.find_user(&user.username).await.is_active);
        }
    }

    async fn the_last_superuser_is_offered_nothing_that_is_refused(app: &TestApp) {
        let root = app.superuser("root").await;
        let browser = app.browser(&root).await;
        let at = format!("/admin/users/{}/", root.id);
        let page = browser.get(&at).await.text;
        assert!(page.contains("This is the only superuser. Make another one first."), "{page}");
        assert!(!page.contains("/delete/\"") && !page.contains("/disable/\""), "{page}");
        let page = browser.get(&format!("{at}delete/")).await.text;
        assert!(!page.contains("Disable instead"), "{page}");
        app.superuser("boss").await;
        let page = browser.get(&at).await.text;
        assert!(page.contains("/delete/\"") && !page.contains("only superuser"), "{page}");
    }

    async fn what_is_not_there_is_not_counted(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let at = format!("/admin/users/{}/", ann.id);
        for path in [at.clone(), format!("{at}delete/")] {
            let page = root.get(&path).await.text;
            assert!(!page.contains("0 tokens") && !page.contains("0 sessions"), "{page}");
        }
    }

    async fn the_history_says_yes_and_no_and_a_deletion_counts_as_it_does(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        app.browser(&ann).await;
        let at = format!("/admin/users/{}/", ann.id);
        let fields = [("username", "ann"), ("is_active", "on"), ("is_staff", "on"), ("version", "1")];
        root.submit(&at, &at, &fields).await.redirect();
        let history = root.get(&format!("{at}history/")).await.text;
        assert!(history.contains(">yes<") && !history.contains(">true<"), "{history}");
        let lines = crate::support::between(&history, "of <b>", "</b>");
        let delete = root.get(&format!("{at}delete/")).await.text;
        assert!(delete.contains(&format!("Stays: {lines} audit lines")), "{lines}: {delete}");
        assert!(root.get(&at).await.text.contains(&format!("href=\"{at}history/\"")));
    }
}
