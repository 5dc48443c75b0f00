//! Topics of many points: which point a reading is of, and several readings in one message.
//!
//! ```text
//!  topic ──▶ named parts ─┐
//!                         ├─▶ id of a configured point ──▶ its value, quality, time
//!  payload ─▶ elements ───┘                 │
//!                                           └─ none: counted, never a new series
//! ```
//!
//! Only configured points get values. A message that means none of them is refused as a whole; one that
//! means some gives them theirs, and what else it could have given is not asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::MAX_ELEMENTS;
use super::decode::{Document, not_json};
use super::harvest::{Harvest, Message};
use super::json::Json;
use super::owners::{Owners, Slot};
use super::pointer::{Found, Number, Pointer};
use super::rejection::{Refused, Rejection};
use super::senml;
use super::sparkplug::{Directory, Nodes};
use super::template::NoId;
use super::topic::{Captures, TopicPattern};
use crate::engine::reading::{PointIndex, Reading};
use crate::engine::time::Wall;
use crate::input::mqtt::{Family, Format, Payload, Target};
use crate::sparkplug::Topic;

/// A family at work.
#[derive(Debug)]
pub(super) struct Shared {
    family: Family,
    has_fields: bool,
    /// What the named parts of a point's topics are: found out from its id, else learnt from its messages.
    /// At most one entry for each point; nothing when nobody asks.
    parts: BTreeMap<PointIndex, Captures>,
    is_asked: bool,
    /// Of Sparkplug; empty for everything else.
    nodes: Nodes,
    owners: Owners,
}

impl Shared {
    /// `is_asked`: will anybody ask whom a topic concerns?
    pub(super) fn new(family: Family, is_asked: bool) -> Self {
        let mut parts = BTreeMap::new();
        for (id, target) in family.points.iter().filter(|_| is_asked) {
            let fitting = family.values.iter().map(|(template, _)| template);
            let mut fitting = fitting.filter(|template| template.fits(id));
            if let (Some(template), None) = (fitting.next(), fitting.next())
                && let Some(solved) = template.solve(id)
            {
                parts.insert(target.point, solved);
            }
        }
        Self {
            has_fields: family
                .values
                .iter()
                .any(|(template, _)| template.has_fields()),
            family,
            parts,
            is_asked,
            nodes: Nodes::default(),
            owners: Owners::default(),
        }
    }

    /// The points whose topics have all of these named parts.
    pub(super) fn concerned<'a>(
        &'a self,
        captures: &'a Captures,
    ) -> impl Iterator<Item = PointIndex> + 'a {
        let concerned = |parts: &Captures| parts.holds(captures);
        let known = self.parts.iter();
        known
            .filter(move |(_, parts)| concerned(parts))
            .map(|(point, _)| *point)
    }

    /// Reads a message.
    pub(super) fn read(
        &mut self,
        captures: &Captures,
        message: Message<'_>,
        harvest: &mut Harvest,
    ) {
        let mut met = Vec::new();
        let mut owners = std::mem::take(&mut self.owners);
        let text = message.text;
        match &self.family.format {
            Format::Json => self.json(captures, text, &mut owners, harvest, &mut met),
            Format::Sparkplug(names) if message.text != Err(Rejection::TooLarge) => {
                let mut nodes = std::mem::take(&mut self.nodes);
                let metrics = Metrics {
                    shared: self,
                    names,
                    captures,
                    owners: RefCell::new(owners),
                    retained: harvest.retained,
                };
                let (topic, payload) = (message.topic, message.payload);
                nodes.read(topic, payload, &metrics, &self.family.payload, harvest);
                owners = metrics.owners.into_inner();
                self.nodes = nodes;
            }
            Format::Sparkplug(_) => {
                harvest.count(Rejection::TooLarge.into());
                if let Some(topic) = Topic::parse(message.topic) {
                    self.nodes.unread(topic, harvest);
                }
            }
            Format::Senml(names) => {
                let pack = text.and_then(|text| senml::read(text, harvest.received.wall));
                match pack {
                    Ok(records) => {
                        let reader = SenmlReader {
                            shared: self,
                            names,
                            captures,
                        };
                        reader.read(records, &mut owners, harvest, &mut met);
                    }
                    Err(rejection) => harvest.count(rejection.into()),
                }
            }
        }
        self.owners = owners;
        for (point, parts) in met {
            self.parts.insert(point, parts);
        }
    }

    fn json(
        &self,
        captures: &Captures,
        text: Result<&str, Rejection>,
        owners: &mut Owners,
        harvest: &mut Harvest,
        met: &mut Vec<(PointIndex, Captures)>,
    ) {
        let fixed = if self.has_fields {
            None
        } else {
            match self.slots(captures, |_| None) {
                Ok(slots) => Some(owned(slots, owners, harvest)),
                Err(refused) => return harvest.count(refused),
            }
        };
        if fixed.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let slots = fixed.as_deref().unwrap_or_default();
        self.learn(slots, captures, met);
        let payload = &self.family.payload;
        let text = match text {
            Ok(text) => text,
            Err(rejection) => return refuse_all(rejection.into(), slots, harvest),
        };
        if let ([slot], None) = (slots, &payload.each) {
            let reading = harvest.read(payload, slot.value, slot.target, Document::Text(text));
            slot.claim(&reading, owners, harvest.retained);
            return harvest.take(reading, slot.target);
        }
        let root = match Json::parse(text) {
            Ok(root) => root,
            Err(error) => return refuse_all(not_json(&error).into(), slots, harvest),
        };
        let elements = match elements(payload, &root, self.family.values.len()) {
            Ok(elements) => elements,
            Err(refused) => return refuse_all(refused, slots, harvest),
        };
        let mut seen = Seen::default();
        for here in elements {
            let document = Document::Part { root: &root, here };
            if fixed.is_some() {
                self.element(slots, document, owners, harvest, &mut seen);
                continue;
            }
            match self.slots(captures, |pointer| word_at(pointer, document)) {
                Ok(slots) => {
                    let slots = owned(slots, owners, harvest);
                    self.learn(&slots, captures, met);
                    self.element(&slots, document, owners, harvest, &mut seen);
                }
                Err(refused) => harvest.count(refused),
            }
        }
    }

    fn element(
        &self,
        slots: &[Slot<'_>],
        document: Document<'_>,
        owners: &mut Owners,
        harvest: &mut Harvest,
        seen: &mut Seen,
    ) {
        for slot in slots {
            // Another template of this message may have given it a value just now.
            if !slot.may_speak(owners, harvest) {
                continue;
            }
            let payload = &self.family.payload;
            let reading = harvest.read(payload, slot.value, slot.target, document);
            slot.claim(&reading, owners, harvest.retained);
            harvest.take(seen.once(reading), slot.target);
        }
    }

    /// Whom a message means, `field` being its payload. `Err`: nobody.
    fn slots(
        &self,
        captures: &Captures,
        field: impl Fn(&Pointer) -> Option<String>,
    ) -> Result<Vec<Slot<'_>>, Refused> {
        let mut slots: Vec<Slot<'_>> = Vec::with_capacity(self.family.values.len());
        let mut refused = None;
        for (index, (template, value)) in self.family.values.iter().enumerate() {
            let id = match template.render(captures, &field) {
                Ok(id) => id,
                Err(NoId::Field) => {
                    refused.get_or_insert(Rejection::NoNameAtPointer.into());
                    continue;
                }
                Err(NoId::TooLong) => {
                    refused.get_or_insert(Rejection::UnknownPoint.into());
                    continue;
                }
            };
            match self.family.points.get(&*id) {
                Some(target) => slots.push(Slot {
                    recipe: (index, template.parts(captures, &field)),
                    id,
                    target,
                    value: value.as_ref(),
                }),
                None => {
                    refused.get_or_insert_with(|| Refused::with(Rejection::UnknownPoint, &id));
                }
            }
        }
        match refused {
            Some(refused) if slots.is_empty() => Err(refused),
            Some(_) | None => Ok(slots),
        }
    }

    /// Takes note of what the topics of these points look like.
    fn learn(
        &self,
        slots: &[Slot<'_>],
        captures: &Captures,
        met: &mut Vec<(PointIndex, Captures)>,
    ) {
        for slot in slots.iter().filter(|_| self.is_asked) {
            let point = slot.target.point;
            let known = self.parts.get(&point);
            if known.is_none_or(|parts| !parts.holds(captures)) {
                met.push((point, captures.clone()));
            }
        }
    }
}

/// The metrics of a Sparkplug birth on their way to points.
struct Metrics<'s> {
    shared: &'s Shared,
    names: &'s TopicPattern,
    captures: &'s Captures,
    owners: RefCell<Owners>,
    retained: bool,
}

impl Directory for Metrics<'_> {
    fn target(&self, topic: Topic<'_>, metric: &str) -> Result<Target, Refused> {
        let unknown = || Refused::with(Rejection::UnknownPoint, metric);
        let mut captures = self.names.captures(metric).ok_or_else(unknown)?;
        captures.extend(self.captures);
        captures.push("group", topic.group);
        captures.push("node", topic.node);
        captures.push("device", topic.device.unwrap_or_default());
        let slots = self
            .shared
            .slots(&captures, |_| None)
            .map_err(|_| unknown())?;
        let first = slots.first().ok_or_else(unknown)?;
        let mut owners = self.owners.borrow_mut();
        if !owners.admit(first.target.point, &first.recipe) {
            return Err(Refused::with(Rejection::OtherSource, &first.id));
        }
        // The birth was read: whatever it says under this alias from now on is of this point.
        owners.gave(first.target.point, &first.recipe, self.retained);
        Ok(first.target.clone())
    }
}

/// The records of a SenML pack on their way to points.
struct SenmlReader<'s> {
    shared: &'s Shared,
    names: &'s TopicPattern,
    captures: &'s Captures,
}

impl SenmlReader<'_> {
    fn read(
        &self,
        records: Vec<senml::Record>,
        owners: &mut Owners,
        harvest: &mut Harvest,
        met: &mut Vec<(PointIndex, Captures)>,
    ) {
        let mut seen = Seen::default();
        for record in records {
            let unknown = || Refused::with(Rejection::UnknownPoint, &record.name);
            let Some(mut captures) = self.names.captures(&senml::as_levels(&record.name)) else {
                harvest.count(unknown());
                continue;
            };
            captures.extend(self.captures);
            match self.shared.slots(&captures, |_| None) {
                Ok(slots) => {
                    let slots = owned(slots, owners, harvest);
                    self.shared.learn(&slots, &captures, met);
                    for slot in slots {
                        if !slot.may_speak(owners, harvest) {
                            continue;
                        }
                        let reading = record.reading(&self.shared.family.payload, slot.target);
                        let reading = reading.map(|reading| {
                            Some(Reading {
                                retained: harvest.retained,
                                received: harvest.received,
                                ..reading
                            })
                        });
                        slot.claim(&reading, owners, harvest.retained);
                        harvest.take(seen.once(reading), slot.target);
                    }
                }
                Err(_nobody) => harvest.count(unknown()),
            }
        }
    }
}

/// What of one message was read already.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeSet<(PointIndex, Option<Wall>, Option<u64>)>);

impl Seen {
    /// Refuses a second value of one point at one time: nobody knows which is meant.
    pub(super) fn once(
        &mut self,
        reading: Result<Option<Reading>, Refused>,
    ) -> Result<Option<Reading>, Refused> {
        if let Ok(Some(reading)) = &reading {
            let key = (reading.point, reading.source_time, reading.sequence);
            if !self.0.insert(key) {
                return Err(Rejection::SecondValue.into());
            }
        }
        reading
    }
}

/// The parts of a document that hold readings, oldest first; `values` are in each.
pub(super) fn elements<'d>(
    payload: &Payload,
    root: &'d Json<'d>,
    values: usize,
) -> Result<Vec<&'d Json<'d>>, Refused> {
    let Some(each) = &payload.each else {
        return Ok(vec![root]);
    };
    let items = match each.within(root)? {
        Some(Json::List(items)) => items,
        None if payload.may_be_absent => return Ok(Vec::new()),
        Some(_) | None => return Err(Rejection::NotAList.into()),
    };
    if items.len().saturating_mul(values) > MAX_ELEMENTS {
        return Err(Rejection::TooManyReadings.into());
    }
    let timed = items.iter().map(|here| {
        let time = payload.time(Document::Part { root, here });
        (time.ok().flatten(), here)
    });
    let mut timed: Vec<_> = timed.collect();
    timed.sort_by_key(|(time, _)| *time);
    Ok(timed.into_iter().map(|(_, here)| here).collect())
}

/// Those slots whose points are no other source's; the others are refused and say nothing of their points.
fn owned<'f>(mut slots: Vec<Slot<'f>>, owners: &Owners, harvest: &mut Harvest) -> Vec<Slot<'f>> {
    slots.retain(|slot| slot.may_speak(owners, harvest));
    slots
}

/// What cannot be read at all says the same of every point that is meant.
fn refuse_all(refused: Refused, slots: &[Slot<'_>], harvest: &mut Harvest) {
    if slots.is_empty() {
        return harvest.count(refused);
    }
    for slot in slots {
        harvest.take(Err(refused.clone()), slot.target);
    }
}

/// A text or whole number, as a part of an id.
fn word_at(pointer: &Pointer, document: Document<'_>) -> Option<String> {
    match document.find(pointer).ok()? {
        Found::Text(text) => Some(text),
        Found::Number(Number::Integer(number)) => Some(number.to_string()),
        Found::Number(Number::Float(_))
        | Found::Flag(_)
        | Found::Missing
        | Found::Duplicate
        | Found::Other => None,
    }
}
