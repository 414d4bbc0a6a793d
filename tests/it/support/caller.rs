//! Somebody at the other end: with a credential, an address, cookies.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use rocket::{
    http::{Cookie, Header, Method},
    time::Duration,
};
use serde_json::Value;

use super::{Answer, TestApp};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const BOUNDARY: &str = "----latchkey-test-boundary";

#[derive(Clone)]
pub struct Caller {
    app: TestApp,
    headers: Vec<(String, String)>,
    address: IpAddr,
    /// Shared between clones: one browser.
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Caller {
    pub fn new(app: &TestApp) -> Self {
        Self {
            app: app.clone(),
            headers: Vec::new(),
            address: IpAddr::from([127, 0, 0, 1]),
            cookies: Arc::default(),
        }
    }

    /// The same caller with one more header.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    #[must_use]
    pub fn token(&self, key: &str) -> Self {
        self.with("Authorization", &format!("Token {key}"))
    }

    #[must_use]
    pub fn bearer(&self, jwt: &str) -> Self {
        self.with("Authorization", &format!("Bearer {jwt}"))
    }

    /// The same caller at another address.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        let mut other = self.clone();
        other.address = address.parse().unwrap();
        other
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::Get, path, None).await
    }

    pub async fn head(&self, path: &str) -> Answer {
        self.send(Method::Head, path, None).await
    }

    pub async fn options(&self, path: &str) -> Answer {
        self.send(Method::Options, path, None).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::Delete, path, None).await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.send(Method::Post, path, None).await
    }

    pub async fn post_json(&self, path: &str, body: Value) -> Answer {
        self.json(Method::Post, path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::Put, path, body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::Patch, path, body).await
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.post_raw(path, FORM, body).await
    }

    pub async fn post_multipart(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        use std::fmt::Write;
        let mut body = String::new();
        for (name, value) in fields {
            write!(
                body,
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .unwrap();
        }
        write!(body, "--{BOUNDARY}--\r\n").unwrap();
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.post_raw(path, &kind, body).await
    }

    pub async fn post_raw(&self, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Method::Post, path, Some((kind, body.into())))
            .await
    }

    async fn json(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.send(method, path, Some((JSON, body))).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let mut request = self
            .app
            .client
            .req(method, path.to_owned())
            .remote(SocketAddr::new(self.address, 40_000));
        for (name, value) in &self.headers {
            request.add_header(Header::new(name.clone(), value.clone()));
        }
        for (name, value) in &*self.cookies.lock().unwrap() {
            request = request.cookie(Cookie::new(name.clone(), value.clone()));
        }
        if let Some((kind, bytes)) = body {
            if !kind.is_empty() {
                request.add_header(Header::new("Content-Type", kind.to_owned()));
            }
            request.set_body(bytes);
        }
        let answer = Answer::read(request.dispatch().await).await;
        self.keep_cookies(&answer);
        answer
    }

    fn keep_cookies(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock().unwrap();
        for line in answer.all("Set-Cookie") {
            let cookie = Cookie::parse(line.to_owned()).unwrap();
            let gone = cookie.max_age().is_some_and(Duration::is_zero) || cookie.value().is_empty();
            if gone {
                cookies.remove(cookie.name());
            } else {
                cookies.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
    }
}
