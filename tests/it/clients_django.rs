//! The files of clients/django in a real Django project with Django REST framework, which believes the real
//! server: what it takes, and what it refuses.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::{Value, json};

use crate::support::{
    Answer, PASSWORD, Program, Server, claims_of, exchange, forged_with_header, free_port,
    header_of, python, until, wait, without_django,
};

fn command(python: &Path, settings: &Value) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/django/next_door.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(settings.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    command
}

/// The service next door; killed when dropped.
struct NextDoor {
    child: Child,
    port: u16,
}

impl NextDoor {
    fn start(python: &Path, settings: &Value) -> Self {
        let mut child = command(python, settings)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port }
    }

    /// `credential`: such as `Bearer …`.
    fn get(&self, path: &str, credential: &str) -> Answer {
        self.send("GET", path, credential)
    }

    fn send(&self, method: &str, path: &str, credential: &str) -> Answer {
        let header = if credential.is_empty() {
            String::new()
        } else {
            format!("Authorization: {credential}\r\n")
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n"
        );
        exchange(self.port, request.as_bytes())
    }

    #[track_caller]
    fn knows(&self, jwt: &str) {
        let id = claims_of(jwt)["user_id"].clone();
        let bearer = format!("Bearer {jwt}");
        let by = "LatchkeyJWTAuthentication";
        self.get("/drf/", &bearer)
            .is(200, &json!({"id": id, "by": by}));
        self.get("/plain/", &bearer).is(200, &json!({"id": id}));
    }

    #[track_caller]
    fn refuses(&self, jwt: &str, why: &str) {
        for path in ["/drf/", "/plain/"] {
            let answer = self.get(path, &format!("Bearer {jwt}"));
            answer.is_detail(401, why);
            let challenge = answer.header("WWW-Authenticate").unwrap();
            assert!(challenge.starts_with("Bearer realm="), "{challenge}");
        }
    }
}

impl Drop for NextDoor {
    fn drop(&mut self) {
        // Gone already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Latchkey with keys that others can verify with, and what its neighbours are told.
struct Scene {
    python: PathBuf,
    program: Program,
    server: Server,
    settings: Value,
}

fn scene(python: PathBuf, algorithm: &str, more: &[(&str, &str)]) -> Scene {
    let port = free_port();
    let issuer = format!("http://127.0.0.1:{port}");
    let mut program = Program::with_root()
        .set("LATCHKEY_JWT_ALGORITHM", algorithm)
        .set("LATCHKEY_JWT_ISSUER", &issuer)
        .set("LATCHKEY_JWT_AUDIENCE", "students");
    for (name, value) in more {
        program = program.set(name, value);
    }
    let server = program.serve_on(port);
    let service = program.succeeds(&["create-token", "root"]);
    let settings = json!({
        "ISSUER": issuer,
        "AUDIENCE": "students",
        "TOKEN": service.trim(),
        "LEEWAY": 0,
        "ASK_AGAIN": 0,
    });
    Scene {
        python,
        program,
        server,
        settings,
    }
}

impl Scene {
    fn next_door(&self, changes: &[(&str, Value)]) -> NextDoor {
        let mut settings = self.settings.clone();
        for (name, value) in changes {
            settings[name] = value.clone();
        }
        NextDoor::start(&self.python, &settings)
    }

    /// Access and refresh token.
    fn sign_in(&self) -> (String, String) {
        let body = json!({"username": "root", "password": PASSWORD});
        let pair = self.server.post("/api/token/", "", &body);
        (pair.string("access"), pair.string("refresh"))
    }

    fn public_key(&self, kid: &Value) -> Value {
        let keys = self.server.get("/.well-known/jwks.json", "").json();
        let keys = keys["keys"].as_array().unwrap();
        keys.iter().find(|key| key["kid"] == *kid).unwrap().clone()
    }

    /// Ends the key that signed this, and signs in until another one signs.
    fn with_another_key(&self, jwt: &str) -> String {
        let old = header_of(jwt)["kid"].clone();
        self.program
            .succeeds(&["keys", "revoke", old.as_str().unwrap()]);
        let mut new = String::new();
        wait(until("another key signs", async || {
            new = self.sign_in().0;
            header_of(&new)["kid"] != old
        }));
        new
    }
}

const WAY: &str = "The token is signed in a way that is not taken.";
const BAD: &str = "The token is not valid.";

/// What was forged, and why it is refused.
fn forgeries(scene: &Scene, access: &str) -> Vec<(String, &'static str)> {
    let claims = claims_of(access).to_string();
    let header = header_of(access);
    let with = |alg: &str| {
        let mut header = header.clone();
        header["alg"] = json!(alg);
        header.to_string()
    };
    let public = scene.public_key(&header["kid"])["x"]
        .as_str()
        .unwrap()
        .to_owned();
    let unsigned = forged_with_header(&with("none"), &claims, "");
    let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    let own = header["alg"].as_str().unwrap();
    let other = if own == "EdDSA" { "ES256" } else { "EdDSA" };
    let critical = json!({"alg": own, "kid": header["kid"], "crit": ["exp"]}).to_string();
    let signed = |header: &str| forged_with_header(header, &claims, &public);
    let (head, rest) = access.split_once('.').unwrap();
    let signature = rest.rsplit_once('.').unwrap().1;
    let payload = claims.replace("\"access\"", "\"other\"");
    let changed = forged_with_header(&header.to_string(), &payload, "");
    let changed = changed.split('.').nth(1).unwrap();
    vec![
        (unsigned, WAY),
        (signed(&with("HS256")), WAY),
        (signed(&with(own)), BAD),
        (signed(&with(other)), BAD),
        (signed(&critical), BAD),
        (
            signed(&with(own).replace(header["kid"].as_str().unwrap(), "invented")),
            "The token was signed with an unknown key.",
        ),
        (format!("{head}.{changed}.{signature}"), BAD),
        ("nonsense".to_owned(), BAD),
        (
            format!("{access}{}", "A".repeat(9000)),
            "The token is too long.",
        ),
    ]
}

fn tokens_are_judged(python: PathBuf, algorithm: &str) {
    let mut scene = scene(python, algorithm, &[]);
    let next_door = scene.next_door(&[]);
    let (access, refresh) = scene.sign_in();
    next_door.knows(&access);
    for path in ["/drf/", "/students/"] {
        let challenge = next_door.get(path, "");
        assert_eq!(challenge.status, 401, "{challenge:?}");
        assert_eq!(
            challenge.header("WWW-Authenticate"),
            Some("Bearer realm=\"api\"")
        );
    }
    next_door.get("/plain/", "").is(200, &json!({"id": null}));
    // Pages of elsewhere cannot send a token, so nobody who does is asked for another.
    let bearer = format!("Bearer {access}");
    assert_eq!(next_door.send("POST", "/plain/", &bearer).status, 200);
    assert_eq!(next_door.send("POST", "/plain/", "").status, 403);
    for (forged, why) in forgeries(&scene, &access) {
        next_door.refuses(&forged, why);
    }
    next_door.refuses(&refresh, "The token is no access token.");
    let jwks = format!(
        "{}/.well-known/jwks.json",
        scene.settings["ISSUER"].as_str().unwrap()
    );
    let elsewhere = [
        ("ISSUER", json!("https://elsewhere.example")),
        ("JWKS_URL", json!(jwks)),
    ];
    scene.next_door(&elsewhere).refuses(&access, BAD);
    scene
        .next_door(&[("AUDIENCE", json!("others"))])
        .refuses(&access, BAD);
    let other = if algorithm == "EdDSA" {
        "ES256"
    } else {
        "EdDSA"
    };
    scene
        .next_door(&[("ALGORITHMS", json!([other]))])
        .refuses(&access, WAY);

    // The next key is published before it signs; the one after that is unknown, and asked for. Then it
    // shows which ones have been revoked.
    let second = scene.with_another_key(&access);
    next_door.knows(&second);
    let third = scene.with_another_key(&second);
    next_door.knows(&third);
    for revoked in [&access, &second] {
        next_door.refuses(revoked, "The token was signed with an unknown key.");
    }

    // An asynchronous Django.
    let output = command(&scene.python, &scene.settings)
        .arg(&third)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = &claims_of(&third)["user_id"];
    assert_eq!(
        said,
        json!({
            "good": {"id": id},
            "bad": 401,
            "without": {"id": null},
            // A token counts before a session, however the view asks.
            "guarded": {
                "nobody": 302,
                "session": {"ids": [700, 700, 700]},
                "session and token": {"ids": [id, id, id]},
            },
        })
    );

    let port = scene.server.port();
    let without_keys = scene.next_door(&[]);
    scene.server.stop();
    // No request asks Latchkey, so it need not be there.
    next_door.knows(&third);
    let answer = without_keys.get("/drf/", &format!("Bearer {third}"));
    assert_eq!(answer.status, 503, "{answer:?}");

    scene.program = scene.program.set("LATCHKEY_JWT_ACCESS_LIFETIME", "1");
    scene.server = scene.program.serve_on(port);
    let (short, _) = scene.sign_in();
    wait(until("the token has expired", async || {
        next_door.get("/drf/", &format!("Bearer {short}")).status == 401
    }));
    next_door.refuses(&short, "The token has expired.");
}

#[test]
fn django_judges_tokens_that_were_signed_with_eddsa() {
    let Some(python) = python() else {
        return without_django();
    };
    tokens_are_judged(python, "EdDSA");
}

#[test]
fn django_judges_tokens_that_were_signed_with_es256() {
    let Some(python) = python() else {
        return without_django();
    };
    tokens_are_judged(python, "ES256");
}

#[test]
fn django_asks_about_api_tokens_and_scopes() {
    let Some(python) = python() else {
        return without_django();
    };
    let scene = scene(python, "EdDSA", &[]);
    let next_door = scene.next_door(&[]);
    let root = format!(
        "Authorization: Token {}\r\n",
        scene.settings["TOKEN"].as_str().unwrap()
    );
    let body = json!({"name": "reader", "scopes": ["students:read"]});
    let made = scene.server.post("/api/tokens/", &root, &body);
    let reader = format!("Token {}", made.string("key"));
    let who = json!({"id": "1", "by": "LatchkeyTokenAuthentication"});
    next_door.get("/drf/", &reader).is(200, &who);
    next_door.get("/students/", &reader).is(200, &who);
    let text = "The credential lacks the scope metrics:read.";
    next_door.get("/metrics/", &reader).is_detail(403, text);
    next_door
        .get("/drf/", "Token unknown")
        .is_detail(401, "Invalid token.");
    // What Latchkey cannot look up is no reason to try again later.
    for nothing in ["Token", "Token ", &format!("Token {}", "A".repeat(60_000))] {
        next_door
            .get("/drf/", nothing)
            .is_detail(401, "Invalid token.");
    }
    let (access, refresh) = scene.sign_in();
    // A credential under another name is none.
    next_door
        .get("/drf/", &format!("Token {access}"))
        .is_detail(401, "Invalid token.");
    next_door
        .get("/drf/", &format!("Token {refresh}"))
        .is_detail(401, "Invalid token.");
    assert_eq!(
        next_door
            .get("/metrics/", &format!("Bearer {access}"))
            .status,
        200
    );

    let key = json!({"token": made.string("key")});
    assert_eq!(scene.server.post("/api/revoke/", &root, &key).status, 200);
    next_door
        .get("/drf/", &reader)
        .is_detail(401, "Invalid token.");
    scene.server.stop();
    assert_eq!(next_door.get("/drf/", &reader).status, 503);
}

#[test]
fn django_hears_by_the_status_list_that_a_sign_in_was_ended() {
    let Some(python) = python() else {
        return without_django();
    };
    let scene = scene(python, "EdDSA", &[("LATCHKEY_JWT_STATUS_LIST", "true")]);
    let (ended, refresh) = scene.sign_in();
    let (going_on, _) = scene.sign_in();
    let without = scene.next_door(&[]);
    let next_door = scene.next_door(&[("STATUS_LIST", json!(true)), ("KEEP_LIST", json!(0))]);
    next_door.knows(&ended);
    let body = json!({"refresh": refresh});
    scene
        .server
        .post("/api/token/blacklist/", "", &body)
        .expect(200);
    wait(until("the list says it", async || {
        next_door.get("/drf/", &format!("Bearer {ended}")).status == 401
    }));
    next_door.refuses(&ended, "The token was revoked.");
    next_door.knows(&going_on);
    // Who does not look believes it until it expires.
    without.knows(&ended);
}

/// Somebody in Latchkey's place, who answers when and what the test says.
struct StandIn(TcpListener);

impl StandIn {
    fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (Self(listener), url)
    }

    /// The next who asks, whose question ends so.
    fn asked(&self, end: &str) -> TcpStream {
        let (mut stream, _) = self.0.accept().unwrap();
        let mut question = Vec::new();
        while !question.ends_with(end.as_bytes()) {
            let mut some = [0; 4096];
            let length = stream.read(&mut some).unwrap();
            assert_ne!(length, 0, "hung up: {question:?}");
            question.extend_from_slice(&some[..length]);
        }
        stream
    }
}

const KEYS: &str = "\r\n\r\n";

fn with_body(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}")
}

/// What is no answer of Latchkey's.
fn noise() -> Vec<String> {
    vec![
        String::new(),
        "nonsense\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"keys\": [".to_owned(),
        "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n".to_owned(),
        with_body("<html>"),
        with_body("[]"),
        with_body("null"),
    ]
}

#[test]
fn django_goes_on_with_the_keys_it_has_when_latchkey_is_slow_or_answers_noise() {
    let Some(python) = python() else {
        return without_django();
    };
    let scene = scene(python, "EdDSA", &[]);
    let (access, _) = scene.sign_in();
    let bearer = format!("Bearer {access}");
    let (stand_in, url) = StandIn::start();
    // Each request finds the keys too old.
    let next_door = scene.next_door(&[
        ("JWKS_URL", json!(url)),
        ("KEEP_KEYS", json!(0)),
        ("TIMEOUT", json!(600)),
    ]);
    let ask = |answer: &str| {
        thread::scope(|scope| {
            let asking = scope.spawn(|| next_door.get("/plain/", &bearer));
            let mut stream = stand_in.asked(KEYS);
            stream.write_all(answer.as_bytes()).unwrap();
            drop(stream);
            asking.join().unwrap()
        })
    };
    let keys = scene.server.get("/.well-known/jwks.json", "").text;
    assert_eq!(ask(&noise()[0]).status, 503);
    assert_eq!(ask(&with_body(&keys)).status, 200);
    let no_keys = [
        r#"{"keys": [1]}"#,
        r#"{"keys": 1}"#,
        r#"{"keys": {"kid": 1}}"#,
    ];
    for answer in noise().into_iter().chain(no_keys.map(with_body)) {
        assert_eq!(ask(&answer).status, 200, "{answer}");
    }
    // One waits for the new ones; the others do not wait for it.
    thread::scope(|scope| {
        let asking = scope.spawn(|| next_door.get("/plain/", &bearer));
        let mut stream = stand_in.asked(KEYS);
        next_door.knows(&access);
        stream.write_all(with_body(&keys).as_bytes()).unwrap();
        drop(stream);
        assert_eq!(asking.join().unwrap().status, 200);
    });
}

#[test]
fn django_says_not_now_when_what_it_asked_about_a_token_is_answered_with_noise() {
    let Some(python) = python() else {
        return without_django();
    };
    let (stand_in, url) = StandIn::start();
    let settings = json!({"ISSUER": url, "TOKEN": "lk_of_the_service"});
    let next_door = NextDoor::start(&python, &settings);
    for answer in noise() {
        thread::scope(|scope| {
            let asking = scope.spawn(|| next_door.get("/drf/", "Token looked-up"));
            let mut stream = stand_in.asked("token=looked-up");
            stream.write_all(answer.as_bytes()).unwrap();
            drop(stream);
            assert_eq!(asking.join().unwrap().status, 503, "{answer}");
        });
    }
}
