//! Two people edited the same account: both versions, and the choice.

use rocket::http::Status;
use serde::Serialize;

use super::groups;
use crate::{
    app::App,
    domain::{
        audit,
        users::{User, UserInput},
    },
    error::Result,
    web::{
        filters,
        page::{Crumb, Page, View},
    },
};

#[derive(Serialize)]
pub struct UserConflict {
    href: String,
    id: i64,
    username: String,
    headline: String,
    mine: Vec<Mine>,
    rows: Vec<Compared>,
}

#[derive(Serialize)]
struct Mine {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Compared {
    label: &'static str,
    saved: String,
    yours: String,
    differs: bool,
}

impl Compared {
    fn of(label: &'static str, saved: String, yours: String) -> Self {
        Self {
            label,
            differs: saved != yours,
            saved,
            yours,
        }
    }
}

impl View for UserConflict {
    const TEMPLATE: &'static str = "admin/users/conflict.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        "Changed meanwhile".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(self.id, &self.username)
    }
}

/// `in_groups`: the names of the groups that are saved, and of those that were ticked.
pub async fn conflict(
    app: &App,
    user: &User,
    typed: &UserInput,
    in_groups: (String, String),
) -> Result<Page> {
    let last = audit::for_object(app, "user", user.id, 10).await?;
    let edit = last.iter().find(|e| e.action == "user.changed");
    let headline = match edit {
        Some(e) => {
            format!(
                "{} saved this record {}.",
                e.actor,
                filters::ago(e.at, app.now())
            )
        }
        None => "Someone saved this record meanwhile.".to_owned(),
    };
    let view = compare(user, typed, in_groups, headline);
    Ok(Page::of(&view).status(Status::Conflict))
}

pub fn compare(
    user: &User,
    typed: &UserInput,
    in_groups: (String, String),
    headline: String,
) -> UserConflict {
    let saved = super::of_user(user);
    let texts =
        |i: &UserInput| [&i.username, &i.email, &i.first_name, &i.last_name].map(String::clone);
    let flags = |i: &UserInput| [i.is_active, i.is_staff, i.is_superuser];
    let word = |on: bool| if on { "Yes" } else { "No" }.to_owned();
    let fields = super::LABELS
        .iter()
        .filter(|(name, _)| !name.ends_with("password") && !name.starts_with("group"));
    let pairs = texts(&saved)
        .into_iter()
        .chain(flags(&saved).map(word))
        .zip(texts(typed).into_iter().chain(flags(typed).map(word)));
    let mut mine = vec![Mine {
        name: "version",
        value: user.version.to_string(),
    }];
    for ((name, _), value) in fields.clone().zip(texts(typed)) {
        mine.push(Mine { name, value });
    }
    for (name, on) in ["is_active", "is_staff", "is_superuser"]
        .into_iter()
        .zip(flags(typed))
    {
        if on {
            mine.push(Mine {
                name,
                value: "on".to_owned(),
            });
        }
    }
    let fields_of_groups = groups::fields(typed);
    mine.extend(
        fields_of_groups
            .into_iter()
            .map(|(name, value)| Mine { name, value }),
    );
    let mut rows: Vec<Compared> = fields
        .zip(pairs)
        .map(|((_, label), (saved, yours))| Compared::of(label, saved, yours))
        .collect();
    if typed.groups.is_some() {
        rows.push(Compared::of("Groups", in_groups.0, in_groups.1));
    }
    UserConflict {
        href: super::href(user.id),
        id: user.id,
        username: user.username.clone(),
        headline,
        mine,
        rows,
    }
}
