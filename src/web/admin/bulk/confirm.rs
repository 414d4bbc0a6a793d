//! The page between choosing an act and doing it: how many, the first of them, what will happen.

use serde::Serialize;

use super::{Act, Bulk, Field, Finding, Grade, Point, Question, Selection, state::BulkState};
use crate::{
    app::App,
    domain::{actor::Actor, paging::Count},
    error::{FieldErrors, Result},
    web::{
        filters,
        flash::Flash,
        form::{FormState, Labels},
        guards::CsrfForm,
        page::{Crumb, Go, Page, Reply, View},
    },
};

/// Names shown.
const FIRST: usize = 10;
/// More than so many are not deleted by a click alone.
pub(super) const BY_A_CLICK: u64 = 25;
const LABELS: Labels = &[("typed", "The number"), ("answer", "Choice")];

#[derive(Serialize)]
struct Confirm {
    title: String,
    lead: String,
    names: Vec<String>,
    more: Option<String>,
    evidence: Vec<Finding>,
    points: &'static [Point],
    /// Whom or what it will pass over.
    skips: Option<Finding>,
    question: Option<Question>,
    fields: Vec<Field>,
    /// Where the answer goes.
    action: String,
    cancel: String,
    button: String,
    icon: &'static str,
    bad: bool,
    /// What to type; empty: nothing.
    word: String,
    form: FormState,
    #[serde(skip)]
    nav: (Vec<Crumb>, &'static str),
}

impl View for Confirm {
    const TEMPLATE: &'static str = "admin/bulk/confirm.html";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn nav(&self) -> &'static str {
        self.nav.1
    }

    fn trail(&self) -> Vec<Crumb> {
        self.nav.0.clone()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

/// The answer to the first form: the page that asks, or the list again where nothing is ticked.
pub async fn ask<B: Bulk>(list: &B, app: &App, by: &Actor, form: &CsrfForm) -> Result<Reply> {
    let act = super::act::<B>(by, form.text("act"))?;
    let selection = Selection::of(form);
    let count = selection.count(list, app).await?;
    if count.n == 0 {
        return Ok(nothing(list).into());
    }
    let view = asked(list, app, by, act, &selection, count).await?;
    Ok(Reply::page(&view))
}

pub(super) fn nothing<B: Bulk>(list: &B) -> Go {
    let said = Flash::warn("Nothing was selected.").text("Tick a row first.");
    Go::to(list.list().href()).with(said)
}

async fn asked<B: Bulk>(
    list: &B,
    app: &App,
    by: &Actor,
    act: &'static Act,
    selection: &Selection,
    count: Count,
) -> Result<Confirm> {
    let newest = B::newest(app).await?;
    let mut first = selection.next(list, app, 0, newest).await?;
    first.truncate(FIRST);
    let names = B::names(app, &first).await?;
    let evidence = list.evidence(app, act.name, selection).await?;
    let mut view = view(list, act, selection, count, names).with(B::asks(app, act.name), evidence);
    let state = BulkState::asked(act, selection, count, newest);
    view.fields.push(state.sealed(list, app, by)?);
    view.skips = list.skips(by, act.name, selection);
    Ok(view)
}

impl Confirm {
    fn with(self, question: Option<Question>, evidence: Vec<Finding>) -> Self {
        let usual = question.as_ref().map_or("", |q| q.usual.as_str());
        Self {
            form: self.form.with("answer", usual),
            question,
            evidence,
            ..self
        }
    }
}

/// Whether this form answers what the act asks, if it asks anything.
pub(super) fn is_answered<B: Bulk>(app: &App, act: &Act, form: &CsrfForm) -> bool {
    let question = B::asks(app, act.name);
    question.is_none_or(|question| {
        // Nothing said is not "never".
        let given = form.opt("answer");
        let mut options = question.options.iter();
        options.any(|option| Some(option.value.as_str()) == given)
    })
}

/// What was typed is not the number, or nothing of the list was chosen: the same page, with the error.
pub(super) async fn again<B: Bulk>(
    list: &B,
    app: &App,
    by: &Actor,
    act: &'static Act,
    state: &BulkState,
    form: &CsrfForm,
) -> Result<Page> {
    let selection = state.selection();
    let count = selection.count(list, app).await?;
    let mut view = asked(list, app, by, act, &selection, count).await?;
    let mut errors = FieldErrors::default();
    if !is_typed(act, state.expected(), form) {
        errors.push("typed", format!("Type {} to go on.", view.word));
    }
    if is_answered::<B>(app, act, form) {
        view.form = view.form.with("answer", form.text("answer"));
    } else {
        errors.push("answer", "Choose one of the list.");
    }
    view.form = view.form.refused(&errors, LABELS);
    Ok(Page::of(&view))
}

fn view<B: Bulk>(
    list: &B,
    act: &'static Act,
    selection: &Selection,
    count: Count,
    names: Vec<String>,
) -> Confirm {
    let what = super::noun::<B>(count);
    let shown = names.len() as u64;
    let more = if count.exact {
        let rest = count.n.saturating_sub(shown);
        (rest > 0).then(|| format!("and {} more", filters::number(rest)))
    } else {
        Some("and many more".to_owned())
    };
    let address = list.list();
    Confirm {
        title: format!("{}?", Act::says(act.ask, &what)),
        lead: if selection.all {
            format!("Everything that the list matches now: {what}.")
        } else {
            format!("The {what} that you ticked.")
        },
        names,
        more,
        evidence: Vec::new(),
        points: act.points,
        skips: None,
        question: None,
        fields: Vec::new(),
        action: address.below(if act.needs_password(count) {
            "bulk/confirmed"
        } else {
            "bulk/run"
        }),
        cancel: address.href(),
        button: Act::says(act.ask, &what),
        icon: act.icon,
        bad: act.is_bad(),
        word: word(act, count),
        form: FormState::default(),
        nav: (super::trail(list), B::NAV),
    }
}

/// What is to be typed before it is done; empty: nothing.
fn word(act: &Act, count: Count) -> String {
    match (act.grade, count.exact) {
        (Grade::Deletes | Grade::DeletesMany, false) => "DELETE".to_owned(),
        (Grade::Deletes | Grade::DeletesMany, true) if count.n > BY_A_CLICK => count.n.to_string(),
        _ => String::new(),
    }
}

/// Whether this form may go on: nothing was to be typed, or it was typed.
pub(super) fn is_typed(act: &Act, expected: Count, form: &CsrfForm) -> bool {
    let wanted = word(act, expected);
    let typed = form.text("typed").trim().replace(',', "");
    wanted.is_empty() || typed.eq_ignore_ascii_case(&wanted)
}

pub(super) fn field(name: &str, value: impl ToString) -> Field {
    Field {
        name: name.to_owned(),
        value: value.to_string(),
    }
}

pub fn samples<B: Bulk>(list: &B) -> Vec<Page> {
    let n = |n| Count { n, exact: true };
    let page = |act, all, count| {
        let selection = Selection {
            all,
            ids: [7].into(),
            ..Selection::default()
        };
        let names = vec!["<b>sam".to_owned(), "amara.okafor".to_owned()];
        Page::of(&view(list, act, &selection, count, names))
    };
    B::ACTS
        .iter()
        .flat_map(|act| [page(act, false, n(2)), page(act, true, n(412))])
        .collect()
}

/// For the sweep: with all that may be on the page.
pub fn sample_asking<B: Bulk>(
    list: &B,
    act: &'static Act,
    question: Option<Question>,
    evidence: Vec<Finding>,
) -> Page {
    let (selection, one) = (Selection::everything(), Count { n: 1, exact: true });
    let view = view(list, act, &selection, one, vec!["<b>sam".to_owned()]);
    Page::of(&view.with(question, evidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::permissions::{Act as Deed, Permission, Record};

    #[test]
    fn many_are_not_deleted_by_a_click_alone() {
        let act = |grade| Act {
            name: "x",
            button: "X",
            icon: "x",
            ask: "X {}",
            done: "{} x",
            grade,
            permission: Permission::new(Deed::Delete, Record::Users),
            points: &[],
        };
        let n = |n, exact| Count { n, exact };
        assert_eq!(word(&act(Grade::Deletes), n(25, true)), "");
        assert_eq!(word(&act(Grade::Deletes), n(26, true)), "26");
        assert_eq!(word(&act(Grade::Deletes), n(10_000, false)), "DELETE");
        assert_eq!(word(&act(Grade::Dangerous), n(10_000, false)), "");
    }
}
