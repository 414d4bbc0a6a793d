//! Doing it, and saying what was done. However many there are, one request works for a few seconds; if
//! something is left, its page goes on by itself (without script: by a button), so that no proxy loses
//! patience, nothing is held for long, and a restart in between costs nothing.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Act, Bulk, Field, Grade, Selection, confirm, state::BulkState};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        bulk::{self, Skip, Tally},
        paging::Count,
    },
    error::{Error, Result},
    web::{
        filters,
        flash::Flash,
        guards::CsrfForm,
        page::{Crumb, Go, Page, Reply, View},
        words,
    },
};

/// For so long one request works.
const BUDGET: Duration = Duration::from_secs(4);
/// Tries of a batch that met somebody else's change.
const TRIES: u32 = 3;

/// By which address the form came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Plain,
    /// The password was asked for lately.
    Confirmed,
}

#[derive(Serialize)]
struct GoingOn {
    title: String,
    so_far: String,
    action: String,
    cancel: String,
    fields: Vec<Field>,
    #[serde(skip)]
    nav: (Vec<Crumb>, &'static str),
}

impl View for GoingOn {
    const TEMPLATE: &'static str = "admin/bulk/going_on.html";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn nav(&self) -> &'static str {
        self.nav.1
    }

    fn trail(&self) -> Vec<Crumb> {
        self.nav.0.clone()
    }
}

/// Before the question nothing is done to anybody.
const NOT_ASKED: Count = Count { n: 0, exact: true };

/// The answer to the second form, and to those that go on.
pub async fn go<B: Bulk>(
    list: &B,
    app: &App,
    by: &Actor,
    form: &CsrfForm,
    door: Door,
) -> Result<Reply> {
    let state = BulkState::of(list, app, by, form)?;
    let named = state.as_ref().map_or(form.text("act"), |state| &state.act);
    let act = super::act::<B>(by, named)?;
    let expected = state.as_ref().map_or(NOT_ASKED, BulkState::expected);
    let needs_door = act.needs_password(expected) && door == Door::Plain;
    if act.grade == Grade::Direct || needs_door {
        return Err(Error::Parse("This act has another address.".to_owned()));
    }
    let Some(mut state) = state else {
        return confirm::ask(list, app, by, form).await;
    };
    let selection = state.selection();
    let mut after = state.after.unwrap_or(0);
    if state.after.is_none() {
        let is_typed = confirm::is_typed(act, expected, form);
        if !(is_typed && confirm::is_answered::<B>(app, act, form)) {
            let page = confirm::again(list, app, by, act, &state, form).await?;
            return Ok(page.into());
        }
        form.text("answer").clone_into(&mut state.answer);
        begin(list, app, by, act, &selection, expected).await?;
    }
    let start = Instant::now();
    loop {
        let batch = selection.next(list, app, after, state.upto).await?;
        let Some(end) = batch.last().copied() else {
            return Ok(told(list, act, &selection, &state).into());
        };
        match patiently(list, app, by, (act, &state.answer), &batch).await {
            Ok(part) => state.tally.add(&part),
            Err(e) if state.tally == Tally::default() => return Err(e),
            Err(e) => return Ok(stopped(list, by, act, &state.tally, &e).into()),
        }
        after = end;
        if selection.all && start.elapsed() >= BUDGET {
            state.after = Some(after);
            let view = going_on(list, app, by, act, state, door)?;
            return Ok(Reply::page(&view));
        }
    }
}

/// The audit line of the act as a whole.
async fn begin<B: Bulk>(
    list: &B,
    app: &App,
    by: &Actor,
    act: &Act,
    selection: &Selection,
    expected: Count,
) -> Result<()> {
    let filter = if selection.all {
        list.list().query()
    } else {
        String::new()
    };
    let what = Act::says(act.ask, &super::noun::<B>(expected));
    bulk::note(app, by, B::EVENT, &what, &filter, expected.n).await
}

async fn patiently<B: Bulk>(
    list: &B,
    app: &App,
    by: &Actor,
    (act, answer): (&'static Act, &str),
    batch: &[i64],
) -> Result<Tally> {
    let mut tries = 0;
    loop {
        tries += 1;
        match list.run(app, by, act.name, answer, batch).await {
            Err(Error::Conflict(_)) if tries < TRIES => {}
            Err(Error::Conflict(_)) => {
                let mut tally = Tally::default();
                tally.skip_many(Skip::Clash, batch.len() as u64);
                return Ok(tally);
            }
            other => return other,
        }
    }
}

/// Back to the list, with what was done.
fn told<B: Bulk>(list: &B, act: &Act, selection: &Selection, state: &BulkState) -> Go {
    let (tally, expected) = (&state.tally, state.expected());
    let mut texts = vec![skipped(tally)];
    let met = tally.done.saturating_add(tally.passed_over());
    if selection.all && expected.exact && expected.n != met {
        texts.push(format!(
            "{} matched when you were asked, {} when it was done.",
            filters::number(expected.n),
            filters::number(met)
        ));
    }
    let title = done(act, tally);
    let flash = if tally.done == 0 || tally.passed_over() > 0 {
        Flash::warn(title)
    } else {
        Flash::ok(title)
    };
    Go::to(list.list().href()).with(flash.text(texts.join(" ").trim()))
}

fn stopped<B: Bulk>(list: &B, by: &Actor, act: &Act, tally: &Tally, e: &Error) -> Go {
    let request_id = by.request_id();
    tracing::error!(request.id = request_id, error = %e, act = act.name, "stopped half-way through a selection");
    let text = format!("{} {}", done(act, tally), skipped(tally));
    let flash = Flash::bad("Something broke on our side half-way.").text(text.trim());
    Go::to(list.list().href()).with(flash)
}

/// `41 disabled.`
fn done(act: &Act, tally: &Tally) -> String {
    if tally.done == 0 {
        return "Nothing was done.".to_owned();
    }
    format!("{}.", Act::says(act.done, &filters::number(tally.done)))
}

/// `2 skipped: you, and the last superuser.`
fn skipped(tally: &Tally) -> String {
    let reasons: Vec<String> = tally
        .skipped
        .iter()
        .map(|(why, n)| reason(*why, *n))
        .collect();
    let Some((last, before)) = reasons.split_last() else {
        return String::new();
    };
    let listed = if before.is_empty() {
        last.clone()
    } else {
        format!("{}, and {last}", before.join(", "))
    };
    format!(
        "{} skipped: {listed}.",
        filters::number(tally.passed_over())
    )
}

fn reason(why: Skip, n: u64) -> String {
    let count = |one: &str, many: &str| {
        let n = Count { n, exact: true };
        words::counted(n, one, many)
    };
    match why {
        Skip::You => "you".to_owned(),
        Skip::ThisSession => "the session you are in".to_owned(),
        Skip::LastSuperuser => "the last superuser".to_owned(),
        Skip::OutOfReach => count(
            "that only a superuser may touch",
            "that only a superuser may touch",
        ),
        Skip::Already => count("that was so already", "that were so already"),
        Skip::Ended => count("that has ended", "that have ended"),
        Skip::Rotated => count("that was rotated", "that were rotated"),
        Skip::Gone => count("that is gone", "that are gone"),
        Skip::Clash => count(
            "that somebody else was changing",
            "that somebody else was changing",
        ),
    }
}

fn going_on<B: Bulk>(
    list: &B,
    app: &App,
    by: &Actor,
    act: &Act,
    state: BulkState,
    door: Door,
) -> Result<GoingOn> {
    let address = list.list();
    let so_far = format!("{} {}", done(act, &state.tally), skipped(&state.tally));
    Ok(GoingOn {
        title: "Still at it".to_owned(),
        so_far: so_far.trim().to_owned(),
        action: address.below(match door {
            Door::Plain => "bulk/run",
            Door::Confirmed => "bulk/confirmed",
        }),
        cancel: address.href(),
        fields: vec![state.sealed(list, app, by)?],
        nav: (super::trail(list), B::NAV),
    })
}

/// For the sweep that renders all pages.
pub fn sample<B: Bulk>(list: &B) -> Page {
    Page::of(&GoingOn {
        title: "Still at it".to_owned(),
        so_far: "120,000 disabled. 1 skipped: you.".to_owned(),
        action: list.list().below("bulk/run"),
        cancel: list.list().href(),
        fields: vec![confirm::field("state", 7)],
        nav: (super::trail(list), B::NAV),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_passed_over_is_named() {
        let mut tally = Tally::default();
        assert_eq!(skipped(&tally), "");
        tally.skip(Skip::LastSuperuser);
        assert_eq!(skipped(&tally), "1 skipped: the last superuser.");
        tally.skip(Skip::You);
        assert_eq!(skipped(&tally), "2 skipped: you, and the last superuser.");
        tally.skip_many(Skip::Already, 1_200);
        assert_eq!(
            skipped(&tally),
            "1,202 skipped: you, the last superuser, and 1,200 that were so already."
        );
    }
}
