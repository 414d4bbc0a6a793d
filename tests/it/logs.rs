//! What the server writes while people walk through it: lines that can be read and belong together, and none
//! of the secrets that went through its hands, however much is logged.

use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, Program, SECRET, Server, csrf};

/// A server, what it has been told or has handed out that nobody else may know, and the ids of its requests.
struct Walk {
    server: Server,
    secrets: Vec<(&'static str, String)>,
    ids: Vec<String>,
}

impl Walk {
    fn get(&mut self, path: &str, head: &str) -> Answer {
        let answer = self.server.get(path, head);
        self.note(answer)
    }

    fn post(&mut self, path: &str, head: &str, body: &Value) -> Answer {
        let answer = self.server.post(path, head, body);
        self.note(answer)
    }

    fn form(&mut self, path: &str, cookies: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAccept: text/html\r\n\
             Cookie: {cookies}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = self.server.exchange(request.as_bytes());
        self.note(answer)
    }

    fn note(&mut self, answer: Answer) -> Answer {
        self.ids
            .push(answer.header("X-Request-Id").unwrap().to_owned());
        answer
    }

    fn secret(&mut self, what: &'static str, text: &str) -> String {
        assert!(text.len() >= 8, "{what}: {text}");
        self.secrets.push((what, text.to_owned()));
        text.to_owned()
    }

    /// The walks, right and wrong.
    fn all(&mut self) {
        let browser = self.get("/admin/login/", "Accept: text/html\r\n");
        let token = csrf(&browser.text).to_owned();
        self.secret("a CSRF token", &token);
        let fields = [
            ("csrfmiddlewaretoken", token.as_str()),
            ("username", "root"),
            ("password", PASSWORD),
        ];
        let entered = self.form("/admin/login/", &format!("csrftoken={token}"), &fields);
        let cookie = entered
            .set_cookie("sessionid")
            .expect("signed in")
            .to_owned();
        let session = cookie.split(';').next().unwrap();
        self.secret("a session", session.trim_start_matches("sessionid="));
        let cookies = format!("Accept: text/html\r\nCookie: {session}\r\n");
        for page in ["/admin/", "/admin/users/", "/account/", "/dashboard/"] {
            assert_eq!(self.get(page, &cookies).status, 200, "{page}");
        }

        let credential = |scheme: &str, key: &str| format!("Authorization: {scheme} {key}\r\n");
        let pair = json!({"username": "root", "password": PASSWORD});
        let pair = self.post("/api/token/", "", &pair);
        let access = self.secret("an access token", &pair.string("access"));
        let refresh = self.secret("a refresh token", &pair.string("refresh"));
        let bearer = credential("Bearer", &access);
        let password = self.secret("a new password", "a-password-of-Ann-77");
        let ann = json!({"username": "ann", "password": password, "confirm_password": password});
        self.post("/registerapi/", &bearer, &ann).expect(200);
        let body = json!({"username": "ann", "password": password});
        let key = self.post("/get-token/", &bearer, &body).json()["data"]["Token"].clone();
        let key = self.secret("a default token", key.as_str().unwrap());
        self.get("/studentapi/", &credential("Token", &key))
            .expect(200);
        let body = json!({"name": "CI"});
        let named = self.post("/api/tokens/", &bearer, &body).string("key");
        let named = self.secret("a named token", &named);
        self.post("/api/introspect/", &bearer, &json!({"token": named}))
            .expect(200);
        self.post("/api/tokens/burn/", "", &json!({"token": named}))
            .expect(200);
        let again = self.post("/api/token/refresh/", "", &json!({"refresh": refresh}));
        self.secret("a second refresh token", &again.string("refresh"));
        self.post("/api/token/verify/", "", &json!({"token": access}))
            .expect(200);

        // What is refused is no less secret.
        let wrong = self.secret("a wrong password", "nearly-right-88");
        let body = json!({"username": "root", "password": wrong});
        self.post("/api/token/", "", &body).expect(401);
        self.form(
            "/login/",
            &format!("csrftoken={token}"),
            &[
                ("csrfmiddlewaretoken", &token),
                ("username", "root"),
                ("password", &wrong),
            ],
        );
        let mistyped = self.secret("a mistyped token", "lk_0123456789abcdefghijklmnop");
        self.get("/studentapi/", &credential("Token", &mistyped))
            .expect(401);
        self.get("/studentapi/", &credential("Bearer", &mistyped))
            .expect(401);
        self.get("/studentapi/", &format!("X-Api-Key: {mistyped}\r\n"))
            .expect(401);
        // Where people put what belongs elsewhere.
        let lost = self.secret("what stood in an address", "lost-in-an-address-99");
        for path in [
            format!("/studentapi/?token={lost}"),
            format!("/setup/?code={lost}"),
            format!("/nowhere/{lost}/"),
            format!("/password-reset/{lost}/"),
            format!("/admin/tokens/{lost}/?q={lost}"),
        ] {
            self.get(&path, "Accept: text/html\r\n");
        }
        let data = json!({"firstname": lost, "lastname": "Lee", "age": 30});
        self.post("/generate-token/", "", &data).expect(200);
        let broken = format!("{{\"password\": \"{lost}\"");
        let head = "POST /api/token/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n";
        let request = format!("{head}Content-Length: {}\r\n\r\n{broken}", broken.len());
        let answer = self.server.exchange(request.as_bytes());
        assert_eq!(self.note(answer).status, 400);
    }
}

/// What was written while people walked.
struct Written {
    log: String,
    secrets: Vec<(&'static str, String)>,
    ids: Vec<String>,
}

/// Walks, stops, and gives what was written.
fn written(format: &str, level: &str) -> Written {
    let program = Program::with_root()
        .set("LATCHKEY_LOG_FORMAT", format)
        .set("RUST_LOG", level)
        .set("LATCHKEY_SECRET_KEY", SECRET)
        .set("LATCHKEY_SETUP_CODE", "the-setup-code-55");
    // Its database was made with the secret in the folder.
    std::fs::remove_dir_all(program.folder().join("data")).unwrap();
    program.succeeds(&["createsuperuser", "--noinput"]);
    let server = program.serve();
    let mut walk = Walk {
        server,
        secrets: Vec::new(),
        ids: Vec::new(),
    };
    for (what, text) in [
        ("the password", PASSWORD),
        ("the server secret", SECRET),
        ("the set-up code", "the-setup-code-55"),
    ] {
        walk.secret(what, text);
    }
    walk.all();
    walk.server.stop();
    Written {
        log: program.log(),
        secrets: walk.secrets,
        ids: walk.ids,
    }
}

#[track_caller]
fn nothing_secret(written: &Written) {
    for (what, secret) in &written.secrets {
        let line = written
            .log
            .lines()
            .find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{what} was written down");
    }
}

#[test]
fn json_lines_name_their_request_and_hold_no_secret() {
    let written = written("json", "info");
    nothing_secret(&written);
    let lines: Vec<Value> = written
        .log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    for line in &lines {
        for field in ["timestamp", "level", "message", "target"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
    }
    for id in &written.ids {
        let of_request = lines
            .iter()
            .filter(|line| line["request.id"] == id.as_str());
        let of_request: Vec<_> = of_request
            .filter(|line| line["message"] == "request")
            .collect();
        assert_eq!(of_request.len(), 1, "one line a request: {id}");
        for field in ["method", "route", "address"] {
            assert!(
                of_request[0][field].is_string(),
                "{field}: {}",
                of_request[0]
            );
        }
        assert!(of_request[0]["status"].is_u64() && of_request[0]["duration_us"].is_u64());
    }
}

#[test]
fn text_lines_name_their_request_and_hold_no_secret() {
    let written = written("text", "info");
    nothing_secret(&written);
    assert!(
        !written.log.contains('\u{1b}'),
        "no colours where nobody looks"
    );
    for id in &written.ids {
        let line = written
            .log
            .lines()
            .find(|line| line.contains(&format!("request.id=\"{id}\"")));
        let line = line.unwrap_or_else(|| panic!("no line of {id}: {}", written.log));
        assert!(
            line.contains("request ") && line.contains("status="),
            "{line}"
        );
    }
}

/// Of other people's libraries, too.
#[test]
fn the_most_talkative_level_holds_no_secret() {
    for format in ["json", "text"] {
        let written = written(format, "trace");
        assert!(written.log.contains("TRACE"), "it talks");
        nothing_secret(&written);
    }
}
