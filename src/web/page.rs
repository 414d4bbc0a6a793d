//! Pages: a struct with the name of its template, and the `Chrome` around it (who is signed in,
//! CSRF token, message, theme). Templates read `chrome.*`, `title` and `view.*`, nothing else.

use rocket::{
    Request, Response,
    http::{Header, Status},
    response::{self, Responder, content::RawHtml},
};
use rocket_dyn_templates::Template;
use serde::Serialize;
use serde_json::Value;

use crate::web::{
    chrome::Chrome, compression, flash::Flash, form::FormState, guards::client, templates,
};

/// One page. Its template's full name and its title live on it.
pub trait View: Serialize {
    const TEMPLATE: &'static str;
    /// Which entry of the admin's side menu it belongs to; empty outside the panel.
    const NAV: &'static str = "";
    /// It shows something that opens a door, and is never compressed.
    const SECRET: bool = false;

    fn title(&self) -> String;

    /// For a page that several parts of the panel share.
    fn nav(&self) -> &'static str {
        Self::NAV
    }

    /// The way from the dashboard to this page, without either end.
    fn trail(&self) -> Vec<Crumb> {
        Vec::new()
    }

    /// The form on it: with errors, the title says so and the answer is 400.
    fn form(&self) -> Option<&FormState> {
        None
    }

    /// For a page whose form is of another kind.
    fn is_refused(&self) -> bool {
        self.form().is_some_and(FormState::has_errors)
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Crumb {
    label: String,
    /// Empty: this page.
    href: String,
}

impl Crumb {
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            href: href.into(),
        }
    }
}

/// A view on its way out.
#[derive(Clone, Debug)]
pub struct Page {
    template: &'static str,
    nav: &'static str,
    title: String,
    trail: Vec<Crumb>,
    view: Value,
    status: Status,
    retry_after: Option<u64>,
    /// Its own address is a secret.
    is_unnamed: bool,
    secret: bool,
}

impl Page {
    pub fn of<V: View>(view: &V) -> Self {
        let refused = view.is_refused();
        let title = view.title();
        Self {
            template: V::TEMPLATE,
            nav: view.nav(),
            title: if refused {
                format!("Error: {title}")
            } else {
                title.clone()
            },
            trail: trail(view.nav(), view.trail(), title),
            // A view that cannot be serialised renders as an error.
            view: serde_json::to_value(view).unwrap_or_else(|e| {
                tracing::error!(template = V::TEMPLATE, error = %e, "a view is no JSON");
                Value::Null
            }),
            status: if refused {
                Status::BadRequest
            } else {
                Status::Ok
            },
            retry_after: None,
            is_unnamed: false,
            secret: V::SECRET,
        }
    }

    #[must_use]
    pub fn status(self, status: Status) -> Self {
        Self { status, ..self }
    }

    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// For a page whose address must not be told to anybody, not even to our own files.
    #[must_use]
    pub fn no_referrer(self) -> Self {
        Self {
            is_unnamed: true,
            ..self
        }
    }

    /// The same among the pages of one's own account.
    #[must_use]
    pub fn in_account(self, template: &'static str) -> Self {
        Self {
            template,
            nav: "",
            ..self
        }
    }

    pub fn template(&self) -> &'static str {
        self.template
    }

    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Everything that the template reads.
    pub fn context(self, chrome: Chrome) -> Value {
        let chrome = chrome.on(self.nav, self.trail);
        serde_json::json!({ "chrome": chrome, "title": self.title, "view": self.view })
    }
}

fn trail(nav: &str, between: Vec<Crumb>, title: String) -> Vec<Crumb> {
    let mut trail = Vec::with_capacity(between.len() + 2);
    if nav != "dashboard" {
        trail.push(Crumb::new("Dashboard", "/admin/"));
    }
    trail.extend(between);
    trail.push(Crumb::new(title, ""));
    trail
}

impl<'r> Responder<'r, 'static> for Page {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        let (template, status, retry_after) = (self.template, self.status, self.retry_after);
        let is_unnamed = self.is_unnamed;
        let is_secret = self.secret;
        if is_secret {
            compression::never(req);
        }
        let context = self.context(Chrome::of(req));
        let Some(html) = Template::show(req.rocket(), template, &context) else {
            let request_id = client::request_id(req);
            let cause = templates::cause(template, &context, is_secret);
            tracing::error!(
                request.id = request_id,
                template,
                error = cause,
                "a page could not be rendered"
            );
            return Err(Status::InternalServerError);
        };
        let page = RawHtml(templates::with_used_icons(html)).respond_to(req)?;
        let mut response = Response::build_from(page);
        // Pages are personal, and the back button must not show them after sign-out.
        response
            .status(status)
            .header(Header::new("Cache-Control", "no-store"));
        if is_unnamed {
            response.header(Header::new("Referrer-Policy", "no-referrer"));
        }
        if let Some(seconds) = retry_after {
            response.header(Header::new("Retry-After", seconds.to_string()));
        }
        response.ok()
    }
}

/// A page, or a redirect after a POST.
#[derive(Responder)]
pub enum Reply {
    Page(Page),
    Go(Go),
}

impl Reply {
    pub fn page<V: View>(view: &V) -> Self {
        Self::Page(Page::of(view))
    }
}

impl From<Page> for Reply {
    fn from(page: Page) -> Self {
        Self::Page(page)
    }
}

impl From<Go> for Reply {
    fn from(go: Go) -> Self {
        Self::Go(go)
    }
}

/// 303 to another page, which may show a message.
#[derive(Debug)]
pub struct Go {
    to: String,
    flash: Option<Flash>,
}

impl Go {
    pub fn to(to: impl Into<String>) -> Self {
        Self {
            to: to.into(),
            flash: None,
        }
    }

    #[must_use]
    pub fn with(self, flash: Flash) -> Self {
        Self {
            flash: Some(flash),
            ..self
        }
    }
}

impl<'r> Responder<'r, 'static> for Go {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        if let Some(flash) = &self.flash {
            flash.leave(req, client::secure_cookies(req));
        }
        Response::build()
            .status(Status::SeeOther)
            .header(Header::new("Location", self.to))
            .ok()
    }
}

/// `next`, if it is a path of this site and nothing else; a browser must not be sent elsewhere.
pub fn local(next: &str) -> Option<&str> {
    let fine = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.chars().all(|c| !c.is_control() && !c.is_whitespace())
        && next.is_ascii();
    fine.then_some(next)
}

#[cfg(test)]
mod tests {
    use rocket_dyn_templates::tera::{Context, Tera};

    use super::*;
    use crate::web::{admin, api::openapi, chrome, site, templates};

    #[test]
    fn every_page_renders_escaped_and_its_forms_carry_the_csrf_token() {
        let mut tera = Tera::default();
        templates::register(&mut tera).unwrap();
        let samples = [site::samples(), admin::samples(), openapi::samples()].concat();
        assert!(samples.len() > 30);
        for signed_in in [true, false] {
            for page in samples.clone() {
                let name = page.template();
                let is_secret = page.is_secret();
                let mut chrome = chrome::sample();
                let of_somebody = ["admin/", "site/account/", "site/dashboard.html"];
                if !signed_in && !of_somebody.iter().any(|start| name.starts_with(start)) {
                    chrome.user = None;
                }
                let context = Context::from_value(page.context(chrome)).unwrap();
                let html = tera
                    .render(name, &context)
                    .unwrap_or_else(|e| panic!("{name}: {e:?}"));
                assert!(
                    !html.contains("<b>sam") && !html.contains("<i>Saved"),
                    "{name}"
                );
                let posts = html.matches("method=\"post\"").count();
                let tokens = html.matches("value=\"csrf-token\"").count();
                assert_eq!(posts, tokens, "{name}: forms and CSRF fields");
                assert!(html.contains("<h1"), "{name} has no heading");
                let shows_secret = html.contains("data-secret>");
                assert_eq!(shows_secret, is_secret, "{name}: `View::SECRET`");
                for part in html.split("href=\"#i-").skip(1) {
                    let icon = part.split('"').next().unwrap();
                    assert!(
                        html.contains(&format!("id=\"i-{icon}\"")),
                        "{name}: no icon {icon}"
                    );
                }
            }
        }
    }

    #[test]
    fn only_local_paths_are_followed() {
        for good in ["/", "/admin/users/?q=a%20b", "/a//b"] {
            assert_eq!(local(good), Some(good));
        }
        for bad in [
            "",
            "admin/",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
            "/\tb",
        ] {
            assert_eq!(local(bad), None, "{bad:?}");
        }
    }
}
