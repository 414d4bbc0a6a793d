//! What every page that shows a token says of it.

use serde::Serialize;

use super::Tag;
use crate::domain::{
    scopes::Scopes,
    tokens::{self, Token, TokenRow, TokenState},
};

/// A token as every page shows it; never its key.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts for a template, each on its own"
)]
#[derive(Clone, Debug, Serialize)]
pub struct TokenFacts {
    pub id: i64,
    pub href: String,
    /// Where its list is.
    pub list: &'static str,
    /// Among the pages of one's own account, where no permission is asked.
    pub is_own: bool,
    pub name: String,
    pub is_default: bool,
    /// It was the default one until it was rotated.
    pub was_default: bool,
    /// It works, also if it was rotated.
    pub is_active: bool,
    /// In its grace time: another one has taken its place, and it is neither extended nor rotated again.
    pub is_rotated: bool,
    /// The token that took its place.
    pub successor: Option<i64>,
    pub prefix: String,
    /// What it may be used for.
    pub access: String,
    pub state: Tag,
    pub owner: String,
    pub owner_href: String,
    /// Where the owner is looked at, too: then it opens nothing.
    pub is_owner_disabled: bool,
    pub created: i64,
    pub created_by: String,
    pub expires: Option<i64>,
    pub last_used: Option<i64>,
    pub last_address: Option<String>,
    pub revoked: Option<i64>,
    pub revoked_by: String,
    /// Revoked by whoever held its key, without signing in.
    pub is_burned: bool,
}

impl TokenFacts {
    pub fn of(token: &Token, owner: &str, now: i64) -> Self {
        let state = tokens::state(token, now);
        let was_default = tokens::was_default(token);
        Self {
            id: token.id,
            href: format!("/admin/tokens/{}/", token.id),
            list: "/admin/tokens/",
            is_own: false,
            name: if token.is_default || (was_default && token.name == tokens::DEFAULT_NAME) {
                "Default token".to_owned()
            } else {
                token.name.clone()
            },
            is_default: token.is_default,
            was_default,
            is_active: matches!(state, TokenState::Active),
            is_rotated: false,
            successor: None,
            prefix: token.prefix.clone(),
            access: match tokens::scopes(token) {
                Scopes::FULL => "Full access".to_owned(),
                some => some.to_string(),
            },
            state: Tag::token(state),
            owner: owner.to_owned(),
            owner_href: format!("/admin/users/{}/", token.user_id),
            is_owner_disabled: false,
            created: token.created_at,
            created_by: someone(&token.created_by),
            expires: token.expires_at,
            last_used: token.last_used_at,
            last_address: token.last_used_address.clone(),
            revoked: token.revoked_at,
            revoked_by: someone(token.revoked_by.as_deref().unwrap_or_default()),
            is_burned: token.revoked_by.as_deref() == Some(tokens::BURNED),
        }
    }

    pub fn of_row(row: &TokenRow, now: i64) -> Self {
        let facts = Self::of(&row.token, &row.owner.username, now).followed_by(row.successor);
        Self {
            is_owner_disabled: !row.owner.is_active,
            ..facts
        }
    }

    #[must_use]
    pub fn followed_by(self, successor: Option<i64>) -> Self {
        let is_rotated = self.is_active && successor.is_some();
        Self {
            is_rotated,
            successor,
            state: if is_rotated { Tag::ROTATED } else { self.state },
            ..self
        }
    }

    /// For the pages of its owner's account.
    #[must_use]
    pub fn own(self) -> Self {
        Self {
            href: format!("/account/tokens/{}/", self.id),
            list: "/account/tokens/",
            is_own: true,
            ..self
        }
    }
}

fn someone(name: &str) -> String {
    if name.is_empty() {
        "someone".to_owned()
    } else {
        name.to_owned()
    }
}
