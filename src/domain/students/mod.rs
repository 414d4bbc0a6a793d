//! The sample records. Whoever has a credential reads them; whoever has the permission
//! changes them.

mod bulk;
mod change;
mod list;
pub mod sheet;
pub mod upload;

pub use bulk::{count_of, delete_many, ids, newest_id};
pub use change::{Edited, Refusal, RowEdit, Why, change, create, delete, edit_rows, update};
pub(in crate::domain) use list::ALL;
pub use list::{StudentFilter, StudentSort, all, count, get, list, some};

use change::new_row;

pub use crate::entity::student::Model as Student;
use crate::{
    domain::unseen,
    error::{FieldErrors, Result},
};

/// Characters of a name or a city.
const TEXT_MAX: usize = 100;
/// Django's `IntegerField`, which clients may rely on.
const ROLL: std::ops::RangeInclusive<i64> = -2_147_483_648..=2_147_483_647;

#[derive(Clone, Debug, Default)]
pub struct StudentInput {
    pub name: String,
    pub roll: i64,
    pub city: String,
}

/// What of a student is to be changed.
#[derive(Clone, Debug, Default)]
pub struct StudentChanges {
    pub name: Option<String>,
    pub roll: Option<i64>,
    pub city: Option<String>,
    /// Of the student as it was seen; `None`: whatever it is by now.
    pub version: Option<i64>,
}

pub(crate) fn valid(input: StudentInput) -> Result<StudentInput> {
    let input = StudentInput {
        name: input.name.trim().to_owned(),
        roll: input.roll,
        city: input.city.trim().to_owned(),
    };
    let mut errors = FieldErrors::default();
    for (field, text) in [("name", &input.name), ("city", &input.city)] {
        if text.is_empty() {
            errors.push(field, "This field may not be blank.");
        }
        if text.contains('\0') {
            errors.push(field, "Null characters are not allowed.");
        }
        if text.chars().count() > TEXT_MAX {
            errors.push(
                field,
                format!("Ensure this field has no more than {TEXT_MAX} characters."),
            );
        }
        if field == "name" {
            if input.roll > *ROLL.end() {
                errors.push(
                    "roll",
                    format!("Ensure this value is less than or equal to {}.", ROLL.end()),
                );
            }
            if input.roll < *ROLL.start() {
                errors.push(
                    "roll",
                    format!(
                        "Ensure this value is greater than or equal to {}.",
                        ROLL.start()
                    ),
                );
            }
        }
    }
    errors.into_result(|| input)
}

/// What pages do not take beyond that. The API takes what the Django server took.
pub(crate) fn unseen_in(name: &str, city: &str) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (field, text) in [("name", name), ("city", city)] {
        // Those are complained about already.
        let complaint = unseen::complaint_of_person(&text.replace('\0', ""));
        if let Some(complaint) = complaint {
            errors.push(field, complaint);
        }
    }
    errors
}
