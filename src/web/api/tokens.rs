//! `/api/tokens/`: API tokens over the API. One's own; staff with the
//! permission reaches those of the people it may touch.
//! The key is shown once, by the call that made it.

use rocket::{Route, State, delete, get, http::Status, patch, post, routes};
use schemars::JsonSchema;
use serde::Serialize;

use super::Answer;
use crate::{
    app::App,
    clock::rfc3339,
    domain::{
        actor::Actor,
        permissions::{Act, Permission, Record},
        scopes::Scopes,
        tokens::{self, Changes, End, LONGEST, MOST_GRACE, NewToken, Token},
        usage::{self, Uses},
        users,
    },
    error::{Error, Result},
    secret::TokenKey,
    web::{
        body::{Body, Reader},
        error::ApiError,
        guards::{ApiAuth, api_auth::TokensManage},
        negotiation::Acceptable,
    },
};

pub fn routes() -> Vec<Route> {
    routes![list, create, detail, change, revoke, rotate]
}

#[derive(Serialize, JsonSchema)]
pub(super) struct TokenResponse {
    id: i64,
    name: String,
    is_default: bool,
    /// The first characters of the key.
    prefix: String,
    scopes: Vec<&'static str>,
    state: &'static str,
    created: String,
    created_by: String,
    expires: Option<String>,
    last_used: Option<String>,
    last_used_address: Option<String>,
    revoked: Option<String>,
    /// A username, or how it ended without anybody signed in.
    revoked_by: Option<String>,
    /// Only where one token is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<UsesResponse>,
    /// Only from the call that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct UsesResponse {
    today: i64,
    last_30_days: i64,
}

impl TokenResponse {
    fn of(app: &App, token: Token) -> Self {
        Self {
            id: token.id,
            is_default: token.is_default,
            scopes: tokens::scopes(&token).names(),
            state: tokens::state(&token, app.now()).as_str(),
            created: rfc3339(token.created_at),
            expires: token.expires_at.map(rfc3339),
            last_used: token.last_used_at.map(rfc3339),
            last_used_address: token.last_used_address,
            revoked: token.revoked_at.map(rfc3339),
            revoked_by: token.revoked_by,
            name: token.name,
            prefix: token.prefix,
            created_by: token.created_by,
            uses: None,
            key: None,
        }
    }

    fn used(self, uses: &Uses) -> Self {
        let uses = UsesResponse {
            today: uses.today(),
            last_30_days: uses.total(),
        };
        Self {
            uses: Some(uses),
            ..self
        }
    }

    fn with(self, key: &TokenKey) -> Self {
        Self {
            key: Some(key.expose().to_owned()),
            ..self
        }
    }
}

/// Those that are not revoked, the newest first.
#[get("/?<owner>")]
async fn list(
    _as: Acceptable,
    auth: ApiAuth<TokensManage>,
    owner: Option<&str>,
    app: &State<App>,
) -> Result<Answer<Vec<TokenResponse>>, ApiError> {
    let owner = owner_id(app, &auth.actor, owner, Act::View).await?;
    let tokens = tokens::list_for(app, owner).await?;
    Answer::ok(
        tokens
            .into_iter()
            .map(|token| TokenResponse::of(app, token))
            .collect(),
    )
}

#[post("/", data = "<body>")]
async fn create(
    _as: Acceptable,
    auth: ApiAuth<TokensManage>,
    app: &State<App>,
    body: Body,
) -> Result<Answer<TokenResponse>, ApiError> {
    let mut read = body.reader();
    let name = read.text("name");
    let owner = read.optional_text("owner");
    let ends = end(app, &auth, &mut read);
    let scopes = read.words("scopes");
    let scopes = scopes.map_or(Some(auth.scopes), |text| Scopes::parse(&text));
    if scopes.is_none() {
        read.complain("scopes", "There is no such scope.");
    }
    let scopes = scopes.unwrap_or(Scopes::of([]));
    if !auth.scopes.include(scopes) {
        read.complain(
            "scopes",
            "A token cannot hand out what it may not do itself.",
        );
    }
    read.finish()?;
    let new = NewToken {
        user_id: owner_id(app, &auth.actor, owner.as_deref(), Act::Add).await?,
        name,
        expires_at: ends.or(auth.token_ends),
        scopes,
    };
    let (token, key) = tokens::issue(app, &auth.actor, new).await?;
    Ok(Answer(
        Status::Created,
        TokenResponse::of(app, token).with(&key),
    ))
}

/// When `expires_in` says that a token is to end, in Unix seconds; nothing where it says nothing.
fn end(app: &App, auth: &ApiAuth<TokensManage>, read: &mut Reader<'_>) -> Option<i64> {
    let expires_in = read.optional_integer("expires_in")?;
    if !(1..=LONGEST).contains(&expires_in) {
        let text = format!("Ensure this value is between 1 and {LONGEST}.");
        read.complain("expires_in", text);
    } else if let Some(text) = tokens::refuse_life(app, expires_in) {
        read.complain("expires_in", text);
    }
    let ends = app.now().saturating_add(expires_in);
    if auth.token_ends.is_some_and(|most| ends > most) {
        read.complain("expires_in", OUTLIVES);
    }
    Some(ends)
}

const OUTLIVES: &str = "A token cannot make one that outlives it.";

#[get("/<id>")]
async fn detail(
    _as: Acceptable,
    auth: ApiAuth<TokensManage>,
    id: &str,
    app: &State<App>,
) -> Result<Answer<TokenResponse>, ApiError> {
    let token = reached(app, &auth.actor, id, Act::View).await?;
    let uses = usage::uses_of(app, token.id).await?;
    Answer::ok(TokenResponse::of(app, token).used(&uses))
}

#[patch("/<id>", data = "<body>")]
async fn change(
    _as: Acceptable,
    auth: ApiAuth<TokensManage>,
    id: &str,
    app: &State<App>,
    body: Body,
) -> Result<Answer<TokenResponse>, ApiError> {
    let token = reached(app, &auth.actor, id, Act::Change).await?;
    let mut read = body.reader();
    let name = read.optional_text("name");
    let at = end(app, &auth, &mut read);
    // Null: never.
    if body.has("expires_in") && at.is_none() && auth.token_ends.is_some() {
        read.complain("expires_in", OUTLIVES);
    }
    read.finish()?;
    let changes = Changes {
        name: name.as_deref(),
        end: body.has("expires_in").then(|| End::from(at)),
    };
    let done = tokens::change(app, &auth.actor, token.id, changes).await;
    let token = done.map_err(in_words_of_the_body)?;
    Answer::ok(TokenResponse::of(app, token))
}

#[delete("/<id>")]
async fn revoke(
    _as: Acceptable,
    auth: ApiAuth<TokensManage>,
    id: &str,
    app: &State<App>,
) -> Result<Status, ApiError> {
    let token = reached(app, &auth.actor, id, Act::Delete).await?;
    tokens::revoke(app, &auth.actor, token.id).await?;
    Ok(Status::NoContent)
}

#[post("/<id>/rotate", data = "<body>")]
async fn rotate(
    _as: Acceptable,
    auth: ApiAuth<TokensManage>,
    id: &str,
    app: &State<App>,
    body: Body,
) -> Result<Answer<TokenResponse>, ApiError> {
    let token = reached(app, &auth.actor, id, Act::Change).await?;
    let mut read = body.reader();
    let grace = read.optional_integer("grace").unwrap_or(0);
    if !(0..=MOST_GRACE).contains(&grace) {
        let text = format!("Ensure this value is between 0 and {MOST_GRACE}.");
        read.complain("grace", text);
    }
    if !auth.scopes.include(tokens::scopes(&token)) {
        read.complain(
            "non_field_errors",
            "A token cannot hand out what it may not do itself.",
        );
    }
    read.finish()?;
    let (token, key) = tokens::rotate(app, &auth.actor, token.id, grace).await?;
    Answer::ok(TokenResponse::of(app, token).with(&key))
}

/// What the domain says of an end is about the field of the body.
fn in_words_of_the_body(e: Error) -> Error {
    match e {
        Error::Validation(errors) => Error::Validation(errors.renamed("expires", "expires_in")),
        other => other,
    }
}

/// The named owner, or the caller. Other people's tokens take the permission to do `act` to tokens.
async fn owner_id(app: &App, by: &Actor, named: Option<&str>, act: Act) -> Result<i64> {
    let Some(name) = named.filter(|name| *name != by.username) else {
        return by.user_id.ok_or(Error::NotAuthenticated);
    };
    // Whoever may not ask is not told who there is.
    by.require(Permission::new(act, Record::Tokens))?;
    let owner = users::find_by_username(app, name).await?;
    let owner = owner.ok_or_else(|| Error::field("owner", "There is no such user."))?;
    users::may_touch(by, &owner)?;
    Ok(owner.id)
}

/// A token that the caller may do `act` to. To people who are not staff any other is not there;
/// staff without the permission is not told which there are.
async fn reached(app: &App, by: &Actor, id: &str, act: Act) -> Result<Token> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let found = tokens::get(app, id).await;
    if let Ok(row) = &found
        && by.user_id == Some(row.owner.id)
    {
        return found.map(|row| row.token);
    }
    if by.is_staff || by.is_superuser {
        by.require(Permission::new(act, Record::Tokens))?;
    }
    let row = found?;
    users::may_touch(by, &row.owner).map_err(|_| Error::NotFound)?;
    Ok(row.token)
}
