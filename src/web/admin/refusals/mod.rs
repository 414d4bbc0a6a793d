//! "Why was I refused?": the latest refusals, one of them explained, and the inspector for whatever
//! somebody pastes. The sentences are in `words`.

mod answer;
mod list;
mod request_id;
mod words;

use rocket::{Route, routes};

use crate::web::page::{Crumb, Page};

const PATH: &str = "/admin/refusals/";
const TITLE: &str = "Why was I refused?";

pub fn routes() -> Vec<Route> {
    routes![list::list, answer::shown, answer::inspect]
}

pub fn samples() -> Vec<Page> {
    [list::samples(), answer::samples()].concat()
}

fn trail() -> Vec<Crumb> {
    vec![Crumb::new(TITLE, PATH)]
}
