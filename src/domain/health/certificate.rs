//! The certificate that TLS is served with: until when it is good, who can read its key, and whether its file
//! was renewed since the start.

use time::{OffsetDateTime, macros::format_description};
use x509_cert::{
    Certificate,
    der::{self, Decode},
};

use super::{Finding, Verdict};
use crate::config::Tls;

const AREA: &str = "certificate";
const DAY: i64 = 86_400;
/// Days before its end. Those of Let's Encrypt are renewed about thirty days before theirs.
const SOON: i64 = 14;
const RENEW: &str = "Renew it, then `systemctl restart latchkey`.";
const RESTART: &str = "Files are read at the start: `systemctl restart latchkey`.";

/// The server's certificate and those above it in DER form, the server's first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain(pub Vec<Vec<u8>>);

impl Chain {
    /// From when to when all of them are good.
    fn good(&self) -> der::Result<(i64, i64)> {
        let mut span = (0, i64::MAX);
        for certificate in &self.0 {
            let validity = Certificate::from_der(certificate)?.tbs_certificate.validity;
            let at = |time: x509_cert::time::Time| {
                i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
            };
            span = (
                span.0.max(at(validity.not_before)),
                span.1.min(at(validity.not_after)),
            );
        }
        Ok(span)
    }

    fn judge(&self, now: i64) -> (Verdict, String) {
        match self.good() {
            Err(e) => (Verdict::Look, format!("cannot be read: {e}")),
            Ok((_, end)) if end <= now => (Verdict::Bad, format!("ended on {}", day(end))),
            Ok((begin, _)) if begin > now => {
                let text = format!("is not good before {}", day(begin));
                (Verdict::Bad, text)
            }
            Ok((_, end)) => match (end - now) / DAY {
                0 | 1 => {
                    let text = format!("ends on {}, within two days", day(end));
                    (Verdict::Look, text)
                }
                days if days < SOON => {
                    let text = format!("ends on {}, in {days} days", day(end));
                    (Verdict::Look, text)
                }
                days => {
                    let text = format!("is good until {}, {days} days", day(end));
                    (Verdict::Good, text)
                }
            },
        }
    }
}

/// `looked`: what the files hold now, or why nothing can be served with them. `served`: what a running server
/// read when it started.
pub fn certificate(
    tls: &Tls,
    looked: Result<Chain, String>,
    served: Option<&Chain>,
    now: i64,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let renewed = served.filter(|served| looked.as_ref().is_ok_and(|chain| chain != *served));
    if let Some(served) = renewed {
        let (verdict, until) = served.judge(now);
        let text = format!("the file was renewed; the one that is still served {until}");
        found.push(Finding {
            verdict: verdict.max(Verdict::Look),
            ..Finding::look(AREA, text, RESTART)
        });
    }
    match looked {
        Err(text) => found.push(Finding::bad(AREA, text, "The next start would fail.")),
        Ok(chain) => {
            let (verdict, until) = chain.judge(now);
            let text = match chain.0.len() {
                1 => format!("the one of this key {until}"),
                n => format!("the one of this key, with its chain of {n}, {until}"),
            };
            found.push(match verdict {
                Verdict::Good => Finding::good(AREA, text),
                Verdict::Look => Finding::look(AREA, text, RENEW),
                Verdict::Bad => Finding::bad(AREA, text, RENEW),
            });
            if chain.0.len() == 1 {
                let text = "its file holds no other: most authorities give a chain of two or more";
                let advice = "Let LATCHKEY_TLS_CERTIFICATE name the file of the chain.";
                found.push(Finding::look(AREA, text, advice));
            }
        }
    }
    if is_open_to_others(&tls.key) {
        let text = format!("{} can be read by everybody", tls.key.display());
        found.push(Finding::bad(AREA, text, "chmod 600 it"));
    }
    found
}

fn day(at: i64) -> String {
    let form = format_description!("[year]-[month]-[day]");
    let date = OffsetDateTime::from_unix_timestamp(at).ok();
    date.and_then(|date| date.format(form).ok())
        .unwrap_or_else(|| at.to_string())
}

/// A group may: the service's own.
#[cfg(unix)]
fn is_open_to_others(path: &std::path::Path) -> bool {
    let mode = |metadata: std::fs::Metadata| {
        std::os::unix::fs::PermissionsExt::mode(&metadata.permissions())
    };
    std::fs::metadata(path).is_ok_and(|metadata| mode(metadata) & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::path::Path) -> bool {
    false
}
