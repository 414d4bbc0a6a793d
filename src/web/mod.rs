//! Everything that knows HTTP. The whole URL map is `rocket`, on one screen.

pub mod activity;
pub mod admin;
pub mod api;
pub mod assets;
pub mod body;
pub mod chart;
pub mod chrome;
mod complaints;
pub mod compression;
pub mod csv;
pub mod error;
mod error_bodies;
pub mod fairings;
pub mod filters;
pub mod flash;
pub mod form;
mod forward_auth;
pub mod guards;
mod health;
mod json;
pub mod metrics_address;
pub mod negotiation;
pub mod page;
mod pages;
mod published;
mod refused;
pub mod site;
mod status_lists;
pub mod templates;
pub mod tls;
mod well_known;
pub mod words;

#[cfg(test)]
mod journey_tests;

use rocket::{Build, Request, Rocket, catchers, figment::Figment, shield::Shield};

use crate::app::App;

impl App {
    /// The one managed state, for guards.
    #[expect(
        clippy::expect_used,
        reason = "`rocket` below manages it; there is no other way in"
    )]
    pub fn of<'r>(req: &'r Request<'_>) -> &'r Self {
        req.rocket().state::<Self>().expect("App is managed")
    }
}

pub fn rocket(app: App, figment: Figment) -> Rocket<Build> {
    let rocket = rocket::custom(figment.merge(("template_dir", templates::template_dir())))
        .manage(app)
        .attach(fairings::AccessLog)
        .attach(fairings::MethodAsSent)
        // Ours says more; two would contradict each other.
        .attach(Shield::new())
        .attach(fairings::Headers)
        .attach(refused::Refused)
        .attach(compression::Compress)
        .attach(templates::fairing())
        .mount("/", health::routes())
        .mount("/", forward_auth::routes())
        .mount("/", well_known::routes())
        .mount("/", status_lists::routes())
        .mount("/", site::routes())
        .mount("/admin", admin::routes())
        .mount("/static", assets::routes())
        .register("/", catchers![error::default_catcher]);
    api::mount(rocket)
}
