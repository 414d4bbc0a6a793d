//! Everybody's sessions in the panel: who is there, and who may end whose.

use latchkey::domain::{
    paging::PageRequest,
    sessions::{self, SessionFilter},
    users::{self, UserInput},
};

use crate::support::TestApp;

const PAGE: &str = "/admin/sessions/";

async fn ids(app: &TestApp, name: &str) -> Vec<String> {
    let user = app.find_user(name).await;
    let found = sessions::list_for(&app.app, &user).await.unwrap();
    found.iter().map(|s| s.id.to_string()).collect()
}

both! {
    async fn only_living_sessions_are_listed_the_last_seen_first(app: &TestApp) {
        let root = app.admin("root").await;
        assert!(root.get(PAGE).await.text.contains("No one else is signed in."));
        for name in ["ann", "ben", "cleo", "dora"] {
            app.clock.advance(60);
            app.browser(&app.user(name).await).await;
        }
        let by = latchkey::domain::actor::Actor::operator();
        let ben = app.find_user("ben").await;
        users::sign_out_everywhere(&app.app, &by, ben.id).await.unwrap();
        let cleo = app.find_user("cleo").await;
        users::set_active(&app.app, &by, cleo.id, false).await.unwrap();
        let found = sessions::list(&app.app, &SessionFilter::default()).await.unwrap();
        let names: Vec<_> = found.rows.iter().map(|s| s.user.username.as_str()).collect();
        assert_eq!(names, ["dora", "ann", "root"]);
        let shown = root.get(PAGE).await;
        assert!(shown.text.contains("This one") && !shown.text.contains("No one else"));
    }

    async fn filters_find_people_staff_and_who_is_idle(app: &TestApp) {
        let root = app.admin("root").await;
        app.browser(&app.user("ann").await).await;
        app.browser(&app.user("anton").await).await;
        app.clock.advance(sessions::LATELY + 1);
        app.browser(&app.user("ben").await).await;
        for (query, names) in [
            ("q=AN", &["ann", "anton"][..]),
            ("role=staff", &["root"]),
            ("seen=lately", &["ben", "root"]),
            ("seen=idle", &["ann", "anton"]),
            ("q=%25", &[]),
            ("q=a%00n", &["ann", "anton"]),
        ] {
            let html = root.get(&format!("{PAGE}?{query}")).await.text;
            for name in ["root", "ann", "anton", "ben"] {
                let is_listed = html.contains(&format!("\">{name}</a>"));
                assert_eq!(is_listed, names.contains(&name), "{query}: {name}");
            }
        }
    }

    async fn the_list_turns_its_pages_by_key(app: &TestApp) {
        let user = app.user("ann").await;
        for _ in 0..30 {
            app.browser(&user).await;
        }
        let first = sessions::list(&app.app, &SessionFilter::default()).await.unwrap();
        assert_eq!((first.rows.len(), first.total.n), (25, 30));
        let page = PageRequest {
            cursor: first.next.clone(),
            size: 25,
        };
        let filter = SessionFilter {
            page,
            ..SessionFilter::default()
        };
        let second = sessions::list(&app.app, &filter).await.unwrap();
        assert_eq!(second.rows.len(), 5);
        assert!(first.rows.iter().all(|a| second.rows.iter().all(|b| a.id != b.id)));
    }

    async fn one_ends_by_its_button_but_not_ones_own_and_none_out_of_reach(app: &TestApp) {
        let staff = app.user_with("staff", |input| UserInput { is_staff: true, ..input }).await;
        let root = app.superuser("root").await;
        let browser = app.browser(&staff).await;
        let of_root = app.browser(&root).await;
        let of_ann = app.browser(&app.user("ann").await).await;
        for (name, said) in [
            ("staff", "You are in this session."),
            ("root", "Only a superuser may end this session."),
            ("ann", "The session has ended."),
        ] {
            let id = ids(app, name).await.remove(0);
            let done = browser.submit(PAGE, "/admin/sessions/end/", &[("one", &id)]).await;
            let page = browser.get(done.redirect()).await;
            assert!(page.text.contains(said), "{name}: {}", page.text);
        }
        for goes_on in [&browser, &of_root] {
            assert_eq!(goes_on.get("/account/").await.status, 200);
        }
        assert!(of_ann.get("/account/").await.redirect().starts_with("/login/"));
        let nonsense = browser.submit(PAGE, "/admin/sessions/end/", &[("one", "x")]).await;
        assert_eq!(nonsense.status, 404);
    }

    async fn all_others_of_oneself_end_at_once(app: &TestApp) {
        let root = app.superuser("root").await;
        let (here, there) = (app.browser(&root).await, app.browser(&root).await);
        let ann = app.browser(&app.user("ann").await).await;
        here.submit(PAGE, "/admin/sessions/end-others/", &[]).await.redirect();
        assert!(there.get("/account/").await.redirect().starts_with("/login/"));
        for browser in [&here, &ann] {
            assert_eq!(browser.get("/account/").await.status, 200);
        }
    }
}
