//! What depends on something is settled when a call returns: judging anybody once more changes nothing.

use proptest::prelude::*;

use super::super::links::Dependent;
use super::super::overlay::Overlay;
use super::super::reading::Fault;
use super::super::settings::{DeviationRule, FrozenRule, PlantState, Reference, Suppressor};
use super::*;

const A: u32 = 0;
const B: u32 = 1;
const CONTACT: u32 = 3;
const X: u32 = 5;
const POINTS: u32 = 7;

fn by(plant: PlantState, max: Option<f64>) -> Vec<Suppressor> {
    vec![Suppressor {
        plant,
        max: max.map(seconds),
    }]
}

fn active(point: u32, kind: AlarmKind) -> PlantState {
    PlantState::Active {
        point: PointIndex(point),
        kind,
    }
}

/// The plant with what looks beyond its own point: a voting channel and two more alarms that are silent
/// at times, a deviation from another point, and a value that must move while the contact is set.
fn wired() -> Settings {
    let set = PlantState::Position {
        point: PointIndex(CONTACT),
        on: true,
    };
    let mut settings = plant();
    let channel = &mut settings.points[A as usize];
    let mut alarms = channel.alarms.iter_mut();
    let high = alarms.find(|alarm| alarm.kind() == AlarmKind::High);
    high.expect("it has one").suppressed_by = by(set, None);
    let quality = || [alarm(Rule::Bad), alarm(Rule::Stale)];
    let x = vec![
        AlarmSettings {
            off_delay: seconds(2.0),
            suppressed_by: by(active(A, AlarmKind::Discrepancy), None),
            ..limit(Level::High, 8.0, 1.0)
        },
        AlarmSettings {
            on_delay: seconds(0.5),
            off_delay: seconds(0.5),
            suppressed_by: by(active(4, AlarmKind::Vote), Some(3.0)),
            ..limit(Level::HighHigh, 10.0, 1.0)
        },
    ];
    let v = vec![
        AlarmSettings {
            on_delay: seconds(1.0),
            off_delay: seconds(0.5),
            suppressed_by: by(active(X, AlarmKind::High), None),
            ..alarm(Rule::Deviation(DeviationRule {
                from: Reference::Point(PointIndex(X)),
                below: Some(3.0),
                above: Some(3.0),
                deadband: 0.5,
                settle: seconds(1.0),
            }))
        },
        AlarmSettings {
            on_delay: seconds(1.0),
            ..alarm(Rule::Frozen(FrozenRule {
                after: seconds(2.0),
                tolerance: 0.5,
                rests_at_zero: false,
                gate: Some(set),
            }))
        },
    ];
    settings.points.extend([
        point("X", x.into_iter().chain(quality()).collect()),
        point("V", v.into_iter().chain(quality()).collect()),
    ]);
    settings
}

/// Judges everybody who depends on something once more, as after a change; gives what that changed.
fn judge_all_again(engine: &mut Engine) -> Vec<Event> {
    let now = engine.now();
    let mut changed = Vec::new();
    for dependent in engine.links.everyone() {
        match dependent {
            Dependent::Health(point) => engine.judge_health(point, now),
            Dependent::Alarm(alarm) => engine.judge_again(alarm, now),
            Dependent::Group(group) => engine.judge_group(group, now),
            Dependent::Suppression(index) => engine.judge_suppression(index, now),
        }
        changed.extend(drain(engine));
    }
    engine.settle(now);
    changed.extend(drain(engine));
    changed
}

fn is_suppressed(engine: &Engine, id: &str) -> bool {
    let snapshot = engine.snapshot();
    let mut alarms = snapshot.alarms.iter();
    let alarm = alarms.find(|alarm| &*alarm.alarm == id);
    let alarm = alarm.expect("it is configured");
    alarm.overlays.has(Overlay::Suppressed)
}

/// A's discrepancy is due at 3 s. X is raised at that instant and counts on it; then B agrees with A again,
/// and it does not come.
#[test]
fn what_is_taken_back_at_the_instant_it_was_due_silences_nothing() {
    let mut engine = Engine::start(&wired(), &History::default(), moment(0.0));
    for (t, point, value) in [(1.0, X, 1.0), (1.5, A, 1.0), (1.5, B, 6.0), (3.0, X, 8.5)] {
        read(&mut engine, point, Sample::measured(value), moment(t));
    }
    assert!(is_suppressed(&engine, "X/high"), "for what comes with it");
    read(&mut engine, B, Sample::measured(1.0), moment(3.0));
    assert!(!is_suppressed(&engine, "X/high"));
    engine.tick(moment(3.0));
    let events = drain(&mut engine);
    let kinds = events.iter().filter_map(|event| {
        let subject = event.subject.as_ref()?;
        (&*subject.alarm == "X/high").then_some(event.kind)
    });
    use EventKind::{Raised, Suppressed, Unsuppressed};
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        [Suppressed, Raised, Unsuppressed]
    );
}

/// A's alarm is over at the instant at which it is silent no longer: it calls nobody, and its group counts
/// without it.
#[test]
fn a_clear_that_is_due_comes_before_the_end_of_its_suppression_for_everybody() {
    let mut settings = wired();
    if let Some(group) = &mut settings.points[4].group {
        group.votes = 1;
    }
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for (t, point, value) in [
        (0.0, CONTACT, 1.0),
        (0.0, B, 1.0),
        (0.0, A, 9.0),
        (2.0, A, 9.0),
        (4.0, A, 1.0),
        (7.0, CONTACT, 0.0),
    ] {
        read(&mut engine, point, Sample::measured(value), moment(t));
    }
    engine.tick(moment(7.0));
    let events = drain(&mut engine);
    let told = events.iter().filter_map(|event| {
        let subject = event.subject.as_ref()?;
        let of_both = ["A/high", "G/vote"].contains(&&*subject.alarm);
        of_both.then(|| (subject.alarm.to_string(), event.kind, subject.annunciated))
    });
    use EventKind::{Cleared, Raised, Suppressed, Unsuppressed};
    let told: Vec<_> = told.collect();
    let told: Vec<_> = told.iter().map(|(a, b, c)| (a.as_str(), *b, *c)).collect();
    assert_eq!(
        told,
        [
            ("A/high", Suppressed, false),
            ("A/high", Raised, false),
            ("G/vote", Raised, true),
            ("A/high", Cleared, false),
            ("G/vote", Cleared, true),
            ("A/high", Unsuppressed, true),
        ]
    );
}

proptest! {
    /// Whatever comes, at one instant or later, in whatever order.
    #[test]
    fn judging_once_more_changes_nothing(
        trace in prop::collection::vec((
            // Delays are half seconds, so that what they end falls together with readings.
            prop_oneof![8 => Just(0_u8), 8 => Just(2), 4 => Just(6), 1 => Just(60)],
            prop_oneof![6 => (0..POINTS).prop_map(Some), 4 => (A..=B).prop_map(Some), 2 => Just(Some(X)), 1 => Just(None)],
            prop_oneof![
                20 => prop::sample::select(vec![0.0, 1.0, 6.0, 9.0, 11.0]).prop_map(Sample::measured),
                1 => Just(Sample::Bad(Fault::SensorFailure)),
            ],
            0_u8..40,
        ), 1..120),
    ) {
        let settings = wired();
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        let (mut t, mut known) = (0.0, drain(&mut engine));
        for (gap, point, sample, act) in trace {
            if gap > 0 {
                // The instant is over, and what was due at it has come.
                engine.tick(moment(t));
                known.extend(drain(&mut engine));
                prop_assert_eq!(judge_all_again(&mut engine), Vec::new(), "at {}", t);
            }
            t += f64::from(gap) / 4.0;
            match (act, point) {
                (0, _) => {
                    engine = Engine::start(&settings, &history(&known), moment(t));
                    known.extend(drain(&mut engine));
                    // A start does not tell of a reference that nobody has heard yet.
                    known.extend(judge_all_again(&mut engine));
                }
                (1, _) => {
                    let command = shelve("A/high", 2.0, true);
                    let _either = engine.command(&command, moment(t)).is_ok();
                }
                (_, Some(4) | None) => engine.tick(moment(t)),
                (_, Some(point)) => read(&mut engine, point, sample, moment(t)),
            }
            known.extend(drain(&mut engine));
        }
    }
}
