//! Acts on many tokens: the ticked ones, or all that the list's filter matches.

use rocket::{State, post};

use super::{expiry, query::ListQuery};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        bulk::Tally,
        paging::Count,
        permissions::{self, Permission, Record},
        tokens::{self, Chosen, Evidence},
    },
    error::{Error, Result},
    web::{
        admin::{
            bulk::{
                Act, Answer, Bulk, Finding, Grade, Point, Question, Selection, confirm, run,
                run::Door,
            },
            listing::Address,
        },
        error::PageError,
        filters,
        guards::{ConfirmedForm, CsrfForm, May, permission::ViewTokens},
        page::{Page, Reply},
        words,
    },
};

/// The list of tokens with a filter.
pub struct Tokens(pub ListQuery);

const OUT_OF_REACH: &str = "Tokens of people whom only a superuser may touch are skipped";

impl Bulk for Tokens {
    const PATH: &'static str = super::query::PATH;
    const NAV: &'static str = "tokens";
    const TITLE: &'static str = "Tokens";
    const NOUN: (&'static str, &'static str) = ("token", "tokens");
    const EVENT: &'static str = "token.bulk";
    const ACTS: &'static [Act] = &[
        Act {
            name: "export",
            button: "Export",
            icon: "down",
            ask: "Export {}",
            done: "{} exported",
            grade: Grade::Direct,
            permission: Permission::new(permissions::Act::View, Record::Tokens),
            points: &[],
        },
        Act {
            name: "extend",
            button: "Extend…",
            icon: "clock",
            ask: "Extend {}",
            done: "{} extended",
            grade: Grade::Plain,
            permission: Permission::new(permissions::Act::Change, Record::Tokens),
            points: &[
                Point {
                    kind: "info",
                    icon: "key",
                    text: "Stays: their keys, names and access",
                    note: "Programs notice nothing.",
                },
                Point {
                    kind: "info",
                    icon: "info",
                    text: "None is made to end earlier",
                    note: "Those that end later or never, and those that have ended, are skipped.",
                },
            ],
        },
        Act {
            name: "revoke",
            button: "Revoke…",
            icon: "ban",
            ask: "Revoke {}",
            done: "{} revoked",
            grade: Grade::Deletes,
            permission: Permission::new(permissions::Act::Delete, Record::Tokens),
            points: &[
                Point {
                    kind: "bad",
                    icon: "ban",
                    text: "Ends: these tokens, for good",
                    note: "Programs that use them get 401 at once. This cannot be undone.",
                },
                Point {
                    kind: "info",
                    icon: "users",
                    text: "Stays: their owners, sessions and JWTs",
                    note: "Get-or-create makes a new default token.",
                },
            ],
        },
    ];

    fn list(&self) -> Address {
        self.0.address()
    }

    async fn ids(&self, app: &App, after: i64, limit: u64) -> Result<Vec<i64>> {
        tokens::ids(app, &self.0.filter(), after, limit).await
    }

    async fn count(&self, app: &App) -> Result<Count> {
        tokens::count(app, &self.0.filter()).await
    }

    async fn newest(app: &App) -> Result<i64> {
        tokens::newest_id(app).await
    }

    async fn names(app: &App, ids: &[i64]) -> Result<Vec<String>> {
        let rows = tokens::some(app, ids).await?;
        let name = |row: tokens::TokenRow| match row.recent.last_day {
            0 => format!("“{}” of {}", row.token.name, row.owner.username),
            n => format!(
                "“{}” of {} ({} in 24 h)",
                row.token.name,
                row.owner.username,
                requests(n.unsigned_abs())
            ),
        };
        Ok(rows.into_iter().map(name).collect())
    }

    async fn run(
        &self,
        app: &App,
        by: &Actor,
        act: &'static str,
        answer: &str,
        ids: &[i64],
    ) -> Result<Tally> {
        match act {
            "revoke" => tokens::revoke_many(app, by, ids).await,
            "extend" => {
                let life = expiry::life(answer, tokens::longest_life(app))?;
                let until = life.map(|seconds| app.now() + seconds);
                tokens::extend_many(app, by, ids, until).await
            }
            _ => Err(Error::NotFound),
        }
    }

    fn skips(&self, by: &Actor, _act: &'static str, _selection: &Selection) -> Option<Finding> {
        (!by.is_superuser).then(|| Finding::skipped(OUT_OF_REACH))
    }

    fn asks(app: &App, act: &'static str) -> Option<Question> {
        (act == "extend").then(|| until(tokens::longest_life(app)))
    }

    async fn evidence(
        &self,
        app: &App,
        act: &'static str,
        selection: &Selection,
    ) -> Result<Vec<Finding>> {
        let (filter, ids, but) = (self.0.filter(), selection.ids(), selection.except());
        let chosen = if selection.all {
            Chosen::AllBut(&filter, &but)
        } else {
            Chosen::These(&ids)
        };
        let found = tokens::evidence(app, chosen).await?;
        Ok(match act {
            "revoke" => told_of_end(&found),
            _ => told_of_states(&found).into_iter().collect(),
        })
    }
}

/// When the tokens are to end.
fn until(limit: Option<i64>) -> Question {
    let offered = expiry::lives(limit);
    Question {
        label: "Expires",
        hint: limit.map_or_else(
            || "Counted from now.".to_owned(),
            |limit| {
                format!(
                    "Counted from now. A token of this server may live for at most {}.",
                    tokens::in_words(limit)
                )
            },
        ),
        usual: expiry::usual(&offered).to_owned(),
        options: offered
            .into_iter()
            .map(|expiry| Answer {
                value: expiry.value,
                label: expiry.label,
            })
            .collect(),
    }
}

fn requests(n: u64) -> String {
    words::counted(Count { n, exact: true }, "request", "requests")
}

/// How much they are in use: who is about to end them should know.
fn told_of_end(found: &Evidence) -> Vec<Finding> {
    let of = |n: u64| {
        let all = filters::number(found.tokens);
        let first = if found.is_whole { "" } else { "the first " };
        format!("{} of {first}{all}", filters::number(n))
    };
    let mut told = Vec::new();
    told.push(match (found.used_last_hour, found.used_last_day) {
        (0, 0) => Finding {
            kind: "info",
            icon: "fine",
            text: "None was used in the last 24 hours".to_owned(),
            note: String::new(),
        },
        (0, n) => Finding {
            kind: "warn",
            icon: "alert",
            text: format!(
                "{} used in the last 24 hours: {}",
                of(n),
                requests(found.last_day)
            ),
            note: "None of them in the last hour.".to_owned(),
        },
        (n, _) => Finding {
            kind: "bad",
            icon: "alert",
            text: format!(
                "{} used in the last hour: {}",
                of(n),
                requests(found.last_hour)
            ),
            note: if found.last_day == found.last_hour {
                "Such requests will get 401 at once.".to_owned()
            } else {
                format!(
                    "{} with {} in the last 24 hours. Such requests will get 401 at once.",
                    of(found.used_last_day),
                    requests(found.last_day)
                )
            },
        },
    });
    told.extend(told_of_states(found));
    told
}

/// Which of them the act will pass over.
fn told_of_states(found: &Evidence) -> Option<Finding> {
    let ended = [(found.expired, "expired"), (found.revoked, "revoked")];
    let ended: Vec<String> = ended
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, state)| format!("{} {state}", filters::number(n)))
        .collect();
    (!ended.is_empty()).then(|| Finding {
        kind: "info",
        icon: "info",
        text: format!(
            "{} active, {}",
            filters::number(found.active),
            ended.join(", ")
        ),
        note: "Revoked ones never come back; they are skipped.".to_owned(),
    })
}

#[post("/tokens/bulk?<query..>", data = "<form>")]
pub async fn ask(
    session: May<'_, ViewTokens>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    Ok(confirm::ask(&Tokens(query), app, &session.actor, &form).await?)
}

#[post("/tokens/bulk/run?<query..>", data = "<form>")]
pub async fn go(
    session: May<'_, ViewTokens>,
    app: &State<App>,
    query: ListQuery,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    Ok(run::go(&Tokens(query), app, &session.actor, &form, Door::Plain).await?)
}

#[post("/tokens/bulk/confirmed?<query..>", data = "<form>")]
pub async fn go_confirmed(
    session: May<'_, ViewTokens>,
    app: &State<App>,
    query: ListQuery,
    form: ConfirmedForm,
) -> Result<Reply, PageError> {
    Ok(run::go(&Tokens(query), app, &session.actor, &form, Door::Confirmed).await?)
}

pub fn samples() -> Vec<Page> {
    let list = Tokens(ListQuery::default());
    let mut pages = confirm::samples(&list);
    pages.push(run::sample(&list));
    let used = Evidence {
        tokens: 412,
        is_whole: true,
        active: 400,
        expired: 10,
        revoked: 2,
        used_last_hour: 3,
        last_hour: 41,
        used_last_day: 12,
        last_day: 1_200,
    };
    let [_, extend, revoke] = Tokens::ACTS else {
        return pages;
    };
    let told = told_of_states(&used).into_iter().collect();
    pages.push(confirm::sample_asking(
        &list,
        extend,
        Some(until(None)),
        told,
    ));
    pages.push(confirm::sample_asking(
        &list,
        revoke,
        None,
        told_of_end(&used),
    ));
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_evidence_tells_how_many_are_in_use() {
        let mut found = Evidence {
            tokens: 12,
            is_whole: true,
            active: 12,
            ..Evidence::default()
        };
        let first = |found: &Evidence| told_of_end(found).remove(0).text;
        assert_eq!(first(&found), "None was used in the last 24 hours");
        assert_eq!(told_of_end(&found).len(), 1);
        (found.used_last_day, found.last_day) = (2, 1_200);
        assert_eq!(
            first(&found),
            "2 of 12 used in the last 24 hours: 1,200 requests"
        );
        (found.used_last_hour, found.last_hour, found.is_whole) = (1, 1, false);
        assert_eq!(
            first(&found),
            "1 of the first 12 used in the last hour: 1 request"
        );
        let note = |found: &Evidence| told_of_end(found).remove(0).note;
        assert!(note(&found).starts_with("2 of the first 12 with 1,200 requests in the last 24"));
        (found.used_last_day, found.last_day) = (1, 1);
        assert_eq!(note(&found), "Such requests will get 401 at once.");
        found.revoked = 3;
        assert_eq!(told_of_end(&found)[1].text, "12 active, 3 revoked");
    }
}
