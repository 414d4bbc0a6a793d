//! A CSV file of students, as people's programs write it: read line by line into students and complaints.
//! Nothing here asks the database.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};

use super::{ROLL, StudentInput, TEXT_MAX};
use crate::domain::unseen;

/// Rows of one file: what one transaction takes without keeping others waiting.
pub const MOST_ROWS: usize = 10_000;
/// Bytes of one file.
pub const MOST_BYTES: usize = 2_000_000;

const COLUMNS: [&str; 3] = ["name", "roll", "city"];
const NOT_TEXT: &str = "The file is not UTF-8 text. In a spreadsheet, save it as “CSV UTF-8”.";

const UNCLOSED: &str =
    "a quotation mark is opened here and never closed, so nothing below was read";

/// What a file says.
#[derive(Debug, Default)]
pub struct Sheet {
    pub rows: Vec<Row>,
    pub complaints: Vec<Complaint>,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub line: u64,
    pub student: StudentInput,
    /// The line above that has this roll already.
    pub twin: Option<u64>,
}

/// What is wrong with one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub line: u64,
    pub text: String,
}

/// What is wrong with the file as a whole is one sentence.
pub fn read(bytes: &[u8]) -> Result<Sheet, String> {
    if bytes.len() > MOST_BYTES {
        return Err("The file is larger than 2 MB. Split it.".to_owned());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| NOT_TEXT)?;
    if text.trim().is_empty() {
        return Err("The file is empty.".to_owned());
    }
    let (delimiter, order) = header(text)?;
    let mut sheet = Sheet::default();
    let mut first_with = HashMap::new();
    let mut seen = 0;
    let mut lines = Lines::new(text);
    let mut last = None;
    for record in reader(text, delimiter).records().skip(1) {
        // Text that is UTF-8 and of any length: there is nothing left to fail.
        let Ok(record) = record else { continue };
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        seen += 1;
        if seen > MOST_ROWS {
            return Err("The file has more than 10,000 rows. Split it.".to_owned());
        }
        let line = lines.of(&record);
        match student(&record, &order) {
            Ok(student) => {
                let twin = first_with.get(&student.roll).copied();
                first_with.entry(student.roll).or_insert(line);
                sheet.rows.push(Row {
                    line,
                    student,
                    twin,
                });
            }
            Err(text) => sheet.complaints.push(Complaint { line, text }),
        }
        last = Some((line, record));
    }
    if let Some((line, _)) = last.filter(|(_, record)| is_unclosed(text, record)) {
        sheet.rows.retain(|row| row.line != line);
        sheet.complaints.retain(|complaint| complaint.line != line);
        sheet.complaints.push(Complaint {
            line,
            text: UNCLOSED.to_owned(),
        });
    }
    if seen == 0 {
        return Err("The file has a first line and nothing under it.".to_owned());
    }
    Ok(sheet)
}

/// Whether the last record is the rest of the file, as a quotation mark in it never ends.
fn is_unclosed(text: &str, last: &StringRecord) -> bool {
    let begin = last.position().map_or(0, csv::Position::byte);
    let rest = usize::try_from(begin).ok().and_then(|at| text.get(at..));
    let marks = rest.unwrap_or_default().bytes().filter(|b| *b == b'"');
    last.iter().any(|cell| cell.contains('\n')) && marks.count() % 2 == 1
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// The numbers of lines, as an editor shows them. (The crate says where a record's search began: before the empty
/// lines above it.)
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
            line: 1,
        }
    }

    /// For records in their order.
    fn of(&mut self, record: &StringRecord) -> u64 {
        let begin = record.position().map_or(0, csv::Position::byte);
        let begin = usize::try_from(begin).unwrap_or(usize::MAX);
        while let Some(sign) = self.text.get(self.at) {
            let is_end = matches!(sign, b'\n' | b'\r');
            if self.at >= begin && !is_end {
                break;
            }
            self.at += 1;
            let inside = *sign == b'\r' && self.text.get(self.at) == Some(&b'\n');
            if is_end && !inside {
                self.line += 1;
            }
        }
        self.line
    }
}

/// Where the columns are.
#[derive(Debug)]
struct Order {
    /// Of `COLUMNS`, in their order.
    at: [usize; 3],
    width: usize,
}

/// The sign between columns is the one with which the first line makes sense.
fn header(text: &str) -> Result<(u8, Order), String> {
    let mut best: Vec<&str> = COLUMNS.to_vec();
    for delimiter in [b',', b';', b'\t'] {
        let Some(Ok(first)) = reader(text, delimiter).records().next() else {
            continue;
        };
        let names: Vec<String> = first
            .iter()
            .map(|name| name.trim().to_lowercase())
            .collect();
        let find = |column: &str| names.iter().position(|name| name == column);
        if let [Some(name), Some(roll), Some(city)] = COLUMNS.map(find) {
            let order = Order {
                at: [name, roll, city],
                width: names.len(),
            };
            return Ok((delimiter, order));
        }
        let missing: Vec<&str> = COLUMNS.into_iter().filter(|c| find(c).is_none()).collect();
        if missing.len() < best.len() {
            best = missing;
        }
    }
    if let [column] = best[..] {
        return Err(format!(
            "The first line names no column “{column}”. It needs name, roll and city."
        ));
    }
    Err(
        "The first line must name the columns: name, roll and city, in any order, with commas, \
         semicolons or tabs between them."
            .to_owned(),
    )
}

fn student(record: &StringRecord, order: &Order) -> Result<StudentInput, String> {
    if record.len() != order.width {
        return Err(format!(
            "{} where the first line has {}",
            fields(record.len()),
            order.width
        ));
    }
    let [name, roll, city] = order.at.map(|at| cell(record.get(at).unwrap_or_default()));
    for (column, text) in [("name", name), ("city", city)] {
        if text.is_empty() {
            return Err(format!("{column} is empty"));
        }
        if text.chars().count() > TEXT_MAX {
            return Err(format!("{column} is longer than {TEXT_MAX} characters"));
        }
        if text.contains('\0') {
            return Err(format!("{column} has a null character in it"));
        }
        // Our own export writes names of several lines, which the API takes.
        if unseen::complaint_of_person(&text.replace(['\r', '\n'], "")).is_some() {
            return Err(format!(
                "{column} has a character in it that cannot be seen"
            ));
        }
    }
    if roll.is_empty() {
        return Err("roll is empty".to_owned());
    }
    let Ok(number) = roll.parse::<i64>() else {
        return Err("roll is not a number".to_owned());
    };
    if !ROLL.contains(&number) {
        return Err("roll is too large a number".to_owned());
    }
    Ok(StudentInput {
        name: name.to_owned(),
        roll: number,
        city: city.to_owned(),
    })
}

fn fields(n: usize) -> String {
    if n == 1 {
        "one field".to_owned()
    } else {
        format!("{n} fields")
    }
}

/// Without the blanks around it, and without the sign that our own export puts before a formula.
fn cell(text: &str) -> &str {
    let text = text.trim();
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest.trim(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn students(text: &str) -> Vec<(u64, String, i64, String)> {
        let sheet = read(text.as_bytes()).unwrap();
        assert_eq!(sheet.complaints, []);
        sheet
            .rows
            .into_iter()
            .map(|row| {
                (
                    row.line,
                    row.student.name,
                    row.student.roll,
                    row.student.city,
                )
            })
            .collect()
    }

    #[test]
    fn what_spreadsheets_write_is_read_alike() {
        let wanted = vec![
            (2, "Rao, Asha".to_owned(), 101, "Pune".to_owned()),
            (4, "Ben “B” \"Bo\"".to_owned(), -7, "Łódź".to_owned()),
        ];
        for text in [
            "name,roll,city\n\"Rao, Asha\",101,Pune\n\n\"Ben “B” \"\"Bo\"\"\",-7,Łódź\n",
            "name,roll,city\r\n\"Rao, Asha\",101,Pune\r\n\r\n\"Ben “B” \"\"Bo\"\"\",-7,Łódź",
            "\u{feff}City;ROLL; Name \nPune;101;Rao, Asha\n;;\nŁódź;-7;\"Ben “B” \"\"Bo\"\"\"\n",
            "roll\tname\tid\tcity\n101\tRao, Asha\t1\tPune\n\n-7\t\"Ben “B” \"\"Bo\"\"\"\t2\tŁódź\n",
        ] {
            assert_eq!(students(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_named() {
        let sheet = read("name,roll,city\nA\u{202e}B,1,P\nA,2,P\u{200b}\n".as_bytes()).unwrap();
        let told: Vec<&str> = sheet.complaints.iter().map(|c| c.text.as_str()).collect();
        let unseen = "has a character in it that cannot be seen";
        assert_eq!(told, [format!("name {unseen}"), format!("city {unseen}")]);
    }

    #[test]
    fn what_an_open_quotation_mark_swallows_is_told() {
        let text = "name,roll,city\nA,1,P\n\"B,2,P\nC,3,P\nD,4,P\n";
        let sheet = read(text.as_bytes()).unwrap();
        assert_eq!(sheet.rows.len(), 1);
        assert_eq!(sheet.complaints[0].line, 3);
        assert_eq!(sheet.complaints[0].text, UNCLOSED);
        // A sign for inches is none, nor is a name of two lines.
        let text = "name,roll,city\n5\" pipe,1,P\n\"B\nb\",2,P\n";
        let sheet = read(text.as_bytes()).unwrap();
        assert_eq!((sheet.rows.len(), sheet.complaints.len()), (2, 0));
    }

    #[test]
    fn each_bad_line_is_named_and_the_others_are_kept() {
        let text = "name,roll,city\nA,x,P\nB,2,P\n,3,P\nC,4\nD,99999999999,P\nE,,P\nF,2,Q\nG,8,";
        let sheet = read(text.as_bytes()).unwrap();
        let told: Vec<_> = sheet
            .complaints
            .iter()
            .map(|c| (c.line, c.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (2, "roll is not a number"),
                (4, "name is empty"),
                (5, "2 fields where the first line has 3"),
                (6, "roll is too large a number"),
                (7, "roll is empty"),
                (9, "city is empty"),
            ]
        );
        let twins: Vec<_> = sheet.rows.iter().map(|row| (row.line, row.twin)).collect();
        assert_eq!(twins, [(3, None), (8, Some(3))]);
    }

    #[test]
    fn what_is_no_such_file_is_told_in_a_sentence() {
        for (bytes, start) in [
            (&b""[..], "The file is empty"),
            (b"\xef\xbb\xbf \n", "The file is empty"),
            (b"name,roll,city\n", "The file has a first line"),
            (b"\xff\xfen\0a\0", "The file is not UTF-8"),
            (b"name,roll\nA,1\n", "The first line names no column “city”"),
            (b"1,2,3\n", "The first line must name"),
            (b"PK\x03\x04\0\0", "The first line must name"),
        ] {
            let told = read(bytes).unwrap_err();
            assert!(told.starts_with(start), "{told}");
        }
        let many = "name,roll,city\n".to_owned() + &"A,1,P\n".repeat(MOST_ROWS + 1);
        assert!(read(many.as_bytes()).unwrap_err().contains("10,000 rows"));
    }

    #[test]
    fn a_cell_that_our_export_disarmed_is_itself_again() {
        let sheet = read("name,roll,city\n'=SUM(A1),1,'s-Hertogenbosch\n".as_bytes()).unwrap();
        assert_eq!(sheet.rows[0].student.name, "=SUM(A1)");
        assert_eq!(sheet.rows[0].student.city, "'s-Hertogenbosch");
    }
}
