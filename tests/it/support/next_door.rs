//! The service next door: the files of clients/django in a real Django project, which believes a real Latchkey.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::{
    Answer, PASSWORD, Program, Server, claims_of, exchange, free_port, header_of, until, wait,
};

pub fn next_door_command(python: &Path, settings: &Value) -> Command {
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
pub struct NextDoor {
    child: Child,
    port: u16,
}

impl NextDoor {
    pub fn start(python: &Path, settings: &Value) -> Self {
        let mut child = next_door_command(python, settings)
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
    pub fn get(&self, path: &str, credential: &str) -> Answer {
        self.send("GET", path, credential)
    }

    pub fn send(&self, method: &str, path: &str, credential: &str) -> Answer {
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
    pub fn knows(&self, jwt: &str) {
        let id = claims_of(jwt)["user_id"].clone();
        let bearer = format!("Bearer {jwt}");
        let by = "LatchkeyJWTAuthentication";
        self.get("/drf/", &bearer)
            .is(200, &json!({"id": id, "by": by}));
        self.get("/plain/", &bearer).is(200, &json!({"id": id}));
    }

    #[track_caller]
    pub fn refuses(&self, jwt: &str, why: &str) {
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
pub struct Scene {
    pub python: PathBuf,
    pub program: Program,
    pub server: Server,
    pub settings: Value,
}

pub fn next_door_scene(python: PathBuf, algorithm: &str, more: &[(&str, &str)]) -> Scene {
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
    pub fn next_door(&self, changes: &[(&str, Value)]) -> NextDoor {
        let mut settings = self.settings.clone();
        for (name, value) in changes {
            settings[name] = value.clone();
        }
        NextDoor::start(&self.python, &settings)
    }

    /// Access and refresh token.
    pub fn sign_in(&self) -> (String, String) {
        let body = json!({"username": "root", "password": PASSWORD});
        let pair = self.server.post("/api/token/", "", &body);
        (pair.string("access"), pair.string("refresh"))
    }

    pub fn public_key(&self, kid: &Value) -> Value {
        let keys = self.server.get("/.well-known/jwks.json", "").json();
        let keys = keys["keys"].as_array().unwrap();
        keys.iter().find(|key| key["kid"] == *kid).unwrap().clone()
    }

    /// Ends the key that signed this, and signs in until another one signs.
    pub fn with_another_key(&self, jwt: &str) -> String {
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
