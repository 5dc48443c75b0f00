//! Brokers with what is read from them: points with topics of their own, families of points, and who says
//! that a source is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::broker::Broker;
use super::mapping::Mapping;
use super::point::{RawPoint, RawSource};
use super::topic::Topic;
use crate::engine::reading::PointIndex;
use crate::input::mqtt::{Concerns, Family, Mappings, Target, TopicMapping};

/// What each of `brokers` is read for, in their order; points are numbered as they stand in `points`.
pub(super) fn mappings(
    points: &[RawPoint],
    mappings: Vec<Mapping>,
    brokers: &[Broker],
) -> Vec<Mappings> {
    let mut all: Vec<Mappings> = brokers.iter().map(|_| Mappings::default()).collect();
    let mut members: Vec<BTreeMap<Box<str>, Target>> =
        mappings.iter().map(|_| BTreeMap::new()).collect();
    for (point, raw) in (0..).map(PointIndex).zip(points) {
        let target = |digital| Target {
            point,
            digital,
            unit: raw.unit.as_str().into(),
        };
        match &raw.source {
            Some(RawSource::Topic(topic)) => {
                let broker = &mut all[topic.broker];
                let concerns = Concerns::Points(vec![point]);
                let availability = topic.availability.iter();
                broker
                    .availability
                    .extend(availability.map(|available| available.of(concerns.clone())));
                broker.topics.push(of_topic(topic, target(topic.digital)));
            }
            Some(RawSource::Mapped(mapped)) => {
                let id = raw.id.value.as_str().into();
                members[mapped.mapping].insert(id, target(mapped.digital));
            }
            Some(RawSource::Register(_)) | None => {}
        }
    }
    for (mapping, points) in mappings.into_iter().zip(members) {
        let broker = mapping.broker.and_then(|broker| all.get_mut(broker));
        if let Some(broker) = broker {
            add_family(broker, mapping, points);
        }
    }
    for (broker, mappings) in brokers.iter().zip(&mut all) {
        if let Some(available) = &broker.availability {
            let points = mappings.points().collect();
            let of_all = available.of(Concerns::Points(points));
            mappings.availability.push(of_all);
        }
    }
    all
}

fn of_topic(topic: &Topic, target: Target) -> TopicMapping {
    TopicMapping {
        topic: topic.topic.value.clone(),
        target,
        value: topic.value.clone(),
        payload: topic.payload.clone(),
    }
}

/// A mapping that no point names is not asked for.
fn add_family(broker: &mut Mappings, mapping: Mapping, points: BTreeMap<Box<str>, Target>) {
    let Some(topic) = mapping.topic.filter(|_| !points.is_empty()) else {
        return;
    };
    if let Some(availability) = mapping.availability {
        let concerns = if availability.topic.names().next().is_some() {
            Concerns::Family(broker.families.len())
        } else {
            Concerns::Points(points.values().map(|target| target.point).collect())
        };
        broker.availability.push(availability.of(concerns));
    }
    broker.families.push(Family {
        id: Arc::from(mapping.id.value),
        topic,
        format: mapping.format,
        values: mapping.values,
        payload: mapping.payload,
        points,
    });
}
