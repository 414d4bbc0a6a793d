//! The credential of an API request: a session, a token or a JWT. The first that recognises the
//! request decides, also by failing, as in Django REST framework.

use std::marker::PhantomData;

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
        scopes::{Scope, Scopes},
    },
    error::{Error, Result},
    web::error::{Rejected, reject},
};

/// Whoever calls the API has shown a valid credential that may be used for `S`.
#[derive(Clone, Debug)]
pub struct ApiAuth<S> {
    pub actor: Actor,
    /// All that the credential may be used for: nothing it makes may be used for more.
    pub scopes: Scopes,
    /// When a token ends (Unix seconds): nothing it makes may outlive it.
    pub token_ends: Option<i64>,
    is_confirmed: bool,
    scope: PhantomData<S>,
}

impl<S> ApiAuth<S> {
    /// For dangerous acts: of a browser the password is wanted again, as on the pages.
    pub fn require_confirmed(&self, act: &str) -> Result<()> {
        if self.is_confirmed {
            return Ok(());
        }
        Err(Error::Unconfirmed {
            act: act.to_owned(),
            refused: None,
        })
    }
}

/// What a handler needs a credential for: `ApiAuth<StudentsRead>` in its signature.
pub trait Needs: Send + Sync {
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($name:ident),*) => {$(
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}

needs!(
    StudentsRead,
    StudentsWrite,
    UsersWrite,
    TokensManage,
    TokensIntrospect,
    MetricsRead
);

/// A credential before it is asked what it may be used for.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub actor: Actor,
    pub scopes: Scopes,
    token_ends: Option<i64>,
    /// A token or a JWT, or a browser whose password was shown lately.
    is_confirmed: bool,
}

impl Authenticated {
    pub fn may(self, scope: Scope) -> Result<Actor> {
        if self.scopes.has(scope) {
            Ok(self.actor)
        } else {
            Err(Error::MissingScope(scope.as_str()))
        }
    }
}

#[rocket::async_trait]
impl<'r, S: Needs> FromRequest<'r> for ApiAuth<S> {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        let judged = authenticate(req).await.and_then(|auth| {
            let (scopes, token_ends, is_confirmed) =
                (auth.scopes, auth.token_ends, auth.is_confirmed);
            auth.may(S::SCOPE).map(|actor| Self {
                actor,
                scopes,
                token_ends,
                is_confirmed,
                scope: PhantomData,
            })
        });
        match judged {
            Ok(auth) => Outcome::Success(auth),
            Err(e) => reject(req, e),
        }
    }
}

/// The guard as a function, for the order of judgement on methods that no handler takes.
pub async fn authenticate(req: &Request<'_>) -> Result<Authenticated> {
    let Some(auth) = by_session(req).await? else {
        return by_header(req).await;
    };
    let judged = if csrf::is_safe(req.method()) {
        Ok(())
    } else {
        csrf::check(req, None).await
    };
    count(req, "session", &judged);
    judged.map(|()| auth)
}

/// Whoever is signed in with this browser. The caller sees to cross-site requests.
pub async fn by_session(req: &Request<'_>) -> Result<Option<Authenticated>> {
    let session = session::of(req).await.as_ref().map_err(Clone::clone)?;
    Ok(session.as_ref().map(|user| Authenticated {
        actor: Actor {
            via: Via::Api,
            ..user.actor.clone()
        },
        scopes: Scopes::FULL,
        token_ends: None,
        is_confirmed: user.session.confirmed_until(App::of(req).now()).is_some(),
    }))
}

/// Whoever shows a token or a JWT.
pub async fn by_header(req: &Request<'_>) -> Result<Authenticated> {
    let headers = req.headers();
    let credential = credentials::choose(
        headers.get_one("Authorization"),
        headers.get_one("Authentication"),
    );
    let app = App::of(req);
    let actor = client::anonymous(req, Via::Api);
    let (scheme, judged) = match credential {
        Credential::None => ("none", Err(Error::NotAuthenticated)),
        Credential::Malformed(failure) => ("malformed", Err(Error::AuthenticationFailed(failure))),
        Credential::Token(key) => {
            let address = actor.address_text();
            ("token", authentication::by_token(app, &key, &address).await)
        }
        Credential::Bearer(jwt) => ("bearer", authentication::by_bearer(app, &jwt).await),
    };
    count(req, scheme, &judged);
    let caller = judged?;
    Ok(Authenticated {
        actor: actor.signed_in(&caller.user).holding(caller.permissions),
        scopes: caller.scopes,
        token_ends: caller.token_ends,
        is_confirmed: true,
    })
}

/// Into the metrics, by what was shown: see `Metrics::check`.
pub fn count<T>(req: &Request<'_>, scheme: &'static str, judged: &Result<T>) {
    let outcome = match judged {
        Ok(_) => "accepted",
        Err(Error::Internal(_)) => "failed",
        Err(_) => "refused",
    };
    App::of(req).metrics.check(scheme, outcome);
}
