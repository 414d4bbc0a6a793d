//! What pages say of a field where the API answers in Django's sentences. Those are a contract, recorded word for word;
//! these are for people. The table is the only place where one becomes the other.

/// Django's sentence and ours. A star stands for whatever is there, in both.
const TABLE: &[(&str, &str)] = &[
    ("This field may not be blank.", "Fill this in."),
    ("This field is required.", "Fill this in."),
    (
        "Null characters are not allowed.",
        "It has a character that cannot be stored. Type it anew.",
    ),
    (
        "A valid integer is required.",
        "A whole number, such as 42.",
    ),
    (
        "Ensure this value is less than or equal to *.",
        "No more than *.",
    ),
    (
        "Ensure this value is greater than or equal to *.",
        "No less than *.",
    ),
    (
        "Ensure this field has no more than * characters.",
        "No more than * characters.",
    ),
    (
        "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
        "Letters, digits and @ . + - _ only.",
    ),
    (
        "This password is too short. It must contain at least * characters.",
        "Too short: at least * characters.",
    ),
    (
        "This password is too common.",
        "Too many people use this password.",
    ),
    ("This password is entirely numeric.", "Not digits alone."),
    (
        "The password is too similar to the *.",
        "Too much like the *.",
    ),
];

/// `typed` is what the field held, as far as it may be shown.
pub fn on_page(message: &str, typed: &str) -> String {
    let typed = typed.trim();
    match message {
        "Enter a valid email address." if typed.ends_with('@') => {
            format!("The part after @ is missing, such as {typed}example.org.")
        }
        "Enter a valid email address." => {
            "That is not an e-mail address, such as ada@example.org.".to_owned()
        }
        "A user with that username already exists." | "A group with that name already exists."
            if !typed.is_empty() =>
        {
            format!("“{typed}” is taken.")
        }
        _ => TABLE
            .iter()
            .find_map(|(theirs, ours)| Some(ours.replace('*', filling(theirs, message)?)))
            .unwrap_or_else(|| message.to_owned()),
    }
}

/// What stands where the pattern has its star; nothing where the message is another one.
fn filling<'a>(pattern: &str, message: &'a str) -> Option<&'a str> {
    let Some((before, after)) = pattern.split_once('*') else {
        return (pattern == message).then_some("");
    };
    message.strip_prefix(before)?.strip_suffix(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_for_programs_become_sentences_for_people() {
        for (theirs, typed, ours) in [
            ("This field may not be blank.", "", "Fill this in."),
            (
                "Ensure this field has no more than 150 characters.",
                "",
                "No more than 150 characters.",
            ),
            (
                "Ensure this value is less than or equal to 2147483647.",
                "9",
                "No more than 2147483647.",
            ),
            (
                "Enter a valid email address.",
                "ben@",
                "The part after @ is missing, such as ben@example.org.",
            ),
            (
                "Enter a valid email address.",
                "ben",
                "That is not an e-mail address, such as ada@example.org.",
            ),
            (
                "A user with that username already exists.",
                " amara.okafor ",
                "“amara.okafor” is taken.",
            ),
            ("Choose a file.", "", "Choose a file."),
        ] {
            assert_eq!(on_page(theirs, typed), ours);
        }
    }

    /// One that was reworded there would be shown here as it is.
    #[test]
    fn the_table_has_the_sentences_of_the_domain() {
        use crate::{domain::users::UserInput, secret::Password};
        let input = UserInput {
            username: format!("a b{}", "c".repeat(150)),
            email: "ann".to_owned(),
            first_name: "a\0".to_owned(),
            ..UserInput::default()
        };
        for password in ["", "123", "a b", &"x".repeat(200)] {
            let password = Password::new(password);
            let complaints = crate::domain::users::complaints_of(&input, &password);
            let mut seen = 0;
            for message in complaints.iter().flat_map(|(_, messages)| messages) {
                assert_ne!(&on_page(message, "x"), message);
                seen += 1;
            }
            assert!(seen >= 5, "{complaints:?}");
        }
    }
}
