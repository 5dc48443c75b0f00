//! Asks a struct for the names of its fields, so that no list of them can fall behind.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

/// Reads nothing; its error brings the names.
struct Probe;

#[derive(Debug)]
struct Names(&'static [&'static str]);

pub(super) fn of<T: Deserialize<'static>>() -> &'static [&'static str] {
    T::deserialize(Probe).err().map_or(&[], |names| names.0)
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Names;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Names> {
        Err(Names(fields))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Names> {
        Err(Names(&[]))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only the names were asked for")
    }
}

impl std::error::Error for Names {}

impl Error for Names {
    fn custom<T: fmt::Display>(_text: T) -> Self {
        Self(&[])
    }
}
