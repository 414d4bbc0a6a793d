//! The public pages and those of a signed-in person. One file a page.

pub mod account;
pub mod confirm;
pub mod dashboard;
pub mod home;
pub mod login;
pub mod logout;
pub mod registration;
pub mod setup;
pub mod theme;
pub mod visit;

use rocket::{Route, routes};

use crate::web::{assets, page::Page};

/// Mounted on `/`.
pub fn routes() -> Vec<Route> {
    let own = account::routes();
    let others = routes![
        home::home,
        setup::setup_form,
        setup::set_up,
        registration::registration_form,
        registration::register,
        login::login_form,
        login::login,
        logout::logout_form,
        logout::logout,
        dashboard::dashboard,
        confirm::end,
        theme::set_theme,
        assets::favicon,
    ];
    [own, others].concat()
}

/// A sample of each page, for the sweep that renders them all.
pub fn samples() -> Vec<Page> {
    [
        home::samples(),
        setup::samples(),
        registration::samples(),
        login::samples(),
        logout::samples(),
        dashboard::samples(),
        confirm::samples(),
        account::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
