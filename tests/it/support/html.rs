//! What tests look for in pages. Meaning, not markup.

use super::{Answer, Caller};

/// The text between two others.
#[track_caller]
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start:?} in {text}"));
    rest.1.split_once(end).expect("an end").0
}

/// The CSRF token of the first form on a page.
#[track_caller]
pub fn csrf(html: &str) -> &str {
    between(html, "name=\"csrfmiddlewaretoken\" value=\"", "\"")
}

/// Whatever the Content-Security-Policy would not run or load.
#[track_caller]
pub fn nothing_inline(answer: &Answer) {
    let html = answer.text.replace("&#x2F;", "/");
    for forbidden in [
        "<style",
        " style=",
        " onclick=",
        " onload=",
        " onsubmit=",
        " onerror=",
        "javascript:",
        "src=\"http",
        "src=\"//",
        "<iframe",
        "<base",
    ] {
        assert!(!html.contains(forbidden), "{forbidden} in {html}");
    }
    for (at, _) in html.match_indices("<script") {
        let tag = html[at..].split('>').next().unwrap();
        assert!(tag.contains(" src=\"/static/"), "{tag}");
        assert!(
            html[at + tag.len()..].starts_with("></script>"),
            "{tag} has a body"
        );
    }
    let policy = answer.header("Content-Security-Policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
}

impl Caller {
    /// Opens a page and sends a form of it, as a browser does.
    pub async fn submit(&self, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page).await;
        assert_eq!(shown.status, 200, "{page}: {shown:?}");
        let mut all = vec![("csrfmiddlewaretoken", csrf(&shown.text))];
        all.extend(fields);
        self.post_form(to, &all).await
    }
}

impl Answer {
    /// Where a 303 sends the browser.
    #[track_caller]
    pub fn redirect(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("Location").expect("a 303 says where to")
    }
}
