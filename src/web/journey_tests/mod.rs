//! The pages over HTTP, as a browser without script uses them.

mod access;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use rocket::{
    http::{ContentType, Status},
    local::asynchronous::{Client, LocalResponse},
};

use crate::{
    app::App,
    clock::Clock,
    config::{self, Config},
    web,
};

const NOON: i64 = 1_795_435_200;
const PASSWORD: &str = "correct horse battery";

pub(in crate::web) struct Browser {
    pub client: Client,
    now: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Browser {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env: HashMap<String, String> = [
            ("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap()),
            ("LATCHKEY_SETUP_CODE", "the-code-of-the-test"),
            ("LATCHKEY_HASH_MEMORY_KIB", "64"),
            ("ROCKET_PROFILE", "release"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        let figment = config::figment(&env);
        let config = Config::load(&figment, &env).unwrap();
        let now = Arc::new(AtomicI64::new(NOON));
        let app = App::open(config, Clock::Manual(Arc::clone(&now)))
            .await
            .unwrap();
        app.db.migrate().await.unwrap();
        let client = Client::tracked(web::rocket(app, figment)).await.unwrap();
        Self {
            client,
            now,
            _folder: folder,
        }
    }

    pub fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn get(&self, path: &str) -> LocalResponse<'_> {
        self.client
            .get(path.to_owned())
            .header(rocket::http::Accept::HTML)
            .dispatch()
            .await
    }

    pub async fn text(&self, path: &str) -> String {
        self.get(path).await.into_string().await.unwrap()
    }

    /// Sends a form with the token of the page it stands on.
    pub async fn send(&self, page: &str, to: &str, fields: &[(&str, &str)]) -> LocalResponse<'_> {
        let html = self.text(page).await;
        let token = between(&html, "name=\"csrfmiddlewaretoken\" value=\"", "\"");
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrfmiddlewaretoken", token);
        body.extend_pairs(fields);
        self.client
            .post(to.to_owned())
            .header(ContentType::Form)
            .header(rocket::http::Accept::HTML)
            .body(body.finish())
            .dispatch()
            .await
    }

    pub async fn set_up(&self) {
        let fields = [
            ("code", "the-code-of-the-test"),
            ("username", "root"),
            ("password", PASSWORD),
            ("confirm_password", PASSWORD),
        ];
        let answer = self.send("/setup/", "/setup/", &fields).await;
        assert_eq!(location(&answer), "/admin/tokens/new/?kind=default");
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {text}"))
        .1;
    rest.split_once(end).unwrap().0
}

pub(in crate::web) fn location(answer: &LocalResponse<'_>) -> String {
    assert_eq!(answer.status(), Status::SeeOther);
    answer.headers().get_one("Location").unwrap().to_owned()
}

#[rocket::async_test]
async fn a_newcomer_gets_to_a_working_token_without_script() {
    let browser = Browser::new().await;
    assert_eq!(location(&browser.get("/admin/login/").await), "/setup/");
    browser.set_up().await;
    assert_eq!(browser.get("/setup/").await.status(), Status::NotFound);

    let fields = [
        ("owner", "root"),
        ("kind", "named"),
        ("name", "CI"),
        ("expires", "90"),
    ];
    let made = browser
        .send("/admin/tokens/new/", "/admin/tokens/new/", &fields)
        .await;
    let shown = location(&made);
    let page = browser.get(&shown).await;
    assert_eq!(page.headers().get_one("Cache-Control"), Some("no-store"));
    let html = page.into_string().await.unwrap();
    let key = between(&html, "id=\"token\" readonly value=\"", "\"").to_owned();
    assert!(key.starts_with("lk_"));

    let again = browser.text(&shown).await;
    assert!(again.contains("A token is shown once"));
    assert!(!again.contains(&key));
    let header = rocket::http::Header::new("Authorization", format!("Token {key}"));
    let answer = browser
        .client
        .get("/studentapi/")
        .header(header)
        .dispatch()
        .await;
    assert_eq!(answer.status(), Status::Ok);
}

#[rocket::async_test]
async fn a_wrong_code_sets_nothing_up() {
    let browser = Browser::new().await;
    let fields = [
        ("code", "guess"),
        ("username", "\"><script>"),
        ("password", PASSWORD),
        ("confirm_password", PASSWORD),
    ];
    let answer = browser.send("/setup/", "/setup/", &fields).await;
    assert_eq!(answer.status(), Status::BadRequest);
    let html = answer.into_string().await.unwrap();
    assert!(html.contains("That is not the code in the server log."));
    assert!(html.contains("<title>Error: "));
    assert!(html.contains("&quot;&gt;&lt;script&gt;") && !html.contains("\"><script>"));
    assert!(!html.contains(PASSWORD));
}

#[rocket::async_test]
async fn two_editors_notice_each_other() {
    let browser = Browser::new().await;
    browser.set_up().await;
    let edit = |version: &'static str, name: &'static str| {
        [
            ("version", version),
            ("username", "root"),
            ("first_name", name),
            ("is_active", "on"),
            ("is_staff", "on"),
            ("is_superuser", "on"),
        ]
    };
    let html = browser.text("/admin/users/1/").await;
    let version: &'static str = between(&html, "name=\"version\" value=\"", "\"")
        .to_owned()
        .leak();
    let first = browser
        .send("/admin/users/1/", "/admin/users/1/", &edit(version, "Ada"))
        .await;
    assert_eq!(location(&first), "/admin/users/");
    let second = browser
        .send("/admin/users/1/", "/admin/users/1/", &edit(version, "Eve"))
        .await;
    assert_eq!(second.status(), Status::Conflict);
    let html = second.into_string().await.unwrap();
    assert!(html.contains("Ada") && html.contains("Eve") && html.contains("saved this record"));
    // The only superuser cannot be lost, neither by the form nor by deletion.
    let gone = browser
        .send("/admin/users/1/", "/admin/users/1/delete/", &[])
        .await;
    assert_eq!(gone.status(), Status::Conflict);
    assert!(
        gone.into_string()
            .await
            .unwrap()
            .contains("This is the only superuser.")
    );
}

#[rocket::async_test]
async fn static_files_are_kept_for_ever_under_their_hash_only() {
    let browser = Browser::new().await;
    let css = web::assets::url("app.css").unwrap();
    let kept = browser.get(&css).await;
    assert_eq!(
        kept.headers().get_one("Cache-Control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(kept.content_type(), Some(ContentType::CSS));
    let plain = browser.get("/static/app.css").await;
    assert_eq!(plain.headers().get_one("Cache-Control"), Some("no-cache"));
    let gzip = rocket::http::Header::new("Accept-Encoding", "br, gzip");
    let small = browser.client.get(css).header(gzip).dispatch().await;
    assert_eq!(small.headers().get_one("Content-Encoding"), Some("gzip"));
    assert!(small.into_bytes().await.unwrap().len() < 16_000);
    assert_eq!(
        browser.get("/static/..%2FCargo.toml").await.status(),
        Status::NotFound
    );
    assert_eq!(browser.get("/favicon.ico").await.status(), Status::Ok);
}

#[rocket::async_test]
async fn the_theme_is_a_cookie_that_the_server_reads() {
    let browser = Browser::new().await;
    browser.set_up().await;
    let set = browser
        .send(
            "/admin/",
            "/theme/",
            &[("theme", "dark"), ("next", "/admin/")],
        )
        .await;
    assert_eq!(location(&set), "/admin/");
    assert!(
        browser
            .text("/admin/")
            .await
            .contains("<html lang=\"en\" data-theme=\"dark\">")
    );
    browser
        .send("/admin/", "/theme/", &[("theme", "system")])
        .await;
    assert!(browser.text("/admin/").await.contains("<html lang=\"en\">"));
}
