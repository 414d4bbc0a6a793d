//! Tables as files for spreadsheets: cells that cannot become formulas, and an answer of any length that takes
//! no memory, since it is written while it is sent.

use std::{borrow::Cow, pin::Pin};

use rocket::{
    Request, Response,
    futures::{Stream, StreamExt, stream},
    response::{self, Responder, stream::ByteStream},
};

use crate::error::{Error, Result};

/// A spreadsheet takes what begins like that for a formula, and runs it (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell whose text somebody typed. Numbers of ours need none of it.
pub fn disarmed(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// Lines as bytes. Each row is one of cells, disarmed where they need it.
pub fn lines<R, C>(rows: impl IntoIterator<Item = R>) -> Vec<u8>
where
    R: IntoIterator<Item = C>,
    C: AsRef<[u8]>,
{
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Into memory: nothing can fail but rows of unequal length, which no caller writes.
        if let Err(e) = writer.write_record(row) {
            tracing::error!(error = %e, "a row of a CSV file");
        }
    }
    writer.into_inner().unwrap_or_default()
}

/// A file on its way out.
pub struct CsvFile {
    name: &'static str,
    lines: Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>,
}

impl CsvFile {
    /// `next` is asked for the lines after a mark, and for the next mark; `None` ends the file.
    pub fn new<M, F, Fut>(name: &'static str, head: &[&str], first: M, next: F) -> Self
    where
        M: Send + 'static,
        F: Fn(M) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<(Vec<u8>, M)>>> + Send,
    {
        let head = lines([head]);
        let rest = stream::unfold((Some(first), next), |(mark, next)| async move {
            let lines = match next(mark?).await {
                Ok(lines) => lines,
                Err(e) => {
                    // The status has been sent long ago: the file itself has to say it.
                    tracing::error!(error = ?e, "an export broke off");
                    return Some((b"The export broke off here.\r\n".to_vec(), (None, next)));
                }
            };
            let (lines, mark) = lines?;
            Some((lines, (Some(mark), next)))
        });
        let lines = stream::once(async move { head }).chain(rest);
        Self {
            name,
            lines: Box::pin(lines),
        }
    }
}

impl<'r> Responder<'r, 'r> for CsvFile {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'r> {
        let body = ByteStream(self.lines).respond_to(req)?;
        let name = self.name;
        Response::build_from(body)
            .raw_header("Content-Type", "text/csv; charset=utf-8")
            .raw_header(
                "Content-Disposition",
                format!("attachment; filename=\"{name}\""),
            )
            .raw_header("Cache-Control", "no-store")
            .ok()
    }
}

/// For `next`: what a batch of rows becomes; an empty one ends the file.
pub fn batch<T, R, C>(
    rows: &[T],
    mark: impl Fn(&T) -> i64,
    cells: impl Fn(&T) -> R,
) -> Result<Option<(Vec<u8>, i64)>, Error>
where
    R: IntoIterator<Item = C>,
    C: AsRef<[u8]>,
{
    Ok(rows
        .last()
        .map(|last| (lines(rows.iter().map(cells)), mark(last))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_becomes_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(disarmed(cell), format!("'{cell}"));
        }
        for cell in ["", "Asha", "a=b", "'s-Hertogenbosch", " -"] {
            assert_eq!(disarmed(cell), cell);
        }
    }

    #[test]
    fn cells_with_signs_of_csv_in_them_are_quoted() {
        let written = lines([["a,b", "say \"x\"", "two\nlines"]]);
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\n"
        );
    }
}
