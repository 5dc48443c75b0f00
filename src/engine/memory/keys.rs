//! Settings by their names, of which a plant has tens of thousands.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// Settings by their names, as a person writes them; one that is off is left out.
///
/// Written as an object. In memory all of it is one text, `bottom0deadband0.5`, and where each part of that
/// ends: a map takes half a kilobyte for its first entry.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, String>")]
pub struct Keys {
    /// Names and values in turns, in the order of the names.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
}

impl Keys {
    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.chunks_exact(2).map(move |pair| {
            let [name, value] = [pair[0] as usize, pair[1] as usize];
            let both = (&self.text[start..name], &self.text[name..value]);
            start = value;
            both
        })
    }

    /// The value of a setting; `None`: it is off.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.iter();
        all.find_map(|(known, value)| (known == name).then_some(value))
    }
}

impl<N: AsRef<str>> From<BTreeMap<N, String>> for Keys {
    fn from(keys: BTreeMap<N, String>) -> Self {
        let mut text = String::new();
        let mut ends = Vec::with_capacity(2 * keys.len());
        for (name, value) in &keys {
            for part in [name.as_ref(), value] {
                text.push_str(part);
                ends.push(u32::try_from(text.len()).expect("no configuration of 4 GB is read"));
            }
        }
        Self {
            text: text.into(),
            ends: ends.into(),
        }
    }
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_and_written_as_it_came() {
        let text = r#"{"deadband":"1","empty":"","named \"so\"":"an end\u0000, 名"}"#;
        let keys: Keys = serde_json::from_str(text).expect("an object of texts");
        assert_eq!(keys.get("deadband"), Some("1"));
        assert_eq!(keys.get("empty"), Some(""));
        assert_eq!(keys.get("named \"so\""), Some("an end\0, 名"));
        assert_eq!(keys.get("band"), None);
        assert_eq!(serde_json::to_string(&keys).expect("texts"), text);
        let none: Keys = serde_json::from_str("{}").expect("an empty one");
        assert_eq!((none.iter().count(), none.get("")), (0, None));
    }

    /// Where one text ends matters, not only what they are together.
    #[test]
    fn equal_texts_that_end_elsewhere_are_others() {
        let of = |name: &str, value: &str| Keys::from(BTreeMap::from([(name, value.to_owned())]));
        assert_eq!(of("a", "bc"), of("a", "bc"));
        assert_ne!(of("a", "bc"), of("ab", "c"));
    }
}
