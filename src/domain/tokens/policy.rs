//! How long a token may live: the setting `token_longest_life`. Default tokens are exempt: clients
//! of get-or-create rely on a key that does not end.

use crate::app::App;

const DAY: i64 = 86_400;
/// Seconds: a hundred years. Whoever wants longer asks for no end.
pub const LONGEST: i64 = 100 * 365 * DAY;
/// Seconds for which a rotated key may work on at most: a week.
pub const MOST_GRACE: i64 = 7 * DAY;

/// The longest life of a named token in seconds; `None`: no limit.
pub fn longest_life(app: &App) -> Option<i64> {
    Some(app.settings().token_longest_life).filter(|seconds| *seconds > 0)
}

/// Why a new token may not live for so many seconds.
pub fn refuse_life(app: &App, seconds: i64) -> Option<String> {
    let limit = longest_life(app).filter(|limit| seconds > *limit)?;
    Some(format!(
        "A token of this server may live for at most {}.",
        in_words(limit)
    ))
}

/// When a new token ends that was to end at `asked` (Unix seconds; `None`: never): not after the
/// limit.
pub(super) fn capped(app: &App, asked: Option<i64>) -> Option<i64> {
    let latest = longest_life(app).map(|limit| app.now() + limit);
    match (asked, latest) {
        (Some(asked), Some(latest)) => Some(asked.min(latest)),
        (asked, latest) => asked.or(latest),
    }
}

/// `90 days`; in hours or seconds where it is no whole number of days.
pub fn in_words(seconds: i64) -> String {
    let (n, unit) = match seconds {
        s if s % DAY == 0 => (s / DAY, "day"),
        s if s % 3600 == 0 => (s / 3600, "hour"),
        s => (s, "second"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_told_in_the_largest_whole_unit() {
        assert_eq!(in_words(90 * DAY), "90 days");
        assert_eq!(in_words(DAY), "1 day");
        assert_eq!(in_words(12 * 3600), "12 hours");
        assert_eq!(in_words(61), "61 seconds");
    }
}
