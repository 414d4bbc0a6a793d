//! JSON bodies as the Django stack reads them: the same texts for the same mistakes, which come
//! from Python's `json` module. Parsing is `serde_json`'s; only when it fails is the text walked
//! again to name the mistake in Python's words.

use serde_json::{Number, Value};

use crate::error::{Error, Result};

pub fn parse(bytes: &[u8]) -> Result<Value> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => return Err(fault(&bad_utf8(bytes, e))),
    };
    if text.starts_with('\u{feff}') {
        return Err(fault(
            "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
        ));
    }
    serde_json::from_str(text).map_err(|e| {
        let mut walk = Walk {
            chars: text.chars().collect(),
            at: 0,
            depth: 0,
        };
        let said = walk.document().err();
        fault(&said.unwrap_or_else(|| format!("{e}")))
    })
}

fn fault(text: &str) -> Error {
    Error::Parse(format!("JSON parse error - {text}"))
}

fn bad_utf8(bytes: &[u8], e: std::str::Utf8Error) -> String {
    let at = e.valid_up_to();
    let byte = bytes.get(at).copied().unwrap_or_default();
    let continues = |b: &u8| (0x80..0xc0).contains(b);
    let starts = (0xc2..0xf5).contains(&byte);
    let why = match e.error_len() {
        None => "unexpected end of data",
        Some(_) if starts && !bytes.get(at + 1).is_some_and(continues) => {
            "invalid continuation byte"
        }
        Some(n) if starts && n > 1 => "invalid continuation byte",
        Some(_) => "invalid start byte",
    };
    format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {why}")
}

/// Python's `str()` of a number.
pub fn python_number(n: &Number) -> String {
    let Some(float) = n.as_f64().filter(|_| n.is_f64()) else {
        return n.to_string();
    };
    let magnitude = float.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{float:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent
            .strip_prefix('-')
            .map_or(('+', exponent), |d| ('-', d));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    format!("{float:?}")
}

/// How deep Python would go before it gave up.
const DEEPEST: usize = 900;

/// A walk over a text that is not JSON, until the mistake.
struct Walk {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Walk {
    fn document(&mut self) -> Result<(), String> {
        self.blanks();
        self.value()?;
        self.blanks();
        if self.at < self.chars.len() {
            Err(self.said("Extra data", self.at))
        } else {
            Ok(())
        }
    }

    fn value(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("maximum recursion depth exceeded while decoding".to_owned());
        }
        let result = match self.peek() {
            Some('{') => self.object(),
            Some('[') => self.array(),
            Some('"') => self.string(),
            _ => self.scalar(),
        };
        self.depth -= 1;
        result
    }

    fn object(&mut self) -> Result<(), String> {
        self.at += 1;
        self.blanks();
        if self.take('}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                let text = "Expecting property name enclosed in double quotes";
                return Err(self.said(text, self.at));
            }
            self.string()?;
            self.blanks();
            if !self.take(':') {
                return Err(self.said("Expecting ':' delimiter", self.at));
            }
            self.blanks();
            self.value()?;
            self.blanks();
            if self.take('}') {
                return Ok(());
            }
            if !self.take(',') {
                return Err(self.said("Expecting ',' delimiter", self.at));
            }
            self.blanks();
        }
    }

    fn array(&mut self) -> Result<(), String> {
        self.at += 1;
        self.blanks();
        if self.take(']') {
            return Ok(());
        }
        loop {
            self.value()?;
            self.blanks();
            if self.take(']') {
                return Ok(());
            }
            if !self.take(',') {
                return Err(self.said("Expecting ',' delimiter", self.at));
            }
            self.blanks();
        }
    }

    fn string(&mut self) -> Result<(), String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.said("Unterminated string starting at", start)),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => {
                    let escape = self.at;
                    self.at += 1;
                    match self.peek() {
                        None => return Err(self.said("Unterminated string starting at", start)),
                        Some('u') => {
                            let digits = self.chars.get(self.at + 1..self.at + 5);
                            if !digits.is_some_and(|d| d.iter().all(char::is_ascii_hexdigit)) {
                                return Err(self.said("Invalid \\uXXXX escape", escape + 1));
                            }
                            self.at += 5;
                        }
                        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.at += 1,
                        Some(_) => return Err(self.said("Invalid \\escape", escape)),
                    }
                }
                Some(c) if c < ' ' => {
                    return Err(self.said("Invalid control character at", self.at));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn scalar(&mut self) -> Result<(), String> {
        for word in ["true", "false", "null"] {
            if self.word(word) {
                return Ok(());
            }
        }
        for word in ["NaN", "Infinity", "-Infinity"] {
            if self.word(word) {
                return Err(format!(
                    "Out of range float values are not JSON compliant: '{word}'"
                ));
            }
        }
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
        }
        let first = self.at;
        if self.peek() == Some('0') {
            self.at += 1;
        } else {
            self.digits();
        }
        if self.at == first {
            self.at = start;
            return Err(self.said("Expecting value", start));
        }
        let whole = self.at;
        if self.take('.') && !self.digits() {
            self.at = whole;
        }
        let mantissa = self.at;
        if self.take('e') || self.take('E') {
            let _sign = self.take('+') || self.take('-');
            if !self.digits() {
                self.at = mantissa;
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > start
    }

    fn word(&mut self, word: &str) -> bool {
        let there = word
            .chars()
            .enumerate()
            .all(|(n, c)| self.chars.get(self.at + n) == Some(&c));
        if there {
            self.at += word.chars().count();
        }
        there
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        if there {
            self.at += 1;
        }
        there
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn said(&self, text: &str, at: usize) -> String {
        let before = &self.chars[..at.min(self.chars.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        format!("{text}: line {line} column {column} (char {at})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        match parse(bytes) {
            Err(Error::Parse(text)) => text.trim_start_matches("JSON parse error - ").to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn mistakes_are_named_in_pythons_words() {
        let cases: &[(&[u8], &str)] = &[
            (
                b"{",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            (
                b"{\"a\" 1}",
                "Expecting ':' delimiter: line 1 column 6 (char 5)",
            ),
            (
                b"[1 2]",
                "Expecting ',' delimiter: line 1 column 4 (char 3)",
            ),
            (b"[\n1,\nx]", "Expecting value: line 3 column 1 (char 5)"),
            (b"{} {}", "Extra data: line 1 column 4 (char 3)"),
            (
                b"\"abc",
                "Unterminated string starting at: line 1 column 1 (char 0)",
            ),
            (
                b"NaN",
                "Out of range float values are not JSON compliant: 'NaN'",
            ),
            (
                b"{\"username\": \"\xff\"}",
                "'utf-8' codec can't decode byte 0xff in position 14: invalid start byte",
            ),
            (
                b"\xef\xbb\xbf{}",
                "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
            ),
        ];
        for (bytes, text) in cases {
            assert_eq!(said(bytes), *text);
        }
    }

    #[test]
    fn a_hundred_thousand_brackets_are_a_mistake_and_no_crash() {
        assert!(said(&b"[".repeat(100_000)).contains("recursion"));
    }

    #[test]
    fn numbers_read_as_python_writes_them() {
        for (text, python) in [
            ("1", "1"),
            ("-7", "-7"),
            ("12345678.5", "12345678.5"),
            ("1e5", "100000.0"),
            ("1e16", "1e+16"),
            ("1e-5", "1e-05"),
        ] {
            let Value::Number(n) = parse(text.as_bytes()).unwrap() else {
                panic!("{text}")
            };
            assert_eq!(python_number(&n), python);
        }
    }
}
