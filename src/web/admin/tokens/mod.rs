//! Tokens in the admin panel: the list, making one, showing it once, rotating and revoking.

pub mod add;
mod bulk;
mod change_list;
pub mod confirm;
pub mod created;
pub mod detail;
mod expiry;
mod export;
pub mod extend;
pub mod place;
mod query;
mod uses;

pub(super) use bulk::Tokens;
pub(super) use query::ListQuery;
use rocket::{Route, routes};
use serde::Serialize;

use crate::{
    app::App,
    domain::tokens::{TokenRow, TokenState},
    web::{
        page::{Crumb, Page},
        words::{Tag, TokenFacts},
    },
};

pub fn routes() -> Vec<Route> {
    routes![
        change_list::change_list,
        bulk::ask,
        bulk::go,
        bulk::go_confirmed,
        export::export_all,
        export::export_chosen,
        add::add_form,
        add::add,
        created::created,
        created::created_head,
        created::show_again,
        detail::exists,
        detail::detail,
        detail::rename,
        extend::extend_form,
        extend::extend,
        confirm::rotate_form,
        confirm::rotate,
        confirm::revoke_form,
        confirm::revoke,
    ]
}

pub fn samples() -> Vec<Page> {
    [
        change_list::samples(),
        bulk::samples(),
        add::samples(),
        created::samples(),
        detail::samples(),
        extend::samples(),
        confirm::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn trail() -> Vec<Crumb> {
    vec![Crumb::new("Tokens", "/admin/tokens/")]
}

fn trail_to(token: &TokenFacts) -> Vec<Crumb> {
    let mut trail = trail();
    trail.push(Crumb::new(token.name.as_str(), token.href.as_str()));
    trail
}

fn facts_of(app: &App, row: &TokenRow) -> TokenFacts {
    TokenFacts::of_row(row, app.now())
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Choice {
    value: &'static str,
    label: &'static str,
}

/// For how long the old value of a rotated token works on, in seconds.
const GRACES: &[Choice] = &[
    Choice {
        value: "86400",
        label: "after 24 hours",
    },
    Choice {
        value: "3600",
        label: "after 1 hour",
    },
    Choice {
        value: "0",
        label: "at once",
    },
];

/// For samples only.
pub fn sample_facts(state: TokenState) -> TokenFacts {
    TokenFacts {
        id: 3,
        href: "/admin/tokens/3/".to_owned(),
        list: "/admin/tokens/",
        is_own: false,
        name: "CI import job".to_owned(),
        is_default: false,
        was_default: false,
        is_active: matches!(state, TokenState::Active),
        is_rotated: false,
        successor: None,
        prefix: "lk_7Qm2x".to_owned(),
        access: "students:read".to_owned(),
        state: Tag::token(state),
        owner: "amara.okafor".to_owned(),
        owner_href: "/admin/users/7/".to_owned(),
        is_owner_disabled: false,
        created: 1_700_000_000,
        created_by: "sam.archer".to_owned(),
        expires: Some(1_710_000_000),
        last_used: None,
        last_address: None,
        revoked: matches!(state, TokenState::Revoked).then_some(1_700_000_100),
        revoked_by: "sam.archer".to_owned(),
        is_burned: false,
    }
}
