//! The examples in clients/, run as they are against the real server, and the document that shows them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::json;

use crate::support::{
    JWT_KEY, PASSWORD, Program, Server, claims_of, find_program, forged, parallel, python, wait,
    without, without_django,
};

#[path = "../../clients/rust.rs"]
mod rust;

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// A server, a token of somebody who may register people, and a sign-in whose access token has ended.
struct Scene {
    /// Its folder holds the database.
    _program: Program,
    server: Server,
    url: String,
    token: String,
    ended: String,
    refresh: String,
}

fn scene() -> Scene {
    let program = Program::with_root().set("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY);
    let server = program.serve();
    let token = program
        .succeeds(&["create-token", "root"])
        .trim()
        .to_owned();
    let body = json!({"name": "Ann", "roll": 7, "city": "Pune"});
    let credential = format!("Authorization: Token {token}\r\n");
    server.post("/studentapi/", &credential, &body).expect(201);
    let pair = json!({"username": "root", "password": PASSWORD});
    let pair = server.post("/api/token/", "", &pair);
    let mut claims = claims_of(&pair.string("access"));
    claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 1);
    claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 3600);
    let ended = forged(&claims, JWT_KEY);
    let answer = server.get(
        "/studentapi/",
        &format!("Authorization: Bearer {ended}\r\n"),
    );
    assert_eq!(answer.expect(401)["code"], "token_not_valid");
    Scene {
        url: format!("http://127.0.0.1:{}", server.port()),
        refresh: pair.string("refresh"),
        _program: program,
        server,
        token,
        ended,
    }
}

impl Scene {
    fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .current_dir(clients())
            .env("LATCHKEY_URL", &self.url)
            .env("LATCHKEY_TOKEN", &self.token)
            .env("ENDED", &self.ended)
            .env("REFRESH", &self.refresh)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap()
    }

    /// Run as its first lines say, for a new account: both lists hold the student.
    #[track_caller]
    fn walks(&self, program: &Path, file: &str) {
        let output = self.run(program, &[file, "ann", "correct \"horse\" 9 \\ %40&+"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(said.matches("Pune").count(), 2, "{output:?}");
    }

    /// Code that goes on with the sign-in whose access token has ended, prints the pair that it then has, and
    /// signs out.
    #[track_caller]
    fn goes_on(&self, program: &Path, arguments: &[&str]) {
        let output = self.run(program, arguments);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        let pair: Vec<&str> = said.split_whitespace().collect();
        let [access, refresh] = pair[..] else {
            panic!("{output:?}");
        };
        self.has_ended(access, refresh);
    }

    /// It was another pair, and nothing is left of the sign-in.
    #[track_caller]
    fn has_ended(&self, access: &str, refresh: &str) {
        assert_ne!(access, self.ended);
        assert_ne!(refresh, self.refresh);
        let credential = format!("Authorization: Bearer {access}\r\n");
        assert_eq!(self.server.get("/studentapi/", &credential).status, 401);
        for refresh in [refresh, &self.refresh] {
            let body = json!({"refresh": refresh});
            self.server
                .post("/api/token/refresh/", "", &body)
                .expect(401);
        }
    }
}

#[test]
fn the_shell_example_walks_and_goes_on_when_the_access_token_has_ended() {
    let (Some(bash), Some(_)) = (find_program("bash"), find_program("curl")) else {
        return without("bash or curl");
    };
    let scene = scene();
    scene.walks(&bash, "curl.sh");
    let driver = "source ./curl.sh; access=$ENDED refresh=$REFRESH; get /studentapi/ >/dev/null; \
                  key=$(call \"Bearer $access\" /api/tokens/ name extra | field key); \
                  call \"Token $key\" /studentapi/ >/dev/null; revoke \"Bearer $access\" \"$key\"; \
                  if call \"Token $key\" /studentapi/ >/dev/null; then exit 1; fi; \
                  printf '%s %s\\n' \"$access\" \"$refresh\"; sign_out";
    scene.goes_on(&bash, &["-c", driver]);
    let wrong = "source ./curl.sh; sign_in root 'wrong password'";
    assert!(!scene.run(&bash, &["-c", wrong]).status.success());
}

#[test]
fn the_python_example_walks_and_goes_on_when_the_access_token_has_ended() {
    let Some(python) = python() else {
        return without_django();
    };
    let scene = scene();
    scene.walks(&python, "python.py");
    // Eight at the same moment: one refresh.
    let driver = "
import os
import requests
from concurrent.futures import ThreadPoolExecutor
from python import Latchkey
me = Latchkey(os.environ['LATCHKEY_URL'])
me.access, me.refresh = os.environ['ENDED'], os.environ['REFRESH']
with ThreadPoolExecutor(8) as threads:
    assert all(data['data'] for data in threads.map(me.get, ['/studentapi/'] * 8))
key = me.call('POST', '/api/tokens/', json={'name': 'extra'})['key']
extra = Latchkey(me.url, token=key)
extra.get('/studentapi/')
me.revoke(key)
try:
    raise SystemExit(extra.get('/studentapi/'))
except requests.HTTPError as e:
    assert e.response.status_code == 401
print(me.access, me.refresh)
me.sign_out()
";
    scene.goes_on(&python, &["-c", driver]);
}

#[test]
fn the_javascript_example_walks_and_goes_on_when_the_access_token_has_ended() {
    let Some(node) = find_program("node") else {
        return without("node");
    };
    let scene = scene();
    scene.walks(&node, "javascript.mjs");
    let driver = "
import { Latchkey } from './javascript.mjs';
const me = new Latchkey(process.env.LATCHKEY_URL);
me.access = process.env.ENDED;
me.refresh = process.env.REFRESH;
await Promise.all(Array.from({ length: 8 }, () => me.get('/studentapi/')));
const { key } = await me.call('POST', '/api/tokens/', { name: 'extra' });
const extra = new Latchkey(me.url, { token: key });
await extra.get('/studentapi/');
await me.revoke(key);
if ((await extra.get('/studentapi/').catch((e) => e)).status !== 401) throw new Error('it goes on');
console.log(me.access, me.refresh);
await me.signOut();
";
    scene.goes_on(&node, &["--input-type=module", "--eval", driver]);
}

#[test]
fn the_rust_example_walks_and_goes_on_when_the_access_token_has_ended() {
    let scene = scene();
    wait(async {
        let url = &scene.url;
        let list = rust::get_by_token(url, &scene.token, "/studentapi/")
            .await
            .unwrap();
        assert_eq!(list["data"][0]["city"], "Pune");
        let ann = rust::Latchkey::sign_up(url, &scene.token, "ann", "correct horse 9")
            .await
            .unwrap();
        assert_eq!(ann.get("/studentapi/").await.unwrap(), list);
        ann.sign_out().await.unwrap();
        let again = rust::Latchkey::sign_in(url, "ann", "correct horse 9")
            .await
            .unwrap();
        assert_eq!(again.get("/studentapi/").await.unwrap(), list);
        let wrong = rust::Latchkey::sign_in(url, "ann", "wrong").await;
        assert_eq!(wrong.err().unwrap().status().unwrap(), 401);

        let pair = rust::Pair {
            access: scene.ended.clone(),
            refresh: Some(scene.refresh.clone()),
        };
        let me = std::sync::Arc::new(rust::Latchkey::from_pair(reqwest::Client::new(), url, pair));
        let calls = (0..8).map(|_| {
            let me = me.clone();
            async move { me.get("/studentapi/").await.unwrap() }
        });
        for answer in parallel(calls).await {
            assert_eq!(answer, list);
        }
        let body = json!({"name": "extra"});
        let made = me.call(reqwest::Method::POST, "/api/tokens/", Some(&body));
        let made: serde_json::Value = made.await.unwrap().json().await.unwrap();
        let key = made["key"].as_str().unwrap();
        rust::get_by_token(url, key, "/studentapi/").await.unwrap();
        me.revoke(key).await.unwrap();
        let refused = rust::get_by_token(url, key, "/studentapi/")
            .await
            .unwrap_err();
        assert_eq!(refused.status().unwrap(), 401);
        let pair = me.pair().await;
        std::sync::Arc::into_inner(me)
            .unwrap()
            .sign_out()
            .await
            .unwrap();
        scene.has_ended(&pair.access, &pair.refresh.unwrap());
    });
}

/// Each file, and the language of its block.
const SHOWN: [(&str, &str); 6] = [
    ("clients/curl.sh", "bash"),
    ("clients/python.py", "python"),
    ("clients/javascript.mjs", "javascript"),
    ("clients/rust.rs", "rust"),
    ("clients/django/latchkey_django.py", "python"),
    ("clients/django/latchkey_drf.py", "python"),
];

/// After the line `<!-- clients/curl.sh -->`, a fenced block.
#[test]
fn the_document_shows_the_files_themselves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/clients.md")).unwrap();
    for (path, language) in SHOWN {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        let block = format!("<!-- {path} -->\n```{language}\n{text}```\n");
        assert!(
            document.contains(&block),
            "docs/clients.md does not show {path} as it is; scripts/show-clients.py puts it there"
        );
    }
}
