//! The admin panel. One file a resource, named as in the other layers; handlers ask the domain
//! and turn its answers into pages.

pub mod audit;
pub mod bulk;
pub mod groups;
pub mod health;
pub mod index;
pub mod keys;
pub mod listing;
pub mod login;
pub mod lost;
pub mod reauth;
pub mod refusals;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod students;
pub mod tokens;
pub mod users;

use rocket::Route;

use crate::web::{guards::kept::across_sign_in, page::Page};

/// Mounted on `/admin`.
pub fn routes() -> Vec<Route> {
    let inside = [
        audit::routes(),
        bulk::routes(),
        health::routes(),
        groups::routes(),
        index::routes(),
        keys::routes(),
        reauth::routes(),
        refusals::routes(),
        search::routes(),
        sessions::routes(),
        settings::routes(),
        students::routes(),
        tokens::routes(),
        users::routes(),
    ];
    [login::routes(), across_sign_in(inside.concat())].concat()
}

/// A sample of each page of the panel, for the sweep that renders them all.
pub fn samples() -> Vec<Page> {
    [
        audit::samples(),
        health::samples(),
        groups::samples(),
        index::samples(),
        keys::samples(),
        login::samples(),
        lost::samples(),
        refusals::samples(),
        search::samples(),
        sessions::samples(),
        settings::samples(),
        students::samples(),
        tokens::samples(),
        users::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
