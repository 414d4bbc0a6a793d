//! What commands write to standard output: lines, tables for people, JSON for scripts. A reader that
//! goes away early (`| head`) ends a command, and is no failure.

use std::io::{self, Write};

use serde::Serialize;

/// One line of standard output: what the command was asked for.
pub fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// One line of standard error: words beside the answer.
pub fn aside(text: &str) {
    eprintln!("latchkey: {text}");
}

pub fn json(value: &impl Serialize) -> io::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// A JSON array that is written as its items come.
#[derive(Debug, Default)]
pub struct JsonArray {
    begun: bool,
}

impl JsonArray {
    pub fn push(&mut self, item: &impl Serialize) -> io::Result<()> {
        let before = if self.begun { ",\n" } else { "[\n" };
        self.begun = true;
        let item = serde_json::to_string(item)?;
        write!(io::stdout().lock(), "{before}{item}")
    }

    pub fn end(self) -> io::Result<()> {
        line(if self.begun { "\n]" } else { "[]" })
    }
}

/// Rows under their headings, each column as wide as its widest cell.
pub fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let mut widths = headings.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let print = |cells: &[String; N]| {
        let padded = cells.iter().zip(widths);
        let cells: Vec<String> = padded
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let text = cells.join("  ");
        line(text.trim_end())
    };
    print(&headings.map(str::to_owned))?;
    rows.iter().try_for_each(print)
}
