//! `latchkey export` and `import`: what is read is what was written, or nothing is.

use std::os::unix::fs::PermissionsExt;

use latchkey::{
    domain::{actor::Actor, transfer},
    error::{Error, Result},
};
use serde_json::json;

use crate::support::{Backend, PASSWORD, Program, SECRET, TestApp};

/// Accounts, keys, a family, a session and a student; returns a default key.
async fn fill(app: &TestApp) -> String {
    let root = app.superuser("root").await;
    app.browser(&root).await;
    app.pair(&root).await;
    let key = app.default_token(&root).await;
    let student = json!({"name": "Zoë \"Z\"\n\u{1F511}", "roll": i32::MIN, "city": "Pune"});
    let root = app.anonymous().token(&key);
    root.post_json("/studentapi/", student).await.expect(201);
    key
}

async fn exported(app: &TestApp) -> (String, transfer::Report) {
    let mut file = Vec::new();
    let report = transfer::export(&app.app, &mut file).await.unwrap();
    (String::from_utf8(file).unwrap(), report)
}

async fn import(app: &TestApp, text: &str) -> Result<transfer::Report> {
    transfer::import(&app.app, &Actor::operator(), text.as_bytes()).await
}

#[track_caller]
fn refused(outcome: Result<transfer::Report>, why: &str) {
    let Err(Error::Conflict(text)) = &outcome else {
        panic!("{outcome:?}");
    };
    assert!(text.contains(why), "{text}");
}

both! {
    async fn what_was_exported_is_imported_and_opens_the_same(app: &TestApp) {
        let key = fill(app).await;
        let (text, report) = exported(app).await;
        assert!(!text.contains(&key) && !text.contains(PASSWORD) && !text.contains(SECRET));
        let other = TestApp::with(Backend::Sqlite, &[]).await;
        assert_eq!(import(&other, &text).await.unwrap(), report);
        let root = other.anonymous().token(&key);
        let students = root.get("/studentapi/").await.expect(200);
        assert_eq!(students["data"][0]["roll"], i32::MIN);
        assert_eq!(students["data"][0]["name"], "Zoë \"Z\"\n\u{1F511}");
        let body = json!({"username": "root", "password": PASSWORD});
        let answer = root.post_json("/get-token/", body).await.expect(200);
        assert_eq!(answer["data"]["Token"], key.as_str());
        let events = other.audited().await;
        assert!(events.contains(&"database.imported".to_owned()));
        refused(import(&other, &text).await, "not empty");
        other.close().await;
    }

    async fn a_file_that_was_damaged_is_refused_and_nothing_of_it_stays(app: &TestApp) {
        let source = TestApp::with(Backend::Sqlite, &[]).await;
        fill(&source).await;
        let (text, _) = exported(&source).await;
        source.close().await;
        refused(import(app, "").await, "line 1 is missing");
        refused(import(app, &text[..text.len() / 2]).await, "nothing was imported");
        let last = text.trim_end().rfind('\n').unwrap();
        refused(import(app, &text[..=last]).await, "is missing");
        let other = text.replace("Pune", "Puna");
        refused(import(app, &other).await, "students: 1 rows arrived of 1");
        let other = text.replacen("\"columns\":[", "\"columns\":[\"new\",", 1);
        refused(import(app, &other).await, "columns of this version");
        let other = text.replacen("\"latchkey_export\":1", "\"latchkey_export\":2", 1);
        refused(import(app, &other).await, "does not know");
        let other = text.replacen("\"secret\":\"", "\"secret\":\"0", 1);
        refused(import(app, &other).await, "another server secret");
        import(app, &text).await.unwrap();
    }
}

#[test]
fn the_file_is_private_and_overwrites_nothing() {
    let program = Program::new();
    program.succeeds(&["migrate"]);
    let said = program.succeeds(&["export", "all.jsonl"]);
    assert!(said.contains("users"), "{said}");
    let file = program.folder().join("all.jsonl");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = program.fails(&["export", "all.jsonl"]);
    assert!(again.contains("exists; nothing was written"), "{again}");
    let missing = program.fails(&["import", "nothing.jsonl"]);
    assert!(missing.contains("nothing.jsonl"), "{missing}");
    let stranger = Program::new();
    let foreign = stranger.fails(&["import", &file.display().to_string()]);
    assert!(foreign.contains("another server secret"), "{foreign}");
}
