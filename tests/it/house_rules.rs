//! The rules of the house that a machine can check, over the sources themselves.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files under a folder with this ending, with their text.
fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// Code without its comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[track_caller]
fn nowhere(folder: &str, words: &[&str]) {
    let sources = files(folder, ".rs");
    assert!(!sources.is_empty(), "{folder} is empty");
    for (path, text) in sources {
        for line in code(&text) {
            for word in words {
                assert!(!line.contains(word), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn the_domain_knows_neither_web_nor_pages() {
    let foreign = ["rocket", "tera::", "crate::web", "std::env", "crate::cli"];
    nowhere("src/domain", &foreign);
    nowhere("src/entity", &foreign);
}

#[test]
fn the_web_does_not_know_the_database() {
    nowhere(
        "src/web",
        &["sea_orm", "sqlx", "entity::", "argon2", "jsonwebtoken"],
    );
}

#[test]
fn entities_hold_no_rules_and_migrations_no_entities() {
    nowhere("src/entity", &["crate::domain", "crate::app"]);
    nowhere("migration/src", &["latchkey", "entity::"]);
}

#[test]
fn errors_know_no_http_library() {
    let text = std::fs::read_to_string(root().join("src/error.rs")).unwrap();
    assert!(code(&text).all(|line| !line.contains("rocket")));
}

#[test]
fn handlers_of_pages_take_no_bare_form() {
    for folder in ["src/web/admin", "src/web/site"] {
        nowhere(folder, &["Form<", "rocket::form"]);
    }
}

#[test]
fn templates_escape_everything() {
    let templates = files("templates", "");
    assert!(templates.len() > 20);
    for (path, text) in templates {
        let path = path.display();
        assert!(
            path.to_string().rsplit('.').next() == Some("html"),
            "{path}: only .html is escaped"
        );
        let squeezed: String = text.split_whitespace().collect();
        assert!(!squeezed.contains("|safe"), "{path}");
        assert!(!squeezed.contains("autoescape"), "{path}");
        for inline in [
            "<style",
            "style=",
            "onclick",
            "onsubmit",
            "onload",
            "javascript:",
        ] {
            assert!(!text.contains(inline), "{path}: {inline}");
        }
        for (at, _) in text.match_indices("<script") {
            assert!(
                text[at..].starts_with("<script src="),
                "{path}: an inline script"
            );
        }
        for elsewhere in ["src=\"http", "href=\"http", "src=\"//", "href=\"//"] {
            assert!(!text.contains(elsewhere), "{path}: {elsewhere}");
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_and_stays_short() {
    for folder in ["src", "migration/src", "tests"] {
        for (path, text) in files(folder, ".rs") {
            let path = path.display();
            assert!(text.starts_with("//!"), "{path} does not say what it is");
            let tests = folder == "tests" || path.to_string().ends_with("_tests.rs");
            let most = if tests { 600 } else { 400 };
            let lines = text.lines().count();
            assert!(lines <= most, "{path} has {lines} lines");
        }
    }
}

#[test]
fn every_setting_is_described() {
    let described: String = ["README.md", "docs/settings.md"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(root().join(path)).ok())
        .collect();
    assert!(!described.is_empty());
    for setting in latchkey::config::SETTINGS {
        let variable = format!("LATCHKEY_{}", setting.to_uppercase());
        assert!(
            described.contains(&variable) || described.contains(&format!("`{setting}`")),
            "{setting} is not described"
        );
    }
}

#[test]
fn what_is_said_of_settings_that_run_is_what_the_code_says() {
    use latchkey::domain::settings::{Kind, TABLE};

    let text = std::fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let (_, running) = text.split_once("## While the server runs").unwrap();
    let (running, start) = running.split_once("## Read at the start").unwrap();
    let rows = |text: &str| text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows(running), TABLE.len());
    for name in latchkey::config::SETTINGS {
        assert!(start.contains(&format!("`{name}`")), "{name} is not there");
    }
    for setting in TABLE {
        let name = format!("| `{}` |", setting.name);
        let row = running.lines().find(|line| line.starts_with(&name));
        let cell = |text: String| {
            if text.is_empty() {
                "  ".to_owned()
            } else {
                format!(" `{text}` ")
            }
        };
        let (least, most) = match setting.kind {
            Kind::Number { least, most, .. } => (least.to_string(), most.to_string()),
            Kind::Flag | Kind::Text { .. } => Default::default(),
        };
        let cells = [least, most, setting.default().to_string()].map(cell);
        let end = format!("|{}|", cells.join("|"));
        let row = row.unwrap_or_else(|| panic!("{name} is not described"));
        assert!(row.ends_with(&end), "{row} should end with {end}");
    }
}

#[test]
fn silence_is_kept_with_a_reason() {
    for (path, text) in files("src", ".rs") {
        for line in code(&text) {
            assert!(!line.contains("#[allow("), "{}: {line}", path.display());
        }
    }
}
