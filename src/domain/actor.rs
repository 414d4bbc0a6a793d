//! Who acts, and from where: what every change records.

use std::net::IpAddr;

use crate::{
    domain::{
        permissions::{Permission, Permissions},
        users::User,
    },
    error::{Error, Result},
};

/// The door an act came in through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Web,
    Api,
    Cli,
    /// The server's own timer.
    Server,
}

impl Via {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Server => "server",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Actor {
    /// None: nobody is signed in, or the operator at the command line.
    pub user_id: Option<i64>,
    /// Empty where nobody is signed in.
    pub username: String,
    pub is_staff: bool,
    pub is_superuser: bool,
    /// What groups give; superusers need none.
    pub permissions: Permissions,
    pub via: Via,
    pub address: Option<IpAddr>,
    pub request_id: Option<String>,
}

impl Actor {
    pub fn anonymous(via: Via, address: Option<IpAddr>, request_id: Option<String>) -> Self {
        Self {
            user_id: None,
            username: String::new(),
            is_staff: false,
            is_superuser: false,
            permissions: Permissions::NONE,
            via,
            address,
            request_id,
        }
    }

    /// For the log; empty where no request is behind this.
    pub fn request_id(&self) -> &str {
        self.request_id.as_deref().unwrap_or_default()
    }

    /// Who has the machine may do anything.
    pub fn operator() -> Self {
        Self {
            username: "command line".to_owned(),
            is_staff: true,
            is_superuser: true,
            ..Self::anonymous(Via::Cli, None, None)
        }
    }

    /// What the server does by itself. No account can have that name: there is a blank in it.
    pub fn server() -> Self {
        Self {
            username: "the server".to_owned(),
            via: Via::Server,
            ..Self::operator()
        }
    }

    /// The same door and address, with a name. Who has just signed in acts on oneself, which needs no permission;
    /// others are `holding` theirs.
    #[must_use]
    pub fn signed_in(self, user: &User) -> Self {
        Self {
            user_id: Some(user.id),
            username: user.username.clone(),
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            permissions: Permissions::NONE,
            ..self
        }
    }

    /// The same with what groups give.
    #[must_use]
    pub fn holding(self, permissions: Permissions) -> Self {
        Self {
            permissions,
            ..self
        }
    }

    /// `MissingPermission` unless a group or being a superuser gives it.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(Error::MissingPermission(permission))
        }
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.is_superuser || self.permissions.allow(permission.act, permission.record)
    }

    /// For columns and log fields; empty where there is none.
    pub fn address_text(&self) -> String {
        self.address.map(|a| a.to_string()).unwrap_or_default()
    }
}
