//! What one bar or one point of a chart is about: a day or, where there are many, a week.

use std::borrow::Cow;

use super::{Series, short};

/// More days than these are drawn by week.
const MOST_DAYS: usize = 31;

/// A day or a week of the drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) first: i64,
    last: i64,
}

impl Span {
    pub(super) fn name(self) -> String {
        if self.first == self.last {
            return short(self.first);
        }
        format!("{} – {}", short(self.first), short(self.last))
    }
}

/// Weeks end on the last day; the oldest may be short of some days.
pub(super) fn spans<'s>(days: &[i64], series: &'s [Series]) -> (Vec<Span>, Cow<'s, [Series]>) {
    let whole = |first: i64, last: i64| Span { first, last };
    if days.len() <= MOST_DAYS {
        let each = days.iter().map(|day| whole(*day, *day)).collect();
        return (each, Cow::Borrowed(series));
    }
    let weeks = days.rchunks(7).rev();
    let weeks = weeks.map(|week| whole(week[0], week[week.len() - 1]));
    let summed = series.iter().map(|s| Series {
        label: s.label,
        words: s.words,
        counts: s.counts.rchunks(7).rev().map(|w| w.iter().sum()).collect(),
    });
    (weeks.collect(), Cow::Owned(summed.collect()))
}

/// What stands below each span: where it begins. Of more than seven, below every so many and the last.
pub(super) fn labels(spans: &[Span]) -> Vec<String> {
    let every = if spans.len() <= 7 { 1 } else { spans.len() / 4 };
    let from_the_end = spans.iter().rev().enumerate();
    let labels = from_the_end.map(|(n, span)| {
        if n % every == 0 {
            short(span.first)
        } else {
            String::new()
        }
    });
    labels.rev().collect()
}
