//! A JSON document in memory, for payloads of which several things are read. Keys that stand in an object
//! twice are both kept, so that whoever follows a pointer can tell.
//!
//! Depth is bounded by `serde_json` (128), size by the length of a payload: an element of one byte takes
//! about 32 bytes here, a payload of 256 KiB some MB while it is read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::pointer::Number;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'t> {
    Null,
    Flag(bool),
    Number(Number),
    Text(Cow<'t, str>),
    List(Vec<Json<'t>>),
    Map(Vec<(Cow<'t, str>, Json<'t>)>),
}

impl<'t> Json<'t> {
    /// Reads `text`, which must be one document to its end.
    pub(super) fn parse(text: &'t str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The value of `key`, if this is an object in which it stands once.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let mut same = entries.iter().filter(|(known, _)| known == key);
        let first = same.next().map(|(_, value)| value);
        first.filter(|_| same.next().is_none())
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Build)
    }
}

/// A text that is borrowed where the document allows.
struct Word<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Word<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WordVisitor)
    }
}

struct WordVisitor;

impl<'de> Visitor<'de> for WordVisitor {
    type Value = Word<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Word<'de>, E> {
        Ok(Word(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Word<'de>, E> {
        Ok(Word(Cow::Owned(text.to_owned())))
    }
}

struct Build;

impl<'de> Visitor<'de> for Build {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(Number::Integer(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(if value.is_finite() {
            Json::Number(Number::Float(value))
        } else {
            Json::Null
        })
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut map = Vec::new();
        while let Some((Word(key), value)) = entries.next_entry()? {
            map.push((key, value));
        }
        Ok(Json::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pointer::{Found, Pointer};
    use super::*;

    #[test]
    fn both_of_two_equal_keys_are_kept() {
        let json = Json::parse(r#"{"a":1,"a":[true,null,"\u0061"],"b":-0.5}"#).expect("JSON");
        let Json::Map(entries) = &json else {
            unreachable!("an object: {json:?}");
        };
        assert_eq!(entries.len(), 3);
        assert_eq!(json.get("a"), None, "nobody knows which");
        assert_eq!(json.get("b"), Some(&Json::Number(Number::Float(-0.5))));
        assert!(Json::parse("{} x").is_err());
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        /// Over text and in memory a pointer finds the same.
        #[test]
        fn a_pointer_finds_the_same_both_ways(
            text in r#"([{}\[\]:,]|"a"|"b"|null|true|-?[0-9]{1,3}|\.[0-9]| ){0,16}"#,
            path in prop::sample::select(vec!["", "/a", "/b/a", "/0", "/1/a", "/a/0"]),
        ) {
            let pointer = Pointer::parse(path).expect("a pointer");
            let over_text = pointer.find(&text).ok();
            let in_memory = Json::parse(&text).ok().map(|json| {
                pointer.within(&json).map_or(Found::Duplicate, Found::from)
            });
            // A second key beside a way that ends earlier is told only by one of the two.
            if over_text != Some(Found::Duplicate) && in_memory != Some(Found::Duplicate) {
                prop_assert_eq!(over_text, in_memory, "{}", text);
            } else {
                prop_assert!(over_text.is_some() && in_memory.is_some());
            }
        }
    }
}
