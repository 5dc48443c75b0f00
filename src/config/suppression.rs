//! `suppressed_by`: states of the plant in which an alarm is silent by design (alarm-standards 1.4), and
//! what must not be silenced so, or not without a reason.
//!
//! ```toml
//! [point.FT-77.alarm.low]
//! limit = 40
//! suppressed_by = [{ point = "PUMP-7", is = 0 }, { point = "PUMP-7", is = 1, max = "20s" }]
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::alarm::RawAlarm;
use super::defaults::{Resolved, is_process};
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, mismatch};
use super::place::{At, Place};
use super::plant_state::{self, RawPlantState};
use super::point::RawPoint;
use super::scalar::show_duration;
use super::tree::{Item, Value};
use crate::engine::reading::PointIndex;
use crate::engine::settings::{AlarmKind, AlarmSettings, PlantState, PointSettings, Suppressor};

const SUPPRESSOR: Vocabulary = Vocabulary {
    what: "a state of the plant: `{ point = \"PUMP-7\", is = 0 }`",
    keys: &["point", "is", "below", "above", "deadband", "alarm", "max"],
    later: &[],
};

/// What needs more than a day to start up is in another state.
const MAX: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// A state of the plant as written.
#[derive(Debug, Clone)]
pub(super) struct RawSuppressor {
    place: Place,
    plant: RawPlantState,
    max: Option<Duration>,
}

/// Reads `suppressed_by`: one state, or a list of them.
pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> Vec<RawSuppressor> {
    let Some(entry) = keys.entry("suppressed_by") else {
        return Vec::new();
    };
    match &entry.item.value {
        Value::List(items) => items.iter().filter_map(|item| one(item, log)).collect(),
        Value::Table(_) | Value::Text(_) => one(&entry.item, log).into_iter().collect(),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date => {
            mismatch::<()>(
                "suppressed_by",
                "a list of states of the plant",
                &entry.item,
                log,
            );
            Vec::new()
        }
    }
}

/// `{ point = "PUMP-7", is = 0 }`, or the id alone of a contact that is set or an alarm that is active.
fn one(item: &Item, log: &mut Log) -> Option<RawSuppressor> {
    if let Value::Text(id) = &item.value {
        let id = At {
            value: id.clone(),
            place: item.place,
        };
        return Some(RawSuppressor {
            place: item.place,
            plant: RawPlantState::of(id),
            max: None,
        });
    }
    let keys = Keys::open_item(item, item.place, &SUPPRESSOR, log)?;
    let max = keys.duration("max", MAX, log).map(|max| max.value);
    Some(RawSuppressor {
        place: item.place,
        plant: RawPlantState::read(&keys, log)?,
        max,
    })
}

/// Puts the states of the plant into the settings, and checks them. `raw` are all points and groups in
/// the order of their indices, `resolved` what was decided about them.
pub(super) fn connect(raw: &[&RawPoint], resolved: &mut [Resolved], log: &mut Log) {
    let mut edges = Edges::default();
    for (position, point) in raw.iter().enumerate() {
        for (order, alarm) in point.alarms.iter().enumerate() {
            let written = &alarm.silence.suppressed_by;
            if let Some(first) = written.first() {
                needs_a_reason(point, alarm, first, log);
            }
            let own = (position, alarm.kind);
            let found = written.iter().filter_map(|suppressor| {
                let plant = plant_state(own, suppressor, raw, log)?;
                edges.add(own, plant, suppressor.place, raw);
                Some(Suppressor {
                    plant,
                    max: suppressor.max,
                })
            });
            let found: Vec<Suppressor> = found.collect();
            if let Some(decided) = resolved
                .get_mut(position)
                .and_then(|point| point.settings.alarms.get_mut(order))
            {
                decided.suppressed_by = found;
            }
        }
    }
    edges.refuse_circles(raw, log);
}

/// What is never silenced lightly (alarm-standards 1.4 and 1.5.12): the outermost limits, gas, alarms
/// that nobody silences alone, and those that say that nobody sees.
fn needs_a_reason(point: &RawPoint, alarm: &RawAlarm, first: &RawSuppressor, log: &mut Log) {
    let what = match alarm.kind.name() {
        _ if alarm.justification.is_some() => return,
        _ if alarm.silence.highly_managed => "nobody silences this alarm alone",
        "high_high" | "low_low" | "over_range" | "vote" | "group_fault" => {
            "this alarm is the last before the danger"
        }
        _ if point.measures.is_gas() => "this alarm is about gas",
        _ if !is_process(alarm.kind) => "without this alarm nobody knows that nobody sees",
        _ => return,
    };
    let (id, kind) = (&point.id.value, alarm.kind.name());
    let text = format!("`{id}/{kind}` may not be suppressed without a reason: {what}");
    log.error(Kind::Conflict, first.place, text).hint(format!(
        "say why in the alarm's long form: `justification = \"...\"` in [point.{id}.alarm.{kind}]"
    ));
}

fn plant_state(
    own: (usize, AlarmKind),
    suppressor: &RawSuppressor,
    raw: &[&RawPoint],
    log: &mut Log,
) -> Option<PlantState> {
    let place = suppressor.plant.place();
    let plant = suppressor.plant.resolve(raw, log)?;
    let point = plant.point().0 as usize;
    match plant {
        PlantState::Active { kind, .. } if (point, kind) == own => {
            log.error(Kind::Conflict, place, "an alarm does not silence itself");
            None
        }
        PlantState::Position { .. } | PlantState::Beyond { .. } if point == own.0 => {
            let text = "the value of a point does not silence the point's own alarms";
            log.error(Kind::Conflict, place, text)
                .hint("name another point, or another alarm of this one");
            None
        }
        PlantState::Active { .. } | PlantState::Position { .. } | PlantState::Beyond { .. } => {
            Some(plant)
        }
    }
}

/// Who silences whom. An alarm is silenced by an alarm, or by a value: then by whatever the alarms on
/// that value would say.
#[derive(Default)]
struct Edges {
    silenced_by: BTreeMap<Node, BTreeSet<Node>>,
    places: BTreeMap<Node, Place>,
}

/// An alarm: position of its point, and kind.
type Node = (usize, AlarmKind);

impl Edges {
    fn add(&mut self, own: Node, plant: PlantState, place: Place, raw: &[&RawPoint]) {
        let position = |point: PointIndex| point.0 as usize;
        let by = self.silenced_by.entry(own).or_default();
        match plant {
            PlantState::Active { point, kind } => {
                by.insert((position(point), kind));
            }
            PlantState::Position { point, .. } | PlantState::Beyond { point, .. } => {
                let kinds = raw[position(point)].alarms.iter().map(|alarm| alarm.kind);
                let kinds = kinds.filter(|kind| is_process(*kind));
                by.extend(kinds.map(|kind| (position(point), kind)));
            }
        }
        self.places.entry(own).or_insert(place);
    }

    /// Alarms that silence each other leave nobody to speak.
    fn refuse_circles(&self, raw: &[&RawPoint], log: &mut Log) {
        let mut told: BTreeSet<Node> = BTreeSet::new();
        for (own, place) in &self.places {
            if told.contains(own) {
                continue;
            }
            let Some(way) = self.way_back(*own) else {
                continue;
            };
            let names = way
                .iter()
                .map(|(position, kind)| format!("`{}/{}`", raw[*position].id.value, kind.name()));
            let names: Vec<String> = names.collect();
            let text = format!("alarms silence each other: {}", names.join(" by "));
            log.error(Kind::Conflict, *place, text)
                .hint("when both are active nobody is told of either: take one of the two out");
            told.extend(way);
        }
    }

    /// From an alarm over those that silence it back to itself, the shortest way; both ends are named.
    fn way_back(&self, own: Node) -> Option<Vec<Node>> {
        let mut ways = std::collections::VecDeque::from([vec![own]]);
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop_front() {
            let last = way.last()?;
            for by in self.silenced_by.get(last).into_iter().flatten() {
                let mut longer = way.clone();
                longer.push(*by);
                if *by == own {
                    return Some(longer);
                }
                if seen.insert(*by) {
                    ways.push_back(longer);
                }
            }
        }
        None
    }
}

/// In which states of the plant an alarm is silent; `points` are all there are. Nothing when in none.
pub(super) fn explain(alarm: &AlarmSettings, points: &[PointSettings]) -> Option<String> {
    if alarm.suppressed_by.is_empty() {
        return None;
    }
    let states = alarm.suppressed_by.iter().map(|suppressor| {
        let state = plant_state::explain(suppressor.plant, points);
        match suppressor.max {
            Some(max) => format!("{state} (for {} at most)", show_duration(max)),
            None => state,
        }
    });
    let states: Vec<String> = states.collect();
    Some(format!(
        "Silent while {}; recorded all the same, and told when that ends or is not known for certain.",
        states.join(", or while ")
    ))
}
