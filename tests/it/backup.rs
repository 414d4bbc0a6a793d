//! `latchkey backup`: the copy is whole, private and can be served, whatever the server does meanwhile.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::json;

use crate::support::{PASSWORD, Program, SECRET};

fn program() -> Program {
    Program::new()
        .set("LATCHKEY_SECRET_KEY", SECRET)
        .set("LATCHKEY_SUPERUSER_USERNAME", "root")
        .set("LATCHKEY_SUPERUSER_PASSWORD", PASSWORD)
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_copy_made_beside_a_busy_server_holds_what_was_answered_before_and_can_be_served() {
    let program = program();
    program.succeeds(&["createsuperuser", "--noinput"]);
    let key = program.succeeds(&["create-token", "root"]);
    let credential = format!("Authorization: Token {}\r\n", key.trim());
    let server = program.serve();
    let student = |n: usize| json!({"name": format!("S{n}"), "roll": n, "city": "Pune"});
    server
        .post("/studentapi/", &credential, &student(0))
        .expect(201);
    let copied = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut n = 0;
            loop {
                n += 1;
                server
                    .post("/studentapi/", &credential, &student(n))
                    .expect(201);
                if copied.load(Ordering::SeqCst) {
                    return n;
                }
            }
        });
        let said = program.succeeds(&["backup", "copy.sqlite3"]);
        copied.store(true, Ordering::SeqCst);
        assert!(said.contains("passed the integrity check"), "{said}");
        writer.join().unwrap()
    });
    let all = server.get("/studentapi/", &credential).expect(200);
    let all = all["data"].as_array().unwrap().len();
    assert_eq!(all, written + 1, "the server went on");
    server.stop();
    let copy = program.folder().join("copy.sqlite3");
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let restored = self::program().set("LATCHKEY_DATABASE_URL", "sqlite:restored.sqlite3");
    std::fs::copy(&copy, restored.folder().join("restored.sqlite3")).unwrap();
    let server = restored.serve();
    let students = server.get("/studentapi/", &credential).expect(200);
    assert_eq!(students["data"][0]["name"], "S0");
    let body = json!({"username": "root", "password": PASSWORD});
    server.post("/api/token/", "", &body).expect(200);
}

#[test]
fn nothing_is_overwritten_and_nothing_left_lying_about() {
    let program = program();
    program.succeeds(&["migrate"]);
    let folder = program.folder().join("copies");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("taken"), "precious").unwrap();
    let said = program.fails(&["backup", "copies/taken"]);
    assert!(said.contains("exists; nothing was written"), "{said}");
    assert_eq!(
        std::fs::read_to_string(folder.join("taken")).unwrap(),
        "precious"
    );
    let nowhere = program.fails(&["backup", "no/such/folder/copy"]);
    assert!(nowhere.contains("no/such/folder"), "{nowhere}");
    program.succeeds(&["backup", "copies/it's a \"copy\".sqlite3"]);
    assert_eq!(files(&folder), 2, "only what was there, and the copy");
}

#[test]
fn where_there_is_no_database_none_is_made() {
    let program = program();
    let said = program.fails(&["backup", "copy"]);
    assert!(said.contains("there is no database"), "{said}");
    assert_eq!(files(program.folder()), 0);
}

#[test]
fn postgres_is_left_to_pg_dump() {
    let Some((name, url)) = crate::support::wait(crate::support::postgres::fresh()) else {
        return crate::support::without_postgres();
    };
    let said = program()
        .set("DATABASE_URL", &url)
        .fails(&["backup", "copy"]);
    assert!(said.contains("pg_dump"), "{said}");
    crate::support::wait(crate::support::postgres::gone(&name));
}
