//! Latchkey from Rust, with reqwest: a module to put into your program.
//!
//! ```toml
//! reqwest = { version = "0.13", features = ["json"] }
//! serde = { version = "1", features = ["derive"] }
//! serde_json = "1"
//! tokio = { version = "1", features = ["sync"] }
//! ```

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::RwLock;

/// Both are replaced at each refresh; without rotation the refresh token stays.
#[derive(Clone, Deserialize)]
pub struct Pair {
    pub access: String,
    pub refresh: Option<String>,
}

/// One person's sign-in. May be shared between tasks.
pub struct Latchkey {
    http: Client,
    url: String,
    pair: RwLock<Pair>,
}

impl Latchkey {
    fn client() -> reqwest::Result<Client> {
        Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
    }

    /// Makes an account; `token` is of somebody who may. Then this one is signed in.
    pub async fn sign_up(
        url: &str,
        token: &str,
        username: &str,
        password: &str,
    ) -> reqwest::Result<Self> {
        let fields =
            json!({"username": username, "password": password, "confirm_password": password});
        let http = Self::client()?;
        let request = http
            .post(format!("{url}/registerapi/"))
            .header("Authorization", format!("Token {token}"));
        Self::with(http, url, request.json(&fields)).await
    }

    pub async fn sign_in(url: &str, username: &str, password: &str) -> reqwest::Result<Self> {
        let fields = json!({"username": username, "password": password});
        let http = Self::client()?;
        let request = http.post(format!("{url}/api/token/")).json(&fields);
        Self::with(http, url, request).await
    }

    async fn with(http: Client, url: &str, request: RequestBuilder) -> reqwest::Result<Self> {
        let pair = request.send().await?.error_for_status()?.json().await?;
        Ok(Self::from_pair(http, url, pair))
    }

    /// For a pair that was kept.
    pub fn from_pair(http: Client, url: &str, pair: Pair) -> Self {
        Self {
            http,
            url: url.to_owned(),
            pair: RwLock::new(pair),
        }
    }

    /// To be kept, as secret as a password, for `from_pair`.
    pub async fn pair(&self) -> Pair {
        self.pair.read().await.clone()
    }

    pub async fn get(&self, path: &str) -> reqwest::Result<Value> {
        self.call(Method::GET, path, None).await?.json().await
    }

    /// Ends an API token, or a sign-in by one of its two tokens.
    pub async fn revoke(&self, token: &str) -> reqwest::Result<()> {
        let fields = json!({"token": token});
        let answer = self.call(Method::POST, "/api/revoke/", Some(&fields));
        answer.await.map(drop)
    }

    /// With the access token; where that has ended, once more with a new one.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        fields: Option<&Value>,
    ) -> reqwest::Result<Response> {
        let used = self.pair.read().await.access.clone();
        let mut answer = self.send(&method, path, fields, &used).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            let access = self.renew(&used).await?;
            answer = self.send(&method, path, fields, &access).await?;
        }
        answer.error_for_status()
    }

    async fn send(
        &self,
        method: &Method,
        path: &str,
        fields: Option<&Value>,
        access: &str,
    ) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method.clone(), url).bearer_auth(access);
        if let Some(fields) = fields {
            request = request.json(fields);
        }
        request.send().await
    }

    /// A new access token; tasks that ask at the same moment share it.
    pub async fn renew(&self, used: &str) -> reqwest::Result<String> {
        let mut pair = self.pair.write().await;
        if pair.access == used {
            let fields = json!({"refresh": pair.refresh});
            let answer = self.post("/api/token/refresh/", &fields).await?;
            let new: Pair = answer.json().await?;
            *pair = Pair {
                refresh: new.refresh.or(pair.refresh.take()),
                access: new.access,
            };
        }
        Ok(pair.access.clone())
    }

    /// Ends this sign-in, with everything it was given.
    pub async fn sign_out(self) -> reqwest::Result<()> {
        let refresh = &self.pair.read().await.refresh;
        let fields = json!({"refresh": refresh});
        self.post("/api/token/blacklist/", &fields).await?;
        Ok(())
    }

    async fn post(&self, path: &str, fields: &Value) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.url);
        let answer = self.http.post(url).json(fields).send().await?;
        answer.error_for_status()
    }
}

/// As a program with a token of its own: nothing to refresh.
pub async fn get_by_token(url: &str, token: &str, path: &str) -> reqwest::Result<Value> {
    let answer = Latchkey::client()?
        .get(format!("{url}{path}"))
        .header("Authorization", format!("Token {token}"))
        .send()
        .await?;
    answer.error_for_status()?.json().await
}
