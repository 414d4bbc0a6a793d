//! The audit log in the panel: the list with its filters, one event, what is filtered as a file. Read only, as the
//! log is. How an event reads as a sentence is `web/activity`.

mod acts;
mod change_list;
mod detail;
mod export;

use rocket::{Route, routes};

use crate::web::page::Page;

pub fn routes() -> Vec<Route> {
    routes![
        change_list::change_list,
        detail::detail,
        export::csv,
        export::json,
    ]
}

pub fn samples() -> Vec<Page> {
    [change_list::samples(), detail::samples()].concat()
}

const PATH: &str = "/admin/audit/";
