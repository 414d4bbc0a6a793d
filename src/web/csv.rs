//! Rows of CSV (RFC 4180) that a spreadsheet takes for text: a cell that it would take for a formula begins with
//! an apostrophe, unless it is a number. And a file of them that is written while it is sent.

use rocket::{
    Request, Response,
    futures::{
        StreamExt,
        stream::{self, BoxStream},
    },
    response::{self, Responder, stream::TextStream},
};

use crate::error::Result;

/// One row with its end of line.
pub fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut row = String::new();
    for (n, cell) in cells.into_iter().enumerate() {
        if n > 0 {
            row.push(',');
        }
        push(&mut row, cell);
    }
    row.push_str("\r\n");
    row
}

fn push(row: &mut String, cell: &str) {
    let formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<i64>().is_err();
    if !formula && !cell.contains(['"', ',', '\n', '\r']) {
        row.push_str(cell);
        return;
    }
    row.push('"');
    if formula {
        row.push('\'');
    }
    row.push_str(&cell.replace('"', "\"\""));
    row.push('"');
}

/// A file of any length on its way out: it takes the memory of one batch.
pub struct CsvFile {
    name: &'static str,
    text: BoxStream<'static, String>,
}

impl CsvFile {
    /// `next` is asked for the rows after a mark, and for the next mark; `None` ends the file.
    pub fn new<M, F, Fut>(
        name: &'static str,
        request_id: String,
        head: &[&str],
        first: M,
        next: F,
    ) -> Self
    where
        M: Send + 'static,
        F: Fn(M) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<(String, M)>>> + Send,
    {
        let head = row(head.iter().copied());
        let rest = stream::unfold(
            (Some(first), next, request_id),
            |(mark, next, id)| async move {
                match next(mark?).await {
                    Ok(rows) => {
                        let (rows, mark) = rows?;
                        Some((rows, (Some(mark), next, id)))
                    }
                    Err(e) => {
                        // The status was sent long ago: the file itself has to say it.
                        tracing::error!(request.id = id, error = %e, "an export broke off");
                        let broken = "NOT COMPLETE: the server could not read on\r\n";
                        Some((broken.to_owned(), (None, next, id)))
                    }
                }
            },
        );
        Self {
            name,
            text: stream::once(async move { head }).chain(rest).boxed(),
        }
    }
}

impl<'r> Responder<'r, 'r> for CsvFile {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'r> {
        let disposition = format!("attachment; filename=\"{}\"", self.name);
        Response::build_from(TextStream(self.text).respond_to(req)?)
            .raw_header("Content-Type", "text/csv; charset=utf-8; header=present")
            .raw_header("Content-Disposition", disposition)
            .raw_header("Cache-Control", "no-store")
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_formulas_are_text() {
        assert_eq!(row(["a", "", "b c"]), "a,,b c\r\n");
        assert_eq!(
            row(["a,b", "say \"x\"", "two\nlines"]),
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n"
        );
        for start in ["=", "+", "-", "@", "\t", "\r"] {
            let cell = format!("{start}1+1");
            assert_eq!(row([cell.as_str()]), format!("\"'{cell}\"\r\n"));
        }
        assert_eq!(row(["-5", "+7"]), "-5,+7\r\n");
    }
}
