//! What a valid user is. The same rules for a form, the API and the command line.

use unicode_normalization::UnicodeNormalization;

use crate::{
    domain::{
        groups,
        passwords::{self, Person},
        unseen::{self, is_unseen},
    },
    error::FieldErrors,
    secret::Password,
};

/// Characters.
pub const USERNAME_MAX: usize = 150;

/// A user as somebody typed it. It is judged once it is `normalized`.
#[derive(Clone, Debug, Default)]
pub struct UserInput {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    /// Ids; None: as it is.
    pub groups: Option<Vec<i64>>,
    /// The groups among which `groups` were chosen; None: all. Membership in any other stays as it is.
    pub groups_shown: Option<Vec<i64>>,
}

impl UserInput {
    /// Whether a new account like this takes a superuser to make it.
    pub(crate) fn has_rights(&self) -> bool {
        let in_groups = self.groups.as_ref().is_some_and(|ids| !ids.is_empty());
        self.is_staff || self.is_superuser || in_groups
    }

    pub(super) fn normalized(self) -> Self {
        Self {
            username: normalize_username(&self.username),
            email: self.email.trim().to_owned(),
            first_name: self.first_name.trim().to_owned(),
            last_name: self.last_name.trim().to_owned(),
            ..self
        }
    }

    /// Expects itself normalised. The password only where there is a new one.
    pub(super) fn complaints(&self, password: Option<&Password>) -> FieldErrors {
        let mut errors = FieldErrors::default();
        for complaint in username_complaints(&self.username) {
            errors.push("username", complaint);
        }
        if !self.email.is_empty() && !is_email(&self.email) {
            errors.push("email", "Enter a valid email address.");
        }
        for (name, value) in [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
        ] {
            if value.chars().count() > 150 {
                errors.push(name, "Ensure this field has no more than 150 characters.");
            }
            if value.contains('\0') {
                errors.push(name, "Null characters are not allowed.");
            } else if let Some(complaint) = unseen::complaint_of_person(value) {
                errors.push(name, complaint);
            }
        }
        if self
            .groups
            .as_ref()
            .is_some_and(|ids| ids.len() > groups::OFFERED)
        {
            let most = groups::OFFERED;
            errors.push("group", format!("Select no more than {most} groups."));
        }
        if let Some(password) = password {
            let person = Person {
                username: &self.username,
                first_name: &self.first_name,
                last_name: &self.last_name,
                email: &self.email,
            };
            for complaint in password_complaints(password, person) {
                errors.push("password", complaint);
            }
        }
        errors
    }
}

pub(super) fn password_complaints(password: &Password, person: Person<'_>) -> Vec<String> {
    if password.expose().trim().is_empty() {
        return vec!["This field may not be blank.".to_owned()];
    }
    if password.expose().contains('\0') {
        return vec!["Null characters are not allowed.".to_owned()];
    }
    passwords::complaints(password, person)
}

/// Django's: trimmed and NFKC, so that compatibility forms are one name ("ﬁlip" is "filip"). Letters of different
/// alphabets that look alike stay different.
pub fn normalize_username(text: &str) -> String {
    // Far beyond any name: it will be refused for its length, at no cost before.
    if text.len() > 8 * USERNAME_MAX {
        return text.to_owned();
    }
    text.trim().nfkc().collect()
}

/// What uniqueness is judged by.
pub(crate) fn key(username: &str) -> String {
    username.to_lowercase()
}

pub(super) fn username_complaints(username: &str) -> Vec<String> {
    if username.is_empty() {
        return vec!["This field may not be blank.".to_owned()];
    }
    if username.contains('\0') {
        return vec!["Null characters are not allowed.".to_owned()];
    }
    let mut complaints = Vec::new();
    if !username
        .chars()
        .all(|c| (c.is_alphanumeric() && !is_unseen(c)) || "@.+-_".contains(c))
    {
        complaints.push(
            "Enter a valid username. This value may contain only letters, numbers, and \
             @/./+/-/_ characters."
                .to_owned(),
        );
    }
    if username.chars().count() > USERNAME_MAX {
        complaints.push(format!(
            "Ensure this field has no more than {USERNAME_MAX} characters."
        ));
    }
    complaints
}

/// Enough to catch slips; whether mail arrives is found out by sending some.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"".contains(c);
    text.len() <= 254
        && !local.is_empty()
        && local.chars().all(|c| plain(c) && c != '@')
        && domain.chars().all(plain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_what_django_takes() {
        for good in [
            "ann",
            "Ann@home.+-_",
            "józef",
            "中文",
            "9",
            &"z".repeat(150),
        ] {
            assert!(username_complaints(good).is_empty(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a/b",
            "<b>",
            "a\0",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{1160}",
            &"z".repeat(151),
        ] {
            assert!(!username_complaints(bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn look_alike_spellings_are_one_name() {
        assert_eq!(normalize_username(" ﬁlip "), "filip");
    }

    #[test]
    fn emails_are_checked_for_slips() {
        for good in ["a@b.cd", "a.b+c@d-e.f.gh"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["a", "a@", "@b.c", "a@b", "a b@c.d", "a@b..c", "a@@b.c"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
