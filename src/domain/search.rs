//! What lists are searched by. Each row of users, tokens and students keeps its words in one column, folded, so that
//! both databases find the same; an index of trigrams lies over it (FTS5 in SQLite, `pg_trgm` in PostgreSQL). What is
//! looked for with it is in `paging`; filling the column of rows that came without is in `search/fill.rs`.

mod fill;

use sea_orm::{
    DbBackend, EntityTrait,
    sea_query::{Alias, Expr, Query, SelectStatement, SimpleExpr},
};
use unicode_normalization::UnicodeNormalization;

pub use fill::{fill, is_indexed};

/// Words of a search that count; the rest of a text that long finds nothing more.
const WORDS: usize = 8;
/// Characters of a word that count.
const LETTERS: usize = 100;
/// Stands before each word of a row: two, so that a single letter makes a trigram with them.
const BEFORE: &str = "  ";

/// Case and accents do not matter: as both databases would fold them differently, neither is asked to.
pub fn fold(text: &str) -> String {
    let bare = text
        .nfkd()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}' | '\0'))
        .nfc();
    // The sign of a sigma depends on its place.
    bare.collect::<String>().to_lowercase().replace('ς', "σ")
}

/// What a row is found by. A word that begins another one says nothing new.
pub fn text_of<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let folded: Vec<String> = fields.into_iter().map(fold).collect();
    let mut words: Vec<&str> = folded
        .iter()
        .flat_map(|text| text.split_whitespace())
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut text = String::new();
    for word in words {
        let new = format!("{BEFORE}{word}");
        if !text.contains(&new) {
            text.push_str(&new);
        }
    }
    text
}

pub fn text_of_user(username: &str, email: &str, first_name: &str, last_name: &str) -> String {
    text_of([email, username, first_name, last_name])
}

pub fn text_of_token(name: &str, prefix: &str, owner: &str) -> String {
    text_of([owner, name, prefix])
}

pub fn text_of_student(name: &str, roll: i64, city: &str) -> String {
    text_of([name, city, &roll.to_string()])
}

/// What somebody looks for: rows that have all of it, anywhere. One or two letters alone are looked for where words
/// begin, as an index of trigrams knows no less than three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// `None` where there is nothing to look for.
    pub fn of(text: &str) -> Option<Self> {
        let folded = fold(text);
        let words = folded.split_whitespace().take(WORDS);
        let words: Vec<String> = words
            .map(|word| word.chars().take(LETTERS).collect())
            .collect();
        if words.is_empty() {
            return None;
        }
        let only_short = words.iter().all(|word| is_short(word));
        let parts = words.into_iter().map(|word| {
            if only_short {
                format!("{BEFORE}{word}")
            } else {
                word
            }
        });
        Some(Self(parts.collect()))
    }

    /// By looking at the row, whatever indexes there are.
    pub(super) fn in_row<E: EntityTrait>(&self, backend: DbBackend) -> SimpleExpr {
        let (name, mark) = match backend {
            DbBackend::Postgres => ("strpos", "$1"),
            _ => ("instr", "?"),
        };
        let sql = format!(r#"{name}("{}"."search", {mark}) > 0"#, table::<E>());
        let each = self
            .0
            .iter()
            .map(|part| Expr::cust_with_values(sql.clone(), [part.as_str()]));
        all(each)
    }

    /// By the index.
    pub(super) fn in_index<E: EntityTrait>(&self, backend: DbBackend) -> SimpleExpr {
        let table = table::<E>();
        if backend == DbBackend::Postgres {
            let sql = format!(r#""{table}"."search" LIKE $1"#);
            return all(self
                .0
                .iter()
                .map(|part| Expr::cust_with_values(sql.clone(), [like(part)])));
        }
        let sql = format!(
            r#""{table}"."id" IN (SELECT rowid FROM "{table}_search" WHERE "{table}_search" MATCH ?)"#
        );
        let found = Expr::cust_with_values(sql, [self.query()]);
        if self.0.iter().any(|part| is_short(part)) {
            all([found, self.in_row::<E>(backend)])
        } else {
            found
        }
    }

    /// The ids of the rows that SQLite's index has, in whatever order of ids is asked for, and the name by which they are
    /// ordered. Words of one or two letters beside longer ones are still to be looked for. PostgreSQL's index has no order.
    pub(super) fn ids<E: EntityTrait>(
        &self,
        backend: DbBackend,
    ) -> Option<(SelectStatement, Alias)> {
        if backend == DbBackend::Postgres {
            return None;
        }
        let index = Alias::new(format!("{}_search", table::<E>()));
        let rowid = Alias::new("rowid");
        let matches = Expr::cust_with_values(
            format!(r#""{}_search" MATCH ?"#, table::<E>()),
            [self.query()],
        );
        let mut ids = Query::select();
        ids.expr_as(Expr::col(rowid.clone()), Alias::new("id"))
            .from(index)
            .and_where(matches);
        Some((ids, rowid))
    }

    /// How many rows SQLite's index finds, up to `most`.
    pub(super) fn count_in_index<E: EntityTrait>(&self, most: u64) -> SelectStatement {
        let sql = format!(
            r#"(SELECT COUNT(*) FROM (SELECT 1 FROM "{table}_search" WHERE "{table}_search" MATCH ? LIMIT {most}) AS "some")"#,
            table = table::<E>()
        );
        Query::select()
            .expr(Expr::cust_with_values(sql, [self.query()]))
            .to_owned()
    }

    /// In the language of FTS5, where a phrase in quotation marks is what stands together.
    fn query(&self) -> String {
        let long = self.0.iter().filter(|part| !is_short(part));
        let phrases: Vec<String> = long
            .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
            .collect();
        phrases.join(" AND ")
    }
}

fn all(conditions: impl IntoIterator<Item = SimpleExpr>) -> SimpleExpr {
    let all = conditions
        .into_iter()
        .fold(sea_orm::Condition::all(), sea_orm::Condition::add);
    all.into()
}

fn table<E: EntityTrait>() -> &'static str {
    E::default().table_name()
}

/// Whether all that was typed are one or two letters.
pub fn finds_beginnings(text: &str) -> bool {
    Words::of(text).is_some_and(|words| words.0[0].starts_with(BEFORE))
}

fn is_short(word: &str) -> bool {
    word.chars().count() < 3
}

fn like(part: &str) -> String {
    let mut pattern = "%".to_owned();
    super::paging::escape_into(&mut pattern, part);
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_matter() {
        assert_eq!(fold("ÖZIL"), "ozil");
        assert_eq!(fold("O\u{308}zil"), "ozil");
        assert_eq!(fold("ΟΔΟΣ"), fold("οδος"));
        assert_eq!(fold("İzmir"), "izmir");
        assert_eq!(fold("Пётр\0"), "петр");
        assert_eq!(fold("한지민 が"), "한지민 が");
    }

    #[test]
    fn a_row_holds_each_word_once() {
        let text = text_of_user("ann.lee", "Ann.Lee@example.com", "Ann", "Lee");
        assert_eq!(text, "  ann.lee@example.com  lee");
        assert_eq!(
            text_of_student("Asha Rao", 101, "Pune"),
            "  asha  pune  rao  101"
        );
    }

    #[test]
    fn short_words_alone_are_beginnings() {
        let parts = |text| Words::of(text).map(|words| words.0);
        assert_eq!(parts(" \t"), None);
        assert_eq!(parts("An"), Some(vec!["  an".to_owned()]));
        assert_eq!(
            parts("de la Cruz"),
            Some(["de", "la", "cruz"].map(str::to_owned).to_vec())
        );
        assert_eq!(parts("李"), Some(vec!["  李".to_owned()]));
    }

    #[test]
    fn what_is_typed_means_itself() {
        assert_eq!(
            Words::of(r#"a"b* 100%_\"#).unwrap().query(),
            r#""a""b*" AND "100%_\""#
        );
        assert_eq!(like(r"1%_\"), r"%1\%\_\\%");
    }
}
