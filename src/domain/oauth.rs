//! For services next door: what a token is worth (introspection, RFC 7662) and ending it
//! (revocation, RFC 7009), for API tokens and JWTs alike. Who a credential belongs to is
//! `authentication`; how a family ends is `families`.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    app::App,
    domain::{
        actor::Actor,
        authentication::{self, Caller},
        families,
        jwt::{self, Kind},
        permissions::{Act, Permission, Record},
        scopes::Scopes,
        tokens,
        users::{self, User},
    },
    error::{Error, Result},
    secret::{Jwt, TokenKey},
};

/// A token in a body, told apart by its form: only JWTs have dots. `token_type_hint` is not needed
/// for that, and ignored (RFC 7009, 2.1 allows it).
#[derive(Debug)]
pub enum Presented {
    Token(TokenKey),
    Jwt(Jwt),
}

impl Presented {
    pub fn new(text: &str) -> Self {
        if text.contains('.') {
            Self::Jwt(Jwt::new(text))
        } else {
            Self::Token(TokenKey::new(text))
        }
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Token,
    Access,
    Refresh,
}

/// A token that counts at this moment.
#[derive(Debug)]
pub struct Worth {
    pub sort: Sort,
    pub user: Arc<User>,
    /// `None` for a refresh token, which opens nothing itself.
    pub scopes: Option<Scopes>,
    /// Unix seconds; `None` where a token signed elsewhere does not say.
    pub issued_at: Option<i64>,
    /// Unix seconds; `None`: never.
    pub expires_at: Option<i64>,
    /// A JWT's own claims.
    pub claims: Map<String, Value>,
}

/// Whoever asks what a token is worth, and what for the credential is with which they do.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub by: &'a Actor,
    pub scopes: Scopes,
}

impl Asker<'_> {
    /// Others' take the permission to view tokens, and somebody whom one may touch: staff is not told of the tokens of
    /// superusers and other staff. A service is, as they sign in there, too: a credential that was made for some
    /// scopes is a service's (RFC 7662, 4: who may ask about which is for the server to decide).
    fn may_ask(self, user: &User) -> bool {
        let Self { by, scopes } = self;
        let is_service = scopes != Scopes::FULL;
        by.user_id == Some(user.id)
            || (by.may(Permission::new(Act::View, Record::Tokens))
                && (is_service || users::may_touch(by, user).is_ok()))
    }
}

/// What a token is worth; `None` for one that does not count, and for one about which they may not ask (RFC 7662, 2.2
/// wants the two to look alike). An API token is asked about because somebody uses it there: that counts as a use. Warm,
/// API tokens and access tokens are told from memory; refresh tokens are looked up.
pub async fn introspect(
    app: &App,
    asker: Asker<'_>,
    presented: &Presented,
) -> Result<Option<Worth>> {
    let worth = match presented {
        Presented::Token(key) => of_token(app, asker, key).await,
        Presented::Jwt(jwt) => of_jwt(app, jwt).await,
    };
    let worth = match worth {
        Err(Error::AuthenticationFailed(_)) => None,
        other => other?,
    };
    Ok(worth.filter(|worth| asker.may_ask(&worth.user)))
}

async fn of_token(app: &App, asker: Asker<'_>, key: &TokenKey) -> Result<Option<Worth>> {
    let (Caller { user, scopes, .. }, token) = authentication::look_at_token(app, key).await?;
    if asker.may_ask(&user) {
        // Else a token that is only ever shown to other services would seem unused.
        app.usage
            .note(token.id, app.now(), &asker.by.address_text());
    }
    Ok(Some(Worth {
        sort: Sort::Token,
        user,
        scopes: Some(scopes),
        issued_at: Some(token.created_at),
        expires_at: token.expires_at,
        claims: Map::new(),
    }))
}

async fn of_jwt(app: &App, jwt: &Jwt) -> Result<Option<Worth>> {
    let Some(claims) = jwt::unverified(jwt) else {
        return Ok(None);
    };
    // What is read here chooses only who judges; each looks at signature and kind itself.
    let is_refresh =
        claims.get("token_type").and_then(Value::as_str) == Some(Kind::Refresh.as_str());
    let (sort, user, scopes) = if is_refresh {
        let Some(user) = families::holds_refresh(app, jwt).await? else {
            return Ok(None);
        };
        (Sort::Refresh, Arc::new(user), None)
    } else {
        let Caller { user, scopes, .. } = authentication::by_bearer(app, jwt).await?;
        (Sort::Access, user, Some(scopes))
    };
    Ok(Some(Worth {
        sort,
        user,
        scopes,
        issued_at: claims.get("iat").and_then(jwt::seconds),
        expires_at: claims.get("exp").and_then(jwt::seconds),
        claims,
    }))
}

/// Ends a token, with a JWT the whole sign-in. One that does not count is fine. `PermissionDenied`
/// where it is of somebody whom `by` may not touch; `UnsupportedTokenType` for other signed data.
pub async fn revoke(app: &App, by: &Actor, presented: &Presented) -> Result<()> {
    match presented {
        Presented::Token(key) => tokens::revoke_presented(app, by, key).await,
        Presented::Jwt(jwt) => families::revoke(app, by, jwt).await,
    }
}
