//! `latchkey groups`: what the panel's pages of groups do, for scripts.

use clap::Subcommand;
use serde::Serialize;

use super::{Context, Failure, print};
use crate::{
    app::App,
    db::Opener,
    domain::{
        actor::Actor,
        groups::{self, Group, GroupInput},
        permissions::{Permission, Permissions},
        users::{self, User},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Groups {
    /// All of them: name, members, permissions.
    List {
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
    /// Make a group.
    Create {
        name: String,
        /// What its members may do, such as `view_users`; once for each.
        #[arg(long, value_name = "PERMISSION", value_parser = permission)]
        may: Vec<Permission>,
    },
    /// Delete a group; its members lose what it gives.
    Delete { name: String },
    /// Put somebody into a group.
    Add { name: String, username: String },
    /// Take somebody out of a group.
    Remove { name: String, username: String },
}

fn permission(text: &str) -> Result<Permission, String> {
    Permission::named(text).ok_or_else(|| {
        let known: Vec<String> = Permission::all().map(Permission::name).collect();
        format!("there are: {}", known.join(", "))
    })
}

pub(super) async fn run(context: Context, what: Groups) -> Result<(), Failure> {
    let app = context.open(Opener::Command).await?;
    let by = Actor::operator();
    match what {
        Groups::List { json } => list(&app, json).await?,
        Groups::Create { name, may } => {
            let permissions = Permissions::of(may);
            let group = groups::create(&app, &by, GroupInput { name, permissions }).await?;
            print::line(&group.name)?;
        }
        Groups::Delete { name } => {
            let group = named(&app, &name).await?;
            groups::delete(&app, &by, group.id).await?;
            print::aside("it is deleted");
        }
        Groups::Add { name, username } => {
            let (group, user) = both(&app, &name, &username).await?;
            print::aside(if groups::add(&app, &by, &group, user.id).await? {
                "done"
            } else {
                "was in it already"
            });
            if !user.is_staff {
                print::aside("the account is not staff, so the group gives nothing to it");
            }
        }
        Groups::Remove { name, username } => {
            let (group, user) = both(&app, &name, &username).await?;
            print::aside(if groups::remove(&app, &by, &group, user.id).await? {
                "done"
            } else {
                "was not in it"
            });
        }
    }
    super::finish(app).await
}

async fn named(app: &App, name: &str) -> Result<Group, Failure> {
    let found = groups::find_by_name(app, name).await?;
    found.ok_or_else(|| Failure::Said(format!("there is no group {name:?}")))
}

async fn both(app: &App, name: &str, username: &str) -> Result<(Group, User), Failure> {
    let group = named(app, name).await?;
    let user = users::find_by_username(app, username).await?;
    let user = user.ok_or_else(|| Failure::Said(format!("there is no user {username:?}")))?;
    Ok((group, user))
}

#[derive(Serialize)]
struct GroupLine {
    group: String,
    members: u64,
    permissions: Vec<String>,
}

async fn list(app: &App, json: bool) -> Result<(), Failure> {
    let all = groups::all(app).await?;
    let lines = all.into_iter().map(|row| GroupLine {
        permissions: groups::permissions(&row.group)
            .iter()
            .map(Permission::name)
            .collect(),
        group: row.group.name,
        members: row.members.n,
    });
    let lines: Vec<GroupLine> = lines.collect();
    if json {
        return Ok(print::json(&lines)?);
    }
    let rows: Vec<_> = lines
        .into_iter()
        .map(|line| {
            let members = line.members.to_string();
            [line.group, members, line.permissions.join(" ")]
        })
        .collect();
    Ok(print::table(["GROUP", "MEMBERS", "PERMISSIONS"], &rows)?)
}
