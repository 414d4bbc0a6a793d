//! What went wrong, within the panel: for members of staff, who keep menu and way back.

use rocket::{Request, http::Status, response::Responder};
use serde::Serialize;

use crate::web::{
    chrome,
    guards::{UserSession, client},
    page::{Crumb, Page, View},
};

#[derive(Serialize)]
struct Lost<'a> {
    status: u16,
    heading: &'a str,
    message: &'a str,
    request_id: &'a str,
    /// The list below which it happened, if this person may see it.
    list: Option<Crumb>,
    #[serde(skip)]
    nav: &'static str,
}

impl View for Lost<'_> {
    const TEMPLATE: &'static str = "admin/lost.html";

    fn title(&self) -> String {
        self.heading.to_owned()
    }

    fn nav(&self) -> &'static str {
        self.nav
    }

    fn trail(&self) -> Vec<Crumb> {
        self.list.iter().cloned().collect()
    }
}

/// `None`: it cannot be drawn, and the plain page must do. `segments` are those of the address.
pub fn page(
    req: &Request<'_>,
    session: &UserSession,
    segments: &[&str],
    status: Status,
    (heading, message): (&str, &str),
) -> Option<rocket::Response<'static>> {
    let below = segments.get(1).unwrap_or(&"");
    let (nav, list) = match chrome::menu_entry(&session.actor, below) {
        Some((nav, list)) => (nav, Some(list)),
        // Not empty: it is a page of the panel.
        None => ("error", None),
    };
    let view = Lost {
        status: status.code,
        heading,
        message,
        request_id: client::request_id(req),
        list,
        nav,
    };
    Page::of(&view).status(status).respond_to(req).ok()
}

pub fn samples() -> Vec<Page> {
    let sample = |list| {
        Page::of(&Lost {
            status: 404,
            heading: "Nothing lives at this address",
            message: "Check the address.",
            request_id: "r",
            list,
            nav: "users",
        })
    };
    vec![
        sample(None),
        sample(Some(Crumb::new("Users", "/admin/users/"))),
    ]
}
