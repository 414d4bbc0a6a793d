//! Forward-auth through real proxies, configured as docs/next-door.md says, in front of a small
//! application and the real server.

use std::path::Path;

use serde_json::json;

use crate::support::{
    Answer, Program, Proxy, Server, Upstream, between, csrf, find_program, without,
};

const PASSWORD: &str = "S3cure-pass-1";

/// What stands around one test: server, application, proxy.
struct Scene {
    program: Program,
    latchkey: Server,
    proxy: Proxy,
    /// Full access, of a superuser.
    token: String,
}

/// Runs a test with a proxy, where that is installed.
fn with(name: &str, start: impl FnOnce(&Path, u16, u16) -> Proxy, test: impl FnOnce(Scene)) {
    let Some(found) = find_program(name) else {
        return without(name);
    };
    let program = Program::new()
        .set("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1")
        .set("LATCHKEY_SUPERUSER_USERNAME", "zoë")
        .set("LATCHKEY_SUPERUSER_PASSWORD", PASSWORD)
        .set("LATCHKEY_SUPERUSER_EMAIL", "zoe@example.org");
    let latchkey = program.serve();
    program.succeeds(&["createsuperuser", "--noinput"]);
    let token = program.succeeds(&["create-token", "zoë"]).trim().to_owned();
    let upstream = Upstream::start();
    let proxy = start(&found, latchkey.port(), upstream.port);
    test(Scene {
        program,
        latchkey,
        proxy,
        token,
    });
}

impl Scene {
    fn credential(&self) -> String {
        format!("Authorization: Token {}\r\n", self.token)
    }

    /// A new named token, as a header line, and its id.
    fn named(&self, scope: &str) -> (String, i64) {
        let body = json!({"name": "named", "scopes": [scope]});
        let made = self
            .latchkey
            .post("/api/tokens/", &self.credential(), &body);
        let line = format!("Authorization: Token {}\r\n", made.string("key"));
        (line, made.json()["id"].as_i64().unwrap())
    }

    /// Signs in through the proxy; the cookies, as a header line.
    fn browser(&self) -> String {
        let form = self
            .proxy
            .get("/login/?next=/report", "Accept: text/html\r\n");
        let token = csrf(&form.text).to_owned();
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrfmiddlewaretoken", &token)
            .append_pair("username", "zoë")
            .append_pair("password", PASSWORD)
            .append_pair("next", "/report")
            .finish();
        let head = format!(
            "Accept: text/html\r\nOrigin: {}\r\nCookie: csrftoken={token}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n",
            self.proxy.origin()
        );
        let answer = self.proxy.send("POST", "/login/", &head, &body);
        assert!(answer.redirect().ends_with("/report"), "{answer:?}");
        let cookie = answer.set_cookie("sessionid").unwrap();
        let session = cookie.split(';').next().unwrap();
        format!("Cookie: a=1; {session}; b=2\r\n")
    }
}

/// The header lines of this name that reached the application.
fn reached<'a>(answer: &'a Answer, name: &'a str) -> Vec<&'a str> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let lines = answer.text.lines().take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_once(": "))
        .filter(|(given, _)| given.replace('_', "-").eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

/// Identity, scopes, bodies, revocation: the same behind each proxy.
fn credentials_are_judged(scene: &Scene) {
    let proxy = &scene.proxy;
    let forged = "X-Auth-User: root\r\nX-Auth-Staff: true\r\nx-auth-user-id: 1\r\nX_Auth_User: root\r\n\
                  X-Auth_User: root\r\nX-Auth-Scopes: full\r\n";
    let (reader, reader_id) = scene.named("students:read");
    let answer = proxy.get("/report?page=2", &format!("{reader}{forged}"));
    assert!(answer.text.starts_with("GET /report?page=2 "), "{answer:?}");
    for (name, value) in [
        ("X-Auth-User", "zo%C3%AB"),
        ("X-Auth-User-Id", "1"),
        ("X-Auth-Staff", "true"),
        ("X-Auth-Scopes", "students:read"),
    ] {
        assert_eq!(reached(&answer, name), [value], "{name}: {answer:?}");
    }
    for name in ["Authorization", "Authentication"] {
        assert!(reached(&answer, name).is_empty(), "{name}: {answer:?}");
    }
    let (alias, key) = reader.split_once(": ").unwrap();
    assert_eq!(alias, "Authorization");
    let answer = proxy.get("/", &format!("Authentication: {key}"));
    assert!(reached(&answer, "Authentication").is_empty(), "{answer:?}");
    let body = "a body of its own\nin two lines";
    let head = format!("{reader}Content-Type: text/plain\r\nAccept: image/png\r\n");
    let answer = proxy.send("POST", "/things", &head, body);
    assert!(answer.text.starts_with("POST /things"), "{answer:?}");
    assert!(answer.text.ends_with(body), "{answer:?}");

    let pair = json!({"username": "zoë", "password": PASSWORD});
    let access = scene
        .latchkey
        .post("/api/token/", "", &pair)
        .string("access");
    let bearer = format!("Authorization: Bearer {access}\r\n");
    assert_eq!(proxy.get("/", &bearer).status, 200);

    for head in [
        "",
        forged,
        "Authorization: Token 0000\r\n",
        "Authorization: Basic cm9vdDpyb290\r\n",
    ] {
        let answer = proxy.get("/report", head);
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(answer.all("WWW-Authenticate").count(), 1, "{answer:?}");
        assert!(
            answer
                .header("WWW-Authenticate")
                .unwrap()
                .contains("Bearer")
        );
        assert!(
            !answer.text.contains("X-Auth"),
            "it did not reach the application"
        );
    }
    let (writer, _) = scene.named("students:write");
    assert_eq!(proxy.get("/report", &writer).status, 403);
    // What a client writes into its own address is not what the proxy asks.
    assert_eq!(
        proxy.get("/report?scope=students:write", &writer).status,
        403
    );
    assert_eq!(proxy.get("/_auth", &writer).status / 100, 4);

    // Warm, and then gone.
    assert_eq!(proxy.get("/report", &reader).status, 200);
    let path = format!("/api/tokens/{reader_id}/");
    let key = reader.trim().rsplit(' ').next().unwrap();
    let revoked = scene
        .latchkey
        .post("/api/revoke/", &scene.credential(), &json!({"token": key}));
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(proxy.get("/report", &reader).status, 401);
    assert_eq!(
        scene
            .latchkey
            .get(&path, &scene.credential())
            .string("state"),
        "revoked"
    );
}

/// Whatever else is in the header, and where no session is looked at.
fn the_session_cookie_stays_outside(scene: &Scene) {
    let (reader, _) = scene.named("students:read");
    for cookies in [
        "sessionid=one",
        "a=1; sessionid=one",
        "sessionid=one; a=1; sessionid=two",
    ] {
        let answer = scene
            .proxy
            .get("/", &format!("{reader}Cookie: {cookies}\r\n"));
        assert_eq!(reached(&answer, "X-Auth-User"), ["zo%C3%AB"]);
        let leaked = answer.text.contains("one") || answer.text.contains("two");
        assert!(!leaked, "{cookies}: {answer:?}");
    }

    let answer = scene.proxy.get("/report", &scene.browser());
    let cookies = reached(&answer, "Cookie").join("; ");
    assert!(
        cookies.contains("a=1") && cookies.contains("b=2") && !cookies.contains("sessionid"),
        "{answer:?}"
    );
}

fn browsers_are_known_by_their_session(scene: &Scene) {
    let proxy = &scene.proxy;
    let page = "Accept: text/html,*/*;q=0.8\r\n";
    let unknown = proxy.get("/report?a=1&b=2", page);
    assert_eq!(unknown.redirect(), "/login/?next=%2Freport%3Fa%3D1%26b%3D2");
    let style = proxy.get("/login/", page);
    let text = style.text.replace("&#x2F;", "/");
    let sheet = between(&text, "rel=\"stylesheet\" href=\"", "\"");
    assert_eq!(proxy.get(sheet, "").status, 200, "{sheet}");

    let browser = scene.browser();
    let answer = proxy.get("/report", &format!("{page}{browser}"));
    assert_eq!(reached(&answer, "X-Auth-User"), ["zo%C3%AB"]);

    // Links from elsewhere lead in; forms from elsewhere do not.
    let cross = format!("{page}{browser}Sec-Fetch-Site: cross-site\r\n");
    assert_eq!(proxy.get("/report", &cross).status, 200);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (from, status) in [
        ("Sec-Fetch-Site: cross-site\r\nOrigin: http://evil.example\r\n".to_owned(), 403),
        ("Origin: http://evil.example\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: evil.example\r\n".to_owned(), 403),
        (String::new(), 403),
        (format!("Sec-Fetch-Site: same-origin\r\nOrigin: {}\r\n", proxy.origin()), 200),
    ] {
        let head = format!("{page}{browser}{form}{from}");
        let answer = proxy.send("POST", "/things", &head, "a=1");
        assert_eq!(answer.status, status, "{from}: {answer:?}");
    }
}

fn without_an_answer_nobody_is_let_in(scene: Scene) {
    let credential = scene.credential();
    assert_eq!(scene.proxy.get("/report", &credential).status, 200);
    scene.latchkey.kill();
    let answer = scene.proxy.get("/report", &credential);
    assert!(answer.status >= 500, "{answer:?}");
    drop(scene.program);
}

#[test]
fn nginx_lets_in_whom_the_server_knows() {
    with("nginx", Proxy::nginx, |scene| {
        credentials_are_judged(&scene);
        the_session_cookie_stays_outside(&scene);
        browsers_are_known_by_their_session(&scene);
        without_an_answer_nobody_is_let_in(scene);
    });
}

#[test]
fn caddy_lets_in_whom_the_server_knows() {
    with("caddy", Proxy::caddy, |scene| {
        credentials_are_judged(&scene);
        the_session_cookie_stays_outside(&scene);
        browsers_are_known_by_their_session(&scene);
        without_an_answer_nobody_is_let_in(scene);
    });
}

/// It cannot take one cookie out of several; docs/next-door.md says so.
#[test]
fn traefik_lets_in_whom_the_server_knows() {
    with("traefik", Proxy::traefik, |scene| {
        credentials_are_judged(&scene);
        browsers_are_known_by_their_session(&scene);
        without_an_answer_nobody_is_let_in(scene);
    });
}
