//! `currents`: what the maker of a 4 to 20 mA device says with currents beyond the measuring band
//! (alarm-standards 2.12). Gas heads differ from model to model.
//!
//! ```toml
//! currents = [
//!   { band = [0.5, 1.5], means = "fault" },
//!   { band = [1.8, 2.2], means = "inhibited" },
//!   { band = [21.5, 22.5], means = "over_range" },
//! ]
//! ```
//!
//! A lower `fault_low` alone is no such list: it makes a value of every current that it lets through.

use std::ops::RangeInclusive;

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary};
use super::place::At;
use super::scalar::show_number;
use crate::engine::signal::{Bounds, CurrentLoop, CurrentMeaning, Special};

const CURRENT: Vocabulary = Vocabulary {
    what: "a current: `{ band = [1.8, 2.2], means = \"inhibited\" }`",
    keys: &["band", "means"],
    later: &[],
};

/// What a card can show, mA.
const POSSIBLE: RangeInclusive<f64> = 0.0..=30.0;

/// The currents of a device as written, those that are right, in rising order.
#[derive(Default)]
pub(super) struct RawCurrents(Vec<(At<(f64, f64)>, CurrentMeaning)>);

/// Reads `currents`.
pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> RawCurrents {
    let items = keys.list("currents", log).unwrap_or_default();
    let mut currents = Vec::new();
    for item in items {
        let Some(keys) = Keys::open_item(item, item.place, &CURRENT, log) else {
            continue;
        };
        keys.require("band", "[1.8, 2.2]", log);
        keys.require("means", "\"inhibited\"", log);
        let band = keys.range("band", "[1.8, 2.2]", log);
        let words = CurrentMeaning::ALL.map(|meaning| (meaning.name(), meaning));
        let means = keys.choice("means", &words, log);
        if let (Some(band), Some(means)) = (band, means)
            && lies_beyond(&band, &means, log)
        {
            currents.push((band, means.value));
        }
    }
    currents.sort_by(|(one, _), (other, _)| one.value.0.total_cmp(&other.value.0));
    for pair in currents.windows(2) {
        if let [(lower, _), (upper, _)] = pair
            && upper.value.0 < lower.value.1
        {
            let text = "a current in two bands would mean two things";
            log.error(Kind::Conflict, upper.place, text)
                .also(lower.place, "the other band");
        }
    }
    RawCurrents(currents)
}

/// Is it a current that a loop can show, and that measures nothing?
fn lies_beyond(band: &At<(f64, f64)>, means: &At<CurrentMeaning>, log: &mut Log) -> bool {
    let (low, high) = band.value;
    let (from, to) = CurrentLoop::SPAN;
    let (shown_from, shown_to) = (show_number(from), show_number(to));
    if !(POSSIBLE.contains(&low) && POSSIBLE.contains(&high)) {
        let (least, most) = (show_number(*POSSIBLE.start()), show_number(*POSSIBLE.end()));
        let text = format!("`band` is in mA and must be from {least} to {most}");
        log.error(Kind::OutOfRange, band.place, text);
        return false;
    }
    if high >= from && low <= to {
        let text = format!(
            "`band` meets the measuring band: from {shown_from} to {shown_to} mA a current is a value"
        );
        log.error(Kind::Conflict, band.place, text).hint(format!(
            "end below {shown_from} mA, or begin above {shown_to} mA"
        ));
        return false;
    }
    if means.value == CurrentMeaning::OverRange && low < from {
        let text = "a broken wire passes through this current: it cannot mean `over_range`";
        log.error(Kind::Conflict, means.place, text).hint(format!(
            "only a current above {shown_to} mA is taken for gas at once"
        ));
        return false;
    }
    true
}

impl RawCurrents {
    /// Everything decided.
    pub(super) fn resolve(&self) -> Vec<Special> {
        let decided = self.0.iter().map(|(band, means)| Special {
            band: Bounds {
                low: band.value.0,
                high: band.value.1,
            },
            means: *means,
        });
        decided.collect()
    }

    /// The first currents from `from` up to where NAMUR NE 43 stops to see a fault that no band names.
    fn unnamed(&self, from: f64) -> Option<(f64, f64)> {
        let (mut from, to) = (from, CurrentLoop::FAULTS.0);
        for (band, _) in &self.0 {
            if band.value.0 > from {
                break;
            }
            from = from.max(band.value.1);
        }
        let mut above = self.0.iter().map(|(band, _)| band.value.0);
        let next = above.find(|low| *low > from).unwrap_or(to);
        (from < to).then_some((from, next.min(to)))
    }
}

/// A low `fault_low` takes the signals of a device for values, unless its currents are named.
pub(super) fn check(currents: &RawCurrents, fault_low: &At<f64>, log: &mut Log) {
    let Some((from, to)) = currents.unnamed(fault_low.value) else {
        return;
    };
    let (from, to) = (show_number(from), show_number(to));
    let text = format!(
        "a current from {from} to {to} mA would pass for the lower end of the range; devices tell of \
         faults and of work on them there"
    );
    log.warn(Kind::Conflict, fault_low.place, text).hint(
        "leave `fault_low` out and name the currents of the device's manual: \
         `currents = [{ band = [1.8, 2.2], means = \"inhibited\" }]`",
    );
}

/// `From 1.8 to 2.2 mA it says "inhibited": no value.`
pub(super) fn explain(special: &[Special]) -> Vec<String> {
    let told = special.iter().map(|Special { band, means }| {
        let (low, high) = (show_number(band.low), show_number(band.high));
        let so = match means {
            CurrentMeaning::NoValue(_) => "there is no value once it lasts as long",
            CurrentMeaning::OverRange => "the upper end of the range or more, at once",
        };
        let name = means.name();
        format!("From {low} to {high} mA it says {name}: {so}.")
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::super::place::Place;
    use super::*;
    use crate::engine::reading::Fault;

    #[test]
    fn what_no_band_names_is_found() {
        let named = |bands: &[(f64, f64)], from: f64| {
            let (file, start, end) = (0, 0, 0);
            let place = Place { file, start, end };
            let bands = bands.iter().map(|band| {
                let band = At {
                    value: *band,
                    place,
                };
                (band, CurrentMeaning::NoValue(Fault::Inhibited))
            });
            RawCurrents(bands.collect()).unnamed(from)
        };
        for (bands, from, expected) in [
            (&[][..], 3.6, None),
            (&[], 3.7, None),
            (&[], 1.5, Some((1.5, 3.6))),
            (&[(1.8, 2.2)], 1.5, Some((1.5, 1.8))),
            (&[(1.4, 2.2)], 1.5, Some((2.2, 3.6))),
            (&[(0.5, 1.5), (1.5, 3.7)], 1.5, None),
            (&[(0.5, 1.0), (1.5, 2.5), (2.5, 3.0)], 1.5, Some((3.0, 3.6))),
            (&[(1.5, 2.5), (21.5, 22.0)], 1.5, Some((2.5, 3.6))),
            (&[(1.5, 2.5), (3.0, 3.6)], 1.5, Some((2.5, 3.0))),
        ] {
            assert_eq!(named(bands, from), expected, "{bands:?} from {from}");
        }
    }
}
