//! The list of tokens.

use rocket::{State, get};
use serde::Serialize;

use super::{
    bulk::Tokens,
    query::{ACCESS, ENDS, KINDS, ListQuery, PATH, SORTS},
};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        tokens::{self, TokenCounts, TokenRow, TokenState},
    },
    web::{
        admin::{
            bulk::Bar,
            listing::{
                Address, Chip, Choice, Head, Hidden, Pager, Tab, match_text, no_hit, sorted,
            },
        },
        error::PageError,
        guards::{May, permission::ViewTokens},
        page::{Page, View},
        words::{self, TokenFacts},
    },
};

#[derive(Serialize)]
struct TokenChangeList {
    tabs: Vec<Tab>,
    q: String,
    owner: String,
    kept: Vec<Hidden>,
    kind: Choice,
    access: Choice,
    ends: Choice,
    /// Filters in force beside the search.
    filtered: usize,
    chips: Vec<Chip>,
    clear: String,
    export_href: String,
    #[serde(rename = "match")]
    matching: String,
    no_hit: String,
    none_at_all: bool,
    /// In words.
    order: String,
    /// Where there is a choice.
    sort: Option<Choice>,
    heads: Option<Heads>,
    rows: Vec<Row>,
    pager: Pager,
    bulk: Bar,
}

#[derive(Serialize)]
struct Heads {
    expires: Head,
    last_used: Head,
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

impl Row {
    fn of(app: &App, by: &Actor, row: &TokenRow) -> Self {
        Self {
            token: super::facts_of(app, row),
            requests: row.recent.last_day.unsigned_abs(),
            is_open: tokens::may_look_into(by, row),
        }
    }
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
    let by = &session.actor;
    let counts = tokens::counts(app).await?;
    let mut filter = query.filter();
    filter.total = counts.of(&filter);
    let found = tokens::list(app, &filter).await?;
    let here = query.address();
    let (q, chips) = (query.q(), query.chips());
    let rows: Vec<Row> = found.rows.iter().map(|row| Row::of(app, by, row)).collect();
    Ok(Page::of(&TokenChangeList {
        tabs: tabs(&counts, query.state()),
        kept: query.kept(),
        kind: Choice::new("kind", "Kind", KINDS, query.kind()),
        access: Choice::new("access", "Access", ACCESS, query.access()),
        ends: Choice::new("ends", "Expires", ENDS, query.ends()),
        filtered: chips.len() - usize::from(q.is_some()),
        chips,
        clear: query.clear().href(),
        export_href: here.below("export"),
        matching: match_text(&found, Some(counts.of_tab(&filter))),
        no_hit: no_hit("No token", q.as_deref()),
        none_at_all: counts.all().n == 0,
        order: order(if found.newest_first {
            SORTS[0].0
        } else {
            query.sort()
        }),
        sort: query
            .is_sortable()
            .then(|| Choice::new("sort", "Sort", SORTS, query.sort())),
        heads: query
            .is_sortable()
            .then(|| heads(&here, sorted(&found, query.sort()))),
        pager: Pager::of(&found, &here, query.paging().size()),
        owner: query.owner().unwrap_or_default(),
        bulk: Bar::of(
            &Tokens(query.clone()),
            by,
            found.total,
            rows.len(),
            query.all.is_some(),
        ),
        rows,
        q: q.unwrap_or_default(),
    }))
}

/// What the sort is, inside a sentence.
fn order(sort: &str) -> String {
    let label = SORTS.iter().find(|(value, _)| *value == sort);
    label.map_or(String::new(), |(_, label)| label.to_lowercase())
}

fn heads(here: &Address, sort: &str) -> Heads {
    Heads {
        expires: Head::new("Expires", here, sort, ("expires", "-expires")),
        last_used: Head::new("Last used", here, sort, ("-used", "used")),
    }
}

fn tabs(counts: &TokenCounts, current: &str) -> Vec<Tab> {
    [
        ("Active", "", counts.active),
        ("Expiring", "expiring", counts.expiring),
        ("Unused", "unused", counts.unused),
        ("Expired", "expired", counts.expired),
        ("Revoked", "revoked", counts.revoked),
        ("All", "all", counts.all()),
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
    let none = crate::domain::paging::Page::only(Vec::<Row>::new());
    let here = Address::new(PATH);
    let mut list = TokenChangeList {
        tabs: Vec::new(),
        q: String::new(),
        owner: String::new(),
        kept: Vec::new(),
        kind: Choice::new("kind", "Kind", KINDS, ""),
        access: Choice::new("access", "Access", ACCESS, "full"),
        ends: Choice::new("ends", "Expires", ENDS, ""),
        filtered: 0,
        chips: Vec::new(),
        clear: PATH.to_owned(),
        export_href: PATH.to_owned(),
        matching: String::new(),
        no_hit: String::new(),
        none_at_all: true,
        order: order(SORTS[0].0),
        sort: Some(Choice::new("sort", "Sort", SORTS, SORTS[0].0)),
        heads: Some(heads(&here, SORTS[0].0)),
        pager: Pager::of(&none, &here, 25),
        bulk: Bar::of(
            &Tokens(ListQuery::default()),
            &Actor::operator(),
            none.total,
            0,
            false,
        ),
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
    let rotated = row(TokenState::Active, true);
    list.rows.push(Row {
        token: rotated.token.followed_by(Some(4)),
        ..rotated
    });
    vec![empty, Page::of(&list)]
}
