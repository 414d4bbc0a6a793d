//! Figures by day as a drawing: bars or a curve that the template writes as SVG, words for the axes, a sentence
//! for those who do not see it, and the numbers as a table. Many days are drawn by week: ninety bars say less.

mod spans;

use serde::Serialize;

use spans::{Span, labels, spans};

use crate::web::filters::{day, number};

/// Height of the drawing; its width is `SLOT` for each span.
const HEIGHT: i64 = 216;
const SLOT: i64 = 30;
/// Between two bars of one span.
const GAP: i64 = 2;
/// Of a line beside a figure.
const SPARK: (i64, i64) = (88, 36);

/// What is drawn: so many of one thing on each day.
#[derive(Clone, Debug)]
pub struct Series {
    /// In the legend and over the column.
    pub label: &'static str,
    /// After a number: "signed in".
    pub words: &'static str,
    /// One for each day.
    pub counts: Vec<i64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Chart {
    legend: Vec<Legend>,
    is_empty: bool,
    width: i64,
    height: i64,
    /// Heights of the lines, from the top.
    lines: Vec<i64>,
    /// What stands beside the lines.
    scale: Vec<String>,
    /// "Day" or "Week".
    unit: &'static str,
    spans: Vec<Drawn>,
    /// Paths; empty where there are bars.
    area: String,
    curve: String,
    /// What stands below each span: where it begins, or nothing, where there is no room for all.
    labels: Vec<String>,
    /// For those who do not see the drawing.
    summary: String,
    headings: Vec<&'static str>,
    /// The spans with anything, the newest first.
    numbers: Vec<Numbers>,
}

#[derive(Clone, Debug, Serialize)]
struct Legend {
    label: &'static str,
    total: String,
}

#[derive(Clone, Debug, Serialize)]
struct Drawn {
    title: String,
    x: i64,
    bars: Vec<Bar>,
}

#[derive(Clone, Debug, Serialize)]
struct Bar {
    y: i64,
    height: i64,
}

#[derive(Clone, Debug, Serialize)]
struct Numbers {
    span: String,
    counts: Vec<String>,
}

impl Chart {
    /// One bar a span, of several parts on top of each other.
    pub fn bars(what: &str, days: &[i64], series: &[Series]) -> Self {
        let (spans, series) = spans(days, series);
        let sums = (0..spans.len()).map(|n| series.iter().map(|s| at(s, n)).sum());
        let most = sums.max().unwrap_or(0);
        let mut chart = Self::of(what, days.len(), &spans, &series, most);
        let top = 4 * step(most);
        for (n, span) in chart.spans.iter_mut().enumerate() {
            let mut ground = HEIGHT;
            for one in series.iter().filter(|s| at(s, n) > 0) {
                // Whatever is there can be seen.
                let height = scaled(at(one, n), top).max(2).min(ground);
                span.bars.push(Bar {
                    y: ground - height,
                    height,
                });
                ground = (ground - height - GAP).max(0);
            }
        }
        chart
    }

    /// A line over the spans.
    pub fn curve(what: &str, days: &[i64], series: Series) -> Self {
        let (spans, series) = spans(days, std::slice::from_ref(&series));
        let counts = series.first().map_or(&[][..], |one| &one.counts);
        let most = counts.iter().copied().max().unwrap_or(0);
        let mut chart = Self::of(what, days.len(), &spans, &series, most);
        let top = 4 * step(most);
        // A point stands where a bar would.
        let (curve, area) = path(counts, chart.width, HEIGHT, top, SLOT / 2);
        (chart.curve, chart.area) = (curve, area);
        chart
    }

    fn of(what: &str, days: usize, spans: &[Span], series: &[Series], most: i64) -> Self {
        let top = 4 * step(most);
        let width = i64::try_from(spans.len()).unwrap_or(1) * SLOT;
        let told = |n: usize| {
            let parts = series.iter().map(|s| words(at(s, n), s.words));
            parts.collect::<Vec<_>>().join(", ")
        };
        let busy = |n: &usize| series.iter().any(|s| at(s, *n) > 0);
        Self {
            legend: series
                .iter()
                .map(|s| Legend {
                    label: s.label,
                    total: count(s.counts.iter().sum()),
                })
                .collect(),
            is_empty: !(0..spans.len()).any(|n| busy(&n)),
            width,
            height: HEIGHT,
            lines: (0..=4).map(|n| n * HEIGHT / 4).collect(),
            scale: (0..=4).rev().map(|n| count(n * top / 4)).collect(),
            unit: if spans.len() == days { "Day" } else { "Week" },
            spans: (0_i64..)
                .zip(spans.iter().enumerate())
                .map(|(x, (n, span))| Drawn {
                    title: format!("{}: {}", span.name(), told(n)),
                    x: x * SLOT,
                    bars: Vec::new(),
                })
                .collect(),
            area: String::new(),
            curve: String::new(),
            labels: labels(spans),
            summary: summary(what, days, spans, series),
            headings: series.iter().map(|s| s.label).collect(),
            numbers: (0..spans.len())
                .rev()
                .filter(busy)
                .map(|n| Numbers {
                    span: spans[n].name(),
                    counts: series.iter().map(|s| count(at(s, n))).collect(),
                })
                .collect(),
        }
    }
}

fn at(series: &Series, n: usize) -> i64 {
    series.counts.get(n).copied().unwrap_or(0)
}

/// A line without axes, beside a figure; its area, too.
#[derive(Clone, Debug, Serialize)]
pub struct Spark {
    curve: String,
    area: String,
    width: i64,
    height: i64,
}

impl Spark {
    /// None where nothing moves.
    pub fn of(counts: &[i64]) -> Option<Self> {
        let least = counts.iter().copied().min()?;
        let rise: Vec<i64> = counts.iter().map(|n| n - least).collect();
        let most = rise.iter().copied().max().filter(|most| *most > 0)?;
        let (width, height) = SPARK;
        // A little air above and below.
        let (curve, area) = path(&rise, width, height, most + most / 12 + 1, 0);
        Some(Self {
            curve,
            area,
            width,
            height,
        })
    }
}

/// Through the days, so far from either edge, and the same closed at the bottom.
fn path(counts: &[i64], width: i64, height: i64, top: i64, edge: i64) -> (String, String) {
    use std::fmt::Write;
    let last = i64::try_from(counts.len()).unwrap_or(1) - 1;
    let mut curve = String::new();
    for (n, count) in (0..).zip(counts) {
        let letter = if n == 0 { 'M' } else { 'L' };
        let x = edge + n * (width - 2 * edge) / last.max(1);
        let y = height - part(*count, top, height);
        // Writing to a string does not fail.
        let _ = write!(curve, "{letter}{x} {y} ");
    }
    let area = format!("{curve}L{} {height} L{edge} {height}Z", width - edge);
    (curve, area)
}

fn scaled(count: i64, top: i64) -> i64 {
    part(count, top, HEIGHT)
}

fn part(count: i64, top: i64, height: i64) -> i64 {
    let part = i128::from(count) * i128::from(height) / i128::from(top.max(1));
    i64::try_from(part).unwrap_or(height).clamp(0, height)
}

fn words(n: i64, words: &str) -> String {
    format!("{} {words}", count(n)).trim_end().to_owned()
}

fn summary(what: &str, days: usize, spans: &[Span], series: &[Series]) -> String {
    let (each, on) = if spans.len() == days {
        ("a day", "on")
    } else {
        ("a week", "in")
    };
    let told = series.iter().map(|s| {
        let all = words(s.counts.iter().sum(), s.words);
        let most = (0..spans.len()).rev().max_by_key(|n| at(s, *n));
        match most.filter(|n| at(s, *n) > 0) {
            Some(n) => format!(
                "{all} in all, {} {on} the busiest, {}",
                count(at(s, n)),
                spans[n].name()
            ),
            None => all,
        }
    });
    let told = told.collect::<Vec<_>>().join("; ");
    format!("{what} {each} in the last {days} days: {told}.")
}

/// A quarter of the scale: a round number of which four reach `most`.
fn step(most: i64) -> i64 {
    let mut unit: i64 = 1;
    loop {
        let halves = |n: i64| {
            if unit == 1 {
                1
            } else {
                (unit / 2).saturating_mul(n)
            }
        };
        for step in [
            unit,
            halves(3),
            unit.saturating_mul(2),
            halves(5),
            unit.saturating_mul(3),
            unit.saturating_mul(5),
        ] {
            if step.saturating_mul(4) >= most {
                return step;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

pub fn count(n: i64) -> String {
    number(u64::try_from(n).unwrap_or_default())
}

/// `2 Mar`.
pub fn short(at: i64) -> String {
    let day = day(at);
    let short = day.rsplit_once(' ').map(|(short, _)| short.to_owned());
    short.unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days() -> Vec<i64> {
        (0..30).map(|n| 1_795_392_000 + (n - 29) * 86_400).collect()
    }

    fn series(label: &'static str, f: impl Fn(i64) -> i64) -> Series {
        Series {
            label,
            words: "times",
            counts: (0..30).map(f).collect(),
        }
    }

    #[test]
    fn the_scale_is_made_of_round_numbers() {
        for (most, expected) in [
            (0, 1),
            (4, 1),
            (5, 2),
            (20, 5),
            (21, 10),
            (480, 150),
            (9000, 2500),
        ] {
            assert_eq!(step(most), expected, "{most}");
        }
        step(i64::MAX / 8);
    }

    #[test]
    fn bars_stand_on_the_ground_and_on_each_other_and_reach_what_they_count() {
        let good = series("Good", |n| if n == 29 { 4 } else { i64::from(n == 0) });
        let bad = series("Bad", |n| i64::from(n == 0));
        let chart = Chart::bars("Things", &days(), &[good, bad]);
        let bars = |n: usize| -> Vec<(i64, i64)> {
            chart.spans[n]
                .bars
                .iter()
                .map(|b| (b.y, b.height))
                .collect()
        };
        assert_eq!(bars(0), [(162, 54), (106, 54)]);
        assert_eq!(bars(1), []);
        assert_eq!(bars(29), [(0, 216)]);
        let named = (0..30).filter(|n| !chart.labels[*n].is_empty());
        let named: Vec<_> = named.map(|n| (n, chart.labels[n].as_str())).collect();
        assert_eq!(
            named,
            [
                (1, "26 Oct"),
                (8, "2 Nov"),
                (15, "9 Nov"),
                (22, "16 Nov"),
                (29, "23 Nov")
            ]
        );
        assert_eq!(chart.scale, ["4", "3", "2", "1", "0"]);
        assert_eq!(chart.numbers.len(), 2);
        assert_eq!(chart.numbers[0].counts, ["4", "0"]);
        assert_eq!(chart.spans[0].title, "25 Oct: 1 times, 1 times");
        assert!(
            chart
                .summary
                .contains("5 times in all, 4 on the busiest, 23 Nov")
        );
    }

    #[test]
    fn a_quarter_of_a_year_is_told_by_week() {
        let days: Vec<i64> = (0..90).map(|n| 1_795_392_000 + (n - 89) * 86_400).collect();
        let one = Series {
            label: "Good",
            words: "signed in",
            counts: (0..90).map(|n| if n == 89 { 2 } else { 1 }).collect(),
        };
        let chart = Chart::bars("Sign-ins", &days, &[one]);
        assert_eq!((chart.spans.len(), chart.unit), (13, "Week"));
        assert_eq!(chart.numbers[0].counts, ["8"]);
        assert_eq!(chart.numbers[12].counts, ["6"]);
        assert_eq!(chart.spans[12].title, "17 Nov – 23 Nov: 8 signed in");
        assert_eq!(
            (chart.labels.len(), chart.labels[12].as_str()),
            (13, "17 Nov")
        );
        assert!(chart.summary.starts_with(
            "Sign-ins a week in the last 90 days: 91 signed in in all, 8 in the busiest, 17 Nov"
        ));
    }

    #[test]
    fn each_of_seven_days_is_named() {
        let week = &days()[..7];
        let labels = Chart::bars("Things", week, &[series("Things", |n| n)]).labels;
        assert_eq!(labels[0], "25 Oct");
        assert!(labels.len() == 7 && labels.iter().all(|label| !label.is_empty()));
    }

    #[test]
    fn a_curve_goes_from_the_middle_of_the_first_day_to_that_of_the_last() {
        let chart = Chart::curve("Things", &days(), series("Things", |n| n));
        assert!(chart.curve.starts_with("M15 216 L45 "), "{}", chart.curve);
        assert!(chart.area.ends_with("L885 216 L15 216Z"), "{}", chart.area);
        assert!(Chart::curve("Things", &days(), series("Things", |_| 0)).is_empty);
        assert!(Spark::of(&[3, 3, 3]).is_none() && Spark::of(&[1, 2]).is_some());
    }
}
