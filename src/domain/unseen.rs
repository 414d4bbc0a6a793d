//! Characters that nobody sees, or that turn the direction of what stands beside them. In a name they make two names look
//! like one, so no name has them.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// What is wrong with a name that has one.
pub(crate) fn complaint(name: &str) -> Option<&'static str> {
    if name.contains(char::is_control) {
        return Some("Control characters are not allowed.");
    }
    name.contains(is_unseen)
        .then_some("Characters that cannot be seen are not allowed.")
}

/// The same for names of people and places, which nothing is looked up by: the two joiners belong to the spelling of
/// Persian and of languages of India.
pub(crate) fn complaint_of_person(name: &str) -> Option<&'static str> {
    complaint(&name.replace(['\u{200c}', '\u{200d}'], ""))
}

pub(crate) fn is_unseen(c: char) -> bool {
    use GeneralCategory as Category;
    // Letters, marks and signs that are nothing to look at: fillers, variation selectors, the empty Braille pattern.
    let is_blank = matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    );
    is_blank
        || matches!(
            c.general_category(),
            Category::Control
                | Category::Format
                | Category::LineSeparator
                | Category::ParagraphSeparator
                | Category::PrivateUse
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_told_and_letters_are_not() {
        for seen in [
            "CI",
            "Zoë’s laptop (2)",
            "中文",
            "کتاب",
            "re-deploy → prod",
            "🚀",
        ] {
            assert_eq!(complaint(seen), None, "{seen}");
        }
        for unseen in [
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200f}",
            "\u{feff}a",
            "a\u{ad}b",
            "a\u{2028}b",
            "a\u{3164}",
            "a\u{fe0f}",
            "a\u{e0041}",
            "a\u{e000}",
        ] {
            let told = complaint(unseen);
            assert_eq!(
                told,
                Some("Characters that cannot be seen are not allowed."),
                "{unseen:?}"
            );
        }
        assert_eq!(complaint_of_person("علی\u{200c}رضا"), None);
        assert!(complaint_of_person("a\u{202e}b").is_some());
        assert_eq!(
            complaint("a\u{7}"),
            Some("Control characters are not allowed.")
        );
    }
}
