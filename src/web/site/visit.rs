//! `Visit`: the browser of somebody who is about to sign in or out, and the two acts themselves.

use std::convert::Infallible;

use rocket::{
    Request,
    http::CookieJar,
    request::{FromRequest, Outcome},
};

use crate::{
    app::App,
    domain::{
        actor::{Actor, Via},
        sessions,
        users::User,
    },
    error::Result,
    secret::SessionKey,
    web::guards::{MaybeSession, UserSession, client, end_cookie, start_cookie},
};

pub struct Visit<'r> {
    pub actor: Actor,
    cookies: &'r CookieJar<'r>,
    agent: &'r str,
    secure: bool,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Visit<'r> {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self {
            actor: client::anonymous(req, Via::Web),
            cookies: req.cookies(),
            agent: req.headers().get_one("User-Agent").unwrap_or_default(),
            secure: client::secure_cookies(req),
        })
    }
}

impl Visit<'_> {
    /// Begins a session of `user`; the one this browser had before ends.
    pub async fn sign_in(
        &self,
        app: &App,
        before: &MaybeSession,
        user: &User,
    ) -> Result<SessionKey> {
        if let Some(old) = &before.0 {
            sessions::end(app, &old.actor, &old.session).await?;
        }
        let actor = self.actor.clone().signed_in(user);
        let key = sessions::start(app, user, &actor, self.agent).await?;
        start_cookie(self.cookies, &key, self.secure);
        Ok(key)
    }

    pub async fn sign_out(&self, app: &App, session: &UserSession) -> Result<()> {
        sessions::end(app, &session.actor, &session.session).await?;
        end_cookie(self.cookies);
        Ok(())
    }
}
