//! The uses of a token by day, for `web/chart`.

use serde::Serialize;

use crate::{
    domain::usage::Uses,
    web::chart::{Chart, Series, count},
};

#[derive(Debug, Serialize)]
pub struct UsesChart {
    total: String,
    is_empty: bool,
    chart: Chart,
}

impl UsesChart {
    pub fn of(uses: &Uses) -> Self {
        let days: Vec<i64> = uses.days.iter().map(|day| day.day).collect();
        let series = Series {
            label: "Uses",
            words: "",
            counts: uses.days.iter().map(|day| day.count).collect(),
        };
        Self {
            total: count(uses.total()),
            is_empty: uses.total() == 0,
            chart: Chart::bars("Uses", &days, &[series]),
        }
    }
}
