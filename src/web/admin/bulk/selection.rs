//! Which rows of a list are meant: the ticked ones, or all that its filter matches but some.

use std::collections::BTreeSet;

use super::Bulk;
use crate::{
    app::App,
    domain::{bulk::BATCH, paging::Count},
    error::Result,
    web::guards::CsrfForm,
};

/// Which records a form is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Whatever the filter matches, but `except`.
    pub all: bool,
    pub(super) ids: BTreeSet<i64>,
    pub(super) except: BTreeSet<i64>,
}

impl Selection {
    pub fn of(form: &CsrfForm) -> Self {
        let numbers = |name| {
            let texts = form.all(name);
            texts.filter_map(|text| text.parse::<i64>().ok().filter(|id| *id > 0))
        };
        let ticked: BTreeSet<i64> = numbers("id").collect();
        if form.flag("all") {
            // Each row that was shown says so: what was shown and is not ticked is left out.
            let unticked = numbers("shown").filter(|id| !ticked.contains(id));
            return Self {
                all: true,
                ids: BTreeSet::new(),
                except: numbers("except").chain(unticked).collect(),
            };
        }
        Self {
            all: false,
            ids: ticked,
            except: BTreeSet::new(),
        }
    }

    /// Whatever the filter matches.
    pub fn everything() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    pub fn is_empty(&self) -> bool {
        !self.all && self.ids.is_empty()
    }

    /// Where not all are meant: these.
    pub fn ids(&self) -> Vec<i64> {
        self.ids.iter().copied().collect()
    }

    /// Where all are meant: but these.
    pub fn except(&self) -> Vec<i64> {
        self.except.iter().copied().collect()
    }

    /// Whether this one may be among them: where all are meant, it is not known whether the filter matches it.
    pub fn may_have(&self, id: i64) -> bool {
        if self.all {
            !self.except.contains(&id)
        } else {
            self.ids.contains(&id)
        }
    }

    /// As many as there seem to be now.
    pub async fn count<B: Bulk>(&self, list: &B, app: &App) -> Result<Count> {
        if !self.all {
            return Ok(Count {
                n: self.ids.len() as u64,
                exact: true,
            });
        }
        let found = list.count(app).await?;
        let left = if found.exact {
            found.n.saturating_sub(self.except.len() as u64)
        } else {
            found.n
        };
        Ok(Count { n: left, ..found })
    }

    /// The next ones after `after`, none beyond `upto`; nothing where it ends.
    pub async fn next<B: Bulk>(
        &self,
        list: &B,
        app: &App,
        mut after: i64,
        upto: i64,
    ) -> Result<Vec<i64>> {
        let most = usize::try_from(BATCH).unwrap_or(usize::MAX);
        if !self.all {
            let rest = self.ids.range(after.saturating_add(1)..);
            return Ok(rest.take(most).copied().collect());
        }
        loop {
            let mut found = list.ids(app, after, BATCH).await?;
            let Some(end) = found.last().copied() else {
                return Ok(found);
            };
            found.retain(|id| *id <= upto && !self.except.contains(id));
            if !found.is_empty() || end >= upto {
                return Ok(found);
            }
            // A whole batch of exceptions.
            after = end;
        }
    }
}
