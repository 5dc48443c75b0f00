//! Names of people in commands: who asks, and who approved it.
//!
//! A name is what a person reads. What shows nothing makes no other name of it, and is no name by itself:
//! blanks around it, capitals, and characters that have no shape.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Is there nothing in it that anybody could read?
pub(super) fn is_blank(name: &str) -> bool {
    readable(name).is_empty()
}

/// Do two names mean the same person?
pub(super) fn is_same(one: &str, other: &str) -> bool {
    readable(one) == readable(other)
}

/// The one of `ids` that a name means.
pub(super) fn find<'a>(ids: &'a BTreeSet<Arc<str>>, name: &str) -> Option<&'a Arc<str>> {
    let name = readable(name);
    ids.iter().find(|id| readable(id) == name)
}

fn readable(name: &str) -> String {
    let shown: String = name.chars().filter(|c| !is_invisible(*c)).collect();
    shown.trim().to_lowercase()
}

/// Control characters, and those that Unicode lets be ignored where they cannot be shown
/// (`Default_Ignorable_Code_Point`) or that only steer the direction of text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_makes_no_other_name() {
        for other in [
            " Li-Wei ",
            "li\u{200B}-wei",
            "\u{FEFF} li-wei",
            "li-wei\u{AD}",
            "\u{202E}li-wei\u{202C}",
            "li\u{2060}-\u{2064}wei\u{E0041}",
            "li-wei\u{7}",
        ] {
            assert!(is_same("li-wei", other), "{other:?}");
        }
        assert!(!is_same("li-wei", "liwei"));
        assert!(!is_same("王芳", "王方"));
    }

    #[test]
    fn what_shows_nothing_is_no_name() {
        for name in ["", "  ", "\u{200B}", " \u{FEFF}\u{3164} ", "\t\u{200E}"] {
            assert!(is_blank(name), "{name:?}");
        }
        for name in ["a", "王", "\u{200B}-"] {
            assert!(!is_blank(name), "{name:?}");
        }
    }
}
