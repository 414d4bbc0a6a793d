//! Tera: where the templates come from, and what they may call. Every template is registered by
//! its full name, `site/login.html`: Tera decides by the suffix whether to escape.

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    path::PathBuf,
};

use rocket::fairing::Fairing;
use rocket_dyn_templates::{
    Engines, Template,
    tera::{self, Tera, Value},
};

use crate::web::{assets, filters};

#[derive(rust_embed::Embed)]
#[folder = "templates/"]
struct Files;

/// Goes into Rocket's configuration as `template_dir`: the fairing insists on a path that exists,
/// and walks it. In debug builds it is the folder, so that a changed template is noticed; in
/// release one file that is sure to be there, since everything is in the binary.
pub fn template_dir() -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"));
    if cfg!(debug_assertions) && folder.is_dir() {
        return folder;
    }
    // Where there is no /proc, as in a bare chroot, it does not know where it is, but perhaps how it was called.
    let called = std::env::args_os().next().map(PathBuf::from);
    let mut files = std::env::current_exe().ok().into_iter().chain(called);
    files.find(|file| file.is_file()).unwrap_or(folder)
}

pub fn fairing() -> impl Fairing {
    Template::try_custom(|engines: &mut Engines| register(&mut engines.tera))
}

/// Fills an engine with the templates, filters and functions.
pub fn register(tera: &mut Tera) -> Result<(), Box<dyn Error>> {
    tera.autoescape_on(vec![".html"]);
    tera.set_escape_fn(escaped);
    filters::register(tera);
    tera.register_function("asset", asset);
    let mut sources = Vec::new();
    for name in Files::iter().filter(|name| name.ends_with(".html")) {
        if let Some(file) = Files::get(&name) {
            let source = String::from_utf8(file.data.into_owned())?;
            sources.push((name.into_owned(), without_indentation(&source)));
        }
    }
    tera.add_raw_templates(sources)?;
    Ok(())
}

/// Why a template failed, in one line: Rocket tells nobody, so it is tried once more. What a page with a secret failed on
/// may be the secret: of it only the outermost cause is told.
pub fn cause(name: &str, context: &Value, is_secret: bool) -> String {
    let mut tera = Tera::default();
    let rendered = register(&mut tera).and_then(|()| {
        let context = tera::Context::from_value(context.clone())?;
        Ok(tera.render(name, &context)?)
    });
    let Err(e) = rendered else {
        return "tried once more, it did not fail".to_owned();
    };
    let mut told = e.to_string();
    let mut next = e.source().filter(|_| !is_secret);
    while let Some(e) = next {
        told = format!("{told}: {e}");
        next = e.source();
    }
    told
}

/// As OWASP wants it for texts and for attributes in double quotes, which is all there is here. Tera would escape
/// slashes, too: half of what is in a list of links.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#x27;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Of the icons at the end of a page, those that it shows.
pub fn with_used_icons(page: String) -> String {
    const SYMBOL: &str = "<symbol id=\"i-";
    const END: &str = "</symbol>";
    let (Some(begin), Some(end)) = (page.find(SYMBOL), page.rfind(END)) else {
        return page;
    };
    let used: HashSet<&str> = page
        .split("href=\"#i-")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let (before, rest) = page.split_at(begin);
    let (symbols, after) = rest.split_at(end + END.len() - begin);
    let mut slim = String::with_capacity(page.len());
    slim.push_str(before);
    for symbol in symbols.split(SYMBOL).skip(1) {
        if symbol
            .split('"')
            .next()
            .is_some_and(|name| used.contains(name))
        {
            slim.push_str(SYMBOL);
            slim.push_str(symbol);
        }
    }
    slim.push_str(after);
    slim
}

/// Browsers do not need it, and it is a sixth of a long list.
fn without_indentation(source: &str) -> String {
    let lines = source.lines().map(str::trim_start);
    lines.collect::<Vec<_>>().join("\n")
}

/// `asset(name="app.css")`: the address of a static file.
fn asset(arguments: &HashMap<String, Value>) -> tera::Result<Value> {
    let name = arguments
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    assets::url(name)
        .map(Value::from)
        .ok_or_else(|| tera::Error::msg(format!("there is no static file {name:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses_and_is_escaped() {
        let mut tera = Tera::default();
        register(&mut tera).unwrap();
        let names: Vec<_> = tera.get_template_names().map(str::to_owned).collect();
        assert!(names.len() > 20);
        assert!(
            names
                .iter()
                .all(|name| name.rsplit('.').next() == Some("html")),
            "{names:?}"
        );
        let context = tera::Context::from_value(serde_json::json!({
            "title": "<script>", "status": 404, "heading": "<script>", "message": "<script>",
        }));
        let html = tera.render("errors/error.html", &context.unwrap()).unwrap();
        assert!(html.contains("&lt;script&gt;"));
        assert!(!html.contains("<script>"));
    }

    #[test]
    fn a_template_that_fails_tells_every_cause_unless_the_page_holds_a_secret() {
        let context = serde_json::json!({"title": "x", "status": "s3cret"});
        let told = cause("errors/error.html", &context, false);
        for part in ["errors/error.html", "not found in context"] {
            assert!(told.contains(part), "{told}");
        }
        assert!(!told.contains('\n') && !told.contains("s3cret"), "{told}");
        let hidden = cause("errors/error.html", &context, true);
        assert!(hidden.contains("errors/error.html"), "{hidden}");
        assert!(!hidden.contains("not found in context"), "{hidden}");
        assert!(cause("nowhere.html", &context, false).contains("nowhere.html"));
    }

    #[test]
    fn a_page_carries_the_icons_that_it_shows() {
        let page = "<use href=\"#i-b\"/><svg hidden>\n<symbol id=\"i-a\">1</symbol>\n\
                    <symbol id=\"i-b\">2</symbol>\n</svg></body>";
        assert_eq!(
            with_used_icons(page.to_owned()),
            "<use href=\"#i-b\"/><svg hidden>\n<symbol id=\"i-b\">2</symbol>\n</svg></body>"
        );
        assert_eq!(with_used_icons("<p>".to_owned()), "<p>");
    }

    #[test]
    fn what_would_end_a_text_or_an_attribute_does_not() {
        assert_eq!(
            escaped("<a href='/x?a=1&b=2'>\"é\"</a>"),
            "&lt;a href=&#x27;/x?a=1&amp;b=2&#x27;&gt;&quot;é&quot;&lt;/a&gt;"
        );
    }

    #[test]
    fn nothing_is_inline_and_nothing_is_marked_safe() {
        for name in Files::iter() {
            let text = String::from_utf8(Files::get(&name).unwrap().data.into_owned()).unwrap();
            for forbidden in [
                "| safe",
                "|safe",
                " style=",
                " onclick",
                " onsubmit",
                "<style",
                "javascript:",
            ] {
                assert!(!text.contains(forbidden), "{name} holds {forbidden:?}");
            }
        }
    }

    /// What a release build relies on: the folder is only looked at, the templates come from the
    /// binary, and they are escaped.
    #[rocket::async_test]
    async fn a_single_file_is_folder_enough() {
        let file = std::env::current_exe().unwrap();
        let figment = rocket::Config::figment().merge(("template_dir", file));
        let rocket = rocket::custom(figment).attach(fairing());
        let client = rocket::local::asynchronous::Client::untracked(rocket)
            .await
            .unwrap();
        let context = serde_json::json!({
            "title": "<script>", "status": 404, "heading": "<script>", "message": "<script>",
        });
        let html = Template::show(client.rocket(), "errors/error.html", context).unwrap();
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"));
    }
}
