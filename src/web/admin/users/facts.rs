//! What the page of one account says of it, beside the form.

use serde::Serialize;

use crate::{
    domain::{
        actor::Actor,
        users::{self, SignInState, User},
    },
    web::words::{self, Person, Role, Tag},
};

#[expect(
    clippy::struct_excessive_bools,
    reason = "facts for a template, each on its own"
)]
#[derive(Serialize)]
pub struct Facts {
    pub href: String,
    pub tokens_href: String,
    pub username: String,
    #[serde(flatten)]
    pub person: Person,
    pub status: Tag,
    pub role: Role,
    pub is_active: bool,
    /// Staff does not touch staff.
    pub can_touch: bool,
    pub is_you: bool,
    pub is_last_superuser: bool,
    pub tokens: u64,
    pub last_login: Option<i64>,
    pub joined: i64,
}

impl Facts {
    pub fn of(by: &Actor, user: &User, tokens: u64, sign_in: &SignInState) -> Self {
        Self {
            href: super::href(user.id),
            tokens_href: super::change_list::tokens_href(&user.username),
            username: user.username.clone(),
            person: Person::of(user),
            status: Tag::user(user, !sign_in.pauses.is_empty()),
            role: Role::of(user),
            is_active: user.is_active,
            can_touch: users::may_touch(by, user).is_ok(),
            is_you: by.user_id == Some(user.id),
            is_last_superuser: sign_in.is_last_superuser,
            tokens,
            last_login: words::known(user.last_login),
            joined: user.date_joined,
        }
    }
}
