//! `latchkey tokens scan`: leaked keys in files, found without calling anything.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value;

use crate::support::Program;

fn key(program: &Program) -> String {
    let key = program.succeeds(&["tokens", "create", "root", "--name", "CI"]);
    key.trim().to_owned()
}

fn tree(program: &Program) -> std::path::PathBuf {
    let tree = program.folder().join("tree");
    fs::create_dir_all(tree.join(".git/objects")).unwrap();
    tree
}

/// Exit code, standard output, standard error.
fn scan(program: &Program, arguments: &[&str]) -> (i32, String, String) {
    let output = program.run(&[&["tokens", "scan"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).unwrap();
}

#[test]
fn keys_are_found_wherever_they_lie_and_never_printed_whole() {
    let program = Program::with_root();
    let ours = key(&program);
    let foreign = key(&Program::with_root());
    let tree = tree(&program);
    assert_eq!(scan(&program, &["tree"]), (0, String::new(), String::new()));
    write(&tree.join(".env"), format!("A=1\nTOKEN={ours}\n"));
    write(
        &tree.join(".git/config"),
        format!("url = https://x:{foreign}@example.org"),
    );
    write(
        &tree.join("binary"),
        [&[0, 255, 254][..], ours.as_bytes(), &[0]].concat(),
    );
    write(
        &tree.join("long"),
        ["x".repeat(3_000_000), ours.clone()].concat(),
    );
    write(&tree.join("slip"), format!("{}!", &ours[..42]));
    write(
        &tree.join("hashes"),
        "98d3c918cfc1b197584bd8ab4da3416fd4447b19",
    );
    let (code, out, err) = scan(&program, &["tree"]);
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    let start = &ours[..8];
    assert_eq!(
        lines,
        [
            format!("tree/.env:2:7: {start}… a key of this server"),
            format!(
                "tree/.git/config:1:17: {}… a key of another Latchkey server",
                &foreign[..8]
            ),
            format!("tree/binary:1:4: {start}… a key of this server"),
            format!("tree/long:1:3000001: {start}… a key of this server"),
        ]
    );
    assert_eq!(
        (code, err.as_str()),
        (1, "latchkey: 4 keys found, 3 of this server\n")
    );
    assert!(!out.contains(&ours) && !out.contains(&foreign));
}

#[test]
fn neither_server_nor_database_is_needed_and_none_is_made() {
    let program = Program::with_root();
    let ours = key(&program);
    let tree = tree(&program);
    write(&tree.join("leak"), &ours);
    let data = program.folder().join("data");
    let secret = fs::read_to_string(data.join("secret_key")).unwrap();
    fs::rename(&data, program.folder().join("elsewhere")).unwrap();
    let (code, out, err) = scan(&program, &["tree"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("a Latchkey key") && err.contains("no server secret is here"),
        "{out}{err}"
    );
    assert!(!data.exists(), "nothing was made");
    let told = program.set("LATCHKEY_SECRET_KEY", secret.trim());
    let (code, out, _) = scan(&told, &["tree"]);
    assert!(code == 1 && out.contains("a key of this server"), "{out}");
    let (code, _, err) = scan(&told, &["--lookup", "tree"]);
    assert!(code == 2 && err.contains("there is no database"), "{err}");
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn scripts_get_json_and_standard_input_will_do() {
    let program = Program::with_root();
    let ours = key(&program);
    let output = program.run_with(&["tokens", "scan", "--json", "-"], &format!("\n  {ours}"));
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!([{
        "path": "-", "line": 2, "column": 3, "prefix": ours[..8], "whose": "ours",
    }]);
    assert_eq!(found, expected);
    let output = program.run_with(&["tokens", "scan", "--json", "-"], "nothing");
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), &b"[]\n"[..])
    );
}

#[test]
fn the_database_says_whose_they_are_and_knows_default_keys() {
    let program = Program::with_root();
    let named = key(&program);
    let default = program.succeeds(&["create-token", "root"]);
    let tree = tree(&program);
    let text = format!("{named}\n{default}{}\n{named}", "0".repeat(40));
    write(&tree.join("leak"), text);
    let (code, out, _) = scan(&program, &["--lookup", "tree"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len()), (1, 3), "{out}");
    assert!(
        lines[0].ends_with("a key of this server: token 1 of root, “CI”, active"),
        "{out}"
    );
    assert!(lines[1].starts_with("tree/leak:2:1: ") && lines[1].ends_with("“default”, active"));
    let still = program.succeeds(&["tokens", "list"]);
    assert_eq!(still.lines().count(), 3, "looking changes nothing");

    let (code, out, _) = scan(&program, &["--lookup", "--revoke", "tree"]);
    assert_eq!(code, 1);
    assert_eq!(
        out.matches("revoked just now").count(),
        2,
        "each once: {out}"
    );
    assert_eq!(
        program.succeeds(&["tokens", "list"]).lines().count(),
        1,
        "none is left"
    );
    let (_, out, _) = scan(&program, &["--lookup", "tree"]);
    assert_eq!(out.matches(", revoked\n").count(), 3, "{out}");
    let (code, _, err) = scan(&program, &["--revoke", "tree"]);
    assert!(code == 2 && err.contains("--lookup"), "{err}");
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_scanned() {
    let program = Program::with_root();
    let ours = key(&program);
    let tree = tree(&program);
    write(&tree.join("leak"), &ours);
    std::os::unix::fs::symlink("leak", tree.join("link")).unwrap();
    let (code, out, err) = scan(&program, &["missing", "tree"]);
    assert_eq!(
        (code, out.lines().count()),
        (2, 1),
        "links are not followed: {out}"
    );
    assert!(err.contains("missing"), "{err}");
    let (code, out, _) = scan(&program, &["tree/link"]);
    assert_eq!((code, out.lines().count()), (1, 1), "one that is named is");
    let closed = tree.join("closed");
    write(&closed, &ours);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&closed).is_ok() {
        return; // Root reads everything.
    }
    let (code, _, err) = scan(&program, &["tree"]);
    assert!(code == 2 && err.contains("tree/closed"), "{err}");
}
