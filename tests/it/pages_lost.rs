//! Finding one's way in the panel: error pages that keep the menu, the search of the top bar, ways back, what a page does
//! not repeat.

use latchkey::domain::permissions::{Act, Permission, Permissions, Record};

use crate::support::{Caller, TestApp, csrf};

const MENU: &str = "id=\"side\"";

fn only(act: Act, record: Record) -> Permissions {
    Permissions::of([Permission::new(act, record)])
}

/// The last of the crumbs.
fn here(html: &str) -> &str {
    let crumbs = html
        .split("aria-label=\"Breadcrumb\"")
        .nth(1)
        .expect("crumbs");
    let last = crumbs
        .split("aria-current=\"page\">")
        .nth(1)
        .expect("a last crumb");
    last.split('<').next().unwrap()
}

async fn lost(browser: &Caller, path: &str, status: u16) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, status, "{path}: {answer:?}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    answer.text
}

both! {
    async fn staff_that_is_lost_keeps_menu_and_way_back(app: &TestApp) {
        let root = app.admin("root").await;
        for path in ["/admin/users/999/", "/admin/users/x/", "/admin/users/no/such/page/"] {
            let html = lost(&root, path, 404).await;
            assert!(html.contains(MENU) && html.contains("href=\"/admin/users/\" data-go=\"u\" aria-current=\"page\""), "{path}: {html}");
            assert!(html.contains("Go to Users"), "{path}: {html}");
            assert_eq!(here(&html), "Nothing lives at this address", "{path}");
        }
        assert!(lost(&root, "/admin/nothing/", 404).await.contains(MENU));

        let sam = app.browser(&app.staff("sam", only(Act::View, Record::Students)).await).await;
        let html = lost(&sam, "/admin/settings/", 403).await;
        assert!(html.contains(MENU) && html.contains("Only a superuser may do that"), "{html}");
        let html = lost(&sam, "/admin/tokens/", 403).await;
        assert!(html.contains(MENU) && !html.contains("Go to Tokens"), "{html}");
        let expired = sam.post_form("/logout/", &[("csrfmiddlewaretoken", "x")]).await;
        assert!(expired.status == 403 && !expired.text.contains(MENU), "not of the panel: {expired:?}");
    }

    async fn nobody_else_sees_the_menu_around_an_error(app: &TestApp) {
        let ann = app.browser(&app.user("ann").await).await;
        let stranger = app.anonymous().with("Accept", "text/html");
        stranger.set_cookie("sessionid", "made-up");
        for browser in [ann, stranger] {
            assert!(!lost(&browser, "/admin/nothing/", 404).await.contains(MENU));
        }
        let root = app.admin("root").await;
        assert!(!lost(&root, "/nothing/", 404).await.contains(MENU), "it is not of the panel");
        assert!(!root.with("Accept", "application/json").get("/admin/users/999/").await.is_html());
    }

    async fn an_error_within_the_panel_asks_no_more_than_who_it_is(app: &TestApp) {
        let root = app.admin("root").await;
        lost(&root, "/admin/nothing/", 404).await;
        let before = app.statements();
        lost(&root, "/admin/nothing/", 404).await;
        assert!(app.statements() - before <= 1, "{}", app.statements() - before);
        let before = app.statements();
        lost(&app.anonymous().with("Accept", "text/html"), "/admin/nothing/", 404).await;
        assert_eq!(app.statements(), before, "a stranger's costs nothing");
    }

    async fn the_search_says_what_it_finds_for_whom_and_in_which_state(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (token, _) = app.named_token_with(&ann, |new| new).await;
        root.submit(&format!("/admin/tokens/{token}/"), &format!("/admin/tokens/{token}/revoke/"), &[]).await;
        root.submit("/admin/users/", &format!("/admin/users/{}/disable/", ann.id), &[]).await.redirect();
        let html = root.get("/admin/search/?q=ann").await.text;
        for words in ["Find a user, token or student", "value=\"ann\"", "<span class=\"tag off\">Disabled</span>"] {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert!(html.matches("class=\"tag off\">Revoked").count() == 1, "{html}");
        let home = root.get("/admin/").await.text;
        assert!(home.contains("href=\"/swagger/\""), "{home}");

        let sam = app.browser(&app.staff("sam", only(Act::View, Record::Students)).await).await;
        let html = sam.get("/admin/search/").await.text;
        assert!(html.contains("placeholder=\"Find a student\"") && html.contains("Students by name, city or exact roll"), "{html}");
        assert!(!html.contains("Users by") && !html.contains("Tokens by"), "{html}");
        let log = app.browser(&app.staff("log", only(Act::View, Record::Audit)).await).await;
        assert!(!log.get("/admin/").await.text.contains("role=\"search\""));
    }

    async fn the_way_back_names_the_page_one_is_on(app: &TestApp) {
        let ann = app.user("ann").await;
        let (token, _) = app.named_token_with(&ann, |new| new).await;
        let browser = app.browser(&ann).await;
        for (path, name) in [
            ("/account/".to_owned(), "Account"),
            ("/account/password/".to_owned(), "Password"),
            ("/account/tokens/".to_owned(), "Tokens"),
            ("/account/sessions/".to_owned(), "Sessions"),
            ("/account/tokens/new/".to_owned(), "New token"),
        ] {
            assert_eq!(here(&browser.get(&path).await.text), name, "{path}");
        }
        let html = browser.get(&format!("/account/tokens/{token}/revoke/")).await.text;
        assert!(html.contains("<a href=\"/account/tokens/\">Tokens</a>"), "{html}");
        let acts = ["extend/\"", "rotate/\"", "revoke/\""].map(|act| html.matches(&format!("href=\"/account/tokens/{token}/{act}")).count());
        assert_eq!(acts, [0, 0, 0], "the page that asks does not offer the same again");
        let html = browser.get(&format!("/account/tokens/{token}/")).await.text;
        assert!(html.contains("rotate/\""), "{html}");

        let wrong = [("current_password", "wrong"), ("password", "correct horse battery"), ("confirm_password", "correct horse battery")];
        let html = browser.submit("/account/password/", "/account/password/", &wrong).await.text;
        assert!(html.contains("<title>Error: Change your password"), "{html}");
        assert_eq!(here(&html), "Password");
    }

    async fn ticking_is_offered_where_there_is_a_session_to_tick(app: &TestApp) {
        let root = app.admin("root").await;
        let html = root.get("/admin/sessions/").await.text;
        assert!(!html.contains("pick-all"), "{html}");
        app.browser(&app.user("ann").await).await;
        let html = root.get("/admin/sessions/").await.text;
        assert!(html.contains("pick-all") && html.matches("class=\"pick\"").count() == 1, "{html}");
        assert!(!csrf(&html).is_empty());
    }
}
