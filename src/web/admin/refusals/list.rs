//! The list of refusals, with the inspector's form above it.

use rocket::{FromForm, State, get};
use serde::Serialize;

use super::{PATH, TITLE, words};
use crate::{
    app::App,
    domain::{
        refusals::{self, Reason, RefusalFilter, RefusalRow},
        users,
    },
    web::{
        admin::listing::{Address, Chip, Choice, Hidden, Pager, Paging, match_text, search},
        error::PageError,
        filters,
        guards::{May, permission::ViewTokens},
        page::{Page, View},
    },
};

#[derive(FromForm)]
pub struct ListQuery {
    reason: Option<String>,
    address: Option<String>,
    user: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
}

#[derive(Serialize)]
struct RefusalList {
    reasons: Choice,
    address: String,
    user: String,
    kept: Vec<Hidden>,
    chips: Vec<Chip>,
    clear: &'static str,
    #[serde(rename = "match")]
    matching: String,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Serialize)]
struct Row {
    /// Empty: the line stands for many.
    href: String,
    label: String,
    at: i64,
    request: String,
    status: i64,
    request_id: String,
    address: String,
    address_href: String,
    username: String,
    username_href: String,
}

impl Row {
    fn of(row: RefusalRow, here: &Address) -> Self {
        let RefusalRow { refusal, username } = row;
        let reason = Reason::parse(&refusal.reason).unwrap_or(Reason::NotAllowed);
        let is_many = reason == Reason::NotKept;
        let label = if is_many {
            let n = refusals::Detail::read(&refusal.detail).n.unwrap_or(0);
            format!("{} more were not kept", filters::number(n.unsigned_abs()))
        } else {
            words::label(reason).to_owned()
        };
        let with = |name, value: &str| {
            if value.is_empty() {
                String::new()
            } else {
                here.with(name, value).href()
            }
        };
        Self {
            href: if is_many {
                String::new()
            } else {
                format!("{PATH}{}/", refusal.id)
            },
            label,
            at: refusal.at,
            request: format!("{} {}", refusal.method, refusal.path),
            status: refusal.status,
            request_id: refusal.request_id,
            address_href: with("address", &refusal.address),
            address: refusal.address,
            username_href: with("user", &username),
            username,
        }
    }
}

impl View for RefusalList {
    const TEMPLATE: &'static str = "admin/refusals/list.html";
    const NAV: &'static str = "refusals";

    fn title(&self) -> String {
        TITLE.to_owned()
    }
}

#[get("/refusals?<query..>")]
pub async fn list(
    _session: May<'_, ViewTokens>,
    app: &State<App>,
    query: ListQuery,
) -> Result<Page, PageError> {
    let paging = Paging::new(query.cursor, query.per);
    let reason = query.reason.as_deref().and_then(Reason::parse);
    let address = search(query.address.as_deref()).filter(|text| !text.contains('\0'));
    let user = search(query.user.as_deref());
    let user_id = match &user {
        // Nobody has the id 0.
        Some(name) => Some(
            users::find_by_username(app, name)
                .await?
                .map_or(0, |u| u.id),
        ),
        None => None,
    };
    refusals::flush(app).await?;
    let filter = RefusalFilter {
        reason,
        address: address.clone(),
        user_id,
        page: paging.request(),
    };
    let found = refusals::list(app, &filter).await?;
    let code = reason.map_or("", Reason::as_str);
    let (address, user) = (address.unwrap_or_default(), user.unwrap_or_default());
    let here = Address::new(PATH)
        .with("reason", code)
        .with("address", address.as_str())
        .with("user", user.as_str())
        .sized(&paging);
    let pager = Pager::of(&found, &here, paging.size());
    let matching = match_text(&found, None);
    let rows = found.rows.into_iter().map(|row| Row::of(row, &here));
    Ok(Page::of(&RefusalList {
        reasons: reasons(code),
        chips: chips(reason, &address, &user, &here),
        clear: PATH,
        matching,
        kept: here.hidden(&["reason", "address", "user"]),
        rows: rows.collect(),
        pager,
        address,
        user,
    }))
}

fn reasons(chosen: &str) -> Choice {
    let mut options = vec![("", "Any reason")];
    let all = Reason::ALL.iter();
    options.extend(all.map(|reason| (reason.as_str(), words::label(*reason))));
    Choice::new("reason", "Reason", &options, chosen)
}

fn chips(reason: Option<Reason>, address: &str, user: &str, here: &Address) -> Vec<Chip> {
    let mut chips = Vec::new();
    let mut chip = |label: String, name| {
        let href = here.without(name).href();
        chips.push(Chip { label, href });
    };
    if let Some(reason) = reason {
        chip(words::label(reason).to_owned(), "reason");
    }
    if !address.is_empty() {
        chip(format!("Address: {address}"), "address");
    }
    if !user.is_empty() {
        chip(format!("User: {user}"), "user");
    }
    chips
}

pub fn samples() -> Vec<Page> {
    let none = crate::domain::paging::Page::only(Vec::<Row>::new());
    let here = Address::new(PATH);
    let mut list = RefusalList {
        reasons: reasons(""),
        address: String::new(),
        user: String::new(),
        kept: Vec::new(),
        chips: Vec::new(),
        clear: PATH,
        matching: String::new(),
        rows: Vec::new(),
        pager: Pager::of(&none, &here, 25),
    };
    let empty = Page::of(&list);
    let refusal = refusals::Refusal {
        id: 9,
        request_id: "7f3a9b2c11d04e55".to_owned(),
        at: 1_700_000_000,
        status: 401,
        method: "GET".to_owned(),
        path: "/studentapi/".to_owned(),
        address: "192.0.2.7".to_owned(),
        header: "Authorization".to_owned(),
        scheme: "Token".to_owned(),
        reason: "token_revoked".to_owned(),
        detail: "{}".to_owned(),
        token_id: Some(3),
        user_id: Some(7),
        family: None,
    };
    let many = refusals::Refusal {
        reason: "not_kept".to_owned(),
        detail: r#"{"n":1234}"#.to_owned(),
        ..refusal.clone()
    };
    let row = |refusal, name: &str| RefusalRow {
        refusal,
        username: name.to_owned(),
    };
    list.rows.push(Row::of(row(refusal, "<b>sam</b>"), &here));
    list.rows.push(Row::of(row(many, ""), &here));
    vec![empty, Page::of(&list)]
}
