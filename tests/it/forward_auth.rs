//! `/auth/verify/`, asked as proxies ask it. With real proxies: `proxies`.

use latchkey::domain::{
    actor::Actor,
    scopes::{Scope, Scopes},
    tokens, usage, users,
};
use rocket::http::Method::{Delete, Get, Head, Options, Patch, Post, Put};

use crate::support::{Answer, Caller, START, TestApp};

const PATH: &str = "/auth/verify/";
const PROXY: (&str, &str) = ("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1");

#[track_caller]
fn is_ann(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (200, ""),
        "{answer:?}"
    );
    assert_eq!(answer.header("X-Auth-User"), Some("ann"));
    assert_eq!(answer.header("X-Auth-Staff"), Some("false"));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
}

#[track_caller]
fn tells_nobody(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    let mut headers = answer.headers.iter();
    assert!(
        headers.all(|(name, _)| !name.to_lowercase().starts_with("x-auth-")),
        "{answer:?}"
    );
}

/// What a proxy says of a browser's request.
fn by_proxy(browser: &Caller, method: &str, uri: &str) -> Caller {
    browser
        .with("X-Forwarded-Method", method)
        .with("X-Forwarded-Uri", uri)
        .with("X-Forwarded-Host", "app.example.org")
}

async fn reader(app: &TestApp, name: &str) -> Caller {
    let reads = Scopes::of([Scope::StudentsRead]);
    let key = app.named_token(&app.user(name).await, reads).await;
    app.anonymous().token(&key)
}

both! {
    async fn tokens_and_jwts_are_told_to_the_application_in_headers(app: &TestApp) {
        let ann = app.user("ann").await;
        let (access, refresh) = app.pair(&ann).await;
        let key = app.default_token(&ann).await;
        let alias = format!("Token {key}");
        for caller in [
            app.anonymous().token(&key),
            app.anonymous().bearer(&access),
            app.anonymous().with("Authentication", &alias),
        ] {
            let answer = caller.get(PATH).await;
            is_ann(&answer);
            assert_eq!(answer.header("X-Auth-User-Id"), Some(ann.id.to_string().as_str()));
            assert!(answer.header("X-Auth-Scopes").unwrap().starts_with("full students:read "));
        }
        let answer = app.anonymous().bearer(&refresh).get(PATH).await;
        tells_nobody(&answer, 401);
        let limited = reader(app, "bob").await.get(PATH).await;
        assert_eq!(limited.header("X-Auth-Scopes"), Some("students:read"));
        let staff = app.staff_token().await.get(PATH).await;
        assert_eq!(staff.header("X-Auth-Staff"), Some("true"));
    }

    async fn any_method_and_any_accept_will_do(app: &TestApp) {
        let ann = app.token_user("ann").await;
        let nobody = app.anonymous();
        for method in [Delete, Get, Head, Options, Patch, Post, Put] {
            for path in [PATH, "/auth/verify", "/auth/verify/?scope=students:read"] {
                for accept in ["image/webp", "text/html", "application/xml;q=0.9, nonsense", ""] {
                    let answer = ann.with("Accept", accept).send(method, path, None).await;
                    is_ann(&answer);
                    let answer = nobody.with("Accept", accept).send(method, path, None).await;
                    tells_nobody(&answer, 401);
                }
            }
        }
        // The headers of an original request whose body stays with the proxy.
        let form = Some(("application/x-www-form-urlencoded", Vec::new()));
        is_ann(&ann.send(Get, PATH, form).await);
    }

    async fn refusals_carry_the_challenge_and_the_reason(app: &TestApp) {
        let nobody = app.anonymous().get(PATH).await;
        nobody.is_detail(401, "Authentication credentials were not provided.");
        assert_eq!(nobody.header("WWW-Authenticate"), Some("Token, Bearer realm=\"api\""));
        let bad = app.anonymous().bearer("x").get(PATH).await;
        tells_nobody(&bad, 401);
        assert!(bad.header("WWW-Authenticate").unwrap().starts_with("Bearer "));
        let reader = reader(app, "bob").await;
        for (query, text) in [
            ("scope=students:write", "This credential lacks the scope \"students:write\"."),
            ("scope=students:read+users:read", "This credential lacks the scope \"users:read\"."),
            ("scope=students:read&scope=tokens:manage",
             "This credential lacks the scope \"tokens:manage\"."),
            ("scope=full", "This credential lacks the scope \"students:write\"."),
            ("staff=true", "You do not have permission to perform this action."),
        ] {
            let refused = reader.get(&format!("{PATH}?{query}")).await;
            tells_nobody(&refused, 403);
            refused.is_detail(403, text);
        }
        for query in ["scope=students%3Aread", "", "staff=false", "scope=students:read%20"] {
            assert_eq!(reader.get(&format!("{PATH}?{query}")).await.status, 200, "{query}");
        }
        let staff = app.staff_token().await;
        let both = "scope=students:read%20students:write&staff=true";
        assert_eq!(staff.get(&format!("{PATH}?{both}")).await.status, 200);
    }

    async fn a_slip_in_the_proxys_configuration_lets_nobody_in(app: &TestApp) {
        let staff = app.staff_token().await;
        for query in [
            "scope=students:eat", "scopes=students:read", "scope=Students:read", "staff=yes",
            "redirect=/x", "scope=students:read,students:write", "%00", "staff",
            "scope", "scope=", "scope=%20", "scope=+%09", "scope=students:read&scope=",
            "scope=full+nonsense", "scope=full&scope=nonsense",
        ] {
            for caller in [&staff, &app.anonymous()] {
                tells_nobody(&caller.get(&format!("{PATH}?{query}")).await, 403);
            }
        }
    }

    async fn names_of_any_script_arrive_as_ascii(app: &TestApp) {
        let zoe = app.token_user("zoë.日本+x").await.get(PATH).await;
        assert_eq!(zoe.header("X-Auth-User"), Some("zo%C3%AB.%E6%97%A5%E6%9C%AC+x"));
    }

    async fn it_counts_as_a_use_of_the_token(app: &TestApp) {
        let ann = app.token_user("ann").await;
        is_ann(&ann.at("192.0.2.7").get(PATH).await);
        usage::flush(&app.app).await.unwrap();
        let ann = app.find_user("ann").await;
        let token = tokens::find_default(&app.app, ann.id).await.unwrap().unwrap();
        assert_eq!(token.last_used_at, Some(START));
        assert_eq!(token.last_used_address.as_deref(), Some("192.0.2.7"));
    }

    #[with(PROXY)]
    async fn the_address_is_the_clients_where_the_proxy_is_trusted(app: &TestApp) {
        let ann = app.token_user("ann").await.with("X-Forwarded-For", "192.0.2.9");
        is_ann(&ann.get(PATH).await);
        usage::flush(&app.app).await.unwrap();
        let ann = app.find_user("ann").await;
        let token = tokens::find_default(&app.app, ann.id).await.unwrap().unwrap();
        assert_eq!(token.last_used_address.as_deref(), Some("192.0.2.9"));
    }

    async fn warm_it_needs_no_database_and_a_revocation_is_noticed(app: &TestApp) {
        app.hear().await;
        let ann = app.user("ann").await;
        let by_token = app.anonymous().token(&app.default_token(&ann).await);
        let by_jwt = app.anonymous().bearer(&app.pair(&ann).await.0);
        let reader = reader(app, "bob").await;
        let token = tokens::list_for(&app.app, app.find_user("bob").await.id).await.unwrap();
        for caller in [&by_token, &by_jwt, &reader] {
            assert_eq!(caller.get(PATH).await.status, 200);
        }
        tokens::revoke(&app.app, &Actor::operator(), token[0].id).await.unwrap();
        tells_nobody(&reader.get(PATH).await, 401);
        app.app.db.clone().close().await.unwrap();
        for caller in [&by_token, &by_jwt] {
            is_ann(&caller.get(PATH).await);
        }
    }

    #[with(PROXY)]
    async fn a_browser_is_known_by_its_session(app: &TestApp) {
        let ann = app.user("ann").await;
        let browser = app.browser(&ann).await;
        for method in ["GET", "HEAD", "OPTIONS"] {
            // A link on another site leads here.
            let linked = by_proxy(&browser, method, "/").with("Sec-Fetch-Site", "cross-site");
            is_ann(&linked.get(PATH).await);
        }
        let reads = format!("{PATH}?scope=students:write");
        is_ann(&by_proxy(&browser, "GET", "/").get(&reads).await);
        users::sign_out_everywhere(&app.app, &Actor::operator(), ann.id).await.unwrap();
        tells_nobody(&by_proxy(&browser, "GET", "/").get(PATH).await, 401);
    }

    #[with(PROXY)]
    async fn with_a_session_a_change_must_come_from_the_same_host(app: &TestApp) {
        let browser = app.browser(&app.user("ann").await).await;
        for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "post", ""] {
            let asked = by_proxy(&browser, method, "/");
            for (name, value) in [
                ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Site", "same-site"),
                ("Origin", "https://evil.example"),
                ("Origin", "https://app.example.org.evil.example"),
                ("Origin", "null"),
                ("X-Nothing", "of both"),
            ] {
                let refused = asked.with(name, value).get(PATH).await;
                tells_nobody(&refused, 403);
            }
            let both = asked.with("Sec-Fetch-Site", "same-origin");
            tells_nobody(&both.with("Origin", "https://evil.example").get(PATH).await, 403);
            is_ann(&both.get(PATH).await);
            is_ann(&asked.with("Origin", "https://app.example.org").get(PATH).await);
        }
        // Two that contradict each other; a method that changes something on the way; a web socket.
        let cross = by_proxy(&browser, "GET", "/").with("Sec-Fetch-Site", "cross-site");
        tells_nobody(&cross.with("X-Original-Method", "POST").get(PATH).await, 403);
        tells_nobody(&cross.send(Post, PATH, None).await, 403);
        tells_nobody(&cross.with("Sec-WebSocket-Key", "x").get(PATH).await, 403);
        is_ann(&cross.with("X-Original-Method", "GET").get(PATH).await);
    }

    #[with(PROXY)]
    async fn a_token_in_a_header_needs_no_origin(app: &TestApp) {
        let ann = app.token_user("ann").await;
        is_ann(&by_proxy(&ann, "POST", "/").with("Origin", "https://elsewhere.example").get(PATH).await);
    }

    async fn nobody_but_a_trusted_proxy_says_the_method(app: &TestApp) {
        let browser = app.browser(&app.user("ann").await).await;
        let asked = by_proxy(&browser, "GET", "/").with("Sec-Fetch-Site", "cross-site");
        let refused = asked.get(PATH).await;
        tells_nobody(&refused, 403);
        let text = "CSRF Failed: Origin checking failed, and no trusted proxy says the method of \
                    the request.";
        refused.is_detail(403, text);
        // Nor the host.
        let host = browser.with("Host", "auth.example.org").with("Origin", "https://app.example.org");
        tells_nobody(&by_proxy(&host, "POST", "/").get(PATH).await, 403);
        is_ann(&host.with("Origin", "https://auth.example.org").get(PATH).await);
        let login = by_proxy(&app.anonymous(), "GET", "/a").with("Accept", "text/html");
        let answer = login.get("/auth/verify/?redirect=true").await;
        tells_nobody(&answer, 401);
        assert_eq!(answer.header("Location"), None);
    }

    #[with(PROXY)]
    async fn a_browser_without_a_session_is_shown_the_way_to_sign_in(app: &TestApp) {
        let browser = app.anonymous().with("Accept", "text/html,*/*;q=0.8");
        let asked = by_proxy(&browser, "GET", "/reports/?year=2026&page=2");
        let to = "/login/?next=%2Freports%2F%3Fyear%3D2026%26page%3D2";
        for (query, status) in [("", 401), ("?redirect=false", 401), ("?redirect=true", 303)] {
            let answer = asked.get(&format!("{PATH}{query}")).await;
            tells_nobody(&answer, status);
            assert_eq!(answer.header("Location"), Some(to));
            assert_eq!(answer.header("Cache-Control"), Some("no-store"));
            assert!(answer.header("WWW-Authenticate").is_some());
        }
        for other in [
            by_proxy(&browser, "POST", "/reports/"),
            by_proxy(&app.anonymous(), "GET", "/reports/").with("Accept", "application/json"),
            asked.token("0000"),
        ] {
            let answer = other.get("/auth/verify/?redirect=true").await;
            tells_nobody(&answer, 401);
            assert_eq!(answer.header("Location"), None);
        }
    }

    /// Its requests as they are known to us; it was not run: GET, its own address as the host, the
    /// client's headers, and five of its own.
    #[with(PROXY)]
    async fn as_traefik_asks(app: &TestApp) {
        let as_traefik = |caller: &Caller, method: &str| {
            caller
                .with("Host", "127.0.0.1:8000")
                .with("X-Forwarded-For", "192.0.2.7")
                .with("X-Forwarded-Proto", "https")
                .with("X-Forwarded-Host", "app.example.org")
                .with("X-Forwarded-Method", method)
                .with("X-Forwarded-Uri", "/report?a=1")
        };
        let path = "/auth/verify/?scope=students:read&redirect=true";
        is_ann(&as_traefik(&app.token_user("ann").await, "POST").get(path).await);
        let stranger = as_traefik(&app.anonymous().with("Accept", "text/html"), "GET");
        assert_eq!(stranger.get(path).await.redirect(), "/login/?next=%2Freport%3Fa%3D1");
        let ann = app.find_user("ann").await;
        let browser = as_traefik(&app.browser(&ann).await, "POST");
        is_ann(&browser.with("Origin", "https://app.example.org").get(path).await);
        tells_nobody(&browser.with("Origin", "http://127.0.0.1:8000").get(path).await, 403);
    }

    #[with(PROXY)]
    async fn the_way_back_stays_on_the_host(app: &TestApp) {
        let browser = app.anonymous().with("Accept", "text/html");
        for uri in [
            "//evil.example/", "https://evil.example/", "/\\evil.example", "evil.example", "",
            "/\tx", "javascript:alert(1)",
        ] {
            let answer = by_proxy(&browser, "GET", uri).get("/auth/verify/?redirect=true").await;
            assert_eq!(answer.redirect(), "/login/", "{uri}");
        }
        // A header that no proxy would take is worse than to begin at the start.
        let long = format!("/?{}", "&".repeat(1000));
        let answer = by_proxy(&browser, "GET", &long).get("/auth/verify/?redirect=true").await;
        assert_eq!(answer.redirect(), "/login/");
        let tricky = by_proxy(&browser, "GET", "/%0d%0aSet-Cookie:x=y?next=//evil.example");
        let answer = tricky.get("/auth/verify/?redirect=true").await;
        let to = "/login/?next=%2F%250d%250aSet-Cookie%3Ax%3Dy%3Fnext%3D%2F%2Fevil.example";
        assert_eq!(answer.redirect(), to);
    }
}
