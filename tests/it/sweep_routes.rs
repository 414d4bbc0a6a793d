//! The whole URL map, swept: what is behind a session, behind CSRF, behind a credential, and that
//! nothing depends on the final slash.

use rocket::{Route, http::Method};

use crate::support::{Caller, TestApp, nothing_inline};

const FORM: &str = "application/x-www-form-urlencoded";

/// Routes that answer without session or credential. Whoever makes a route public adds it here.
pub const PUBLIC: &[&str] = &[
    "GET /",
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-authorization-server",
    "GET /.well-known/openid-configuration",
    "GET /admin/login",
    "GET /favicon.ico",
    "GET /generate-token",
    "GET /healthz",
    "GET /login",
    "GET /logout",
    "GET /openapi.json",
    "GET /password-reset",
    "GET /password-reset/<key>",
    "GET /readyz",
    "GET /registration",
    "GET /setup",
    "GET /static/<file>",
    "GET /swagger",
    "GET /status-lists",
    "GET /status-lists/<number>",
    "GET /verify-email/<key>",
    "POST /admin/login",
    "POST /api-token-auth",
    "POST /api/token",
    "POST /api/token/blacklist",
    "POST /api/token/refresh",
    "POST /api/token/verify",
    "POST /api/tokens/burn",
    "POST /generate-token",
    "POST /login",
    "POST /logout",
    "POST /password-reset",
    "POST /password-reset/<key>",
    "POST /registration",
    "POST /setup",
    "POST /theme",
    "POST /verify-email/<key>",
];

/// Handlers of ours, without the ones that only answer 405 or describe.
pub fn routes(app: &TestApp) -> Vec<Route> {
    let mut routes: Vec<Route> = app
        .client
        .rocket()
        .routes()
        .filter(|route| route.name.as_deref() != Some("fallback"))
        .cloned()
        .collect();
    routes.sort_by_key(name);
    assert!(routes.len() > 60, "{}", routes.len());
    routes
}

pub fn name(route: &Route) -> String {
    let path = route.uri.path();
    let path = if path == "/" {
        path
    } else {
        path.trim_end_matches('/')
    };
    format!("{} {path}", route.method)
}

/// Ids that exist: everything below begins with 1.
fn path(route: &Route) -> String {
    let path = route
        .uri
        .path()
        .replace("<id>", "1")
        .replace("<session_id>", "1")
        .replace("<key>", "none")
        .replace("<number>", "0");
    path.replace("<file>", "app.css")
}

/// The same address written both ways.
fn spellings(path: &str) -> Vec<String> {
    let bare = path.trim_end_matches('/');
    if bare.is_empty() || bare.contains('.') {
        vec![path.to_owned()]
    } else {
        vec![bare.to_owned(), format!("{bare}/")]
    }
}

pub fn is_api(route: &Route) -> bool {
    let path = route.uri.path();
    [
        "/studentapi",
        "/studentsapi",
        "/registerapi",
        "/get-token",
        "/api",
        "/auth",
        "/generate-token",
        "/metrics",
    ]
    .iter()
    .any(|start| path.starts_with(start))
        || (path == "/login" && route.format.is_some())
}

async fn send(caller: &Caller, route: &Route, path: &str) -> crate::support::Answer {
    let body = (route.method == Method::Post).then(|| (FORM, Vec::new()));
    caller.send(route.method, path, body).await
}

async fn filled(app: &TestApp) -> Caller {
    let root = app.superuser("root").await;
    let browser = app.browser(&root).await;
    app.default_token(&root).await;
    let student = latchkey::domain::students::StudentInput {
        name: "Anil".to_owned(),
        roll: 1,
        city: "Pune".to_owned(),
    };
    let by = latchkey::domain::actor::Actor::operator();
    latchkey::domain::students::create(&app.app, &by, student)
        .await
        .unwrap();
    browser
}

both! {
    async fn the_panel_is_closed_to_strangers_and_to_people_who_are_not_staff(app: &TestApp) {
        filled(app).await;
        let stranger = app.anonymous().with("Accept", "text/html");
        let ann = app.browser(&app.user("ann").await).await;
        for route in routes(app) {
            let name = name(&route);
            if !route.uri.path().starts_with("/admin") || PUBLIC.contains(&name.as_str()) {
                continue;
            }
            for path in spellings(&path(&route)) {
                let answer = send(&stranger, &route, &path).await;
                assert!(
                    answer.redirect().starts_with("/admin/login/?next=%2Fadmin"),
                    "{name}"
                );
                let answer = send(&ann, &route, &path).await;
                assert_eq!(answer.status, 403, "{name} as {path}: {answer:?}");
            }
        }
    }

    async fn a_form_without_its_token_changes_nothing(app: &TestApp) {
        let root = filled(app).await;
        let mut seen = 0;
        for route in routes(app) {
            if route.method != Method::Post || is_api(&route) {
                continue;
            }
            let path = path(&route);
            // There is an administrator: what is closed looks at nothing.
            let refused = if path.starts_with("/setup") { 404 } else { 403 };
            for fields in [
                &[][..],
                &[("csrfmiddlewaretoken", "")],
                &[(
                    "csrfmiddlewaretoken",
                    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                )],
            ] {
                let answer = root.post_form(&path, fields).await;
                assert_eq!(
                    answer.status,
                    refused,
                    "{} {fields:?}: {answer:?}",
                    name(&route)
                );
            }
            seen += 1;
        }
        assert!(seen > 15, "{seen}");
        assert!(app.find_user("root").await.is_active);
        root.get("/admin/").await;
    }

    async fn whatever_is_not_public_asks_who_is_there(app: &TestApp) {
        filled(app).await;
        let client = app.anonymous();
        let browser = app.anonymous().with("Accept", "text/html");
        for route in routes(app) {
            let name = name(&route);
            if route.uri.path().starts_with("/admin") && !PUBLIC.contains(&name.as_str()) {
                continue;
            }
            let public = PUBLIC.contains(&name.as_str())
                && !(route.format.is_some() && name == "POST /login");
            for path in spellings(&path(&route)) {
                if is_api(&route) {
                    let body = matches!(route.method, Method::Post | Method::Put | Method::Patch)
                        .then(|| ("application/json", b"{}".to_vec()));
                    let answer = client.send(route.method, &path, body).await;
                    assert_eq!(answer.status != 401, public, "{name} as {path}: {answer:?}");
                } else if route.method == Method::Get {
                    let answer = browser.get(&path).await;
                    let asks =
                        answer.status == 303 && answer.redirect().starts_with("/login/?next=");
                    assert_eq!(!asks, public, "{name} as {path}: {answer:?}");
                }
            }
        }
    }

    async fn every_page_renders_with_and_without_slash_and_nothing_inline(app: &TestApp) {
        let root = filled(app).await;
        let stranger = app.anonymous().with("Accept", "text/html");
        let mut seen = 0;
        for route in routes(app) {
            if route.method != Method::Get || is_api(&route) {
                continue;
            }
            for path in spellings(&path(&route)) {
                for caller in [&root, &stranger] {
                    let answer = caller.get(&path).await;
                    assert!(answer.status < 500, "{path}: {answer:?}");
                    if answer.is_html() {
                        nothing_inline(&answer);
                        assert!(answer.text.contains("<h1"), "{path} has no heading");
                        assert!(
                            answer.text.contains("<html lang="),
                            "{path} has no language"
                        );
                        let cache = answer.header("Cache-Control").unwrap_or_default();
                        assert!(
                            cache.contains("no-store") || cache.contains("private"),
                            "{path}"
                        );
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 50, "{seen}");
    }

    async fn the_check_in_a_browser_opens_every_page(app: &TestApp) {
        let root = filled(app).await;
        let list = std::fs::read_to_string("tests/pages/pages.json").unwrap();
        let list: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&list).unwrap();
        let opened: Vec<&str> = list
            .values()
            .flat_map(|paths| paths.as_array().unwrap())
            .map(|path| path.as_str().unwrap())
            .collect();
        let bare = |path: &str, open: char, close: char| {
            let path = path.split('?').next().unwrap().trim_end_matches('/');
            let parts = path.split('/').map(|part| {
                if part.starts_with(open) && part.ends_with(close) {
                    "*"
                } else {
                    part
                }
            });
            parts.collect::<Vec<_>>().join("/")
        };
        for route in routes(app) {
            if route.method != Method::Get || is_api(&route) {
                continue;
            }
            let pattern = route.uri.path();
            let wanted = bare(pattern, '<', '>');
            if opened.iter().any(|path| bare(path, '{', '}') == wanted) {
                continue;
            }
            let answer = root.get(&path(&route)).await;
            let is_page = answer.is_html() && answer.status < 400 || pattern.contains('<');
            let is_file = pattern.contains("<file>") || pattern.contains("<number>");
            assert!(
                !is_page || is_file,
                "{pattern}: add a line to tests/pages/pages.json, and what it needs to tests/pages/fill.mjs"
            );
        }
    }

    async fn records_that_do_not_exist_are_not_found(app: &TestApp) {
        let root = filled(app).await;
        for route in routes(app) {
            if !route.uri.path().contains("<id>") || route.method != Method::Get {
                continue;
            }
            for id in ["999999", "0", "-1", "9999999999999999999999", "x", "%00"] {
                let path = route.uri.path().replace("<id>", id);
                let answer = root.get(&path).await;
                assert_eq!(answer.status, 404, "{path}: {answer:?}");
            }
        }
    }

    async fn wrong_methods_on_pages_are_405_with_allow(app: &TestApp) {
        let root = filled(app).await;
        for (path, allow) in [
            ("/dashboard/", "GET, HEAD"),
            ("/theme/", "POST"),
            ("/setup/", "GET, HEAD, POST"),
        ] {
            let answer = root.send(Method::Delete, path, None).await;
            assert_eq!(answer.status, 405, "{path}: {answer:?}");
            assert_eq!(answer.header("Allow"), Some(allow), "{path}");
        }
        let by_link = root.get("/logout/").await;
        assert_eq!(by_link.status, 200, "a button, not the act");
        assert_eq!(root.get("/dashboard/").await.status, 200, "still signed in");
    }
}
