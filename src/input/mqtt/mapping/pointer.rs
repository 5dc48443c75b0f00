//! JSON pointer (RFC 6901) over text: follows one path and skips everything beside it without
//! storing it. A key on the path that stands there twice is told, because `serde_json` (as most
//! parsers) would silently take one of the two.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A parsed pointer: the way down from the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

/// What stands at the end of the way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Missing,
    Duplicate,
    Number(Number),
    Text(String),
    Flag(bool),
    /// null, an object or an array.
    Other,
}

/// A JSON number; integers keep all their digits, for times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 2^53 the nearest double is meant, as for every number in JSON"
    )]
    pub(super) const fn as_f64(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }
}

impl Pointer {
    /// Takes the pointer apart. The configuration has checked that it is empty or begins with `/`.
    pub(super) fn new(text: &str) -> Self {
        let steps = text.split('/').skip(usize::from(text.starts_with('/')));
        let steps = steps.filter(|_| !text.is_empty());
        Self(
            steps
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect(),
        )
    }

    /// Follows the pointer through `text`, which must be one JSON document to its end.
    pub(super) fn find(&self, text: &str) -> Result<Found, serde_json::Error> {
        let mut document = serde_json::Deserializer::from_str(text);
        let found = Step(&self.0).deserialize(&mut document)?;
        document.end()?;
        Ok(found)
    }
}

/// The rest of the way from here.
#[derive(Clone, Copy)]
struct Step<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Step<'_> {
    /// A scalar is what we look for only at the end of the way.
    fn scalar(self, found: Found) -> Found {
        if self.0.is_empty() {
            found
        } else {
            Found::Missing
        }
    }
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(self.scalar(Found::Other))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Found, E> {
        Ok(self.scalar(Found::Flag(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Found, E> {
        Ok(self.scalar(Found::Number(Number::Integer(value))))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Found, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "beyond 2^63 the nearest double is meant"
        )]
        let number = i64::try_from(value).map_or(Number::Float(value as f64), Number::Integer);
        Ok(self.scalar(Found::Number(number)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Found, E> {
        Ok(self.scalar(if value.is_finite() {
            Found::Number(Number::Float(value))
        } else {
            Found::Other
        }))
    }

    fn visit_str<E>(self, value: &str) -> Result<Found, E> {
        Ok(self.scalar(Found::Text(value.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let step = self.0.split_first();
        let mut found = self.scalar(Found::Other);
        let mut seen = false;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match step {
                Some((wanted, rest)) if *wanted == key => {
                    let value = map.next_value_seed(Step(rest))?;
                    found = if seen { Found::Duplicate } else { value };
                    seen = true;
                }
                Some(_) | None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Found, A::Error> {
        let step = self.0.split_first();
        let mut found = self.scalar(Found::Other);
        let wanted = step.and_then(|(step, rest)| Some((index(step)?, rest)));
        let mut position = 0_usize;
        loop {
            match wanted {
                Some((wanted, rest)) if wanted == position => {
                    match items.next_element_seed(Step(rest))? {
                        Some(value) => found = value,
                        None => return Ok(found),
                    }
                }
                Some(_) | None => {
                    if items.next_element::<IgnoredAny>()?.is_none() {
                        return Ok(found);
                    }
                }
            }
            position += 1;
        }
    }
}

/// An array index: digits without leading zeros (RFC 6901, section 4).
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    plain.then(|| step.parse().ok()).flatten()
}
