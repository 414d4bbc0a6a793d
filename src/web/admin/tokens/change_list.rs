//! The list of tokens.

use rocket::{FromForm, State, get};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        paging::Count,
        tokens::{self, Only, TokenCounts, TokenFilter, TokenRow, TokenState},
        usage::{self, Recent},
    },
    error::Result,
    web::{
        admin::listing::{Address, Chip, Hidden, Pager, Paging, Tab, match_text, no_hit, search},
        error::PageError,
        guards::{May, permission::ViewTokens},
        page::{Page, View},
        words::{self, TokenFacts},
    },
};

const PATH: &str = "/admin/tokens/";

#[derive(FromForm)]
pub struct ListQuery {
    q: Option<String>,
    state: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
}

#[derive(Serialize)]
struct TokenChangeList {
    tabs: Vec<Tab>,
    q: String,
    kept: Vec<Hidden>,
    chips: Vec<Chip>,
    clear: String,
    #[serde(rename = "match")]
    matching: String,
    no_hit: String,
    none_at_all: bool,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    token: TokenFacts,
    /// Requests in the last 24 hours.
    requests: u64,
    /// Whether this person may look into it.
    is_open: bool,
}

/// With how often each was used lately: one question for all of them.
async fn rows(app: &App, by: &Actor, found: &[TokenRow]) -> Result<Vec<Row>> {
    let ids: Vec<i64> = found.iter().map(|row| row.token.id).collect();
    let recent = usage::recent_of_many(app, &ids).await?;
    let row = |row: &TokenRow| {
        let Recent { last_day, .. } = recent.get(&row.token.id).copied().unwrap_or_default();
        Row {
            token: super::facts_of(app, row),
            requests: last_day.unsigned_abs(),
            is_open: tokens::may_look_into(by, row),
        }
    };
    Ok(found.iter().map(row).collect())
}

impl View for TokenChangeList {
    const TEMPLATE: &'static str = "admin/tokens/change_list.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        "Tokens".to_owned()
    }
}

#[get("/tokens?<query..>")]
pub async fn change_list(
    session: May<'_, ViewTokens>,
    app: &State<App>,
    query: ListQuery,
) -> Result<Page, PageError> {
    let paging = Paging::new(query.cursor, query.per);
    let q = search(query.q.as_deref());
    let active = Some(TokenState::Active);
    let (state, only, name) = match query.state.as_deref() {
        Some("expiring") => (active, Some(Only::Expiring), "expiring"),
        Some("unused") => (active, Some(Only::Unused), "unused"),
        Some("expired") => (Some(TokenState::Expired), None, "expired"),
        Some("revoked") => (Some(TokenState::Revoked), None, "revoked"),
        Some("all") => (None, None, "all"),
        _ => (active, None, ""),
    };
    let counts = tokens::counts(app).await?;
    let filter = TokenFilter {
        q: q.clone(),
        state,
        only,
        owner: None,
        page: paging.request(),
    };
    let found = tokens::list(app, &filter).await?;
    let here = Address::new(PATH)
        .with("state", name)
        .with("q", q.as_deref().unwrap_or_default())
        .sized(&paging);
    let chips = q.iter().map(|q| Chip {
        label: format!("“{q}”"),
        href: here.without("q").href(),
    });
    let all = all(&counts);
    Ok(Page::of(&TokenChangeList {
        tabs: tabs(&counts, name),
        kept: here.hidden(&["q"]),
        chips: chips.collect(),
        clear: here.without("q").href(),
        matching: match_text(found.total, None),
        no_hit: no_hit("No token", q.as_deref()),
        none_at_all: all.n == 0,
        pager: Pager::of(&found, &here, paging.size()),
        rows: rows(app, &session.actor, &found.rows).await?,
        q: q.unwrap_or_default(),
    }))
}

fn all(counts: &TokenCounts) -> Count {
    let each = [counts.active, counts.expired, counts.revoked];
    Count {
        n: each.iter().map(|c| c.n).sum(),
        exact: each.iter().all(|c| c.exact),
    }
}

fn tabs(counts: &TokenCounts, current: &str) -> Vec<Tab> {
    [
        ("Active", "", counts.active),
        ("Expiring", "expiring", counts.expiring),
        ("Unused", "unused", counts.unused),
        ("Expired", "expired", counts.expired),
        ("Revoked", "revoked", counts.revoked),
        ("All", "all", all(counts)),
    ]
    .into_iter()
    .map(|(label, state, count)| Tab {
        label,
        href: Address::new(PATH).with("state", state).href(),
        count: words::count(count),
        current: state == current,
    })
    .collect()
}

pub fn samples() -> Vec<Page> {
    let none = crate::domain::paging::Page {
        rows: Vec::<Row>::new(),
        next: None,
        previous: None,
        total: Count { n: 0, exact: true },
        first_index: 1,
    };
    let here = Address::new(PATH);
    let mut list = TokenChangeList {
        tabs: Vec::new(),
        q: String::new(),
        kept: Vec::new(),
        chips: Vec::new(),
        clear: PATH.to_owned(),
        matching: String::new(),
        no_hit: String::new(),
        none_at_all: true,
        pager: Pager::of(&none, &here, 25),
        rows: Vec::new(),
    };
    let empty = Page::of(&list);
    let row = |state, is_open| Row {
        token: super::sample_facts(state),
        requests: 1200,
        is_open,
    };
    list.rows.push(row(TokenState::Active, true));
    list.rows.push(row(TokenState::Revoked, false));
    vec![empty, Page::of(&list)]
}
