//! `latchkey tokens`: the operator's way to everybody's tokens, also beside a running server.

use serde_json::Value;

use crate::support::Program;

/// Standard output and standard error of a command that must succeed.
#[track_caller]
fn said(program: &Program, arguments: &[&str]) -> (String, String) {
    let output = program.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[track_caller]
fn json(program: &Program, arguments: &[&str]) -> Value {
    serde_json::from_str(&program.succeeds(arguments)).unwrap()
}

#[test]
fn a_token_lives_its_whole_life_at_the_command_line_beside_a_server() {
    let program = Program::with_root();
    let server = program.serve();
    let status = |key: &str| {
        let credential = format!("Authorization: Token {}\r\n", key.trim());
        server.get("/studentapi/", &credential).status
    };
    let becomes = |key: &str, expected: u16| {
        crate::support::wait(crate::support::until("the server notices", async || {
            status(key) == expected
        }));
    };
    let create = [
        "tokens",
        "create",
        "root",
        "--name",
        "CI",
        "--expires-in",
        "90d",
    ];
    let (key, words) = said(
        &program,
        &[&create[..], &["--scopes", "students:read"]].concat(),
    );
    assert!(
        key.starts_with("lk_") && key.trim_end().len() == 43,
        "{key:?}"
    );
    assert!(
        words.contains("this is token 1") && !words.contains("never expires"),
        "{words}"
    );
    becomes(&key, 200);

    let (shown, _) = said(&program, &["tokens", "show", "1"]);
    for fact in [
        "owner        root",
        "state        active",
        "by command line",
        &key[..8],
    ] {
        assert!(shown.contains(fact), "{fact}: {shown}");
    }
    assert!(!shown.contains(key.trim()));
    said(&program, &["tokens", "rename", "1", "build job"]);
    assert_eq!(
        json(&program, &["tokens", "show", "1", "--json"])["name"],
        "build job"
    );

    let (next, words) = said(&program, &["tokens", "rotate", "1", "--grace", "1h"]);
    assert!(
        words.contains("the old key of token 1 works for 1 hour more"),
        "{words}"
    );
    becomes(&next, 200);
    assert_eq!(status(&key), 200);
    let (last, words) = said(&program, &["tokens", "rotate", "2"]);
    assert!(
        words.contains("the old key of token 2 has stopped"),
        "{words}"
    );
    becomes(&next, 401);
    said(&program, &["tokens", "revoke", "3"]);
    becomes(&last, 401);
    let again = program.fails(&["tokens", "revoke", "3"]);
    assert_eq!(again, "latchkey: This token is revoked already.\n");
}

#[test]
fn tokens_are_listed_for_people_and_for_scripts() {
    let program = Program::with_root();
    let made = json(
        &program,
        &["tokens", "create", "root", "--name", "a", "--json"],
    );
    assert!(made["key"].as_str().unwrap().starts_with("lk_"));
    program.succeeds(&["create-token", "root"]);
    program.succeeds(&["tokens", "create", "root", "--name", "gone"]);
    program.succeeds(&["tokens", "revoke", "3"]);
    let table = program.succeeds(&["tokens", "list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(
        lines[0].starts_with("ID  OWNER  NAME     STATE   STARTS WITH"),
        "{table}"
    );
    assert!(
        lines[1].starts_with("2   root   default  active"),
        "{table}"
    );
    let all = json(&program, &["tokens", "list", "--all", "--json"]);
    let states: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["state"])
        .collect();
    assert_eq!(states, ["revoked", "active", "active"]);
    assert!(all[0].get("key").is_none());
    let of_root = json(&program, &["tokens", "list", "--user", "root", "--json"]);
    assert_eq!(of_root.as_array().unwrap().len(), 2);
    let none = Program::new();
    assert_eq!(none.succeeds(&["tokens", "list", "--json"]), "[]\n");
}

#[test]
fn a_list_of_several_pages_is_whole() {
    let program = Program::with_root();
    // The first of them makes the database; 101 make a second page.
    for n in 0..101 {
        program.succeeds(&["tokens", "create", "root", "--name", &format!("n{n}")]);
    }
    let all = json(&program, &["tokens", "list", "--json"]);
    let mut ids: Vec<i64> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["id"].as_i64().unwrap())
        .collect();
    ids.reverse();
    assert_eq!(ids, (1..=101).collect::<Vec<_>>());
}

#[test]
fn a_token_without_an_end_is_warned_of() {
    let program = Program::with_root();
    let (key, words) = said(&program, &["tokens", "create", "root", "--name", "a"]);
    assert_eq!(key.lines().count(), 1, "the key alone");
    assert!(words.contains("it never expires"), "{words}");
    let limited = program.set("LATCHKEY_TOKEN_LONGEST_LIFE", "86400");
    let (_, words) = said(&limited, &["tokens", "create", "root", "--name", "b"]);
    assert!(!words.contains("never expires"), "{words}");
    let long = [
        "tokens",
        "create",
        "root",
        "--name",
        "c",
        "--expires-in",
        "2d",
    ];
    let refused = limited.fails(&long);
    assert!(
        refused.contains("expires: A token of this server may live for at most 1 day."),
        "{refused}"
    );
}

#[test]
fn what_is_wrong_is_named() {
    let program = Program::with_root();
    for (arguments, expected) in [
        (
            &["create", "nobody", "--name", "x"][..],
            "there is no user \"nobody\"",
        ),
        (
            &["create", "root", "--name", " "],
            "name: This field may not be blank.",
        ),
        (
            &["create", "root", "--name", "x", "--scopes", "students:eat"],
            "there is no scope \"students:eat\"",
        ),
        (
            &["create", "root", "--name", "x", "--expires-in", "soon"],
            "write it as 90d",
        ),
        (&["list", "--user", "nobody"], "there is no user \"nobody\""),
        (&["show", "7"], "there is no token 7"),
        (&["rename", "7", "x"], "there is no token 7"),
        (&["rotate", "7"], "there is no token 7"),
        (&["rotate", "7", "--grace", "8d"], "a week is the most"),
        (&["revoke", "7"], "there is no token 7"),
    ] {
        let arguments = [&["tokens"], arguments].concat();
        let output = program.run(&arguments);
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{arguments:?}: {output:?}"
        );
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}

#[test]
fn a_token_gets_another_end_at_the_command_line() {
    let program = Program::with_root();
    said(&program, &["tokens", "create", "root", "--name", "CI"]);
    let (_, words) = said(&program, &["tokens", "extend", "1", "--expires-in", "2w"]);
    assert!(words.contains("token 1 ends at 20"), "{words}");
    let shown = json(&program, &["tokens", "show", "1", "--json"]);
    assert!(shown["expires"].is_string(), "{shown}");
    let (_, words) = said(&program, &["tokens", "extend", "1", "--never"]);
    assert!(words.contains("token 1 never ends"), "{words}");
    for (arguments, why) in [
        (&["1"][..], "--expires-in"),
        (
            &["1", "--never", "--expires-in", "1d"],
            "cannot be used with",
        ),
        (&["7", "--never"], "there is no token 7"),
    ] {
        let output = program.run(&[&["tokens", "extend"], arguments].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(why), "{said}");
    }
    said(&program, &["tokens", "revoke", "1"]);
    let output = program.run(&["tokens", "extend", "1", "--never"]);
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("Only an active token")
    );
}
