//! Permissions as a table: a line a record, a column an act. What means nothing has no box.

use serde::Serialize;

use crate::{
    domain::permissions::{Act, Permission, Permissions, Record},
    web::guards::CsrfForm,
};

/// The field of the boxes.
const FIELD: &str = "permission";

#[derive(Serialize)]
pub struct Matrix {
    acts: Vec<String>,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    record: String,
    about: &'static str,
    cells: Vec<Option<Cell>>,
}

#[derive(Serialize)]
struct Cell {
    value: String,
    label: String,
    on: bool,
}

impl Matrix {
    pub fn of(held: Permissions) -> Self {
        let line = |record: Record| Line {
            record: capital(match record {
                Record::Audit => "audit log",
                other => other.as_str(),
            }),
            about: about(record),
            cells: Act::ALL
                .map(|act| Cell::of(Permission::new(act, record), held))
                .into(),
        };
        Self {
            acts: Act::ALL.map(|act| capital(act.as_str())).into(),
            lines: Record::ALL.map(line).into(),
        }
    }
}

impl Cell {
    fn of(permission: Permission, held: Permissions) -> Option<Self> {
        permission.exists().then(|| Self {
            value: permission.name(),
            label: capital(&format!(
                "{} {}",
                permission.act.as_str(),
                permission.record.in_words()
            )),
            on: held.has(permission.act, permission.record),
        })
    }
}

/// What was ticked.
pub fn ticked(form: &CsrfForm) -> Permissions {
    Permissions::of(form.all(FIELD).filter_map(Permission::named))
}

fn about(record: Record) -> &'static str {
    match record {
        Record::Users => {
            "Accounts. Those of staff and superusers are seen, and changed by superusers alone."
        }
        Record::Tokens => "Other people’s API tokens, and why requests were refused.",
        Record::Sessions => "Who is signed in where. Deleting signs out.",
        Record::Students => "The sample data that the API gives out.",
        Record::Audit => "Who did what, and each account’s history.",
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
