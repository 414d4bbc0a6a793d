//! The credential of an API request: a session, a token or a JWT. The first that recognises the
//! request decides, also by failing, as in Django REST framework.

use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{
    client,
    credentials::{self, Credential},
    csrf, session,
};
use crate::{
    app::App,
    domain::{
        actor::{Actor, Via},
        authentication,
    },
    error::{Error, Result},
    web::error::{Rejected, reject},
};

/// Whoever calls the API has shown a valid credential.
#[derive(Clone, Debug)]
pub struct ApiAuth {
    pub actor: Actor,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for ApiAuth {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        match authenticate(req).await {
            Ok(auth) => Outcome::Success(auth),
            Err(e) => reject(req, e),
        }
    }
}

/// The guard as a function, for the order of judgement on methods that no handler takes.
pub async fn authenticate(req: &Request<'_>) -> Result<ApiAuth> {
    if let Some(user) = session::of(req).await.as_ref().map_err(Clone::clone)? {
        if !is_safe(req) {
            csrf::check(req, None).await?;
        }
        return Ok(ApiAuth {
            actor: Actor {
                via: Via::Api,
                ..user.actor.clone()
            },
        });
    }
    let headers = req.headers();
    let credential = credentials::choose(
        headers.get_one("Authorization"),
        headers.get_one("Authentication"),
    );
    let app = App::of(req);
    let actor = client::anonymous(req, Via::Api);
    let user = match credential {
        Credential::None => return Err(Error::NotAuthenticated),
        Credential::Malformed(failure) => return Err(Error::AuthenticationFailed(failure)),
        Credential::Token(key) => {
            authentication::by_token(app, &key, &actor.address_text()).await?
        }
        Credential::Bearer(jwt) => authentication::by_bearer(app, &jwt).await?,
    };
    Ok(ApiAuth {
        actor: actor.signed_in(&user),
    })
}

fn is_safe(req: &Request<'_>) -> bool {
    use rocket::http::Method::{Get, Head, Options, Trace};
    matches!(req.method(), Get | Head | Options | Trace)
}
