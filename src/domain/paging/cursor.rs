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
    /// None: among the newest first, whatever the list is sorted by.
    pub(super) key: Option<Key>,
}

impl Cursor {
    pub(super) fn write(&self) -> String {
        let direction = if self.back { 'b' } else { 'a' };
        let (kind, key) = match &self.key {
            Some(Key::Number(n)) => ('n', n.to_string()),
            Some(Key::Text(text)) => ('t', text.clone()),
            None => ('i', String::new()),
        };
        format!("{direction}{kind}.{}.{}.{key}", self.id, self.first_index)
    }

    /// A cursor that nobody made is a page that does not exist.
    pub(super) fn read(text: &str) -> Result<Self> {
        let parse = || {
            let mut parts = text.splitn(4, '.');
            let (direction, kind) = parts.next()?.split_at_checked(1)?;
            let back = match direction {
                "a" => false,
                "b" => true,
                _ => return None,
            };
            let id = parts.next()?.parse().ok()?;
            let first_index = parts.next()?.parse().ok().filter(|n| *n < MOST_ROWS)?;
            let key = parts.next()?;
            let key = match kind {
                "n" => Some(Key::Number(key.parse().ok()?)),
                "t" if !key.contains('\0') => Some(Key::Text(key.to_owned())),
                "i" if key.is_empty() => None,
                _ => return None,
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
        for key in [
            Some(Key::Number(-5)),
            Some(Key::Text("a.b.c~é".to_owned())),
            None,
        ] {
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
            "ai.1.1.x",
            "é",
            "an.0.18446744073709551615.0",
        ] {
            assert!(
                matches!(Cursor::read(text), Err(Error::NotFound)),
                "{text:?}"
            );
        }
    }
}
