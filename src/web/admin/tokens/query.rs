//! What the address of the list of tokens says: state, search, filters, page.

use rocket::FromForm;

use crate::{
    domain::{
        scopes::Scope,
        tokens::{Access, Ends, Only, TokenFilter, TokenOrder, TokenState},
    },
    web::admin::listing::{Address, Chip, Paging, search, search_chip},
};

pub const PATH: &str = "/admin/tokens/";
pub const KINDS: &[(&str, &str)] = &[("", "Any kind"), ("default", "Default"), ("named", "Named")];
/// The rest are scopes by their names.
pub const ACCESS: &[(&str, &str)] = &[
    ("", "Any access"),
    ("full", "Full access"),
    ("limited", "Limited access"),
    ("students:read", "Only some: students:read"),
    ("students:write", "Only some: students:write"),
    ("users:read", "Only some: users:read"),
    ("users:write", "Only some: users:write"),
    ("tokens:manage", "Only some: tokens:manage"),
    ("tokens:introspect", "Only some: tokens:introspect"),
    ("metrics:read", "Only some: metrics:read"),
];
/// Days.
pub const ENDS: &[(&str, &str)] = &[
    ("", "Any expiry"),
    ("never", "Never expires"),
    ("7", "Expires in 7 days"),
    ("30", "Expires in 30 days"),
    ("90", "Expires in 90 days"),
    ("365", "Expires in a year"),
];
pub const SORTS: &[(&str, &str)] = &[
    ("-created", "Newest first"),
    ("expires", "First to expire first"),
    ("-expires", "Last to expire first"),
    ("-used", "Most recently used first"),
    ("used", "Longest unused first"),
];
const DAY: i64 = 86_400;
const FILTERS: [&str; 5] = ["q", "kind", "access", "ends", "owner"];

#[derive(Clone, Debug, Default, FromForm)]
pub struct ListQuery {
    q: Option<String>,
    state: Option<String>,
    kind: Option<String>,
    access: Option<String>,
    ends: Option<String>,
    owner: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
    per: Option<u64>,
    pub all: Option<String>,
}

/// One of the choices; nothing for what is none of them.
fn known(choices: &[(&'static str, &str)], given: Option<&str>) -> &'static str {
    let found = choices.iter().find(|(value, _)| Some(*value) == given);
    found.map_or("", |(value, _)| value)
}

impl ListQuery {
    pub fn q(&self) -> Option<String> {
        search(self.q.as_deref())
    }

    pub fn owner(&self) -> Option<String> {
        search(self.owner.as_deref())
    }

    pub fn kind(&self) -> &'static str {
        known(KINDS, self.kind.as_deref())
    }

    pub fn access(&self) -> &'static str {
        known(ACCESS, self.access.as_deref())
    }

    pub fn ends(&self) -> &'static str {
        known(ENDS, self.ends.as_deref())
    }

    /// The tab; empty for the first.
    pub fn state(&self) -> &'static str {
        const TABS: &[(&str, &str)] = &[
            ("expiring", ""),
            ("unused", ""),
            ("expired", ""),
            ("revoked", ""),
            ("all", ""),
        ];
        known(TABS, self.state.as_deref())
    }

    /// Whether this tab has more than one order.
    pub fn is_sortable(&self) -> bool {
        !matches!(self.state(), "revoked" | "all")
    }

    /// The order that was asked for, or the usual one of the tab.
    pub fn sort(&self) -> &'static str {
        let asked = known(SORTS, self.sort.as_deref().filter(|_| self.is_sortable()));
        if asked.is_empty() {
            self.usual_sort()
        } else {
            asked
        }
    }

    fn usual_sort(&self) -> &'static str {
        match self.state() {
            "expiring" => "expires",
            "unused" => "used",
            _ => "-created",
        }
    }

    pub fn paging(&self) -> Paging {
        Paging::new(self.cursor.clone(), self.per)
    }

    pub fn filter(&self) -> TokenFilter {
        let (state, only) = match self.state() {
            "expiring" => (Some(TokenState::Active), Some(Only::Expiring)),
            "unused" => (Some(TokenState::Active), Some(Only::Unused)),
            "expired" => (Some(TokenState::Expired), None),
            "revoked" => (Some(TokenState::Revoked), None),
            "all" => (None, None),
            _ => (Some(TokenState::Active), None),
        };
        let scope = |name| Scope::ALL.into_iter().find(|scope| scope.as_str() == name);
        TokenFilter {
            q: self.q(),
            state,
            only,
            owner_named: self.owner(),
            is_default: match self.kind() {
                "default" => Some(true),
                "named" => Some(false),
                _ => None,
            },
            access: match self.access() {
                "full" => Some(Access::Full),
                "limited" => Some(Access::Limited),
                name => scope(name).map(Access::Has),
            },
            ends: match self.ends() {
                "never" => Some(Ends::Never),
                days => days.parse::<i64>().ok().map(|n| Ends::Within(n * DAY)),
            },
            sort: match self.sort() {
                // Its own order is known best by the filter.
                usual if usual == self.usual_sort() => None,
                "expires" => Some(TokenOrder::FirstToEnd),
                "-expires" => Some(TokenOrder::LastToEnd),
                "used" => Some(TokenOrder::LongestUnseen),
                "-used" => Some(TokenOrder::LatestSeen),
                _ => Some(TokenOrder::Newest),
            },
            page: self.paging().request(),
            ..TokenFilter::default()
        }
    }

    /// The list with this filter.
    pub fn address(&self) -> Address {
        Address::new(PATH)
            .with("state", self.state())
            .with("q", self.q().unwrap_or_default())
            .with("kind", self.kind())
            .with("access", self.access())
            .with("ends", self.ends())
            .with("owner", self.owner().unwrap_or_default())
            .with(
                "sort",
                match self.sort() {
                    usual if usual == self.usual_sort() => "",
                    sort => sort,
                },
            )
            .sized(&self.paging())
    }

    /// One for each filter in force.
    pub fn chips(&self) -> Vec<Chip> {
        let here = self.address();
        let label = |choices: &[(&str, &str)], chosen: &str| {
            let found = choices.iter().find(|(value, _)| *value == chosen);
            found.map(|(_, label)| (*label).to_owned())
        };
        let labels = [
            self.q().map(|q| search_chip(&q)),
            label(KINDS, self.kind()),
            label(ACCESS, self.access()),
            label(ENDS, self.ends()),
            self.owner().map(|owner| format!("Owner: {owner}")),
        ];
        FILTERS
            .into_iter()
            .zip(labels)
            .filter(|(name, _)| here.value(name).is_some())
            .filter_map(|(name, label)| {
                let href = here.without(name).href();
                Some(Chip {
                    label: label?,
                    href,
                })
            })
            .collect()
    }

    /// The same tab without a filter.
    pub fn clear(&self) -> Address {
        FILTERS
            .into_iter()
            .fold(self.address(), |here, name| here.without(name))
    }

    /// Hidden fields of the form that has the filters.
    pub fn kept(&self) -> Vec<crate::web::admin::listing::Hidden> {
        self.address().without("sort").hidden(&FILTERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_can_be_filtered_by() {
        for scope in Scope::ALL {
            assert!(ACCESS.iter().any(|(value, _)| *value == scope.as_str()));
        }
    }

    #[test]
    fn each_filter_is_in_the_address_and_has_a_chip_that_takes_it_out() {
        let text = |text: &str| Some(text.to_owned());
        let query = ListQuery {
            q: text("ci"),
            state: text("unused"),
            kind: text("named"),
            access: text("users:read"),
            ends: text("30"),
            owner: text(" ann "),
            sort: text("-used"),
            ..ListQuery::default()
        };
        let href = query.address().href();
        assert_eq!(
            href,
            "/admin/tokens/?state=unused&q=ci&kind=named&access=users%3Aread&ends=30&owner=ann&sort=-used"
        );
        let chips = query.chips();
        assert_eq!(chips.len(), 5);
        assert!(chips.iter().all(|chip| chip.href.len() < href.len()));
        assert_eq!(
            query.clear().href(),
            "/admin/tokens/?state=unused&sort=-used"
        );
        let nonsense = ListQuery {
            kind: text("x"),
            access: text("students:eat"),
            ends: text("-1"),
            sort: text("name"),
            ..ListQuery::default()
        };
        assert!(nonsense.chips().is_empty());
        assert_eq!(nonsense.address().href(), PATH);
    }
}
