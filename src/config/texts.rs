//! What thousands of points and alarms have in common is kept once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::signal::Signal;
use crate::guidance::AlarmWords;

/// What was given out so far.
#[derive(Debug, Default)]
pub(super) struct Texts {
    texts: BTreeSet<Arc<str>>,
    words: BTreeSet<Arc<AlarmWords>>,
    /// The last one; numbers have no order to find another by, and neighbours are alike.
    signal: Option<Arc<Signal>>,
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

    /// A copy of `signal`, the same one for points in a row.
    pub(super) fn signal(&mut self, signal: Signal) -> Arc<Signal> {
        if let Some(known) = self.signal.as_ref().filter(|known| ***known == signal) {
            return Arc::clone(known);
        }
        Arc::clone(self.signal.insert(Arc::new(signal)))
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
