//! What list pages have in common: addresses that carry the whole state of the list, tabs, chips,
//! column heads and the pager.

use std::borrow::Cow;

use serde::Serialize;

use crate::{
    domain::{
        paging::{self, Page, PageRequest},
        search::finds_beginnings,
    },
    web::words,
};

/// The part of the address that every list understands.
#[derive(Debug, Default)]
pub struct Paging {
    cursor: Option<String>,
    per: Option<u64>,
}

impl Paging {
    pub fn new(cursor: Option<String>, per: Option<u64>) -> Self {
        Self { cursor, per }
    }

    pub fn request(&self) -> PageRequest {
        PageRequest {
            cursor: self.cursor.clone(),
            size: self.size(),
        }
    }

    pub fn size(&self) -> u64 {
        self.per
            .filter(|n| paging::SIZES.contains(n))
            .unwrap_or(paging::SIZES[0])
    }
}

/// A search text without the blanks around it; nothing if nothing is left.
pub fn search(q: Option<&str>) -> Option<String> {
    q.map(str::trim)
        .filter(|q| !q.is_empty())
        .map(str::to_owned)
}

/// A path with its query, changed one parameter at a time. The cursor is never part of it: a
/// list that is filtered or sorted anew starts at its first page.
#[derive(Clone, Debug)]
pub struct Address {
    path: Cow<'static, str>,
    parameters: Vec<(&'static str, String)>,
}

impl Address {
    pub fn new(path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            path: path.into(),
            parameters: Vec::new(),
        }
    }

    /// With the parameter set; an empty value takes it out.
    #[must_use]
    pub fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut other = self.clone();
        other.parameters.retain(|(n, _)| *n != name);
        let value = value.into();
        if !value.is_empty() {
            other.parameters.push((name, value));
        }
        other
    }

    #[must_use]
    pub fn without(&self, name: &'static str) -> Self {
        self.with(name, "")
    }

    /// With the page size, where it is not the usual one.
    #[must_use]
    pub fn sized(&self, paging: &Paging) -> Self {
        let size = paging.size();
        self.with(
            "per",
            if size == paging::SIZES[0] {
                String::new()
            } else {
                size.to_string()
            },
        )
    }

    /// The same query at another path.
    #[must_use]
    pub fn at(&self, path: &'static str) -> Self {
        Self {
            path: path.into(),
            ..self.clone()
        }
    }

    /// What a parameter is set to.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn href(&self) -> String {
        self.below("")
    }

    /// An address below the list's, with the same parameters: `bulk` is `/admin/users/bulk/?q=ann`.
    pub fn below(&self, name: &str) -> String {
        let slash = if name.is_empty() { "" } else { "/" };
        let path = format!("{}{name}{slash}", self.path);
        if self.parameters.is_empty() {
            return path;
        }
        format!("{path}?{}", self.query())
    }

    /// The parameters alone.
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters);
        query.finish()
    }

    /// Hidden fields for a form that sets `names` itself.
    pub fn hidden(&self, names: &[&str]) -> Vec<Hidden> {
        let kept = self
            .parameters
            .iter()
            .filter(|(name, _)| !names.contains(name));
        kept.map(|(name, value)| Hidden {
            name,
            value: value.clone(),
        })
        .collect()
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Hidden {
    pub name: &'static str,
    pub value: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Tab {
    pub label: &'static str,
    pub href: String,
    pub count: String,
    pub current: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Chip {
    pub label: String,
    pub href: String,
}

/// A select of the filter bar.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    name: &'static str,
    label: &'static str,
    options: Vec<Opt>,
}

#[derive(Clone, Debug, Serialize)]
struct Opt {
    value: Cow<'static, str>,
    label: Cow<'static, str>,
    chosen: bool,
}

impl Choice {
    pub fn new(
        name: &'static str,
        label: &'static str,
        options: &[(&'static str, &'static str)],
        chosen: &str,
    ) -> Self {
        let options = options
            .iter()
            .map(|(value, label)| ((*value).into(), (*label).into()));
        Self::of(name, label, options.collect(), chosen)
    }

    /// Of values that only the database knows.
    pub fn of(
        name: &'static str,
        label: &'static str,
        options: Vec<(Cow<'static, str>, Cow<'static, str>)>,
        chosen: &str,
    ) -> Self {
        let options = options.into_iter().map(|(value, label)| Opt {
            chosen: value == chosen,
            value,
            label,
        });
        Self {
            name,
            label,
            options: options.collect(),
        }
    }
}

/// A column head that sorts: a click sorts by it, another one turns it round.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    label: &'static str,
    href: String,
    /// `ascending` or `descending`, if the list is sorted by it.
    sorted: Option<&'static str>,
}

impl Head {
    /// `first` and `second` are the sort values of the two directions, in the order of clicks.
    pub fn new(
        label: &'static str,
        address: &Address,
        now: &str,
        (first, second): (&'static str, &'static str),
    ) -> Self {
        let sorted = [first, second].into_iter().find(|s| *s == now);
        Self {
            label,
            href: address
                .with("sort", if now == first { second } else { first })
                .href(),
            sorted: sorted.map(|s| {
                if s.starts_with('-') {
                    "descending"
                } else {
                    "ascending"
                }
            }),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Pager {
    first: u64,
    last: u64,
    total: String,
    previous: Option<String>,
    next: Option<String>,
    action: String,
    hidden: Vec<Hidden>,
    sizes: &'static [u64],
    size: u64,
}

impl Pager {
    /// `address` is the list's, with its filters and page size.
    pub fn of<T>(page: &Page<T>, address: &Address, size: u64) -> Self {
        let turn = |cursor: &Option<String>| {
            cursor
                .as_ref()
                .map(|cursor| address.with("cursor", cursor.as_str()).href())
        };
        Self {
            first: page.first_index,
            last: (page.first_index + page.rows.len() as u64).saturating_sub(1),
            total: words::count(page.total),
            previous: turn(&page.previous),
            next: turn(&page.next),
            action: address.path.clone().into_owned(),
            hidden: address.hidden(&["per"]),
            sizes: &paging::SIZES,
            size,
        }
    }

    /// Without the choice of a size.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { sizes: &[], ..self }
    }
}

/// "412 of 12,480 match", above a filtered list.
pub fn match_text<T>(found: &Page<T>, all: Option<paging::Count>) -> String {
    let total = found.total;
    let n = words::count(total);
    match all {
        _ if found.newest_first => {
            "Too many match to sort them: the newest first. A longer text brings the order back."
                .to_owned()
        }
        Some(all) => format!("{n} of {} match", words::count(all)),
        None if total.exact && total.n == 1 => "1 matches".to_owned(),
        None => format!("{n} match"),
    }
}

/// The sort value that the heads of the columns show.
pub fn sorted<'a, T>(found: &Page<T>, sort: &'a str) -> &'a str {
    if found.newest_first { "" } else { sort }
}

/// What the chip of a search says.
pub fn search_chip(q: &str) -> String {
    if finds_beginnings(q) {
        format!("begins with “{q}”")
    } else {
        format!("“{q}”")
    }
}

pub fn no_hit(what: &str, q: Option<&str>) -> String {
    format!("{what} matches “{}”.", q.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_filters_and_escapes_them() {
        let users = Address::new("/admin/users/")
            .with("q", "a&b ü")
            .with("role", "staff");
        assert_eq!(users.href(), "/admin/users/?q=a%26b+%C3%BC&role=staff");
        assert_eq!(users.without("q").href(), "/admin/users/?role=staff");
        assert_eq!(users.without("q").without("role").href(), "/admin/users/");
        assert_eq!(users.hidden(&["q"]).len(), 1);
    }

    #[test]
    fn a_second_click_turns_the_sort_round() {
        let users = Address::new("/admin/users/");
        let head = Head::new("User", &users, "username", ("username", "-username"));
        assert_eq!(head.sorted, Some("ascending"));
        assert_eq!(head.href, "/admin/users/?sort=-username");
    }
}
