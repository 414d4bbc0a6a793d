//! Acts on the ticked rows of a list, or on all that its filter matches: what a list declares, the bar,
//! and the selection. The page that asks is in `confirm`, the doing in `run`, what goes from page to page in `state`; what
//! an act does to records is the domain's.
//!
//! A list adopts it so (`users/bulk.rs` is an example):
//! 1. A struct made from the list's query implements [`Bulk`]: its acts, ids by filter, names, and `run`,
//!    which calls the domain for at most `BATCH` ids (`domain::bulk::each` makes one call into many).
//! 2. Three routes, each with `?<query..>` of the list itself, so that the filter comes along:
//!    `POST <path>bulk/` with a `CsrfForm` calls `confirm::ask`; `POST <path>bulk/run/` with a `CsrfForm`
//!    calls `run::go(.., Door::Plain)`; `POST <path>bulk/confirmed/` with a `ConfirmedForm` calls
//!    `run::go(.., Door::Confirmed)`. A list without dangerous acts needs no third.
//! 3. The list's view has a [`Bar`]; its template puts the table into
//!    `<form method="post" action="{{ view.bulk.action }}">` with `lists::pick_head(bulk=view.bulk)` in
//!    the head, `lists::pick(bulk=view.bulk, id=.., name=..)` in each row and `lists::bulk(bulk=view.bulk)`
//!    behind the table. The query takes `all: Option<String>`.
//!
//! 4. An act that wants to know more (until when?) says what by `asks`, and gets it as `answer`. What is worth knowing of
//!    the very records that were chosen is told by `evidence`.
//! 5. A list that gives its rows as a file implements `export::Export` too; see there.
//!
//! Everything works without script: "select all matching" is a link to the same list with `all=1`, where
//! an unticked box means "but this one".

mod back;
pub mod confirm;
pub mod export;
pub mod run;
mod selection;
mod state;

use serde::Serialize;

pub use back::routes;
pub use selection::Selection;

use super::listing::Address;
use crate::{
    app::App,
    domain::{actor::Actor, bulk::Tally, paging::Count, permissions::Permission},
    error::{Error, Result},
    web::{filters, page::Crumb, words},
};

/// A list whose rows can be ticked, with its filter.
pub trait Bulk: Send + Sync {
    /// `/admin/users/`.
    const PATH: &'static str;
    /// Of the side menu.
    const NAV: &'static str;
    /// The list's title.
    const TITLE: &'static str;
    /// One record, many records.
    const NOUN: (&'static str, &'static str);
    /// The action of the audit line about the act as a whole: `user.bulk`.
    const EVENT: &'static str;
    const ACTS: &'static [Act];

    /// The list with this filter, without page and `all`.
    fn list(&self) -> Address;

    /// The ids after `after` that the filter matches, in their order, at most `limit`.
    fn ids(
        &self,
        app: &App,
        after: i64,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<i64>>> + Send;

    fn count(&self, app: &App) -> impl Future<Output = Result<Count>> + Send;

    /// The highest id there is: what comes after it was not there when the person looked.
    fn newest(app: &App) -> impl Future<Output = Result<i64>> + Send;

    fn names(app: &App, ids: &[i64]) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Does it to these, at most `BATCH`. `answer` is empty where nothing was asked.
    fn run(
        &self,
        app: &App,
        by: &Actor,
        act: &'static str,
        answer: &str,
        ids: &[i64],
    ) -> impl Future<Output = Result<Tally>> + Send;

    /// What is asked beside yes or no.
    fn asks(_app: &App, _act: &'static str) -> Option<Question> {
        None
    }

    /// What the records that were chosen say for or against it.
    fn evidence(
        &self,
        _app: &App,
        _act: &'static str,
        _selection: &Selection,
    ) -> impl Future<Output = Result<Vec<Finding>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Whom or what the act will pass over because of who does it; told last.
    fn skips(&self, _by: &Actor, _act: &'static str, _selection: &Selection) -> Option<Finding> {
        None
    }
}

/// A choice on the page that asks.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    pub label: &'static str,
    pub hint: String,
    pub options: Vec<Answer>,
    /// The value that is chosen at first.
    pub usual: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    pub value: String,
    pub label: String,
}

/// A `Point` that depends on what was chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub kind: &'static str,
    pub icon: &'static str,
    pub text: String,
    pub note: String,
}

impl Finding {
    pub fn skipped(text: &str) -> Self {
        Self {
            kind: "info",
            icon: "info",
            text: text.to_owned(),
            note: "The result says how many.".to_owned(),
        }
    }
}

/// One button of the bar. In texts `{}` stands for "41 users", in `done` for the number alone.
#[derive(Debug)]
pub struct Act {
    /// What the form sends.
    pub name: &'static str,
    pub button: &'static str,
    pub icon: &'static str,
    /// `Disable {}`: the title, with a question mark, and the button.
    pub ask: &'static str,
    /// `{} disabled`.
    pub done: &'static str,
    pub grade: Grade,
    pub permission: Permission,
    /// What will happen and what is kept.
    pub points: &'static [Point],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Asked once.
    Plain,
    /// Asked once, in red.
    Bad,
    /// Asked together with the password.
    Dangerous,
    /// The same, and of many the number is to be typed.
    Deletes,
    /// The same for many; a few are asked for once, in red.
    DeletesMany,
    /// Nothing is asked: the list answers it itself, at `<path><name>/`.
    Direct,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// `bad`, `warn` or `info`: its colour.
    pub kind: &'static str,
    pub icon: &'static str,
    pub text: &'static str,
    pub note: &'static str,
}

impl Act {
    fn is_bad(&self) -> bool {
        !matches!(self.grade, Grade::Plain | Grade::Direct)
    }

    fn needs_password(&self, count: Count) -> bool {
        match self.grade {
            Grade::Dangerous | Grade::Deletes => true,
            Grade::DeletesMany => !count.exact || count.n > confirm::BY_A_CLICK,
            Grade::Plain | Grade::Bad | Grade::Direct => false,
        }
    }

    fn says(text: &str, what: &str) -> String {
        text.replace("{}", what)
    }
}

/// The act of this name, if this person may do it.
pub fn act<B: Bulk>(by: &Actor, named: &str) -> Result<&'static Act> {
    let act = B::ACTS
        .iter()
        .find(|act| act.name == named)
        .ok_or_else(|| Error::Parse("There is no such act.".to_owned()))?;
    by.require(act.permission)?;
    Ok(act)
}

/// A hidden field of a form that carries the selection on.
#[derive(Clone, Debug, Serialize)]
struct Field {
    name: String,
    value: String,
}

/// The bar below the list.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    action: String,
    many: &'static str,
    all: bool,
    /// `All 412 matching are selected`.
    whole: String,
    /// The list with everything ticked, where there is more than the page shows.
    every: Option<String>,
    every_label: String,
    /// The list with nothing ticked.
    none: String,
    acts: Vec<Button>,
}

#[derive(Clone, Debug, Serialize)]
struct Button {
    name: &'static str,
    label: &'static str,
    icon: &'static str,
    bad: bool,
    /// Where it goes, if not where the form goes.
    to: Option<String>,
}

impl Bar {
    /// `total` matches, of which `shown` are on the page. `all`: everything is ticked.
    pub fn of<B: Bulk>(list: &B, by: &Actor, total: Count, shown: usize, all: bool) -> Self {
        let address = list.list();
        let acts = B::ACTS
            .iter()
            .filter(|act| by.may(act.permission))
            .map(|act| Button {
                name: act.name,
                label: act.button,
                icon: act.icon,
                bad: act.is_bad(),
                to: (act.grade == Grade::Direct).then(|| address.below(act.name)),
            });
        let more = !total.exact || total.n > shown as u64;
        Self {
            action: address.below("bulk"),
            many: B::NOUN.1,
            all,
            whole: if total.exact {
                format!("All {} matching are selected", filters::number(total.n))
            } else {
                format!("All matching are selected, {}", words::count(total))
            },
            every: (more && !all).then(|| address.with("all", "1").href()),
            every_label: if total.exact {
                format!("Select all {} matching", filters::number(total.n))
            } else {
                format!("Select all matching, {}", words::count(total))
            },
            none: address.href(),
            acts: acts.collect(),
        }
    }
}

fn noun<B: Bulk>(n: Count) -> String {
    words::counted(n, B::NOUN.0, B::NOUN.1)
}

fn trail<B: Bulk>(list: &B) -> Vec<Crumb> {
    vec![Crumb::new(B::TITLE, list.list().href())]
}
