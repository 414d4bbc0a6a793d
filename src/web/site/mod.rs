//! The public pages and those of a signed-in person. One file a page.

pub mod account;
pub mod confirm;
pub mod dashboard;
pub mod home;
pub mod kept;
pub mod login;
pub mod logout;
pub mod password_reset;
pub mod registration;
pub mod setup;
pub mod theme;
pub mod verify_email;
pub mod visit;

use rocket::{Route, routes};

use crate::web::{assets, guards::kept::across_sign_in, page::Page};

/// Mounted on `/`.
pub fn routes() -> Vec<Route> {
    let own = across_sign_in(account::routes());
    let others = routes![
        home::home,
        setup::setup_form,
        setup::set_up,
        setup::closed,
        registration::registration_form,
        registration::register,
        login::login_form,
        login::login,
        logout::logout_form,
        logout::logout,
        dashboard::dashboard,
        password_reset::ask_form,
        password_reset::ask,
        password_reset::set_form,
        password_reset::set,
        verify_email::confirm_form,
        verify_email::confirm,
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
        kept::samples(),
        login::samples(),
        logout::samples(),
        dashboard::samples(),
        password_reset::samples(),
        verify_email::samples(),
        confirm::samples(),
        account::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
