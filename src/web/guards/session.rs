//! The browser session as a guard: loaded once a request, lent to everyone who asks.

use std::sync::atomic::{AtomicBool, Ordering};

use rocket::{
    Request,
    futures::FutureExt,
    http::{Cookie, CookieJar, SameSite},
    request::{FromRequest, Outcome},
};

use super::client;
use crate::{
    app::App,
    domain::{
        actor::{Actor, Via},
        permissions::{Act, Permission, Record},
        sessions::{self, Session},
    },
    error::{Error, Result},
    secret::SessionKey,
    web::error::{Rejected, reject},
};

/// Django's name for it.
pub const SESSION_COOKIE: &str = "sessionid";

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct UserSession {
    pub session: Session,
    pub actor: Actor,
    /// What CSRF tokens are bound to.
    key: SessionKey,
}

impl UserSession {
    pub fn key(&self) -> &SessionKey {
        &self.key
    }
}

/// A signed-in member of staff.
#[derive(Clone, Debug)]
pub struct AdminSession {
    pub session: Session,
    pub actor: Actor,
}

impl AdminSession {
    /// Where to go after an act: there, if one may look at such records.
    pub fn or_dashboard(&self, record: Record, there: String) -> String {
        if self.actor.may(Permission::new(Act::View, record)) {
            there
        } else {
            "/admin/".to_owned()
        }
    }
}

/// A signed-in superuser.
#[derive(Clone, Debug)]
pub struct SuperuserSession {
    pub actor: Actor,
}

/// Somebody or nobody; but a database that does not answer is not "nobody".
#[derive(Clone, Debug)]
pub struct MaybeSession(pub Option<UserSession>);

/// The session of this request, looked up once.
pub async fn of<'r>(req: &'r Request<'_>) -> &'r Result<Option<UserSession>> {
    let session = req.local_cache_async(load(req)).await;
    asked(req).store(true, Ordering::Relaxed);
    session
}

/// The same for who cannot wait, if somebody asked for it before.
pub fn loaded<'r>(req: &'r Request<'_>) -> Option<&'r UserSession> {
    if !asked(req).load(Ordering::Relaxed) {
        return None;
    }
    of(req).now_or_never()?.as_ref().ok()?.as_ref()
}

fn asked<'r>(req: &'r Request<'_>) -> &'r AtomicBool {
    struct Asked(AtomicBool);
    &req.local_cache(|| Asked(AtomicBool::new(false))).0
}

async fn load(req: &Request<'_>) -> Result<Option<UserSession>> {
    let Some(cookie) = req.cookies().get(SESSION_COOKIE) else {
        return Ok(None);
    };
    let key = SessionKey::new(cookie.value());
    let found = sessions::load(App::of(req), &key).await?;
    Ok(found.map(|(session, permissions)| {
        let actor = client::anonymous(req, Via::Web)
            .signed_in(&session.user)
            .holding(permissions);
        UserSession {
            session,
            actor,
            key,
        }
    }))
}

async fn require<'r>(req: &'r Request<'_>) -> Result<&'r UserSession> {
    match of(req).await {
        Ok(Some(session)) => Ok(session),
        Ok(None) => Err(Error::NotAuthenticated),
        Err(e) => Err(e.clone()),
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r UserSession {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        match require(req).await {
            Ok(session) => Outcome::Success(session),
            Err(e) => reject(req, e),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r AdminSession {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        let judged = require(req).await.and_then(|user| {
            let staff = user.actor.is_staff || user.actor.is_superuser;
            if staff {
                Ok(user)
            } else {
                Err(Error::PermissionDenied)
            }
        });
        match judged {
            Ok(user) => Outcome::Success(req.local_cache(|| AdminSession {
                session: user.session.clone(),
                actor: user.actor.clone(),
            })),
            Err(e) => reject(req, e),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r SuperuserSession {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        match require(req).await {
            Ok(user) if user.actor.is_superuser => {
                Outcome::Success(req.local_cache(|| SuperuserSession {
                    actor: user.actor.clone(),
                }))
            }
            Ok(_) => reject(req, Error::PermissionDenied),
            Err(e) => reject(req, e),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for MaybeSession {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        match of(req).await {
            Ok(session) => Outcome::Success(Self(session.clone())),
            Err(e) => reject(req, e.clone()),
        }
    }
}

/// Hands the browser its new session. The cookie ends with the browser; the session ends by itself.
pub fn start_cookie(cookies: &CookieJar<'_>, key: &SessionKey, secure: bool) {
    cookies.add(
        Cookie::build((SESSION_COOKIE, key.expose().to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(secure),
    );
}

pub fn end_cookie(cookies: &CookieJar<'_>) {
    cookies.remove(Cookie::build(SESSION_COOKIE).path("/"));
}
