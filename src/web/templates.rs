//! wip
use rocket::fairing::Fairing;
use rocket_dyn_templates::Template;

pub fn fairing() -> impl Fairing {
    Template::fairing()
}
