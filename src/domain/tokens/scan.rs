//! Finding keys in text or anything else that can be read, of any size. Needs no database: named
//! keys are told by their checksum, and ours by the part that only this server could have written.
//! Default keys have neither and look like any 40 hex digits; whoever wants them looks them up.

use std::io::{self, Read};

use memchr::{memchr_iter, memmem};

use super::key;
use crate::{keys::Keyring, secret::TokenKey};

/// Bytes read at a time.
const CHUNK: u64 = 256 * 1024;
/// Bytes after the first one of a key that say whether it is one.
const REACH: usize = key::LENGTH + 1;

/// Who made a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This server, or one with the same secret.
    Ours,
    /// Another Latchkey server.
    Others,
    /// Cannot be told: there is no secret here, or the key is 40 hex digits.
    Unknown,
}

/// A key, and where it stands.
#[derive(Debug)]
pub struct Found {
    /// From 1.
    pub line: u64,
    /// In bytes, from 1.
    pub column: u64,
    pub key: TokenKey,
    pub whose: Whose,
    /// False: 40 hex digits that may be a default key, or anything else.
    pub is_named: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    /// Without them nobody can tell whose keys are found.
    pub keys: Option<&'a Keyring>,
    /// Whether to report 40 hex digits, too.
    pub hex: bool,
}

/// Where a byte stands.
struct Position {
    line: u64,
    column: u64,
}

impl Position {
    fn pass(&mut self, bytes: &[u8]) {
        let (mut lines, mut last) = (0, None);
        for at in memchr_iter(b'\n', bytes) {
            lines += 1;
            last = Some(at);
        }
        self.line += lines;
        self.column = match last {
            Some(at) => (bytes.len() - at) as u64,
            None => self.column + bytes.len() as u64,
        };
    }
}

impl Scanner<'_> {
    /// Reads to the end and reports each key in order. `report` answers whether to go on.
    ///
    /// # Errors
    /// What reading failed with; the keys before were reported.
    pub fn scan(
        &self,
        mut from: impl Read,
        mut report: impl FnMut(Found) -> bool,
    ) -> io::Result<()> {
        let mut buffer = Vec::new();
        // What stands before it is known; one byte of that is kept, see `hex_hits`.
        let mut start = 0;
        let mut position = Position { line: 1, column: 1 };
        loop {
            let read = from.by_ref().take(CHUNK).read_to_end(&mut buffer)?;
            let end = match read {
                0 => buffer.len(),
                // A key may go on in the next chunk.
                _ => buffer.len().saturating_sub(REACH).max(start),
            };
            for (at, is_named) in self.hits(&buffer, start, end) {
                position.pass(&buffer[start..at]);
                start = at;
                let length = if is_named {
                    key::LENGTH
                } else {
                    key::DEFAULT_LENGTH
                };
                let text = String::from_utf8_lossy(&buffer[at..at + length]);
                let found = Found {
                    line: position.line,
                    column: position.column,
                    whose: self.whose(&text, is_named),
                    key: TokenKey::new(text),
                    is_named,
                };
                if !report(found) {
                    return Ok(());
                }
            }
            position.pass(&buffer[start..end]);
            if read == 0 {
                return Ok(());
            }
            let gone = end.saturating_sub(1);
            buffer.drain(..gone);
            start = end - gone;
        }
    }

    fn whose(&self, text: &str, is_named: bool) -> Whose {
        match self.keys {
            Some(keys) if is_named && key::is_plausible(keys, text) => Whose::Ours,
            Some(_) if is_named => Whose::Others,
            _ => Whose::Unknown,
        }
    }

    /// Where keys begin in `start..end`, and whether they are named ones.
    fn hits(&self, bytes: &[u8], start: usize, end: usize) -> Vec<(usize, bool)> {
        let last = (end + key::PREFIX.len() - 1).min(bytes.len());
        let mut hits: Vec<(usize, bool)> = memmem::find_iter(&bytes[start..last], key::PREFIX)
            .map(|at| start + at)
            .filter(|at| {
                let text = bytes.get(*at..*at + key::LENGTH);
                let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok());
                text.is_some_and(key::is_well_formed)
            })
            .map(|at| (at, true))
            .collect();
        if self.hex {
            hits.extend(hex_hits(bytes, start, end).map(|at| (at, false)));
            hits.sort_unstable();
        }
        hits
    }
}

/// Where exactly 40 hex digits stand in a row.
fn hex_hits(bytes: &[u8], start: usize, end: usize) -> impl Iterator<Item = usize> {
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    (start..end).filter(move |at| {
        let begins = is_hex(*at) && !at.checked_sub(1).is_some_and(is_hex);
        begins
            && !is_hex(at + key::DEFAULT_LENGTH)
            && bytes
                .get(*at..*at + key::DEFAULT_LENGTH)
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .is_some_and(key::is_well_formed)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives its bytes in pieces of a given size, as a pipe does.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(into.len()).min(self.0.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn found(scanner: Scanner<'_>, bytes: &[u8]) -> Vec<(u64, u64, String, Whose)> {
        let mut all = Vec::new();
        let report = |f: Found| {
            all.push((f.line, f.column, f.key.expose().to_owned(), f.whose));
            true
        };
        scanner.scan(Pieces(bytes, 4096), report).unwrap();
        all
    }

    #[test]
    fn keys_are_found_with_line_and_column_and_told_apart() {
        let ours = Keyring::of("a secret of thirty-two bytes, or more");
        let other = Keyring::of("another secret of thirty-two bytes");
        let mine = key::new_named(&ours).unwrap();
        let theirs = key::new_named(&other).unwrap();
        let (mine, theirs) = (mine.expose(), theirs.expose());
        let broken = format!("{}!", &mine[..42]);
        let text = format!("first\n  key={mine}\u{0}\n{broken}{theirs}{mine}lk_");
        let scanner = Scanner {
            keys: Some(&ours),
            hex: false,
        };
        assert_eq!(
            found(scanner, text.as_bytes()),
            [
                (2, 7, mine.to_owned(), Whose::Ours),
                (3, 44, theirs.to_owned(), Whose::Others),
                (3, 87, mine.to_owned(), Whose::Ours),
            ]
        );
        let blind = Scanner {
            keys: None,
            hex: false,
        };
        let all = found(blind, text.as_bytes());
        assert!(all.len() == 3 && all.iter().all(|f| f.3 == Whose::Unknown));
    }

    #[test]
    fn forty_hex_digits_are_reported_where_they_are_wanted_and_stand_alone() {
        let key = "98d3c918cfc1b197584bd8ab4da3416fd4447b19";
        let text = format!("{key} 0{key} {key}f {} \"{key}\"", key.to_uppercase());
        let scanner = |hex| Scanner { keys: None, hex };
        let columns: Vec<u64> = found(scanner(true), text.as_bytes())
            .into_iter()
            .map(|f| f.1)
            .collect();
        assert_eq!(columns, [1, 168]);
        assert!(found(scanner(false), text.as_bytes()).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Wherever a key stands, also across the seam of two chunks.
        #[test]
        fn no_seam_hides_a_key(before in 0_usize..100, lines in 0_usize..5) {
            let ours = Keyring::of("a secret of thirty-two bytes, or more");
            let named = key::new_named(&ours).unwrap();
            let hex = key::new_default().unwrap();
            let chunk = usize::try_from(CHUNK).unwrap();
            for key in [&named, &hex] {
                let mut bytes = vec![b'\n'; lines];
                bytes.resize(chunk - before, b'.');
                bytes.extend_from_slice(key.expose().as_bytes());
                bytes.extend_from_slice(b" and more");
                let all = found(Scanner { keys: Some(&ours), hex: true }, &bytes);
                prop_assert_eq!(all.len(), 1);
                prop_assert_eq!(all[0].0, lines as u64 + 1);
                prop_assert_eq!(all[0].1, (chunk - before - lines) as u64 + 1);
                prop_assert_eq!(&all[0].2, key.expose());
            }
        }
    }
}
