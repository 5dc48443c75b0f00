//! Which metrics there are, what they are called, and by which number they go. Pure.
//!
//! ```text
//!   GROUP / NODE                        the gateway
//!     bdSeq, Node Control/Rebirth       without alias, as the specification wants it
//!     Event                             every event of the journal, as one line of JSON
//!     Alarms/POINT/KIND/state ...       every alarm
//!     gateway.journal ...               the gateway's own points, and groups
//!   GROUP / NODE / DEVICE               a Modbus device or a broker that is read from
//!     POINT ...                         the values it brings
//! ```
//!
//! **Alarms are the gateway's and not the device's.** A host takes everything of a dead device for
//! stale, and nothing may be told of a dead device. But when a device dies its alarms are what must be
//! seen: those that were active are held, and silence raises new ones.
//!
//! An alias is computed from the position in the configuration, so it is unique by construction and the
//! same in every birth of a run. Bound: seven metrics for each alarm, one for each point.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::reading::PointIndex;
use crate::guidance::{Directory, Guidance, PointWords};
use crate::sparkplug::{MessageKind, Topic};

/// What of the plant a device or broker brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Id of the device or broker.
    pub id: Arc<str>,
    /// The gateway's own point that reads 1 while it is lost and 0 while it is there.
    pub status: PointIndex,
    /// Its points.
    pub points: Vec<PointIndex>,
}

/// What an alarm tells, each in a metric of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AlarmFact {
    /// Is the condition true?
    Active,
    /// State of the newest occurrence, as in events.
    State,
    /// What lies over it, by words; null when nothing does.
    Overlays,
    /// Newest occurrence; 0 before the first.
    Occurrence,
    /// Its priority, as in events.
    Priority,
    /// Who acknowledged it; null when nobody did.
    AcknowledgedBy,
    /// Words of the newest event, or what to do first; null when there is neither.
    Message,
}

impl AlarmFact {
    /// Every one of them.
    pub(super) const ALL: [Self; 7] = [
        Self::Active,
        Self::State,
        Self::Overlays,
        Self::Occurrence,
        Self::Priority,
        Self::AcknowledgedBy,
        Self::Message,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::State => "state",
            Self::Overlays => "overlays",
            Self::Occurrence => "occurrence",
            Self::Priority => "priority",
            Self::AcknowledgedBy => "acknowledged_by",
            Self::Message => "message",
        }
    }
}

/// Name of the metric that carries events.
pub(super) const EVENT: &str = "Event";
const EVENT_ALIAS: u64 = 1;
const FIRST_ALARM: u64 = 2;

/// The plan of one output; fixed for a run.
#[derive(Debug)]
pub(super) struct Plan {
    group: String,
    node: String,
    origins: Arc<[Origin]>,
    alarms: Arc<Directory>,
}

impl Plan {
    pub(super) fn new(
        group: &str,
        node: &str,
        origins: Arc<[Origin]>,
        alarms: Arc<Directory>,
    ) -> Self {
        Self {
            group: group.to_owned(),
            node: node.to_owned(),
            origins,
            alarms,
        }
    }

    /// Topic of a message about the node.
    pub(super) fn of_node(&self, kind: MessageKind) -> String {
        self.topic(kind, None)
    }

    /// Topic of a message about a device, by its position.
    pub(super) fn of_device(&self, kind: MessageKind, device: usize) -> String {
        let id = self.origins.get(device).map(|origin| &*origin.id);
        self.topic(kind, id)
    }

    fn topic(&self, kind: MessageKind, device: Option<&str>) -> String {
        let topic = Topic {
            group: &self.group,
            kind,
            node: &self.node,
            device,
        };
        topic.to_string()
    }

    /// Devices and brokers, by position.
    pub(super) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Alarms, by position.
    pub(super) fn alarms(&self) -> &[Guidance] {
        self.alarms.all()
    }

    /// Where an alarm stands; `None`: a drill, or not configured any more.
    pub(super) fn position(&self, alarm: &str) -> Option<usize> {
        self.alarms.position(alarm)
    }

    /// What is known of points in words, by their ids.
    pub(super) fn point_words(&self) -> BTreeMap<&str, &PointWords> {
        let words = self.alarms().iter().map(|alarm| &*alarm.point);
        words.map(|point| (&*point.id, point)).collect()
    }

    /// Alias of the metric that carries events.
    pub(super) const fn event_alias() -> u64 {
        EVENT_ALIAS
    }

    /// Alias of what an alarm, by its position, tells.
    pub(super) fn alarm_alias(alarm: usize, fact: AlarmFact) -> u64 {
        let facts = AlarmFact::ALL.len() as u64;
        FIRST_ALARM + alarm as u64 * facts + fact as u64
    }

    /// Name of the same.
    pub(super) fn alarm_name(alarm: &Guidance, fact: AlarmFact) -> String {
        let (point, kind) = (&alarm.point.id, alarm.kind.name());
        format!("Alarms/{point}/{kind}/{}", fact.name())
    }

    /// Alias of a point's value, by the point's index.
    pub(super) fn point_alias(&self, point: usize) -> u64 {
        Self::alarm_alias(self.alarms().len(), AlarmFact::Active) + point as u64
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::output::message::tests::guidance;

    /// Points 0 and 1 are `gd-01`'s, whose status is point 3; point 2 is a group.
    pub(in crate::output::sparkplug) fn plan() -> Plan {
        let origin = Origin {
            id: "gd-01".into(),
            status: PointIndex(3),
            points: vec![PointIndex(0), PointIndex(1)],
        };
        let alarms = ["CH4-101/high", "CH4-102/high", "V/high"].map(guidance);
        Plan::new(
            "plants",
            "north",
            [origin].into(),
            Directory::new(alarms).into(),
        )
    }

    #[test]
    fn no_two_metrics_have_one_alias() {
        let plan = plan();
        let alarms = 0..plan.alarms().len();
        let alarms =
            alarms.flat_map(|alarm| AlarmFact::ALL.map(|fact| Plan::alarm_alias(alarm, fact)));
        let points = (0..4).map(|point| plan.point_alias(point));
        let all: Vec<u64> = [Plan::event_alias()]
            .into_iter()
            .chain(alarms)
            .chain(points)
            .collect();
        let distinct: BTreeSet<u64> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(all.len(), 1 + 3 * 7 + 4);
    }

    #[test]
    fn names_and_topics_are_those_of_the_tree() {
        let plan = plan();
        assert_eq!(
            plan.of_node(MessageKind::NodeData),
            "spBv1.0/plants/NDATA/north"
        );
        assert_eq!(
            plan.of_device(MessageKind::DeviceDeath, 0),
            "spBv1.0/plants/DDEATH/north/gd-01"
        );
        let name = Plan::alarm_name(&plan.alarms()[1], AlarmFact::AcknowledgedBy);
        assert_eq!(name, "Alarms/CH4-102/high/acknowledged_by");
        assert_eq!(plan.position("V/high"), Some(2));
        assert_eq!(plan.position("V/high/drill"), None);
        let words = plan.point_words();
        assert_eq!(&*words["CH4-102"].name, "Methane, tank farm north");
        assert!(!words.contains_key("CH4"));
    }
}
