//! Two servers, each a process of its own, on one PostgreSQL database: what ends on one is refused
//! by the other.
//!
//! What is promised: the change carries the news of it in its own transaction, and PostgreSQL hands
//! it to every listener as soon as that commits. The process that made the change refuses at once;
//! the other one a moment later, which no request of ours can wait for, so it is asked until it does.
//! In one process, with what a deaf node does: `check_path`.

use serde_json::json;

use crate::support::{
    Answer, PASSWORD, Program, SECRET, Server, claims_of, csrf, postgres, until, wait,
    without_postgres,
};

/// What somebody calls with, as a header line.
fn by_token(key: &str) -> String {
    format!("Authorization: Token {}\r\n", key.trim())
}

fn by_jwt(access: &str) -> String {
    format!("Authorization: Bearer {access}\r\n")
}

fn status(server: &Server, credential: &str) -> u16 {
    server.get("/studentapi/", credential).status
}

/// Asked twice, so that the second answer comes from memory.
#[track_caller]
fn warm(servers: [&Server; 2], credential: &str) {
    for server in servers {
        for _ in 0..2 {
            assert_eq!(status(server, credential), 200, "{credential}");
        }
    }
}

/// Access and refresh token.
fn sign_in(server: &Server, name: &str) -> (String, String) {
    let body = json!({"username": name, "password": PASSWORD});
    let pair = server.post("/api/token/", "", &body);
    (pair.string("access"), pair.string("refresh"))
}

/// Sends a form; `cookies` as a header line.
fn submit(server: &Server, path: &str, cookies: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAccept: text/html\r\n\
         {cookies}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    server.exchange(request.as_bytes())
}

/// As root does it in the panel.
fn disable(server: &Server, id: &str) {
    const FIELD: &str = "csrfmiddlewaretoken";
    let page = server.get("/admin/login/", "Accept: text/html\r\n");
    let token = csrf(&page.text);
    let fields = [(FIELD, token), ("username", "root"), ("password", PASSWORD)];
    let cookies = format!("Cookie: csrftoken={token}\r\n");
    let entered = submit(server, "/admin/login/", &cookies, &fields);
    let session = entered.set_cookie("sessionid").expect("signed in");
    let session = session.split(';').next().unwrap();
    let user = format!("/admin/users/{id}/");
    let page = server.get(
        &user,
        &format!("Accept: text/html\r\nCookie: {session}\r\n"),
    );
    let token = csrf(&page.text);
    let cookies = format!("Cookie: {session}; csrftoken={token}\r\n");
    let done = submit(
        server,
        &format!("{user}disable/"),
        &cookies,
        &[(FIELD, token)],
    );
    assert_eq!(done.redirect(), user);
}

#[test]
fn what_one_process_ends_the_other_refuses() {
    let Some((cluster, name)) = wait(async {
        let cluster = postgres::cluster().await?;
        Some((cluster, cluster.database(true).await))
    }) else {
        return without_postgres();
    };
    // Each has a folder of its own, as on two machines.
    let [program, other] = [(), ()].map(|()| {
        Program::new()
            .set("LATCHKEY_DATABASE_URL", &cluster.url(&name))
            .set("LATCHKEY_SECRET_KEY", SECRET)
            .set("LATCHKEY_SUPERUSER_USERNAME", "root")
            .set("LATCHKEY_SUPERUSER_PASSWORD", PASSWORD)
    });
    program.succeeds(&["createsuperuser", "--noinput"]);
    let (one, two) = (program.serve(), other.serve());
    let refused = |what: &str, credential: &str| {
        let is_refused = async || status(&two, credential) == 401;
        wait(until(&format!("{what} is refused there"), is_refused));
    };
    let root = by_token(&program.succeeds(&["create-token", "root"]));

    let made = one.post("/api/tokens/", &root, &json!({"name": "CI"}));
    let (named, id) = (by_token(&made.string("key")), &made.json()["id"]);
    warm([&one, &two], &named);
    let delete = format!(
        "DELETE /api/tokens/{id}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{root}\r\n"
    );
    assert_eq!(one.exchange(delete.as_bytes()).status, 204);
    assert_eq!(status(&one, &named), 401);
    refused("a revoked token", &named);

    let (access, refresh) = sign_in(&one, "root");
    let access = by_jwt(&access);
    warm([&one, &two], &access);
    let ended = one.post("/api/token/blacklist/", "", &json!({"refresh": refresh}));
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(status(&one, &access), 401);
    refused("the access token of a blacklisted sign-in", &access);
    warm([&one, &two], &root);

    let body = json!({"username": "ann", "password": PASSWORD, "confirm_password": PASSWORD});
    one.post("/registerapi/", &root, &body).expect(200);
    let token = by_token(&program.succeeds(&["create-token", "ann"]));
    let (access, _) = sign_in(&two, "ann");
    let id = claims_of(&access)["user_id"].clone();
    let jwt = by_jwt(&access);
    for credential in [&token, &jwt] {
        warm([&one, &two], credential);
    }
    disable(&one, id.as_str().unwrap_or(&id.to_string()));
    for credential in [&token, &jwt] {
        assert_eq!(status(&one, credential), 401);
        refused("what a disabled account has", credential);
    }
    warm([&one, &two], &root);

    one.stop();
    two.stop();
    wait(cluster.drop_database(&name));
}
