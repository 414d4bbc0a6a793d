//! The groups in the forms of accounts: ticked by superusers, shown to others.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        groups::{self, Membership},
    },
    error::Result,
    web::guards::CsrfForm,
};

/// The boxes.
const FIELD: &str = "group";
/// Says that there were boxes: those that are not ticked are not sent.
const SHOWN: &str = "groups_shown";

#[derive(Clone, Serialize)]
pub struct Tick {
    id: i64,
    name: String,
    gives: String,
    on: bool,
}

impl Tick {
    fn of(membership: Membership, typed: Option<&[i64]>) -> Self {
        let Membership { group, is_in } = membership;
        Self {
            gives: groups::permissions(&group).in_words(),
            on: typed.map_or(is_in, |ids| ids.contains(&group.id)),
            id: group.id,
            name: group.name,
        }
    }

    pub fn sample() -> Self {
        Self {
            id: 2,
            name: "<i>Support</i>".to_owned(),
            gives: "view users".to_owned(),
            on: true,
        }
    }
}

/// The boxes as they are, or as they were ticked; of a new account for the id 0. Who may not tick them sees those
/// that the person is in.
pub async fn ticks(
    app: &App,
    by: &Actor,
    user_id: i64,
    typed: Option<&[i64]>,
) -> Result<Vec<Tick>> {
    if user_id == 0 && !by.is_superuser {
        return Ok(Vec::new());
    }
    let offered = groups::choices(app, user_id).await?.into_iter();
    let mut ticks: Vec<Tick> = offered.map(|one| Tick::of(one, typed)).collect();
    if !by.is_superuser {
        ticks.retain(|tick| tick.on);
    }
    Ok(ticks)
}

/// The ids that were ticked, each once, if there was anything to tick. Of too many as few as are refused.
pub fn ticked(form: &CsrfForm) -> Option<Vec<i64>> {
    form.flag(SHOWN).then(|| {
        let ids = form.all(FIELD).filter_map(|id| id.parse().ok());
        let ids: BTreeSet<i64> = ids.collect();
        ids.into_iter().take(groups::OFFERED + 1).collect()
    })
}

/// Whether these are other groups than the person is in. One that no box was for is another, too.
pub fn differ(now: &[Tick], typed: Option<&[i64]>) -> bool {
    let is_in: BTreeSet<i64> = now
        .iter()
        .filter(|tick| tick.on)
        .map(|tick| tick.id)
        .collect();
    typed.is_some_and(|ids| is_in != ids.iter().copied().collect())
}

pub fn in_a_row(ticks: &[Tick]) -> String {
    let on = ticks.iter().filter(|tick| tick.on);
    on.map(|tick| tick.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The fields of a form that asks for these groups again.
pub fn fields(typed: Option<&[i64]>) -> Vec<(&'static str, String)> {
    let Some(ids) = typed else {
        return Vec::new();
    };
    let ids = ids.iter().map(|id| (FIELD, id.to_string()));
    std::iter::once((SHOWN, "on".to_owned()))
        .chain(ids)
        .collect()
}
