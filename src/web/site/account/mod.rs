//! The pages of one's own account: names and e-mail, password, sessions, tokens.

mod password;
mod profile;
mod sessions;
mod tokens;

use rocket::{Route, routes};

use crate::web::page::Page;

pub fn routes() -> Vec<Route> {
    [
        routes![
            profile::form,
            profile::save,
            profile::send_verification,
            password::form,
            password::change,
            sessions::list,
            sessions::end,
            sessions::end_others,
        ],
        tokens::routes(),
    ]
    .concat()
}

pub fn samples() -> Vec<Page> {
    [
        profile::samples(),
        password::samples(),
        sessions::samples(),
        tokens::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
