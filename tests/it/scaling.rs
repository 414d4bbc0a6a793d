//! Two nodes on one PostgreSQL behind nginx, with the configuration of docs/scaling.md: what one does the
//! other knows, and a node that dies or is restarted is noticed by nobody.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::json;

use crate::support::{
    Answer, PASSWORD, Program, Proxy, SECRET, Server, csrf, find_program, free_port, postgres,
    until, wait, without, without_postgres,
};

/// One of the two: where it runs and, while it does, the process.
struct Node {
    program: Program,
    port: u16,
    server: Option<Server>,
}

impl Node {
    fn start(&mut self) {
        self.server = Some(self.program.serve_on(self.port));
    }

    fn get(&self, path: &str, head: &str) -> Answer {
        self.server.as_ref().expect("it runs").get(path, head)
    }
}

/// With nginx and PostgreSQL, where both are installed.
fn scene(test: impl FnOnce(&mut [Node; 2], &Proxy, &str)) {
    let Some(nginx) = find_program("nginx") else {
        return without("nginx");
    };
    let Some((name, url)) = wait(postgres::fresh()) else {
        return without_postgres();
    };
    let mut nodes = [(), ()].map(|()| Node {
        program: Program::new()
            .set("LATCHKEY_DATABASE_URL", &url)
            .set("LATCHKEY_SECRET_KEY", SECRET)
            .set("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1")
            .set("LATCHKEY_THROTTLES_ENABLED", "false")
            .set("LATCHKEY_SUPERUSER_USERNAME", "root")
            .set("LATCHKEY_SUPERUSER_PASSWORD", PASSWORD),
        port: free_port(),
        server: None,
    });
    // Both at once, on an empty database: each waits for the other's migrations.
    thread::scope(|scope| {
        for node in &mut nodes {
            scope.spawn(|| node.start());
        }
    });
    nodes[0].program.succeeds(&["createsuperuser", "--noinput"]);
    let key = nodes[0].program.succeeds(&["create-token", "root"]);
    let root = format!("Authorization: Token {}\r\n", key.trim());
    let proxy = Proxy::nginx_for_two(&nginx, [nodes[0].port, nodes[1].port]);
    test(&mut nodes, &proxy, &root);
    for node in nodes {
        if let Some(server) = node.server {
            server.stop();
        }
    }
    wait(postgres::gone(&name));
}

/// Access and refresh token.
fn sign_in(proxy: &Proxy, username: &str) -> (String, String) {
    let body = json!({"username": username, "password": PASSWORD}).to_string();
    let pair = proxy.send("POST", "/api/token/", JSON, &body);
    (pair.string("access"), pair.string("refresh"))
}

const JSON: &str = "Content-Type: application/json\r\n";

fn bearer(access: &str) -> String {
    format!("Authorization: Bearer {access}\r\n")
}

/// Signs in with the form; the session's cookie as a header line.
fn browser(proxy: &Proxy) -> String {
    let page = proxy.get("/login/", "Accept: text/html\r\n");
    let token = csrf(&page.text).to_owned();
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("csrfmiddlewaretoken", token.as_str()),
            ("username", "root"),
            ("password", PASSWORD),
        ])
        .finish();
    let head = format!(
        "Accept: text/html\r\nOrigin: {}\r\nCookie: csrftoken={token}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n",
        proxy.origin()
    );
    let entered = proxy.send("POST", "/login/", &head, &body);
    let cookie = entered.set_cookie("sessionid").expect("signed in");
    format!(
        "Accept: text/html\r\nCookie: {}\r\n",
        cookie.split(';').next().unwrap()
    )
}

#[test]
fn what_is_done_through_one_node_counts_on_the_other() {
    scene(|nodes, proxy, root| {
        let (access, refresh) = sign_in(proxy, "root");
        let session = browser(proxy);
        for node in &*nodes {
            for _ in 0..2 {
                assert_eq!(node.get("/studentapi/", &bearer(&access)).status, 200);
                assert_eq!(node.get("/dashboard/", &session).status, 200);
            }
            let ready = node.get("/readyz", "").expect(200);
            assert_eq!(ready["other_nodes"], "heard", "{ready}");
        }
        for path in ["/metrics", "/readyz"] {
            assert_eq!(
                proxy.get(path, root).status,
                404,
                "{path} is not told outside"
            );
        }

        // Ended through one, it is refused through the other.
        let body = json!({"refresh": refresh});
        let one = nodes[0].server.as_ref().unwrap();
        one.post("/api/token/blacklist/", "", &body).expect(200);
        assert_eq!(one.get("/studentapi/", &bearer(&access)).status, 401);
        wait(until("the other one refuses it", async || {
            nodes[1].get("/studentapi/", &bearer(&access)).status == 401
        }));
        assert_eq!(proxy.get("/studentapi/", &bearer(&access)).status, 401);

        // Both took part, and nginx names the request as the node does.
        let answer = proxy.get("/studentapi/", root);
        let id = answer.header("X-Request-Id").unwrap().to_owned();
        assert_eq!(id.len(), 32, "nginx's own: {id}");
        let log = wait_for(proxy, &id);
        for node in &*nodes {
            assert!(log.contains(&format!("127.0.0.1:{}", node.port)), "{log}");
        }
    });
}

/// nginx's log, once this request is in it.
fn wait_for(proxy: &Proxy, id: &str) -> String {
    wait(until("nginx wrote it down", async || {
        proxy.file("access.log").contains(id)
    }));
    proxy.file("access.log")
}

/// What clients saw while nodes came and went.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    reads: AtomicUsize,
    /// Answers to what may be repeated that were not 200.
    errors: Mutex<Vec<String>>,
    /// Names by the status that their registration was answered with.
    names: Mutex<HashMap<String, u16>>,
}

impl Seen {
    fn read(&self, proxy: &Proxy, credential: &str) {
        while !self.stop.load(Ordering::SeqCst) {
            let answer = proxy.get("/studentapi/", credential);
            if answer.status != 200 {
                self.errors.lock().unwrap().push(format!("{answer:?}"));
            }
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn register(&self, proxy: &Proxy, root: &str) {
        for n in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let name = format!("user{n}");
            let body =
                json!({"username": name, "password": PASSWORD, "confirm_password": PASSWORD});
            let answer = proxy.send(
                "POST",
                "/registerapi/",
                &format!("{root}{JSON}"),
                &body.to_string(),
            );
            self.names.lock().unwrap().insert(name, answer.status);
        }
    }

    /// Until so many reads later.
    fn go_on(&self) {
        let goal = self.reads.load(Ordering::SeqCst) + 150;
        wait(until("requests go on", async || {
            self.reads.load(Ordering::SeqCst) >= goal
        }));
    }
}

/// Until nginx sends requests to this node, which it found gone a moment ago.
fn found_again(proxy: &Proxy, node: &Node) {
    let answered = || {
        let by = format!("\"127.0.0.1:{}\" \"200\"", node.port);
        proxy.file("access.log").matches(&by).count()
    };
    let before = answered();
    wait(until("nginx has found it again", async || {
        answered() > before
    }));
}

#[test]
fn a_node_that_is_killed_or_restarted_is_noticed_by_no_request_that_may_be_repeated() {
    scene(|nodes, proxy, root| {
        let seen = Seen::default();
        let (access, _) = sign_in(proxy, "root");
        thread::scope(|scope| {
            for credential in [root.to_owned(), bearer(&access), root.to_owned()] {
                let seen = &seen;
                scope.spawn(move || seen.read(proxy, &credential));
            }
            scope.spawn(|| seen.register(proxy, root));
            seen.go_on();
            nodes[0].server.take().unwrap().kill();
            seen.go_on();
            nodes[0].start();
            found_again(proxy, &nodes[0]);
            // An upgrade: one after the other, each told to stop and started again.
            for node in &mut *nodes {
                node.server.take().unwrap().stop();
                seen.go_on();
                node.start();
                found_again(proxy, node);
            }
            seen.stop.store(true, Ordering::SeqCst);
        });
        let errors = seen.errors.into_inner().unwrap();
        let reads = seen.reads.into_inner();
        assert!(
            errors.is_empty(),
            "{} of {reads}: {}",
            errors.len(),
            errors[0]
        );

        // What was acknowledged is there; what was cut off, nginx says so.
        let names = seen.names.into_inner().unwrap();
        let acknowledged: Vec<_> = names.iter().filter(|(_, status)| **status == 200).collect();
        assert!(acknowledged.len() > 10, "{names:?}");
        for (name, status) in &names {
            assert!(matches!(status, 200 | 502), "{name}: {status}");
        }
        for (name, _) in acknowledged {
            let body = json!({"username": name, "password": PASSWORD});
            let other = nodes[1].server.as_ref().unwrap();
            other.post("/api/token/", "", &body).expect(200);
        }
    });
}
