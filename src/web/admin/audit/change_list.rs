//! The list of events, and what its address says about the filters.

use rocket::{FromForm, State, get};
use serde::Serialize;
use time::{Date, macros::format_description};

use super::{
    PATH,
    acts::{ACTS, KINDS, RESULTS, TIMES, seconds},
};
use crate::{
    app::App,
    domain::audit::{self, AuditFilter, ChainState},
    web::{
        activity::Activity,
        admin::listing::{Address, Chip, Choice, Hidden, Pager, Paging, match_text, search},
        chart::count,
        error::PageError,
        filters,
        guards::{May, permission::ViewAudit},
        page::{Page, View},
    },
};

/// The whole state of the list.
#[derive(Clone, Debug, Default, FromForm)]
pub struct ListQuery {
    person: Option<String>,
    account: Option<i64>,
    act: Option<String>,
    object: Option<String>,
    id: Option<i64>,
    when: Option<String>,
    from: Option<String>,
    to: Option<String>,
    result: Option<String>,
    request: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
}

impl ListQuery {
    /// What is looked for, and the address of just that.
    pub(super) fn read(&self, now: i64) -> (AuditFilter, Address) {
        let known = |value: &Option<String>, choices: &[(&str, &str)]| {
            let value = value.as_deref()?;
            let known = choices.iter().any(|(name, _)| *name == value);
            (known && !value.is_empty()).then(|| value.to_owned())
        };
        let (from, to) = filters::in_order(day(self.from.as_deref()), day(self.to.as_deref()));
        // Dates that are typed say more than a choice.
        let when = known(&self.when, TIMES).filter(|_| from.is_none() && to.is_none());
        let result = known(&self.result, RESULTS);
        // PostgreSQL knows no NUL in a text, so no event has one.
        let typed = |text: &Option<String>| search(text.as_deref()).filter(|t| !t.contains('\0'));
        let action = typed(&self.act);
        let object_type = typed(&self.object);
        let filter = AuditFilter {
            person: typed(&self.person),
            account: self.account,
            object_id: self.id.filter(|_| object_type.is_some()),
            action,
            object_type,
            from: when
                .as_deref()
                .and_then(seconds)
                .map(|seconds| now - seconds)
                .or(from),
            until: to.map(|to| to + DAY),
            failed: result.as_deref().map(|result| result == "failed"),
            request_id: typed(&self.request),
        };
        let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
        let address = Address::new(PATH)
            .with("person", filter.person.clone().unwrap_or_default())
            .with("account", number(filter.account))
            .with("act", filter.action.clone().unwrap_or_default())
            .with("object", filter.object_type.clone().unwrap_or_default())
            .with("id", number(filter.object_id))
            .with("when", when.unwrap_or_default())
            .with("from", from.map(date).unwrap_or_default())
            .with("to", to.map(date).unwrap_or_default())
            .with("result", result.unwrap_or_default())
            .with("request", filter.request_id.clone().unwrap_or_default());
        (filter, address)
    }
}

/// Seconds.
const DAY: i64 = 24 * 60 * 60;

/// Midnight UTC of `2026-11-23`.
fn day(text: Option<&str>) -> Option<i64> {
    let format = format_description!("[year]-[month]-[day]");
    let date = Date::parse(text?.trim(), format).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp())
}

fn date(at: i64) -> String {
    filters::iso(at)
        .split('T')
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[derive(Serialize)]
struct AuditChangeList {
    person: String,
    request: String,
    from: String,
    to: String,
    act: Choice,
    object: Choice,
    when: Choice,
    result: Choice,
    kept: Vec<Hidden>,
    chips: Vec<Chip>,
    /// Nothing is filtered by but the time.
    only_dates: bool,
    clear: &'static str,
    #[serde(rename = "match")]
    matching: String,
    chain: Chain,
    rows: Vec<Activity>,
    pager: Pager,
    csv: String,
    json: String,
}

/// How far the log is sealed.
#[derive(Clone, Debug, Serialize)]
struct Chain {
    sealed: Option<String>,
    signed: Option<String>,
    signed_at: i64,
}

impl Chain {
    fn of(state: ChainState) -> Self {
        Self {
            sealed: (state.sealed > 0).then(|| count(state.sealed)),
            signed: state.signed.map(|(seq, _)| count(seq)),
            signed_at: state.signed.map_or(0, |(_, at)| at),
        }
    }
}

impl View for AuditChangeList {
    const TEMPLATE: &'static str = "admin/audit/change_list.html";
    const NAV: &'static str = "audit";

    fn title(&self) -> String {
        "Audit log".to_owned()
    }
}

#[get("/audit?<query..>")]
pub async fn change_list(
    _session: May<'_, ViewAudit>,
    app: &State<App>,
    query: ListQuery,
) -> Result<Page, PageError> {
    let paging = Paging::new(query.cursor.clone(), query.per);
    let (filter, address) = query.read(app.now());
    let chain = audit::chain_state(app).await?;
    let cursor = query.cursor.as_deref();
    let found = audit::list(app, &filter, cursor, paging.size()).await?;
    let here = address.sized(&paging);
    let rows = found.rows.iter().map(Activity::of).collect();
    let pager = Pager::of(&found, &here, paging.size());
    let matching = match_text(&found, None);
    Ok(Page::of(&view(
        &filter, &address, chain, rows, pager, matching,
    )))
}

fn view(
    filter: &AuditFilter,
    address: &Address,
    chain: ChainState,
    rows: Vec<Activity>,
    pager: Pager,
    matching: String,
) -> AuditChangeList {
    let value = |name: &str| address.value(name).unwrap_or_default().to_owned();
    AuditChangeList {
        person: value("person"),
        request: value("request"),
        from: value("from"),
        to: value("to"),
        act: Choice::new("act", "Act", ACTS, &value("act")),
        object: Choice::new("object", "Object", KINDS, &value("object")),
        when: Choice::new("when", "When", TIMES, &value("when")),
        result: Choice::new("result", "Result", RESULTS, &value("result")),
        kept: address.hidden(&[
            "person", "request", "from", "to", "act", "object", "when", "result",
        ]),
        chips: chips(filter, address),
        only_dates: address.hidden(&["when", "from", "to"]).is_empty(),
        clear: PATH,
        matching,
        chain: Chain::of(chain),
        rows,
        pager,
        csv: address.at("/admin/audit/export.csv").href(),
        json: address.at("/admin/audit/export.json").href(),
    }
}

fn chips(filter: &AuditFilter, address: &Address) -> Vec<Chip> {
    let word = |choices: &[(&str, &str)], value: &str| {
        let found = choices.iter().find(|(name, _)| *name == value);
        found.map_or_else(|| value.to_owned(), |(_, word)| (*word).to_owned())
    };
    let object = filter.object_type.as_deref().map(|kind| {
        let kind = word(KINDS, kind);
        match filter.object_id {
            Some(id) => format!("{kind} #{id}"),
            None => kind,
        }
    });
    let labelled = |label: &str, value: Option<&str>| value.map(|it| format!("{label}: {it}"));
    let named = |name: &str, choices| address.value(name).map(|value| word(choices, value));
    [
        ("person", labelled("Person", filter.person.as_deref())),
        (
            "account",
            filter.account.map(|id| format!("Account: #{id}")),
        ),
        ("act", filter.action.as_deref().map(|act| word(ACTS, act))),
        ("object", object),
        ("when", named("when", TIMES)),
        ("from", labelled("From", address.value("from"))),
        ("to", labelled("To", address.value("to"))),
        ("result", named("result", RESULTS)),
        ("request", labelled("Request", filter.request_id.as_deref())),
    ]
    .into_iter()
    .filter_map(|(name, label)| {
        let without = address.without(name);
        let without = if name == "object" {
            without.without("id")
        } else {
            without
        };
        Some(Chip {
            label: label?,
            href: without.href(),
        })
    })
    .collect()
}

pub fn samples() -> Vec<Page> {
    let nobody = ListQuery::default().read(0);
    let query = ListQuery {
        person: Some("<b>sam</b>".to_owned()),
        from: Some("2026-11-01".to_owned()),
        ..ListQuery::default()
    };
    let looked_for = query.read(0);
    let chains = [(0, None), (1234, Some((1000, 1_700_000_000)))];
    let filters = [nobody, looked_for].into_iter().zip(chains);
    filters
        .flat_map(|((filter, address), (sealed, signed))| {
            [Vec::new(), vec![Activity::sample()]].map(|rows| {
                let none = crate::domain::paging::Page::only(Vec::<()>::new());
                let pager = Pager::of(&none, &address, 25);
                let chain = ChainState { sealed, signed };
                Page::of(&view(
                    &filter,
                    &address,
                    chain,
                    rows,
                    pager,
                    "1 matches".to_owned(),
                ))
            })
        })
        .collect()
}
