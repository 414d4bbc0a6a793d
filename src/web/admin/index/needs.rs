//! What needs attention: few lines, each true, each with a way to the list behind it.

use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        attention::Standing,
        daily_figures::{DAY, Figure, Figures, day_of},
        paging::Count,
        permissions::{Act, Permission, Record},
        signing_keys::{self, KeyState},
        tokens,
    },
    error::Result,
    web::{
        chart::{count, short},
        filters,
        words::{self, counted},
    },
};

/// So many failed sign-ins on a day are worth a look, if they are also several times what is usual.
const MANY: i64 = 50;
const TIMES: i64 = 4;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Attention {
    kind: &'static str,
    icon: &'static str,
    title: String,
    text: String,
    href: String,
    action: &'static str,
}

/// None for who may see none of it.
pub(super) async fn of(
    app: &App,
    actor: &Actor,
    standing: &Standing,
    figures: &Figures,
    days: i64,
) -> Result<Option<Vec<Attention>>> {
    let sees = |record| actor.may(Permission::new(Act::View, record));
    if ![Record::Users, Record::Audit, Record::Tokens]
        .into_iter()
        .any(sees)
    {
        return Ok(None);
    }
    let mut found = Vec::new();
    if sees(Record::Users) {
        found.extend(are_locked(standing.users.locked));
    }
    // Nobody else can do anything about it.
    if actor.is_superuser {
        found.extend(key_ends(app).await?);
        found.extend(idle_staff(standing.idle_staff));
    }
    if sees(Record::Audit) {
        found.extend(stormy_day(figures, days));
        found.extend(replays(app, figures));
    }
    if sees(Record::Tokens) {
        if standing.tokens.expiring.n > 0 {
            let first = tokens::first_end(app).await?;
            found.extend(first.map(|first| expiring(standing.tokens.expiring, first, app.now())));
        }
        found.extend(unused(standing.tokens.unused));
    }
    if sees(Record::Users) {
        found.extend(disabled_with_tokens(standing.disabled_with_tokens));
        found.extend(unknown_passwords(standing.unknown_passwords));
    }
    Ok(Some(found))
}

fn are_locked(n: Count) -> Option<Attention> {
    (n.n > 0).then(|| Attention {
        kind: "bad",
        icon: "lock",
        title: counted(n, "account is locked", "accounts are locked"),
        text: "Too many wrong passwords".to_owned(),
        href: "/admin/users/?status=locked".to_owned(),
        action: "Review",
    })
}

fn idle_staff(n: Count) -> Option<Attention> {
    (n.n > 0).then(|| Attention {
        kind: "warn",
        icon: "users",
        title: match n.n {
            1 => "A member of staff without a group can do nothing".to_owned(),
            _ => format!("{} staff without a group can do nothing", words::count(n)),
        },
        text: "Groups say what staff may do".to_owned(),
        href: "/admin/users/?group=none".to_owned(),
        action: "Review",
    })
}

/// The worst day, if it stands out.
fn stormy_day(figures: &Figures, days: i64) -> Option<Attention> {
    let days = usize::try_from(days).unwrap_or(0);
    let mut shown: Vec<(i64, i64)> = figures
        .days
        .iter()
        .rev()
        .take(days)
        .map(|day| (figures.on(*day, Figure::FailedSignIns), *day))
        .collect();
    shown.sort_unstable();
    let usual = shown.get(shown.len() / 2)?.0;
    let (n, day) = shown.last().copied()?;
    (n >= MANY && n >= TIMES * usual).then(|| {
        let date = filters::iso(day);
        let date = date.split('T').next().unwrap_or_default();
        Attention {
            kind: "bad",
            icon: "alert",
            title: format!("{} failures on {}", count(n), short(day)),
            text: format!("{} on a usual day", count(usual)),
            href: format!("/admin/audit/?act=user.login_failed&from={date}&to={date}"),
            action: "Open",
        }
    })
}

/// Yesterday and today.
fn replays(app: &App, figures: &Figures) -> Option<Attention> {
    let today = day_of(app.now());
    let n = figures.on(today, Figure::Refusals) + figures.on(today - DAY, Figure::Refusals);
    (n > 0).then(|| Attention {
        kind: "bad",
        icon: "alert",
        title: match n {
            1 => "A refresh token was sent twice".to_owned(),
            n => format!("{} refresh tokens were sent twice", count(n)),
        },
        text: "Since yesterday; a copy may be in other hands".to_owned(),
        href: "/admin/audit/?act=jwt.replayed&when=week".to_owned(),
        action: "Open",
    })
}

/// `first`: when the first of them ends.
fn expiring(n: Count, first: i64, now: i64) -> Attention {
    Attention {
        kind: "warn",
        icon: "clock",
        title: format!(
            "{} within a week",
            counted(n, "token expires", "tokens expire")
        ),
        text: match n.n {
            1 => filters::until(first, now),
            _ => format!("The first {}", filters::until(first, now)),
        },
        href: "/admin/tokens/?state=expiring".to_owned(),
        action: "Review",
    }
}

fn unused(n: Count) -> Option<Attention> {
    (n.n > 0).then(|| Attention {
        kind: "info",
        icon: "key",
        title: format!("{} unused for 90 days", counted(n, "token", "tokens")),
        text: "Good keys that nobody seems to need".to_owned(),
        href: "/admin/tokens/?state=unused".to_owned(),
        action: "Review",
    })
}

fn disabled_with_tokens(n: Count) -> Option<Attention> {
    (n.n > 0).then(|| Attention {
        kind: "warn",
        icon: "ban",
        title: format!(
            "{} live tokens",
            counted(n, "disabled account has", "disabled accounts have")
        ),
        text: "Who enables them again lets the tokens in, too".to_owned(),
        href: "/admin/users/?status=disabled&token=yes".to_owned(),
        action: "Review",
    })
}

fn unknown_passwords(n: Count) -> Option<Attention> {
    (n.n > 0).then(|| Attention {
        kind: "warn",
        icon: "lock",
        title: format!(
            "{} of an unknown kind",
            counted(n, "password is", "passwords are")
        ),
        text: "Nobody can sign in with them; send these people a link".to_owned(),
        href: "/admin/users/?password=unknown".to_owned(),
        action: "Review",
    })
}

/// Of keys that do not follow each other by themselves: one that signs and is about to retire, one that another server
/// shares.
async fn key_ends(app: &App) -> Result<Option<Attention>> {
    let now = app.now();
    let keys = signing_keys::judged(app).await?;
    let soon = keys.iter().filter_map(|(key, state)| {
        let ends = key.retires_at.filter(|at| *at <= now + 7 * DAY)?;
        let matters = *state == KeyState::Current
            || (*state == KeyState::Previous && signing_keys::is_from_elsewhere(key));
        matters.then_some((ends, signing_keys::name(key)))
    });
    Ok(soon.min().map(|(ends, name)| key_ends_at(name, ends, now)))
}

fn key_ends_at(name: &str, ends: i64, now: i64) -> Attention {
    Attention {
        kind: "warn",
        icon: "clock",
        title: format!("Signing key {name} ends {}", filters::until(ends, now)),
        text: "Then what it signed is accepted no more".to_owned(),
        href: "/admin/keys/".to_owned(),
        action: "Open",
    }
}

pub(super) fn sample() -> Vec<Attention> {
    let one = Count { n: 1, exact: true };
    let lines = [
        are_locked(one),
        idle_staff(one),
        Some(expiring(one, 1_795_435_200 + DAY, 1_795_435_200)),
        unused(one),
        disabled_with_tokens(one),
        unknown_passwords(one),
        Some(key_ends_at("shared-1", 1_795_435_200 + DAY, 1_795_435_200)),
    ];
    lines.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stormy(failures: impl Fn(i64) -> i64) -> Option<Attention> {
        let days: Vec<i64> = (0..60).map(|n| n * DAY).collect();
        let counts = days
            .iter()
            .map(|day| (*day, Figure::FailedSignIns, failures(day / DAY)));
        let figures = Figures::new(days.clone(), counts.collect::<Vec<_>>());
        stormy_day(&figures, 30)
    }

    #[test]
    fn a_day_is_told_of_if_it_stands_out() {
        let told = stormy(|day| if day == 40 { 120 } else { 9 }).unwrap();
        assert_eq!(told.title, "120 failures on 10 Feb");
        assert!(told.href.ends_with("&from=1970-02-10&to=1970-02-10"));
        assert!(stormy(|_| 120).is_none(), "every day is like that");
        assert!(
            stormy(|day| if day == 40 { 12 } else { 0 }).is_none(),
            "too few"
        );
        assert!(
            stormy(|day| if day == 10 { 900 } else { 0 }).is_none(),
            "long ago"
        );
    }
}
