//! The groups in the forms of accounts: ticked by superusers, shown to others. Of very many only some are shown, with a
//! field for the name of another; a save leaves alone what was not shown.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        groups::{self, Membership},
        users::UserInput,
    },
    error::{Error, Result},
    web::{form::FormState, guards::CsrfForm},
};

/// The boxes.
const FIELD: &str = "group";
/// The ids that have one, as those that are not ticked are not sent.
const SHOWN: &str = "groups_shown";
/// The name of one that has none.
pub const NAMED: &str = "group_named";

/// What a form shows of groups.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Boxes {
    ticks: Vec<Tick>,
    /// For `SHOWN`.
    shown: String,
    /// There are groups without a box.
    more: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Tick {
    id: i64,
    name: String,
    gives: String,
    on: bool,
}

impl Tick {
    fn of(membership: Membership, typed: Option<&UserInput>) -> Self {
        let Membership { group, is_in } = membership;
        let ticked = |input: &UserInput| {
            let ids = input.groups.as_ref()?;
            let was_shown = input.groups_shown.as_ref();
            let was_shown = was_shown.is_none_or(|shown| shown.contains(&group.id));
            Some(ids.contains(&group.id) || (is_in && !was_shown))
        };
        Self {
            gives: groups::permissions(&group).in_words(),
            on: typed.and_then(ticked).unwrap_or(is_in),
            id: group.id,
            name: group.name,
        }
    }
}

impl Boxes {
    /// As they are, or as they were ticked; of a new account for the id 0. Who may not tick them sees those that the
    /// person is in.
    pub async fn of(
        app: &App,
        by: &Actor,
        user_id: i64,
        typed: Option<&UserInput>,
    ) -> Result<Self> {
        if user_id == 0 && !by.is_superuser {
            return Ok(Self::default());
        }
        let offered = groups::choices(app, user_id).await?;
        let ticks = offered.groups.into_iter();
        let mut ticks: Vec<Tick> = ticks.map(|one| Tick::of(one, typed)).collect();
        if !by.is_superuser {
            ticks.retain(|tick| tick.on);
        }
        let ids: Vec<String> = ticks.iter().map(|tick| tick.id.to_string()).collect();
        Ok(Self {
            shown: ids.join(","),
            more: offered.more,
            ticks,
        })
    }

    /// Whether this is another choice than these boxes. One that no box is for is another, too.
    pub fn differ(&self, input: &UserInput) -> bool {
        let Some(ids) = &input.groups else {
            return false;
        };
        let on = |tick: &&Tick| tick.on;
        let is_in: BTreeSet<i64> = self.ticks.iter().filter(on).map(|tick| tick.id).collect();
        let was_shown = |id: &i64| {
            let shown = input.groups_shown.as_ref();
            shown.is_none_or(|shown| shown.contains(id))
        };
        let joins = ids.iter().any(|id| !is_in.contains(id));
        joins || is_in.iter().any(|id| was_shown(id) && !ids.contains(id))
    }

    pub fn in_a_row(&self) -> String {
        let on = self.ticks.iter().filter(|tick| tick.on);
        on.map(|tick| tick.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub fn sample() -> Self {
        Self {
            ticks: vec![Tick {
                id: 2,
                name: "<i>Support</i>".to_owned(),
                gives: "view users".to_owned(),
                on: true,
            }],
            shown: "2".to_owned(),
            more: true,
        }
    }
}

/// Puts what was ticked into the input, each id once, if there was anything to tick. Of too many as few as are refused.
pub fn read(form: &CsrfForm, input: &mut UserInput) {
    let Some(shown) = form.opt(SHOWN) else {
        return;
    };
    let some = |ids: &mut dyn Iterator<Item = &str>| -> Vec<i64> {
        let ids: BTreeSet<i64> = ids.filter_map(|id| id.parse().ok()).collect();
        ids.into_iter().take(groups::OFFERED + 1).collect()
    };
    input.groups = Some(some(&mut form.all(FIELD)));
    input.groups_shown = Some(some(&mut shown.split(',')));
}

/// Adds the group that was named to those that were ticked. A field error where there is none of that name.
pub async fn add_named(app: &App, form: &CsrfForm, input: &mut UserInput) -> Result<()> {
    let name = form.text(NAMED).trim();
    let Some(ids) = input.groups.as_mut().filter(|_| !name.is_empty()) else {
        return Ok(());
    };
    let found = groups::find_by_name(app, name).await?;
    let group = found.ok_or_else(|| Error::field(NAMED, "There is no group of that name."))?;
    if !ids.contains(&group.id) {
        ids.push(group.id);
    }
    Ok(())
}

/// The form with the name as it was typed.
pub fn with_named(shown: FormState, form: &CsrfForm) -> FormState {
    shown.with(NAMED, form.text(NAMED))
}

/// The fields of a form that asks for these groups again.
pub fn fields(input: &UserInput) -> Vec<(&'static str, String)> {
    let Some(ids) = &input.groups else {
        return Vec::new();
    };
    let shown = input.groups_shown.iter().flatten();
    let shown: Vec<String> = shown.map(ToString::to_string).collect();
    let ids = ids.iter().map(|id| (FIELD, id.to_string()));
    std::iter::once((SHOWN, shown.join(",")))
        .chain(ids)
        .collect()
}
