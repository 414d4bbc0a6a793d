//! From a credential to a person: the check path of every API request. Warm, it asks nobody and
//! writes nothing; what is remembered, and until when, is `checks`.

use std::sync::Arc;

use crate::{
    app::App,
    checks::{TokenFacts, Verdict},
    domain::{
        families,
        jwt::{Kind, Subject},
        permissions::Permissions,
        scopes::Scopes,
        signing_keys, tokens,
        users::{self, Entitled, User},
    },
    error::{AuthFailure, Error, Result},
    keys::Digest,
    secret::{Jwt, TokenKey},
};

/// Who shows a credential, and what it may be used for.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: Arc<User>,
    /// What groups give.
    pub permissions: Permissions,
    pub scopes: Scopes,
    /// When the token ends (Unix seconds); `None`: never, or by its sign-in.
    pub token_ends: Option<i64>,
}

/// `Authorization: Token <key>`, as Django REST framework judges it.
pub async fn by_token(app: &App, key: &TokenKey, address: &str) -> Result<Caller> {
    let (caller, token) = look_at_token(app, key).await?;
    app.usage.note(token.id, app.now(), address);
    Ok(caller)
}

/// The same without a note of its use.
pub async fn look_at_token(app: &App, key: &TokenKey) -> Result<(Caller, TokenFacts)> {
    let refused = |failure| Err(Error::AuthenticationFailed(failure));
    if !tokens::is_plausible(&app.keys, key.expose()) {
        return refused(AuthFailure::TokenUnknown);
    }
    let credential = app.keys.token_digest(key.expose());
    let verdict = match recall(app, &credential) {
        Some(verdict) => verdict,
        None => load_token(app, credential).await?,
    };
    let Verdict::Known {
        user,
        permissions,
        scopes,
        token: Some(token),
    } = verdict
    else {
        return refused(AuthFailure::TokenUnknown);
    };
    if !user.is_active {
        return refused(AuthFailure::TokenUserInactive);
    }
    let caller = Caller {
        user,
        permissions,
        scopes,
        token_ends: token.expires_at,
    };
    Ok((caller, token))
}

fn recall(app: &App, credential: &Digest) -> Option<Verdict> {
    let verdict = app.db.checks().find(credential, app.now());
    app.metrics.look_up(if verdict.is_some() {
        "memory"
    } else {
        "database"
    });
    verdict
}

async fn load_token(app: &App, credential: Digest) -> Result<Verdict> {
    let stamp = app.db.checks().stamp();
    let (verdict, until) = match tokens::find_live(app, &credential).await? {
        Some((token, Entitled { user, permissions })) => {
            let verdict = Verdict::Known {
                user: Arc::new(user),
                permissions,
                scopes: tokens::scopes(&token),
                token: Some(TokenFacts {
                    id: token.id,
                    created_at: token.created_at,
                    expires_at: token.expires_at,
                }),
            };
            (verdict, token.expires_at.unwrap_or(i64::MAX))
        }
        None => (Verdict::Unknown, i64::MAX),
    };
    app.db
        .checks()
        .keep(credential, stamp, verdict.clone(), until);
    Ok(verdict)
}

/// `Authorization: Bearer <access>`, as SimpleJWT judges it.
pub async fn by_bearer(app: &App, token: &Jwt) -> Result<Caller> {
    let credential = app.keys.jwt_digest(token.expose());
    if let Some(Verdict::Known {
        user,
        permissions,
        scopes,
        ..
    }) = recall(app, &credential)
    {
        return Ok(Caller {
            user,
            permissions,
            scopes,
            token_ends: None,
        });
    }
    let refused = |failure| Error::AuthenticationFailed(failure);
    let fault = |fault| refused(AuthFailure::Bearer(fault));
    let stamp = app.db.checks().stamp();
    let in_header = |e| match e {
        Error::JwtRefused(why) => fault(why),
        other => other,
    };
    let claims = signing_keys::verify(app, token).await.map_err(in_header)?;
    let claims = claims.expect(Kind::Access).map_err(fault)?;
    let user = match claims.subject() {
        Subject::Missing => return Err(refused(AuthFailure::NoUserId)),
        Subject::Nobody => None,
        Subject::User(id) => users::find_entitled(app, id).await?,
    };
    let Entitled { user, permissions } = user.ok_or_else(|| refused(AuthFailure::UserNotFound))?;
    if !user.is_active {
        return Err(refused(AuthFailure::UserInactive));
    }
    families::check_access(app, &claims, &user)
        .await
        .map_err(in_header)?;
    let user = Arc::new(user);
    let verdict = Verdict::Known {
        user: user.clone(),
        permissions,
        scopes: Scopes::FULL,
        token: None,
    };
    app.db
        .checks()
        .keep(credential, stamp, verdict, claims.expires_at);
    Ok(Caller {
        user,
        permissions,
        scopes: Scopes::FULL,
        token_ends: None,
    })
}
