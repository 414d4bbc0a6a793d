//! The tiles and charts of the first page, and the days that they are about.

use serde::Serialize;

use crate::{
    domain::{
        daily_figures::{Figure, Figures},
        paging::Count,
        tokens::TokenCounts,
        users::UserCounts,
    },
    web::{
        chart::{Chart, Series, Spark},
        filters::number,
        words::{count, counted},
    },
};

/// Days that a person may choose; the second one stands where nobody chose.
const PERIODS: [i64; 3] = [7, 30, 90];

#[derive(Clone, Debug, Serialize)]
pub(super) struct Period {
    label: String,
    href: String,
    current: bool,
}

/// The days of an address.
pub(super) fn period(days: Option<&str>) -> i64 {
    let days = days.and_then(|days| days.parse().ok());
    days.filter(|days| PERIODS.contains(days))
        .unwrap_or(PERIODS[1])
}

pub(super) fn periods(now: i64) -> Vec<Period> {
    PERIODS
        .into_iter()
        .map(|days| Period {
            label: format!("{days} days"),
            href: if days == PERIODS[1] {
                "/admin/".to_owned()
            } else {
                format!("/admin/?days={days}")
            },
            current: days == now,
        })
        .collect()
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Tile {
    label: &'static str,
    /// `about` or `over`, which stands with the label, as the value has no room for it; empty: it is exact.
    how: String,
    value: String,
    /// What moved, before the note; none where nothing did.
    change: Option<Change>,
    note: String,
    /// Empty: there is no page behind it.
    href: &'static str,
    spark: Option<Spark>,
    /// The line's colour.
    colour: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Change {
    text: String,
    /// `up` is good, `down` is bad, empty is neither.
    kind: &'static str,
}

impl Change {
    /// `+214`, `−3`; none for 0.
    fn by(n: i64, kind: &'static str) -> Option<Self> {
        let sign = if n > 0 { '+' } else { '−' };
        (n != 0).then(|| Self {
            text: format!("{sign}{}", number(n.unsigned_abs())),
            kind,
        })
    }

    /// `−12 %` of what was before; none where nothing was, nothing moved, or all of it is new.
    fn percent(now: i64, before: i64, more: &'static str, less: &'static str) -> Option<Self> {
        if before <= 0 || now == before {
            return None;
        }
        let percent = (now - before).saturating_mul(100) / before;
        if percent > 999 {
            return None;
        }
        Self::by(percent, if now > before { more } else { less }).map(|change| Self {
            text: format!("{} %", change.text),
            ..change
        })
    }
}

fn days_of(days: i64) -> usize {
    usize::try_from(days).unwrap_or(0)
}

/// Of each of the last days.
fn by_day(figures: &Figures, days: i64, f: impl Fn(i64) -> i64) -> Vec<i64> {
    let skipped = figures.days.len().saturating_sub(days_of(days));
    figures
        .days
        .iter()
        .skip(skipped)
        .map(|day| f(*day))
        .collect()
}

/// Without today, which is not over: a line would end with a fall.
fn whole(days: &[i64]) -> &[i64] {
    days.split_last().map_or(days, |(_, whole)| whole)
}

/// Ever more or fewer of them, from an unknown number on.
fn running(steps: &[i64]) -> Vec<i64> {
    let sum = |sum: &mut i64, n: &i64| {
        *sum += n;
        Some(*sum)
    };
    steps.iter().scan(0, sum).collect()
}

/// How exact it is, and the number.
fn large(n: Count) -> (String, String) {
    let text = count(n);
    match text.split_once(' ') {
        Some((how, number)) => (how.to_owned(), number.to_owned()),
        None => (String::new(), text),
    }
}

pub(super) fn of_users(people: &UserCounts, figures: &Figures, days: i64) -> Tile {
    let net = by_day(figures, days, |day| {
        figures.on(day, Figure::Registrations) + figures.on(day, Figure::AccountsAdded)
            - figures.on(day, Figure::AccountsDeleted)
    });
    let change = Change::by(net.iter().sum(), "up");
    let (how, value) = large(people.all);
    Tile {
        label: "Users",
        how,
        value,
        note: match &change {
            Some(_) => format!("in {days} days"),
            None => format!("{} never signed in", count(people.never_signed_in)),
        },
        change,
        href: "/admin/users/",
        spark: Spark::of(&running(&net)),
        colour: "",
    }
}

pub(super) fn of_sessions(living: Count, figures: &Figures, days: i64) -> Tile {
    let signed_in = by_day(figures, days, |day| figures.on(day, Figure::SignIns));
    let now = signed_in.iter().sum();
    let before = figures.before_last(days_of(days), Figure::SignIns);
    let change = Change::percent(now, before, "up", "");
    let (how, value) = large(living);
    Tile {
        label: "Active sessions",
        how,
        value,
        note: match &change {
            Some(_) => format!("sign-ins on the {days} days before"),
            None => "in browsers".to_owned(),
        },
        change,
        href: "/admin/sessions/",
        spark: Spark::of(whole(&signed_in)),
        colour: "alt",
    }
}

pub(super) fn of_tokens(keys: &TokenCounts, figures: &Figures, days: i64) -> Tile {
    let net = by_day(figures, days, |day| {
        figures.on(day, Figure::TokensMade) - figures.on(day, Figure::TokensEnded)
    });
    let change = Change::by(figures.last(days_of(days), Figure::TokensMade), "");
    let (how, value) = large(keys.active);
    Tile {
        label: "API tokens",
        how,
        value,
        note: match &change {
            Some(_) => format!("made in {days} days"),
            None => counted(keys.expired, "expired", "expired"),
        },
        change,
        href: "/admin/tokens/",
        spark: Spark::of(&running(&net)),
        colour: "",
    }
}

pub(super) fn of_failures(now: Count, before: Count, figures: &Figures, days: i64) -> Tile {
    let failed = by_day(figures, days, |day| figures.on(day, Figure::FailedSignIns));
    let signed = |count: Count| i64::try_from(count.n).unwrap_or(i64::MAX);
    let change = Change::percent(signed(now), signed(before), "down", "up");
    let (how, value) = large(now);
    Tile {
        label: "Failed sign-ins, 24 h",
        how,
        value,
        note: match &change {
            Some(_) => "on the day before".to_owned(),
            None => "page and API together".to_owned(),
        },
        change: change.filter(|_| now.exact && before.exact),
        href: "/admin/audit/?act=user.login_failed&when=day",
        spark: Spark::of(whole(&failed)),
        colour: "bad",
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Charts {
    sign_ins: Chart,
    registrations: Chart,
}

impl Charts {
    pub(super) fn of(figures: &Figures, days: i64) -> Self {
        let skipped = figures.days.len().saturating_sub(days_of(days));
        let shown = &figures.days[skipped..];
        let series = |label, words, f: &dyn Fn(i64) -> i64| Series {
            label,
            words,
            counts: by_day(figures, days, f),
        };
        let good = series("Succeeded", "signed in", &|day| {
            figures.on(day, Figure::SignIns)
        });
        let bad = series("Failed", "failed", &|day| {
            figures.on(day, Figure::FailedSignIns)
        });
        let made = series("New accounts", "new", &|day| {
            figures.on(day, Figure::Registrations) + figures.on(day, Figure::AccountsAdded)
        });
        Self {
            sign_ins: Chart::bars("Sign-ins", shown, &[good, bad]),
            registrations: Chart::curve("New accounts", shown, made),
        }
    }
}

/// Whether a chart would show more than the newcomer's own steps.
pub(super) fn is_lively(figures: &Figures, days: i64) -> bool {
    let busy = |day: &&i64| figures.on(**day, Figure::SignIns) > 0;
    figures
        .days
        .iter()
        .rev()
        .take(days_of(days))
        .filter(busy)
        .count()
        > 1
}

pub(super) fn sample() -> Figures {
    let days: Vec<i64> = (0..60).map(|n| 1_795_392_000 + (n - 59) * 86_400).collect();
    let counts = (0..).zip(&days).flat_map(|(n, day)| {
        [
            (*day, Figure::SignIns, 5 * n),
            (*day, Figure::FailedSignIns, n % 7),
        ]
    });
    Figures::new(days.clone(), counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_with_its_sign_and_only_where_there_is_one() {
        let text = |change: Option<Change>| change.map(|c| (c.text, c.kind));
        let is = |text: &str, kind| Some((text.to_owned(), kind));
        assert_eq!(text(Change::by(1214, "up")), is("+1,214", "up"));
        assert_eq!(text(Change::by(0, "up")), None);
        assert_eq!(
            text(Change::percent(88, 100, "down", "up")),
            is("−12 %", "up")
        );
        assert_eq!(
            text(Change::percent(150, 100, "down", "up")),
            is("+50 %", "down")
        );
        assert_eq!(text(Change::percent(5, 0, "down", "up")), None);
        assert_eq!(text(Change::percent(5000, 1, "down", "up")), None);
    }

    #[test]
    fn other_periods_than_those_offered_are_the_usual_one() {
        assert_eq!(period(Some("7")), 7);
        for odd in [
            None,
            Some(""),
            Some("-1"),
            Some("31"),
            Some("99999999999999999999"),
        ] {
            assert_eq!(period(odd), 30);
        }
    }
}
