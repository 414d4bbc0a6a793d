//! Tokens as a CSV file: the ticked ones, or all that the list's filter matches.

use rocket::{Either, State, get, post};

use super::{bulk::Tokens, query::ListQuery};
use crate::{
    app::App,
    clock::rfc3339,
    domain::{actor::Actor, tokens},
    error::Result,
    web::{
        admin::bulk::export::{self, Export},
        csv::{CsvFile, row},
        error::PageError,
        guards::{CsrfForm, May, permission::ViewTokens},
        page::Go,
    },
};

impl Export for Tokens {
    const FILE: &'static str = "tokens.csv";
    const HEAD: &'static [&'static str] = &[
        "id",
        "owner",
        "name",
        "kind",
        "starts_with",
        "access",
        "state",
        "created",
        "created_by",
        "expires",
        "last_used",
        "last_address",
        "requests_24h",
        "revoked",
        "revoked_by",
    ];

    async fn lines(app: &App, by: &Actor, ids: &[i64]) -> Result<String> {
        let found = tokens::some(app, ids).await?;
        let time = |at: Option<i64>| at.map(rfc3339).unwrap_or_default();
        let line = |found: &tokens::TokenRow| {
            let token = &found.token;
            // The list shows no more of tokens that are out of reach.
            let open = tokens::may_look_into(by, found);
            let address = token.last_used_address.as_deref().filter(|_| open);
            row([
                token.id.to_string().as_str(),
                &found.owner.username,
                &token.name,
                match (token.is_default, tokens::was_default(token)) {
                    (true, _) => "default",
                    (false, true) => "default, replaced",
                    (false, false) => "named",
                },
                &token.prefix,
                &tokens::scopes(token).to_string(),
                tokens::state(token, app.now()).as_str(),
                &rfc3339(token.created_at),
                &token.created_by,
                &time(token.expires_at),
                &time(token.last_used_at),
                address.unwrap_or_default(),
                &found.recent.last_day.to_string(),
                &time(token.revoked_at),
                token.revoked_by.as_deref().unwrap_or_default(),
            ])
        };
        Ok(found.iter().map(line).collect())
    }
}

#[get("/tokens/export?<query..>")]
pub async fn export_all(
    session: May<'_, ViewTokens>,
    app: &State<App>,
    query: ListQuery,
) -> Result<CsvFile, PageError> {
    Ok(export::everything(Tokens(query), app, &session.actor).await?)
}

#[post("/tokens/export?<query..>", data = "<form>")]
pub async fn export_chosen(
    session: May<'_, ViewTokens>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Either<CsvFile, Go>, PageError> {
    Ok(export::chosen(Tokens(query), app, &session.actor, &form).await?)
}
