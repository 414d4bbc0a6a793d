//! The uses of a token by day, as bars that the template draws and as a table for those who cannot
//! see them.

use serde::Serialize;

use crate::{
    domain::usage::{DayUses, Uses},
    web::filters::{day, number},
};

/// Height of the drawing; its width is `SLOT` for each day.
const HEIGHT: i64 = 216;
const SLOT: i64 = 30;

#[derive(Debug, Serialize)]
pub struct UsesChart {
    total: String,
    is_empty: bool,
    width: i64,
    height: i64,
    /// Heights of the lines, from the top.
    lines: Vec<i64>,
    /// What stands beside the lines.
    scale: Vec<String>,
    bars: Vec<Bar>,
    /// What stands below: some of the days.
    days: Vec<String>,
    /// For those who do not see the drawing.
    summary: String,
    /// The days with uses, the newest first.
    numbers: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: i64,
    y: i64,
    height: i64,
    title: String,
}

impl UsesChart {
    pub fn of(uses: &Uses) -> Self {
        let days = &uses.days;
        let most = days.iter().max_by_key(|day| day.count);
        let top = 4 * step(most.map_or(0, |day| day.count));
        let bars = (0..).zip(days).filter(|(_, day)| day.count > 0);
        let busy = days.iter().rev().filter(|day| day.count > 0);
        Self {
            total: count(uses.total()),
            is_empty: uses.total() == 0,
            width: days.iter().map(|_| SLOT).sum(),
            height: HEIGHT,
            lines: (0..=4).map(|n| n * HEIGHT / 4).collect(),
            scale: (0..=4).rev().map(|n| count(n * top / 4)).collect(),
            bars: bars.map(|(n, day)| bar(n, *day, top)).collect(),
            days: (0..=4)
                .filter_map(|n| days.get(n * days.len().saturating_sub(1) / 4))
                .map(|d| short(d.day))
                .collect(),
            summary: most.map_or_else(String::new, |most| summary(uses, *most)),
            numbers: busy.map(|d| (short(d.day), count(d.count))).collect(),
        }
    }
}

fn summary(uses: &Uses, most: DayUses) -> String {
    format!(
        "Uses a day in the last 30 days: {} in all, {} on the busiest, {}.",
        count(uses.total()),
        count(most.count),
        short(most.day)
    )
}

fn bar(n: i64, day: DayUses, top: i64) -> Bar {
    // Whatever is there can be seen.
    let height = (i128::from(day.count) * i128::from(HEIGHT) / i128::from(top.max(1))).max(2);
    let height = i64::try_from(height).unwrap_or(HEIGHT).min(HEIGHT);
    Bar {
        x: n * SLOT + 5,
        y: HEIGHT - height,
        height,
        title: format!("{}: {}", short(day.day), count(day.count)),
    }
}

/// A quarter of the scale: a round number of which four reach `most`.
fn step(most: i64) -> i64 {
    let mut unit: i64 = 1;
    loop {
        let half = if unit == 1 { 1 } else { unit / 2 * 3 };
        for step in [unit, half, unit.saturating_mul(2), unit.saturating_mul(5)] {
            if step.saturating_mul(4) >= most {
                return step;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

fn count(n: i64) -> String {
    number(u64::try_from(n).unwrap_or_default())
}

/// `2 Mar`.
fn short(at: i64) -> String {
    let day = day(at);
    let short = day.rsplit_once(' ').map(|(short, _)| short.to_owned());
    short.unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_made_of_round_numbers() {
        for (most, expected) in [(0, 1), (4, 1), (5, 2), (20, 5), (21, 10), (480, 150)] {
            assert_eq!(step(most), expected, "{most}");
        }
        step(i64::MAX / 8);
    }

    #[test]
    fn bars_stand_on_the_ground_and_reach_what_they_count() {
        let days = (0..30).map(|n| DayUses {
            day: 1_795_392_000 + (n - 29) * 86_400,
            count: if n == 29 { 4 } else { i64::from(n == 0) },
        });
        let chart = UsesChart::of(&Uses {
            days: days.collect(),
        });
        assert_eq!(chart.bars.len(), 2);
        assert_eq!((chart.bars[0].x, chart.bars[0].height), (5, 54));
        assert_eq!((chart.bars[1].x, chart.bars[1].y), (29 * 30 + 5, 0));
        assert_eq!(chart.days, ["25 Oct", "1 Nov", "8 Nov", "15 Nov", "23 Nov"]);
        assert_eq!(chart.scale, ["4", "3", "2", "1", "0"]);
        assert_eq!(chart.numbers[0], ("23 Nov".to_owned(), "4".to_owned()));
        assert!(chart.summary.contains("5 in all, 4 on the busiest, 23 Nov"));
    }
}
