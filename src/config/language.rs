//! `language` and `timezone`: what people read, and by which clock.

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use super::finding::{Kind, Log};
use super::keys::Keys;
use super::layers::ROOT;
use super::place::{At, Place};
use super::tree::Section;
use crate::wording::Language;

/// What is written about the whole site.
pub(super) struct Readers {
    pub(super) language: Language,
    /// `None`: nothing is written, or it has a mistake.
    pub(super) zone: Option<TimeZone>,
}

/// Reads what stands beside `site`.
pub(super) fn read(root: &Section, log: &mut Log) -> Readers {
    let start = Place {
        file: 0,
        start: 0,
        end: 0,
    };
    // Unknown keys are reported where the layers are read, once.
    let keys = Keys::of(root, start, &ROOT, &mut Log::default());
    let language = keys.choice("language", &Language::WORDS, log);
    let zone = keys.text("timezone", log);
    Readers {
        language: language.map_or_else(Language::default, |language| language.value),
        zone: zone.and_then(|name| self::zone("timezone", &name, log)),
    }
}

/// A zone by its name, or by how far it is from UTC.
pub(super) fn zone(key: &str, name: &At<String>, log: &mut Log) -> Option<TimeZone> {
    let text = name.value.as_str();
    if text == "UTC" {
        return Some(TimeZone::UTC);
    }
    if let Ok(zone) = DateTimeParser::new().parse_time_zone(text) {
        return Some(zone);
    }
    let words = format!("`{key}` is no time zone that is known here: \"{text}\"");
    log.error(Kind::BadValue, name.place, words).hint(
        "a name such as \"Asia/Shanghai\" or \"Europe/Berlin\" (Debian: package tzdata), \"UTC\", or an offset without \
         daylight saving time, \"+08:00\"",
    );
    None
}
