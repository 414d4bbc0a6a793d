//! Users as a CSV file: the ticked ones, or all that the list's filter matches.

use rocket::{Either, State, get, post};

use super::{bulk::Users, query::ListQuery};
use crate::{
    app::App,
    clock::rfc3339,
    domain::{
        actor::Actor,
        users::{self, User},
    },
    error::Result,
    web::{
        admin::bulk::export::{self, Export},
        csv::{CsvFile, row},
        error::PageError,
        guards::{CsrfForm, May, permission::ViewUsers},
        page::Go,
        words::known,
    },
};

impl Export for Users {
    const FILE: &'static str = "users.csv";
    const HEAD: &'static [&'static str] = &[
        "id",
        "username",
        "email",
        "email_verified",
        "first_name",
        "last_name",
        "active",
        "staff",
        "superuser",
        "joined",
        "last_sign_in",
    ];

    async fn lines(app: &App, _by: &Actor, ids: &[i64]) -> Result<String> {
        let found = users::some(app, ids).await?;
        Ok(found.iter().map(line).collect())
    }
}

fn line(user: &User) -> String {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let time = |at: i64| known(at).map(rfc3339).unwrap_or_default();
    row([
        user.id.to_string().as_str(),
        &user.username,
        &user.email,
        &time(user.email_verified_at),
        &user.first_name,
        &user.last_name,
        yes(user.is_active),
        yes(user.is_staff),
        yes(user.is_superuser),
        &time(user.date_joined),
        &time(user.last_login),
    ])
}

#[get("/users/export?<query..>")]
pub async fn export_all(
    session: May<'_, ViewUsers>,
    app: &State<App>,
    query: ListQuery,
) -> Result<CsvFile, PageError> {
    Ok(export::everything(Users(query), app, &session.actor).await?)
}

#[post("/users/export?<query..>", data = "<form>")]
pub async fn export_chosen(
    session: May<'_, ViewUsers>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Either<CsvFile, Go>, PageError> {
    Ok(export::chosen(Users(query), app, &session.actor, &form).await?)
}
