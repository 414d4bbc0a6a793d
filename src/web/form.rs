//! `FormState`: what a form shows again after a refusal, values and errors beside their fields.
//! A password is never put into it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::complaints;
use crate::{error::FieldErrors, secret::Password, web::guards::CsrfForm};

/// Name and label of each field, in the order of the page.
pub type Labels = &'static [(&'static str, &'static str)];

#[derive(Clone, Debug, Default, Serialize)]
pub struct FormState {
    values: BTreeMap<&'static str, String>,
    errors: BTreeMap<&'static str, Vec<String>>,
    /// The same errors with links to their fields, for the top of the page.
    summary: Vec<Complaint>,
    headline: String,
}

#[derive(Clone, Debug, Serialize)]
struct Complaint {
    /// Empty: it is about the form as a whole.
    field: &'static str,
    label: &'static str,
    message: String,
}

impl FormState {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.insert(name, value.into());
        self
    }

    /// A tick box: any text is on.
    #[must_use]
    pub fn flag(self, name: &'static str, on: bool) -> Self {
        self.with(name, if on { "on" } else { "" })
    }

    /// With the errors in the order of the page, in the words of pages.
    #[must_use]
    pub fn refused(mut self, errors: &FieldErrors, labels: Labels) -> Self {
        let place = |name: &str| labels.iter().position(|(field, _)| *field == name);
        let mut errors: Vec<_> = errors.iter().collect();
        errors.sort_by_key(|(name, _)| place(name).unwrap_or(labels.len()));
        for (name, messages) in errors {
            let known = place(name).and_then(|place| labels.get(place));
            let typed = self.values.get(name).map_or("", String::as_str);
            let messages: Vec<String> = messages
                .iter()
                .map(|message| complaints::on_page(message, typed))
                .collect();
            self.summary
                .extend(messages.iter().map(|message| Complaint {
                    field: known.map_or("", |(field, _)| field),
                    label: known.map_or("", |(_, label)| label),
                    message: message.clone(),
                }));
            if known.is_some() {
                self.errors.entry(name).or_default().extend(messages);
            }
        }
        self.headline = headline(self.summary.len());
        self
    }

    pub fn has_errors(&self) -> bool {
        !self.summary.is_empty()
    }
}

/// The new password of a form that asks for it twice, and whether the two differ: what else is wrong is told with it, so
/// the password is judged all the same.
pub fn new_password(form: &CsrfForm) -> (Password, FieldErrors) {
    let password = form.password("password");
    let mut errors = FieldErrors::default();
    if password != form.password("confirm_password") {
        errors.push("confirm_password", "The two passwords are not the same.");
    }
    (password, errors)
}

pub fn headline(n: usize) -> String {
    const WORDS: [&str; 9] = [
        "No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight",
    ];
    match (n, WORDS.get(n)) {
        (1, _) => "One thing needs fixing. Nothing was saved.".to_owned(),
        (_, Some(word)) => format!("{word} things need fixing. Nothing was saved."),
        (n, None) => format!("{n} things need fixing. Nothing was saved."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_stand_beside_their_field_and_on_top() {
        let mut errors = FieldErrors::default();
        errors.push("email", "The part after @ is missing.");
        errors.push("non_field_errors", "Not today.");
        let form = FormState::default()
            .with("email", "a@")
            .refused(&errors, &[("email", "E-mail")]);
        let json = serde_json::to_value(&form).unwrap();
        assert_eq!(json["values"]["email"], "a@");
        assert_eq!(json["errors"]["email"][0], "The part after @ is missing.");
        assert_eq!(json["summary"][0]["label"], "E-mail");
        assert_eq!(json["summary"][1]["field"], "");
        assert_eq!(
            json["headline"],
            "Two things need fixing. Nothing was saved."
        );
    }
}
