//! What goes out compressed, and to whom.

use crate::support::{Answer, Caller, TestApp};

fn is_small(answer: &Answer) -> bool {
    answer.header("Content-Encoding") == Some("gzip")
}

fn from(browser: &Caller, site: &str) -> Caller {
    browser
        .with("Accept-Encoding", "gzip, br")
        .with("Sec-Fetch-Site", site)
}

both! {
    async fn a_page_is_compressed_for_whoever_asked_for_it_themselves(app: &TestApp) {
        let root = app.admin("root").await;
        for site in ["same-origin", "none"] {
            let page = from(&root, site).get("/admin/users/").await;
            assert!(page.status == 200 && is_small(&page), "{site}: {page:?}");
            assert!(page.header("Vary").unwrap().contains("Sec-Fetch-Site"));
        }
        // Another site may have chosen the address; the length must say nothing.
        for site in ["cross-site", "same-site"] {
            let page = from(&root, site).get("/admin/users/?q=guess").await;
            assert!(page.status == 200 && !is_small(&page), "{site}: {page:?}");
        }
        let silent = root.with("Accept-Encoding", "gzip").get("/admin/users/").await;
        assert!(!is_small(&silent), "{silent:?}");
        let plain = root.with("Sec-Fetch-Site", "none").get("/admin/users/").await;
        assert!(!is_small(&plain) && plain.text.contains("<h1>Users"));
    }

    async fn a_page_with_a_secret_never_is(app: &TestApp) {
        let root = app.admin("root").await;
        let fields = [("owner", "root"), ("kind", "named"), ("name", "x"), ("expires", "90"), ("access", "full")];
        let made = root.submit("/admin/tokens/new/", "/admin/tokens/new/", &fields).await;
        let page = from(&root, "same-origin").get(made.redirect()).await;
        assert!(page.text.contains("Your new token") && !is_small(&page), "{page:?}");
    }

    async fn what_is_no_page_is_left_alone(app: &TestApp) {
        let root = app.admin("root").await;
        let json = from(&root, "same-origin").with("Accept", "application/json");
        assert!(!is_small(&json.get("/studentapi/").await));
    }
}
