//! Order, no repetition, no circles, no allocation.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Dependent::{Alarm, Group};
use super::Source::{Condition, Value};
use super::*;

const POINTS: usize = 8;
const ALARMS: usize = 200;

fn links(inputs: &[(Source, Dependent)], outputs: &[(Dependent, Source)]) -> Links {
    let mut wiring = Wiring::new();
    for (source, dependent) in inputs {
        wiring.input(*source, *dependent);
    }
    for (dependent, source) in outputs {
        wiring.output(*dependent, *source);
    }
    Links::new(wiring, POINTS, ALARMS)
}

/// Works off everything; each dependent touches what its judging may change. At most `most` steps.
fn work_off(links: &mut Links, outputs: &[(Dependent, Source)], most: usize) -> Vec<Dependent> {
    let mut judged = Vec::new();
    while let Some(dependent) = links.next() {
        judged.push(dependent);
        assert!(judged.len() <= most, "no end: {judged:?}");
        if let Alarm(alarm) = dependent {
            links.touch(Source::Alarm(alarm));
        }
        for (_, source) in outputs.iter().filter(|(from, _)| *from == dependent) {
            links.touch(*source);
        }
    }
    judged
}

#[test]
fn whoever_depends_is_judged_once_and_lower_indices_first() {
    let inputs = [
        (Value(1), Alarm(130)),
        (Value(1), Alarm(2)),
        (Value(2), Alarm(2)),
        (Value(2), Group(0)),
        (Condition(1), Group(1)),
        (Source::Alarm(7), Alarm(64)),
    ];
    let mut links = links(&inputs, &[]);
    assert_eq!(links.next(), None);
    links.touch(Value(1));
    links.touch(Value(1));
    links.touch(Value(2));
    let judged = work_off(&mut links, &[], ALARMS);
    assert_eq!(judged, [Group(0), Alarm(2), Alarm(130)]);
    assert_eq!(links.next(), None);
    for (source, dependents) in [
        (Condition(1), &[Group(1)][..]),
        (Source::Alarm(7), &[Alarm(64)]),
        (Value(2), &[Group(0), Alarm(2)]),
    ] {
        links.touch(source);
        assert_eq!(work_off(&mut links, &[], ALARMS), dependents);
    }
}

#[test]
fn what_nobody_looks_at_touches_nobody() {
    let mut links = links(&[(Value(1), Alarm(0))], &[]);
    for source in [
        Value(0),
        Condition(1),
        Source::Alarm(1),
        Value(7),
        Source::Alarm(199),
        Source::Alarm(5_000),
    ] {
        links.touch(source);
        assert_eq!(links.next(), None, "{source:?}");
    }
    let mut none = Links::new(Wiring::new(), POINTS, ALARMS);
    none.touch(Value(0));
    assert_eq!(none.next(), None);
}

/// A value touches an alarm and a group; the alarm touches the group, too. The group must not be judged
/// by half of it, though its index is lower.
#[test]
fn causes_come_before_effects() {
    let outputs = [(Group(0), Source::Alarm(9))];
    let inputs = [
        (Value(0), Group(0)),
        (Value(0), Alarm(3)),
        (Value(0), Alarm(5)),
        (Source::Alarm(3), Group(0)),
        (Source::Alarm(9), Alarm(4)),
        (Source::Alarm(4), Alarm(1)),
    ];
    let mut links = links(&inputs, &outputs);
    assert_eq!(links.circle(), []);
    links.touch(Value(0));
    let judged = work_off(&mut links, &outputs, ALARMS);
    assert_eq!(judged, [Alarm(3), Group(0), Alarm(4), Alarm(1), Alarm(5)]);
}

#[test]
fn a_circle_is_named_and_ends_all_the_same() {
    let inputs = [
        (Value(0), Alarm(1)),
        (Source::Alarm(1), Alarm(2)),
        (Source::Alarm(2), Group(0)),
        (Source::Alarm(3), Alarm(1)),
        // Before the circle and behind it, not in it.
        (Value(0), Alarm(0)),
        (Source::Alarm(0), Alarm(1)),
        (Source::Alarm(2), Alarm(8)),
        (Source::Alarm(8), Alarm(9)),
    ];
    let outputs = [(Group(0), Source::Alarm(3))];
    let mut links = links(&inputs, &outputs);
    assert_eq!(links.circle(), [Group(0), Alarm(1), Alarm(2)]);
    links.touch(Value(0));
    let judged = work_off(&mut links, &outputs, ALARMS);
    assert_eq!(judged[..2], [Alarm(0), Alarm(1)]);
}

#[test]
fn an_alarm_that_looks_at_itself_is_a_circle() {
    let links = links(&[(Source::Alarm(1), Alarm(1))], &[]);
    assert_eq!(links.circle(), [Alarm(1)]);
}

#[test]
fn touching_and_working_off_allocates_nothing() {
    let inputs: Vec<_> = (0..ALARMS).map(|alarm| (Value(0), Alarm(alarm))).collect();
    let mut links = links(&inputs, &[]);
    let mut judged = 0;
    let counted = allocation_counter::measure(|| {
        for _ in 0..1_000 {
            links.touch(Value(0));
            while links.next().is_some() {
                judged += 1;
            }
        }
    });
    assert_eq!((judged, counted.count_total), (1_000 * ALARMS, 0));
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        (0..POINTS).prop_map(Value),
        (0..POINTS).prop_map(Condition),
        (0_usize..12).prop_map(Source::Alarm),
    ]
}

proptest! {
    /// Whatever is wired, circles included: the work ends, nobody is judged twice, and without a circle
    /// everyone whom a change reaches is judged after everything that it looks at.
    #[test]
    fn everyone_reached_is_judged_once_after_its_causes(
        inputs in prop::collection::vec((source(), (0_usize..12).prop_map(Alarm)), 1..25),
        changed in prop::collection::vec(source(), 1..4),
    ) {
        let mut links = links(&inputs, &[]);
        for source in &changed {
            links.touch(*source);
        }
        let judged = work_off(&mut links, &[], ALARMS);
        let once: BTreeSet<_> = judged.iter().collect();
        prop_assert_eq!(once.len(), judged.len());
        if links.circle().is_empty() {
            let mut reached: BTreeSet<Source> = changed.iter().copied().collect();
            let mut expected = BTreeSet::new();
            for _ in 0..inputs.len() {
                for (source, dependent) in &inputs {
                    if let (true, Alarm(alarm)) = (reached.contains(source), dependent) {
                        expected.insert(*dependent);
                        reached.insert(Source::Alarm(*alarm));
                    }
                }
            }
            prop_assert_eq!(&judged.iter().copied().collect::<BTreeSet<_>>(), &expected);
            for (source, dependent) in &inputs {
                let place = |wanted: Dependent| judged.iter().position(|found| *found == wanted);
                if let Source::Alarm(alarm) = source
                    && let (Some(cause), Some(effect)) = (place(Alarm(*alarm)), place(*dependent))
                {
                    prop_assert!(cause < effect, "{:?} before {:?}", dependent, source);
                }
            }
        }
    }
}
