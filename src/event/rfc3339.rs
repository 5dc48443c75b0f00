//! RFC 3339 in UTC with milliseconds, as in `2026-05-04T06:12:31.000Z`.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

use crate::engine::time::Wall;

/// Parts of a millisecond are cut off.
pub fn format(wall: Wall) -> String {
    let time = Timestamp::from_nanosecond(i128::from(wall.unix_nanos()))
        .expect("64 bits of nanoseconds cover 1677 to 2262, well inside jiff's years");
    format!("{time:.3}")
}

/// Any RFC 3339 time with a zone; `None` for anything else and for years a [`Wall`] cannot hold.
pub fn parse(text: &str) -> Option<Wall> {
    let time: Timestamp = text.parse().ok()?;
    let nanos = i64::try_from(time.as_nanosecond()).ok()?;
    Some(Wall::from_unix_nanos(nanos))
}

/// When the event of a line happened, without reading the rest of it; `None`: the line is no event.
pub fn of_line(line: &str) -> Option<Wall> {
    #[derive(Deserialize)]
    struct Stamp<'l> {
        #[serde(borrow)]
        time: &'l str,
    }
    let stamp: Stamp<'_> = serde_json::from_str(line).ok()?;
    parse(stamp.time)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde calls"
)]
pub(super) fn serialize<S: Serializer>(wall: &Wall, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*wall))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Wall, D::Error> {
    let text = String::deserialize(source)?;
    parse(&text).ok_or_else(|| D::Error::custom("expected an RFC 3339 time with a zone"))
}

pub(super) mod option {
    use serde::{Deserializer, Serializer};

    use crate::engine::time::Wall;

    #[expect(clippy::ref_option, reason = "the signature serde calls")]
    pub(in super::super) fn serialize<S: Serializer>(
        wall: &Option<Wall>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match wall {
            Some(wall) => super::serialize(wall, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        source: D,
    ) -> Result<Option<Wall>, D::Error> {
        super::deserialize(source).map(Some)
    }
}
