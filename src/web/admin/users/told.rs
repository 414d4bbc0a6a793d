//! How many live tokens and open sessions an act on many users would stop.

use crate::{
    domain::{paging::Count, tokens::Evidence},
    web::{admin::bulk::Finding, filters, words},
};

/// How much it stops: who is about to do it should know.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub tokens: Evidence,
    pub sessions: Count,
    /// Only the first `LOOKED_AT` users were looked at.
    pub is_part: bool,
}

/// Users that are looked at before an act on many.
pub const LOOKED_AT: usize = 1_000;

impl Told {
    pub fn tokens(&self) -> Finding {
        let n = |n, exact| Count { n, exact };
        let requests = |made| words::counted(n(made, true), "request", "requests");
        let found = &self.tokens;
        let live = n(found.active, found.is_whole);
        let live = words::counted(live, "live API token", "live API tokens");
        let used = |n, time: &str, made| {
            let n = filters::number(n);
            format!("{live}, {n} used in the last {time}: {}", requests(made))
        };
        let (kind, icon, text) = match (found.used_last_hour, found.used_last_day) {
            (0, 0) if found.active == 0 => ("info", "key", "No live API tokens".to_owned()),
            (0, 0) => {
                let text = format!("{live}, none used in the last 24 hours");
                ("info", "key", text)
            }
            (0, n) => ("warn", "alert", used(n, "24 hours", found.last_day)),
            (n, _) => ("bad", "alert", used(n, "hour", found.last_hour)),
        };
        self.finding(kind, icon, text)
    }

    pub fn sessions(&self) -> Finding {
        let text = match self.sessions.n {
            0 => "No open sessions".to_owned(),
            _ => words::counted(self.sessions, "open session", "open sessions"),
        };
        self.finding("info", "out", text)
    }

    fn finding(&self, kind: &'static str, icon: &'static str, text: String) -> Finding {
        let note = if self.is_part {
            let first = filters::number(LOOKED_AT as u64);
            format!("Of the first {first} of them; the others were not counted.")
        } else {
            String::new()
        };
        Finding {
            kind,
            icon,
            text,
            note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_evidence_tells_how_much_stops() {
        let mut told = Told {
            tokens: Evidence {
                is_whole: true,
                ..Evidence::default()
            },
            sessions: Count { n: 0, exact: true },
            is_part: false,
        };
        assert_eq!(told.tokens().text, "No live API tokens");
        assert_eq!(told.sessions().text, "No open sessions");
        told.tokens.active = 18;
        let unused = "18 live API tokens, none used in the last 24 hours";
        assert_eq!(told.tokens().text, unused);
        (told.tokens.used_last_hour, told.tokens.last_hour) = (3, 58);
        let used = "18 live API tokens, 3 used in the last hour: 58 requests";
        assert_eq!(told.tokens().text, used);
        assert_eq!(told.tokens().note, "");
        told.is_part = true;
        assert!(told.sessions().note.starts_with("Of the first 1,000"));
    }
}
