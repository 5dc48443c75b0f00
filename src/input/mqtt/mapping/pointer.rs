//! JSON pointers (RFC 6901), over text and over a document at hand.
//!
//! Over text one path is followed and everything beside it skipped without being stored. A key on the
//! path that stands there twice is told, because `serde_json` (as most parsers) would silently take one
//! of the two.
//!
//! In an element of a list a pointer begins at the element; one that begins with `$` at the root.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::Json;

/// A parsed pointer: the way down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    steps: Vec<String>,
    from_root: bool,
}

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

impl From<u64> for Number {
    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 2^63 the nearest double is meant"
    )]
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Float(value as f64), Self::Integer)
    }
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
    /// Takes a pointer apart. `None`: it is neither empty nor begins with `/` or `$`, or has a `~` that
    /// stands for nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, from_root) = match text.strip_prefix('$') {
            Some(path) => (path, true),
            None => (text, false),
        };
        let mut escapes = path.split('~').skip(1);
        let is_right = path.is_empty() || path.starts_with('/');
        if !is_right || !escapes.all(|rest| rest.starts_with(['0', '1'])) {
            return None;
        }
        let steps = path.split('/').skip(1);
        let steps = steps.map(|step| step.replace("~1", "/").replace("~0", "~"));
        Some(Self {
            steps: steps.collect(),
            from_root,
        })
    }

    /// Does it begin at the root, wherever it is read?
    pub(super) const fn is_from_root(&self) -> bool {
        self.from_root
    }

    /// Follows the pointer through `text`, which must be one JSON document to its end.
    pub(super) fn find(&self, text: &str) -> Result<Found, serde_json::Error> {
        let mut document = serde_json::Deserializer::from_str(text);
        let found = Step(&self.steps).deserialize(&mut document)?;
        document.end()?;
        Ok(found)
    }

    /// Follows the pointer down from `json`. `Err`: a key on the way stands there twice.
    pub(super) fn within<'j, 't>(&self, json: &'j Json<'t>) -> Result<Option<&'j Json<'t>>, Twice> {
        let mut here = json;
        for step in &self.steps {
            let next = match here {
                Json::Map(entries) => {
                    let mut same = entries.iter().filter(|(key, _)| key == step);
                    let first = same.next().map(|(_, value)| value);
                    if same.next().is_some() {
                        return Err(Twice);
                    }
                    first
                }
                Json::List(items) => index(step).and_then(|index| items.get(index)),
                Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) => None,
            };
            let Some(next) = next else { return Ok(None) };
            here = next;
        }
        Ok(Some(here))
    }
}

/// A key stands twice in one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twice;

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from_root {
            f.write_str("$")?;
        }
        for step in &self.steps {
            write!(f, "/{}", step.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

impl From<Option<&Json<'_>>> for Found {
    fn from(json: Option<&Json<'_>>) -> Self {
        match json {
            None => Self::Missing,
            Some(Json::Number(number)) => Self::Number(*number),
            Some(Json::Text(text)) => Self::Text(text.clone().into_owned()),
            Some(Json::Flag(flag)) => Self::Flag(*flag),
            Some(Json::Null | Json::List(_) | Json::Map(_)) => Self::Other,
        }
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
        Ok(self.scalar(Found::Number(value.into())))
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
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
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
