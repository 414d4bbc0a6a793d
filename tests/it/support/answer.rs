//! What came back: status, headers, text.

use std::fmt;

use rocket::{http::Header, local::asynchronous::LocalResponse};
use serde_json::Value;

#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    pub async fn read(response: LocalResponse<'_>) -> Self {
        let status = response.status().code;
        let pair = |h: Header<'_>| (h.name().to_string(), h.value().to_owned());
        let headers = response.headers().iter().map(pair).collect();
        let bytes = response.into_bytes().await.unwrap_or_default();
        Self {
            status,
            headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The whole `Set-Cookie` line of a cookie.
    pub fn set_cookie(&self, name: &str) -> Option<&str> {
        self.all("Set-Cookie")
            .find(|line| line.split('=').next() == Some(name))
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.text) {
            Ok(value) => value,
            Err(e) => panic!("not JSON ({e}): {self:?}"),
        }
    }

    /// The body, once the status is as expected.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// Status and body at once.
    #[track_caller]
    pub fn is(&self, status: u16, body: &Value) {
        assert_eq!(
            (self.status, &self.expect(status)),
            (status, body),
            "{self:?}"
        );
    }

    /// Status and `detail`.
    #[track_caller]
    pub fn is_detail(&self, status: u16, detail: &str) {
        assert_eq!(self.expect(status)["detail"], detail, "{self:?}");
    }

    /// A text of the body's top level.
    #[track_caller]
    pub fn string(&self, field: &str) -> String {
        self.json()[field]
            .as_str()
            .unwrap_or_else(|| panic!("no text {field:?}: {self:?}"))
            .to_owned()
    }

    pub fn is_html(&self) -> bool {
        self.header("Content-Type")
            .is_some_and(|ct| ct.starts_with("text/html"))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = self.text.chars().take(2000).collect();
        write!(f, "{} {:?} {body}", self.status, self.headers)
    }
}
