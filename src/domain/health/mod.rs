//! How the installation is: what `latchkey doctor` and the panel's page of health tell, each with what to do.
//! Nothing is changed, and nothing that is told holds a secret.

mod certificate;
mod jobs;
mod start;
mod storage;
mod work;

pub use certificate::{Chain, certificate};
pub use jobs::{Job, Jobs};
pub use start::{secret, settings};
pub use storage::{accounts, disk, schema, search_index, storage, the_secret_fits};
pub use work::{audit_log, jobs, letters, news, signing_keys, stored_settings};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Good,
    /// Somebody should look at it.
    Look,
    Bad,
}

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub area: &'static str,
    pub verdict: Verdict,
    pub text: String,
    /// What to do; empty: nothing.
    pub advice: String,
}

impl Finding {
    pub fn good(area: &'static str, text: impl Into<String>) -> Self {
        Self {
            area,
            verdict: Verdict::Good,
            text: text.into(),
            advice: String::new(),
        }
    }

    pub fn look(area: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Look,
            advice: advice.into(),
            ..Self::good(area, text)
        }
    }

    pub fn bad(area: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Bad,
            ..Self::look(area, text, advice)
        }
    }

    /// What could not be found out.
    pub(crate) fn unknown(area: &'static str, e: &crate::error::Error) -> Self {
        tracing::error!(area, error = %e, "cannot tell how it is");
        Self::bad(
            area,
            "it cannot be told",
            "Look into the log of the server.",
        )
    }

    /// For a terminal.
    pub fn in_a_line(&self) -> String {
        if self.advice.is_empty() {
            self.text.clone()
        } else {
            format!("{}: {}", self.text, self.advice)
        }
    }
}
