//! Who looks at what beyond its own point.

use super::group::Group;
use super::links::{Dependent, Source, Wiring};
use super::occurrence::Alarm;
use super::suppression::Suppressions;
use super::{Point, gate};

/// All of it. `points` and `alarms` are all there are.
pub(super) fn of(
    groups: &[Group],
    suppressions: &Suppressions,
    points: &[Point],
    alarms: &[Alarm],
) -> Wiring {
    let mut wiring = Wiring::new();
    suppressions.wire(points, alarms, &mut wiring);
    for (index, point) in points.iter().enumerate() {
        point.check.wire(index, point.alarms.clone(), &mut wiring);
    }
    for (index, group) in groups.iter().enumerate() {
        group.wire(index, points, alarms, &mut wiring);
    }
    for (index, alarm) in alarms.iter().enumerate() {
        let dependent = Dependent::Alarm(index);
        if let Some(point) = alarm.watch.reference_point() {
            wiring.input(Source::Value(point), dependent);
            wiring.input(Source::Condition(point), dependent);
        }
        if let Some((gate, _)) = alarm.watch.gate() {
            gate::wire(gate, dependent, points, alarms, &mut wiring);
            let own = points.partition_point(|point| point.alarms.end <= index);
            wiring.output(dependent, Source::Condition(own));
        }
    }
    wiring
}
