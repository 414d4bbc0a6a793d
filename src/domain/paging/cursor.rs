//! Which row a page begins after, as a text that goes into addresses. What a page is made of is in `paging.rs`.

use super::Key;
use crate::error::{Error, Result};

/// A row number beyond this is made up.
const MOST_ROWS: u64 = 1_000_000_000_000;

/// The row a page begins after (or, going back, ends before).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) back: bool,
    pub(super) id: i64,
    /// Number of the first row of the page it leads to.
    pub(super) first_index: u64,
    pub(super) key: Key,
}

impl Cursor {
    pub(super) fn write(&self) -> String {
        let direction = if self.back { 'b' } else { 'a' };
        let (kind, key) = match &self.key {
            Key::Number(n) => ('n', n.to_string()),
            Key::Text(text) => ('t', text.clone()),
        };
        format!("{direction}{kind}.{}.{}.{key}", self.id, self.first_index)
    }

    /// A cursor that nobody made is a page that does not exist.
    pub(super) fn read(text: &str) -> Result<Self> {
        let parse = || {
            let mut parts = text.splitn(4, '.');
            let (back, number) = match parts.next()? {
                "an" => (false, true),
                "at" => (false, false),
                "bn" => (true, true),
                "bt" => (true, false),
                _ => return None,
            };
            let id = parts.next()?.parse().ok()?;
            let first_index = parts.next()?.parse().ok().filter(|n| *n < MOST_ROWS)?;
            let key = parts.next()?;
            let key = if number {
                Key::Number(key.parse().ok()?)
            } else if key.contains('\0') {
                return None;
            } else {
                Key::Text(key.to_owned())
            };
            Some(Self {
                back,
                id,
                first_index,
                key,
            })
        };
        parse().ok_or(Error::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_wrote() {
        for key in [Key::Number(-5), Key::Text("a.b.c~é".to_owned())] {
            let cursor = Cursor {
                back: true,
                id: 7,
                first_index: 26,
                key,
            };
            assert_eq!(Cursor::read(&cursor.write()).unwrap(), cursor);
        }
    }

    #[test]
    fn a_made_up_cursor_is_not_found() {
        for text in [
            "",
            "x",
            "an",
            "an.1",
            "an.1.1",
            "an.1.1.x",
            "zz.1.1.1",
            "at.1.1.\0",
            "an.0.18446744073709551615.0",
        ] {
            assert!(
                matches!(Cursor::read(text), Err(Error::NotFound)),
                "{text:?}"
            );
        }
    }
}
