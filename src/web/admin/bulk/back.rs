//! The addresses that acts on many are sent to, when they are opened instead: by Back, by a reload after the act, or by a
//! bookmark. There is nothing to show there, so they lead to the list, with its filter.

use rocket::{Route, get, routes};

use super::Bulk;
use crate::web::{
    admin::{sessions, students, tokens, users},
    guards::{
        May,
        permission::{ViewSessions, ViewStudents, ViewTokens, ViewUsers},
    },
    page::Go,
};

pub fn routes() -> Vec<Route> {
    routes![
        sessions_ask,
        sessions_run,
        students_ask,
        students_run,
        students_confirmed,
        tokens_ask,
        tokens_run,
        tokens_confirmed,
        users_ask,
        users_run,
        users_confirmed,
    ]
}

fn to<B: Bulk>(list: &B) -> Go {
    Go::to(list.list().href())
}

#[get("/sessions/bulk?<query..>")]
fn sessions_ask(_may: May<'_, ViewSessions>, query: sessions::ListQuery) -> Go {
    to(&sessions::Sessions { query, this: 0 })
}

#[get("/sessions/bulk/run?<query..>")]
fn sessions_run(_may: May<'_, ViewSessions>, query: sessions::ListQuery) -> Go {
    to(&sessions::Sessions { query, this: 0 })
}

#[get("/students/bulk?<query..>")]
fn students_ask(_may: May<'_, ViewStudents>, query: students::ListQuery) -> Go {
    to(&students::Students(query))
}

#[get("/students/bulk/run?<query..>")]
fn students_run(_may: May<'_, ViewStudents>, query: students::ListQuery) -> Go {
    to(&students::Students(query))
}

#[get("/students/bulk/confirmed?<query..>")]
fn students_confirmed(_may: May<'_, ViewStudents>, query: students::ListQuery) -> Go {
    to(&students::Students(query))
}

#[get("/tokens/bulk?<query..>")]
fn tokens_ask(_may: May<'_, ViewTokens>, query: tokens::ListQuery) -> Go {
    to(&tokens::Tokens(query))
}

#[get("/tokens/bulk/run?<query..>")]
fn tokens_run(_may: May<'_, ViewTokens>, query: tokens::ListQuery) -> Go {
    to(&tokens::Tokens(query))
}

#[get("/tokens/bulk/confirmed?<query..>")]
fn tokens_confirmed(_may: May<'_, ViewTokens>, query: tokens::ListQuery) -> Go {
    to(&tokens::Tokens(query))
}

#[get("/users/bulk?<query..>")]
fn users_ask(_may: May<'_, ViewUsers>, query: users::ListQuery) -> Go {
    to(&users::Users(query))
}

#[get("/users/bulk/run?<query..>")]
fn users_run(_may: May<'_, ViewUsers>, query: users::ListQuery) -> Go {
    to(&users::Users(query))
}

#[get("/users/bulk/confirmed?<query..>")]
fn users_confirmed(_may: May<'_, ViewUsers>, query: users::ListQuery) -> Go {
    to(&users::Users(query))
}
