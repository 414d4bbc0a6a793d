//! From a credential to a person: the check path of every API request.

use crate::{
    app::App,
    domain::{
        families,
        jwt::{self, Kind, Subject},
        tokens,
        users::{self, User},
    },
    error::{AuthFailure, Error, JwtFault, Result},
    secret::{Jwt, TokenKey},
};

/// `Authorization: Token <key>`, as Django REST framework judges it.
pub async fn by_token(app: &App, key: &TokenKey, address: &str) -> Result<User> {
    let refused = |failure| Err(Error::AuthenticationFailed(failure));
    let Some((token, user)) = tokens::find_live(app, key).await? else {
        return refused(AuthFailure::TokenUnknown);
    };
    if !user.is_active {
        return refused(AuthFailure::TokenUserInactive);
    }
    app.usage.note(token.id, app.now(), address);
    Ok(user)
}

/// `Authorization: Bearer <access>`, as SimpleJWT judges it.
pub async fn by_bearer(app: &App, token: &Jwt) -> Result<User> {
    let refused = |failure| Error::AuthenticationFailed(failure);
    let fault = |fault| refused(AuthFailure::Bearer(fault));
    let claims = jwt::verify(token, app.keys.jwt_key(), app.now())
        .and_then(|claims| claims.expect(Kind::Access))
        .map_err(fault)?;
    let user = match claims.subject() {
        Subject::Missing => return Err(refused(AuthFailure::NoUserId)),
        Subject::Nobody => None,
        Subject::User(id) => users::find(app, id).await?,
    };
    let user = user.ok_or_else(|| refused(AuthFailure::UserNotFound))?;
    if !user.is_active {
        return Err(refused(AuthFailure::UserInactive));
    }
    families::check_access(app, &claims, &user)
        .await
        .map_err(|e| match e {
            Error::JwtRefused(_) => fault(JwtFault::Blacklisted),
            other => other,
        })?;
    Ok(user)
}
