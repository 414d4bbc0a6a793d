//! A token as commands show it: a row of a table, or JSON. Never its key, save by the command that
//! made it.

use serde::Serialize;

use crate::{
    app::App,
    clock::rfc3339,
    domain::tokens::{self, Token, TokenRow},
    secret::TokenKey,
};

/// A token as scripts see it.
#[derive(Serialize)]
pub struct Facts {
    pub id: i64,
    pub owner: String,
    pub name: String,
    pub is_default: bool,
    pub state: &'static str,
    pub prefix: String,
    pub scopes: Vec<&'static str>,
    pub created: String,
    pub created_by: String,
    pub expires: Option<String>,
    pub last_used: Option<String>,
    pub last_used_address: Option<String>,
    pub revoked: Option<String>,
    pub revoked_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses_today: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses_last_30_days: Option<i64>,
    /// Only from the command that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Facts {
    pub const HEADINGS: [&str; 8] = [
        "ID",
        "OWNER",
        "NAME",
        "STATE",
        "STARTS WITH",
        "SCOPES",
        "EXPIRES",
        "LAST USED",
    ];

    pub fn of(app: &App, row: &TokenRow) -> Self {
        let token: &Token = &row.token;
        Self {
            id: token.id,
            owner: row.owner.username.clone(),
            name: token.name.clone(),
            is_default: token.is_default,
            state: tokens::state(token, app.now()).as_str(),
            prefix: token.prefix.clone(),
            scopes: tokens::scopes(token).names(),
            created: rfc3339(token.created_at),
            created_by: token.created_by.clone(),
            expires: token.expires_at.map(rfc3339),
            last_used: token.last_used_at.map(rfc3339),
            last_used_address: token.last_used_address.clone(),
            revoked: token.revoked_at.map(rfc3339),
            revoked_by: token.revoked_by.clone(),
            uses_today: None,
            uses_last_30_days: None,
            key: None,
        }
    }

    pub fn with_key(self, key: &TokenKey) -> Self {
        Self {
            key: Some(key.expose().to_owned()),
            ..self
        }
    }

    pub fn cells(self) -> [String; 8] {
        let never = || "never".to_owned();
        [
            self.id.to_string(),
            self.owner,
            self.name,
            self.state.to_owned(),
            self.prefix,
            self.scopes.join(" "),
            self.expires.unwrap_or_else(never),
            self.last_used.unwrap_or_else(never),
        ]
    }
}
