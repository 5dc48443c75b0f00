//! What thousands of points and alarms say alike is kept once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::guidance::AlarmWords;

/// Every text that was given out so far.
#[derive(Debug, Default)]
pub(super) struct Texts {
    texts: BTreeSet<Arc<str>>,
    words: BTreeSet<Arc<AlarmWords>>,
}

impl Texts {
    /// The one copy of `text`.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }

    /// The one copy of `words`.
    pub(super) fn words(&mut self, words: AlarmWords) -> Arc<AlarmWords> {
        if let Some(known) = self.words.get(&words) {
            return Arc::clone(known);
        }
        let words = Arc::new(words);
        self.words.insert(Arc::clone(&words));
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let mut texts = Texts::default();
        let (first, second) = (texts.share("%LEL"), texts.share("%LEL"));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &texts.share("bar")));
        let words = |action: &str| AlarmWords {
            action: Some(action.into()),
            ..AlarmWords::default()
        };
        let (first, second) = (texts.words(words("Leave")), texts.words(words("Leave")));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &texts.words(words("Stay"))));
    }
}
