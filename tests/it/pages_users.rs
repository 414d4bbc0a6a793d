//! One user in the panel: what a deletion takes along, from where the last sign-in came, one after the other.

use latchkey::domain::{
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
}
