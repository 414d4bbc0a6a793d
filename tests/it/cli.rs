//! The commands, as the real binary in an empty folder with an environment of its own.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::{PASSWORD, Program, SECRET};

fn program() -> Program {
    Program::new()
        .set("LATCHKEY_SUPERUSER_USERNAME", "root")
        .set("LATCHKEY_SUPERUSER_PASSWORD", PASSWORD)
        .set("LATCHKEY_SUPERUSER_EMAIL", "root@example.org")
}

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_superuser_is_created_from_the_environment() {
    let program = program();
    let said = program.succeeds(&["createsuperuser", "--noinput"]);
    assert_eq!(said, "Superuser \"root\" created.\n");
    let again = program.fails(&["createsuperuser", "--noinput"]);
    assert!(
        again.contains("username: A user with that username already exists."),
        "{again}"
    );
    let server = program.serve();
    let body = json!({"username": "root", "password": PASSWORD});
    server.post("/api/token/", "", &body).expect(200);
}

#[test]
fn what_is_missing_or_weak_is_said() {
    let nothing = Program::new().fails(&["createsuperuser", "--noinput"]);
    assert!(
        nothing.contains("LATCHKEY_SUPERUSER_USERNAME is needed with --noinput"),
        "{nothing}"
    );
    let weak = program().set("LATCHKEY_SUPERUSER_PASSWORD", "12345");
    let said = weak.fails(&["createsuperuser", "--noinput"]);
    assert!(
        said.contains("password: This password is too short."),
        "{said}"
    );
    let asked = Program::new().fails(&["createsuperuser"]);
    assert!(asked.contains("use --noinput in scripts"), "{asked}");
}

#[test]
fn a_token_is_printed_alone_and_is_the_same_each_time() {
    let program = program();
    program.succeeds(&["createsuperuser", "--noinput"]);
    let first = program.succeeds(&["create-token", "root"]);
    let key = first.strip_suffix('\n').unwrap();
    assert!(
        key.len() == 40 && key.bytes().all(|b| b.is_ascii_hexdigit()),
        "{first:?}"
    );
    assert_eq!(program.succeeds(&["create-token", "root"]), first);
    let unknown = program.run(&["create-token", "nobody"]);
    assert!(!unknown.status.success() && unknown.stdout.is_empty());
    let text = String::from_utf8(unknown.stderr).unwrap();
    assert!(text.contains("there is no user \"nobody\""), "{text}");
    let server = program.serve();
    let credential = format!("Authorization: Token {key}\r\n");
    server.get("/studentapi/", &credential).expect(200);
}

#[test]
fn migrate_can_be_repeated() {
    let program = program();
    for _ in 0..2 {
        assert_eq!(
            program.succeeds(&["migrate"]),
            "The schema is up to date.\n"
        );
    }
}

#[test]
fn the_doctor_tells_good_from_bad_and_changes_nothing() {
    let program = program();
    let before = program.succeeds(&["doctor"]);
    assert!(before.contains("database: not made yet"), "{before}");
    assert!(!program.folder().join("data").exists());
    program.succeeds(&["migrate"]);
    let fresh = program.succeeds(&["doctor"]);
    assert!(
        fresh.contains("warn  accounts: there is no superuser yet"),
        "{fresh}"
    );
    program.succeeds(&["createsuperuser", "--noinput"]);
    let good = program.succeeds(&["doctor"]);
    assert!(
        good.contains("ok    accounts: there is a superuser"),
        "{good}"
    );
    assert!(!good.contains("FAIL"), "{good}");
    let misspelt = program.set("LATCHKEY_THROTLES_ENABLED", "false");
    let said = misspelt.succeeds(&["doctor"]);
    assert!(
        said.contains("LATCHKEY_THROTLES_ENABLED is not a setting"),
        "{said}"
    );
    let secret = misspelt.folder().join("data/secret_key");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = misspelt.run(&["doctor"]);
    assert!(!output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("can be read by others: chmod 600 it"),
        "{text}"
    );
}

#[test]
fn postgres_without_a_secret_is_refused() {
    let program = program().set("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    for command in [["migrate"], ["serve"]] {
        let said = program.fails(&command);
        assert!(
            said.contains("LATCHKEY_SECRET_KEY: is needed with PostgreSQL"),
            "{said}"
        );
    }
}

#[test]
fn another_secret_is_refused_before_anything_is_served() {
    let program = program().set("LATCHKEY_SECRET_KEY", SECRET);
    program.succeeds(&["migrate"]);
    let other = program.set(
        "LATCHKEY_SECRET_KEY",
        "another secret, also of sufficient length",
    );
    for command in [&["migrate"][..], &["serve"], &["create-token", "root"]] {
        let said = other.fails(command);
        assert!(
            said.contains("this database was made with another server secret"),
            "{said}"
        );
    }
}

#[test]
fn what_is_made_at_the_first_start_is_private() {
    let program = program();
    program.succeeds(&["migrate"]);
    let data = program.folder().join("data");
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("secret_key")), 0o600);
    assert_eq!(mode(&data.join("latchkey.sqlite3")), 0o600);
    let secret = std::fs::read_to_string(data.join("secret_key")).unwrap();
    assert!(secret.trim().len() >= 32);
    program.succeeds(&["migrate"]);
    assert_eq!(
        std::fs::read_to_string(data.join("secret_key")).unwrap(),
        secret,
        "kept"
    );
}

#[test]
fn settings_that_make_no_sense_are_named() {
    for (name, value) in [
        ("LATCHKEY_THROTTLES_ENABLED", "perhaps"),
        ("LATCHKEY_SECRET_KEY", "short"),
        ("LATCHKEY_HASH_MEMORY_KIB", "1"),
        ("LATCHKEY_TRUSTED_PROXIES", "proxy.example.org"),
        ("LATCHKEY_DATABASE_URL", "mysql://root@localhost/x"),
        ("LATCHKEY_JWT_REFRESH_LIFETIME", "1"),
        ("LATCHKEY_SETUP_CODE", "abc"),
    ] {
        let said = program().set(name, value).fails(&["migrate"]);
        assert!(said.contains(&format!("{name}: ")), "{name}: {said}");
    }
}

#[test]
fn an_empty_folder_is_served_and_says_where_to_begin() {
    let program = Program::new();
    let server = program.serve();
    assert_eq!(server.get("/healthz", "").status, 200);
    assert_eq!(server.get("/readyz", "").status, 200);
    let missing = server.get("/studentapi/", "");
    missing.is_detail(401, "Authentication credentials were not provided.");
    // What is no UTF-8 cannot be a key; it must not break anything either.
    let odd = b"GET /studentapi/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                Authorization: Token \xff\xfe\r\n\r\n";
    assert_eq!(server.exchange(odd).status, 401);
}

#[test]
fn under_a_foreign_name_the_set_up_form_asks_for_the_code() {
    let program = Program::new().set("ROCKET_PROFILE", "debug");
    let server = program.serve();
    for (host, asks) in [
        ("localhost:8000", false),
        ("127.0.0.1:8000", false),
        ("[::1]:8000", false),
        ("evil.example:8000", true),
        ("localhost.evil.example", true),
    ] {
        let request = format!(
            "GET /setup/ HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\
             Connection: close\r\n\r\n"
        );
        let page = server.exchange(request.as_bytes());
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(page.text.contains("name=\"code\""), asks, "{host}");
    }
}

#[test]
fn signing_keys_are_listed_rotated_and_revoked_from_the_command_line() {
    let program = program();
    program.succeeds(&["createsuperuser", "--noinput"]);
    let server = program.serve();
    let body = json!({"username": "root", "password": PASSWORD});
    let access = server.post("/api/token/", "", &body).string("access");
    let bearer = format!("Authorization: Bearer {access}\r\n");
    server.get("/studentapi/", &bearer).expect(200);
    let listed: serde_json::Value =
        serde_json::from_str(&program.succeeds(&["keys", "list", "--json"])).unwrap();
    let first = listed[0]["key"].as_str().unwrap().to_owned();
    assert_eq!(
        (&listed[0]["state"], &listed[1]["state"]),
        (&json!("current"), &json!("next"))
    );
    // Refused while the next key is younger than two seconds.
    crate::support::wait(crate::support::until("the keys rotate", async || {
        let rotated = program.run(&["keys", "rotate"]);
        String::from_utf8(rotated.stdout).unwrap().trim_end() == listed[1]["key"]
    }));
    assert!(
        program
            .succeeds(&["keys", "list"])
            .contains("ACCEPTED UNTIL")
    );
    server.get("/studentapi/", &bearer).expect(200);
    let unknown = program.fails(&["keys", "revoke", "nosuch"]);
    assert!(unknown.contains("there is no key \"nosuch\""), "{unknown}");
    // The one that was called up steps in at once.
    program.succeeds(&["keys", "revoke", &first]);
    crate::support::wait(crate::support::until(
        "the server hears of it",
        async || server.get("/studentapi/", &bearer).status == 401,
    ));
}

#[test]
fn settings_are_listed_set_and_reset() {
    let program = program().set("LATCHKEY_LOGIN_TRIES", "5");
    program.succeeds(&["migrate"]);
    let said = program.succeeds(&["settings", "set", "jwt_access_lifetime", "300"]);
    assert_eq!(said, "jwt_access_lifetime: 1 hour -> 5 minutes\n");
    let listed = program.succeeds(&["settings", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let find = |name: &str| {
        let mut lines = listed.as_array().unwrap().iter();
        lines.find(|line| line["name"] == name).unwrap().clone()
    };
    let access = json!({"name": "jwt_access_lifetime", "value": "300", "default": "3600", "from": "database"});
    assert_eq!(find("jwt_access_lifetime"), access);
    assert_eq!(find("login_tries")["from"], "LATCHKEY_LOGIN_TRIES");
    assert_eq!(find("contact")["from"], "default");
    for (arguments, words) in [
        (
            vec!["set", "login_tries", "7"],
            "LATCHKEY_LOGIN_TRIES fixes it",
        ),
        (
            vec!["set", "login_pause", "1"],
            "login_pause: 1 is not between 60 and 86400",
        ),
        (
            vec!["set", "hash_iterations", "3"],
            "hash_iterations is read at the start",
        ),
        (
            vec!["set", "colour", "green"],
            "there is no setting \"colour\"",
        ),
        (vec!["reset"], "required"),
    ] {
        let said = program.fails(&[vec!["settings"], arguments].concat());
        assert!(said.contains(words), "{said}");
    }
    let said = program.succeeds(&["settings", "reset", "--all"]);
    assert_eq!(said, "jwt_access_lifetime: 5 minutes -> 1 hour\n");
    let table = program.succeeds(&["settings", "list"]);
    assert!(
        table.contains("jwt_access_lifetime") && !table.contains("database"),
        "{table}"
    );
}

#[test]
fn groups_are_made_filled_and_deleted_from_the_command_line() {
    let program = Program::with_root();
    let made = [
        "groups",
        "create",
        "Support",
        "--may",
        "view_users",
        "--may",
        "view_audit",
    ];
    assert_eq!(program.succeeds(&made), "Support\n");
    let twice = program.fails(&["groups", "create", "support"]);
    assert!(twice.contains("already exists"), "{twice}");
    let unknown = program.fails(&["groups", "create", "Other", "--may", "fly"]);
    assert!(unknown.contains("change_students"), "{unknown}");
    program.succeeds(&["groups", "add", "Support", "root"]);
    let listed: serde_json::Value =
        serde_json::from_str(&program.succeeds(&["groups", "list", "--json"])).unwrap();
    let expected =
        json!([{"group": "Support", "members": 1, "permissions": ["view_users", "view_audit"]}]);
    assert_eq!(listed, expected);
    program.succeeds(&["groups", "remove", "Support", "root"]);
    assert!(
        program
            .fails(&["groups", "add", "Support", "nobody"])
            .contains("no user \"nobody\"")
    );
    assert!(
        program
            .fails(&["groups", "delete", "Nothing"])
            .contains("no group \"Nothing\"")
    );
    program.succeeds(&["groups", "delete", "support"]);
    assert_eq!(
        program.succeeds(&["groups", "list"]),
        "GROUP  MEMBERS  PERMISSIONS\n"
    );
}
