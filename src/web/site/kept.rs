//! The page from which a form goes on that was typed before the sign-in changed (`guards/kept.rs`).

use serde::Serialize;

use crate::web::{
    guards::kept::{Kept, Resumable},
    page::{Page, View},
};

#[derive(Serialize)]
struct GoOn {
    kept: Kept,
    /// In the words of its button; empty: unknown.
    act: String,
    cancel: String,
    /// Of a session that began with this answer; empty: the page's own is right.
    csrf: String,
}

impl View for GoOn {
    const TEMPLATE: &'static str = "site/kept.html";

    fn title(&self) -> String {
        "Your sign-in had changed".to_owned()
    }
}

pub fn page(waits: Resumable, csrf: String) -> Page {
    let in_panel = waits.kept.to.starts_with("/admin/");
    let home = if in_panel { "/admin/" } else { "/dashboard/" };
    Page::of(&GoOn {
        cancel: if waits.back.is_empty() {
            home.to_owned()
        } else {
            waits.back
        },
        kept: waits.kept,
        act: waits.act,
        csrf,
    })
}

pub fn samples() -> Vec<Page> {
    let sample = |act: &str, back: &str| {
        let kept = Kept {
            form: "c2VhbGVk".to_owned(),
            to: "/admin/users/7/".to_owned(),
        };
        let waits = Resumable {
            kept,
            act: act.to_owned(),
            back: back.to_owned(),
        };
        page(waits, String::new())
    };
    vec![
        sample("", "/admin/users/7/"),
        sample("Delete <b>sam</b>", ""),
    ]
}
