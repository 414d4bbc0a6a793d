//! Users in the admin panel: the list, the account forms, passwords, and the acts on an account.

mod acts;
mod add;
mod bulk;
mod change_form;
mod change_list;
mod conflict;
mod delete;
mod disable;
mod export;
mod facts;
mod groups;
mod history;
mod links;
mod query;
mod told;

use rocket::{Route, routes};

use crate::{
    domain::users::{User, UserInput},
    web::{
        form::{FormState, Labels},
        guards::CsrfForm,
        page::{Crumb, Page},
    },
};

pub fn routes() -> Vec<Route> {
    routes![
        change_list::change_list,
        change_list::suggest,
        bulk::ask,
        bulk::go,
        bulk::go_confirmed,
        export::export_all,
        export::export_chosen,
        add::add_form,
        add::add,
        change_form::change_form,
        change_form::change,
        acts::password_form,
        acts::set_password,
        acts::enable,
        disable::disable_form,
        disable::disable,
        acts::unlock,
        acts::sign_out,
        acts::end_session,
        links::make_link,
        links::show_link,
        links::link_head,
        links::send_verification,
        delete::delete_confirmation,
        delete::delete,
        history::history,
    ]
}

pub fn samples() -> Vec<Page> {
    [
        change_list::samples(),
        bulk::samples(),
        add::samples(),
        change_form::samples(),
        acts::samples(),
        delete::samples(),
        disable::samples(),
        links::samples(),
        history::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(super) use bulk::Users;
pub(super) use query::ListQuery;

const LABELS: Labels = &[
    ("username", "Username"),
    ("email", "E-mail"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("password", "Password"),
    ("confirm_password", "Password again"),
    ("is_active", "Active"),
    ("is_staff", "Staff"),
    ("is_superuser", "Superuser"),
    ("group", "Groups"),
    (groups::NAMED, "Another group"),
];

/// Said beside boxes that are not this person's to tick.
const SUPERUSERS_ONLY: &str = "Only a superuser can change this.";

pub fn href(id: i64) -> String {
    format!("/admin/users/{id}/")
}

fn trail() -> Vec<Crumb> {
    vec![Crumb::new("Users", "/admin/users/")]
}

fn trail_to(user_id: i64, username: &str) -> Vec<Crumb> {
    let mut trail = trail();
    trail.push(Crumb::new(username, href(user_id)));
    trail
}

/// The account fields as they were typed.
fn input(form: &CsrfForm) -> UserInput {
    let mut input = UserInput {
        username: form.text("username").to_owned(),
        email: form.text("email").to_owned(),
        first_name: form.text("first_name").to_owned(),
        last_name: form.text("last_name").to_owned(),
        is_active: form.flag("is_active"),
        is_staff: form.flag("is_staff"),
        is_superuser: form.flag("is_superuser"),
        ..UserInput::default()
    };
    groups::read(form, &mut input);
    input
}

fn of_user(user: &User) -> UserInput {
    UserInput {
        username: user.username.clone(),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        is_active: user.is_active,
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
        groups: None,
        groups_shown: None,
    }
}

fn shown(input: &UserInput) -> FormState {
    FormState::default()
        .with("username", &input.username)
        .with("email", &input.email)
        .with("first_name", &input.first_name)
        .with("last_name", &input.last_name)
        .flag("is_active", input.is_active)
        .flag("is_staff", input.is_staff)
        .flag("is_superuser", input.is_superuser)
}

/// For samples only.
pub(in crate::web) fn sample_user() -> User {
    User {
        id: 7,
        username: "amara.okafor".to_owned(),
        username_key: "amara.okafor".to_owned(),
        email: "amara@example.org".to_owned(),
        first_name: "Amara".to_owned(),
        last_name: "Okafor".to_owned(),
        password: String::new(),
        is_active: true,
        is_staff: true,
        is_superuser: false,
        epoch: 0,
        epoch_at: 0,
        last_login: 0,
        date_joined: 1_700_000_000,
        version: 1,
        email_verified_at: 0,
        search: String::new(),
    }
}
