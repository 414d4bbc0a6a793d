//! Who gets where: strangers, people with an account, staff, and forms without their token.

use rocket::http::{ContentType, Method, Status};

use super::{Browser, PASSWORD, location};

#[rocket::async_test]
async fn no_page_of_the_panel_is_open_and_no_form_goes_without_csrf_token() {
    let browser = Browser::new().await;
    let routes: Vec<(Method, String)> = browser
        .client
        .rocket()
        .routes()
        .filter(|route| route.uri.path().starts_with("/admin") || route.method == Method::Post)
        .map(|route| {
            let path = route
                .uri
                .path()
                .replace("<id>", "1")
                .replace("<session_id>", "1");
            (route.method, path)
        })
        .collect();
    let pages = [
        "/setup",
        "/registration",
        "/login",
        "/logout",
        "/theme",
        "/admin/login",
    ];
    assert!(routes.len() > 30);
    for (method, path) in routes {
        if path == "/admin/login" && method == Method::Get {
            continue;
        }
        if !path.starts_with("/admin") && !pages.contains(&path.as_str()) {
            continue;
        }
        let answer = browser
            .client
            .req(method, path.clone())
            .header(ContentType::Form)
            .header(rocket::http::Accept::HTML)
            .body("")
            .dispatch()
            .await;
        if pages.contains(&path.as_str()) {
            assert_eq!(answer.status(), Status::Forbidden, "{method} {path}");
        } else {
            assert!(
                location(&answer).starts_with("/admin/login/?next="),
                "{method} {path}"
            );
        }
    }
}

#[rocket::async_test]
async fn signing_in_leads_back_but_never_elsewhere() {
    let browser = Browser::new().await;
    browser.set_up().await;
    for (next, to) in [
        ("/admin/users/?q=a", "/admin/users/?q=a"),
        ("//evil.example/", "/dashboard/"),
    ] {
        let out = browser.send("/logout/", "/logout/", &[]).await;
        assert_eq!(location(&out), "/login/");
        let fields = [("username", "root"), ("password", "wrong"), ("next", next)];
        let failed = browser.send("/login/", "/login/", &fields).await;
        assert_eq!(failed.status(), Status::BadRequest);
        let html = failed.into_string().await.unwrap();
        assert!(html.contains("That did not match") && !html.contains("evil"));
        let fields = [("username", "root"), ("password", PASSWORD), ("next", next)];
        assert_eq!(
            location(&browser.send("/login/", "/login/", &fields).await),
            to
        );
    }
}

#[rocket::async_test]
async fn an_ordinary_account_is_shown_the_way_out_of_the_panel() {
    let browser = Browser::new().await;
    browser.set_up().await;
    browser.send("/logout/", "/logout/", &[]).await;
    let fields = [
        ("username", "ann"),
        ("password", PASSWORD),
        ("confirm_password", PASSWORD),
    ];
    let made = browser
        .send("/registration/", "/registration/", &fields)
        .await;
    assert_eq!(location(&made), "/dashboard/");
    assert!(browser.text("/dashboard/").await.contains("Welcome, ann."));
    assert!(
        !browser.text("/dashboard/").await.contains("Welcome, ann."),
        "shown once"
    );
    let refused = browser.get("/admin/users/").await;
    assert_eq!(refused.status(), Status::Forbidden);
    assert!(
        refused
            .into_string()
            .await
            .unwrap()
            .contains("href=\"/admin/login/\"")
    );
    assert!(
        browser
            .text("/admin/login/")
            .await
            .contains("This account cannot open the admin panel")
    );
}

#[rocket::async_test]
async fn staff_gets_no_token_of_a_superuser() {
    let browser = Browser::new().await;
    browser.set_up().await;
    let fields = [("name", "Helpers"), ("permission", "add_tokens")];
    let made = browser
        .send("/admin/groups/new/", "/admin/groups/new/", &fields)
        .await;
    assert_eq!(location(&made), "/admin/groups/");
    let fields = [
        ("username", "helper"),
        ("password", PASSWORD),
        ("confirm_password", PASSWORD),
        ("is_active", "on"),
        ("is_staff", "on"),
        ("groups_shown", "on"),
        ("group", "1"),
    ];
    let made = browser
        .send("/admin/users/new/", "/admin/users/new/", &fields)
        .await;
    assert_eq!(location(&made), "/admin/users/2/");
    browser.send("/logout/", "/logout/", &[]).await;
    let fields = [("username", "helper"), ("password", PASSWORD)];
    let entered = browser
        .send("/admin/login/", "/admin/login/", &fields)
        .await;
    assert_eq!(location(&entered), "/admin/");
    for kind in ["default", "named"] {
        let fields = [
            ("owner", "root"),
            ("kind", kind),
            ("name", "x"),
            ("expires", ""),
        ];
        let refused = browser
            .send("/admin/tokens/new/", "/admin/tokens/new/", &fields)
            .await;
        assert_eq!(refused.status(), Status::Forbidden, "{kind}");
        assert!(
            refused
                .into_string()
                .await
                .unwrap()
                .contains("Only a superuser may do that.")
        );
    }
    let fields = [("owner", "helper"), ("kind", "default")];
    let own = browser
        .send("/admin/tokens/new/", "/admin/tokens/new/", &fields)
        .await;
    assert!(location(&own).ends_with("/created/"));
}
