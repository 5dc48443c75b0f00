//! What must be so elsewhere in the plant: `"PUMP-7"` (a contact that is set), `"FT-77/high"` (an alarm
//! that is active), `{ point = "FT-77", above = 5 }`.

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary};
use super::people::dangling;
use super::place::{At, Place};
use super::point::RawPoint;
use super::scalar::show_number;
use super::tree::Value;
use crate::engine::reading::PointIndex;
use crate::engine::settings::{AlarmKind, Gate, PointSettings, Test};

const GATE: Vocabulary = Vocabulary {
    what: "what must be so: `{ point = \"FT-77\", above = 5 }`",
    keys: &["point", "above", "below", "is"],
    later: &[],
};

/// As written.
#[derive(Debug)]
pub(super) struct RawGate {
    /// The id of a point, or of an alarm.
    id: At<String>,
    /// What is asked of the point's value; absent when only its id is written.
    test: Option<At<Test>>,
}

impl RawGate {
    /// Reads `key`.
    pub(super) fn read(key: &str, keys: &Keys<'_>, log: &mut Log) -> Option<Self> {
        let entry = keys.entry(key)?;
        if let Value::Text(_) = entry.item.value {
            return Some(Self {
                id: keys.text(key, log)?,
                test: None,
            });
        }
        let keys = Keys::open(entry, &GATE, log)?;
        keys.require("point", "\"FT-77\"", log);
        let test = test(&keys, log);
        if test.is_none() && !["above", "below", "is"].iter().any(|key| keys.has(key)) {
            keys.require("above", "5", log);
        }
        Some(Self {
            id: keys.text("point", log)?,
            test: Some(test?),
        })
    }

    /// Whose point it looks at, and which alarm of it.
    fn parts(&self) -> (&str, Option<&str>) {
        match self.id.value.rsplit_once('/') {
            Some((point, kind)) => (point, Some(kind)),
            None => (&self.id.value, None),
        }
    }

    /// With its point's index among `points`; `None` when there is no such thing.
    pub(super) fn resolve(&self, points: &[RawPoint]) -> Option<Gate> {
        let (id, kind) = self.parts();
        let found = points.iter().position(|point| point.id.value == id)?;
        let point = PointIndex(u32::try_from(found).ok()?);
        Some(match kind {
            Some(kind) => Gate::Alarm {
                point,
                kind: own_alarm(&points[found], kind)?,
            },
            None => Gate::Value {
                point,
                is: self
                    .test
                    .as_ref()
                    .map_or(Test::Set(true), |test| test.value),
            },
        })
    }

    /// It must name something else than `own`, that can be so or not so.
    pub(super) fn check(&self, own: &RawPoint, points: &[RawPoint], log: &mut Log) {
        let (id, kind) = self.parts();
        let Some(other) = points.iter().find(|point| point.id.value == id) else {
            dangling(
                "point",
                &self.id,
                points.iter().map(|point| &point.id.value),
                log,
            );
            return;
        };
        let place = self.id.place;
        if other.id.value == own.id.value {
            log.error(Kind::Conflict, place, "a point says nothing about itself")
                .hint("name another point, or an alarm of one");
            return;
        }
        match (kind, &self.test) {
            (Some(kind), None) => alarm(other, kind, place, log),
            (Some(_), Some(_)) => {
                log.error(Kind::Conflict, place, "an alarm has no value to compare")
                    .hint("write the alarm's id alone: it must be active");
            }
            (None, test) => value(other, test.as_ref(), place, log),
        }
    }
}

fn test(keys: &Keys<'_>, log: &mut Log) -> Option<At<Test>> {
    let above = keys.number("above", log);
    let below = keys.number("below", log);
    let is = keys.whole("is", 0..=1, log);
    let written: Vec<Place> = ["above", "below", "is"]
        .into_iter()
        .filter_map(|key| keys.place_of(key))
        .collect();
    if let [first, second, ..] = written[..] {
        log.error(Kind::Conflict, second, "one question is enough")
            .hint("keep one of `above`, `below` and `is`")
            .also(first, "the other one");
        return None;
    }
    let above = above.map(|limit| At {
        value: Test::Above(limit.value),
        place: limit.place,
    });
    let below = below.map(|limit| At {
        value: Test::Below(limit.value),
        place: limit.place,
    });
    let is = is.map(|is| At {
        value: Test::Set(is.value == 1),
        place: is.place,
    });
    above.or(below).or(is)
}

/// Is it an alarm that its own point decides on? Others look at points themselves, and could end up
/// looking at this one.
fn alarm(other: &RawPoint, kind: &str, place: Place, log: &mut Log) {
    let id = &other.id.value;
    match own_alarm(other, kind) {
        None => {
            let known = other.alarms.iter().map(|alarm| alarm.kind.name());
            let known: Vec<&str> = known.collect();
            log.error(
                Kind::UnknownReference,
                place,
                format!("{id} has no alarm `{kind}`"),
            )
            .hint(format!("it has: {}", known.join(", ")));
        }
        Some(AlarmKind::Frozen | AlarmKind::Deviation | AlarmKind::Discrepancy) => {
            let text = format!("`{id}/{kind}` depends on other points itself");
            log.error(Kind::Conflict, place, text)
                .hint("name an alarm on a value, or the value: { point = \"...\", above = 5 }");
        }
        Some(_) => {}
    }
}

fn own_alarm(point: &RawPoint, kind: &str) -> Option<AlarmKind> {
    let mut kinds = point.alarms.iter().map(|alarm| alarm.kind);
    kinds.find(|known| known.name() == kind)
}

fn value(other: &RawPoint, test: Option<&At<Test>>, place: Place, log: &mut Log) {
    // Of a point without a readable source nobody knows what it is.
    let Some(digital) = other.is_digital() else {
        return;
    };
    let id = &other.id.value;
    let asks_position = test.is_none_or(|test| matches!(test.value, Test::Set(_)));
    if asks_position == digital {
        return;
    }
    let (text, hint) = if digital {
        (
            format!("`{id}` has two positions and no size"),
            "write its id alone, or `is = 0`".to_owned(),
        )
    } else {
        (
            format!("`{id}` is a number: from where on is it so?"),
            format!("{{ point = \"{id}\", above = 5 }}, for example, or one of its alarms"),
        )
    };
    log.error(Kind::Conflict, test.map_or(place, |test| test.place), text)
        .hint(hint)
        .also(other.place(), "the point");
}

/// In words: `PUMP-7 is not 0`.
pub(super) fn explain(gate: Gate, points: &[PointSettings]) -> String {
    let Some(point) = points.get(gate.point().0 as usize) else {
        return String::new();
    };
    let amount = |limit: f64| {
        let amount = format!("{} {}", show_number(limit), point.unit);
        amount.trim_end().to_owned()
    };
    let id = &point.id;
    match gate {
        Gate::Alarm { kind, .. } => format!("{id}/{} is active", kind.name()),
        Gate::Value { is, .. } => match is {
            Test::Set(true) => format!("{id} is not 0"),
            Test::Set(false) => format!("{id} is 0"),
            Test::Above(limit) => format!("{id} is at or above {}", amount(limit)),
            Test::Below(limit) => format!("{id} is at or below {}", amount(limit)),
        },
    }
}
