//! Random traces with commands, kills and clock steps.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::alarm::AlarmState;
use super::super::effect::Cause;
use super::super::overlay::Overlays;
use super::super::reading::{Doubt, Fault, Finite, Quality};
use super::*;

/// One thing that happens, and the time that passes before it.
#[derive(Debug, Clone)]
enum Happening {
    Reading(u32, Sample),
    Repeated(u32, f64),
    Acknowledge(usize, Option<u64>),
    Reset(usize),
    Shelve(usize, f64, bool),
    Unshelve(usize),
    Tick,
}

fn sample() -> impl Strategy<Value = Sample> {
    let finite = |value| Finite::new(value).expect("a number");
    prop_oneof![
        8 => (0_i32..24).prop_map(|value| Sample::measured(f64::from(value) / 2.0)),
        1 => (0_i32..24).prop_map(move |value| Sample::Uncertain(
            finite(f64::from(value) / 2.0), Doubt::SensorNotAccurate)),
        1 => prop_oneof![Just(Fault::DeviceFailure), Just(Fault::SensorFailure)]
            .prop_map(Sample::Bad),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let alarms = ids(&plant()).len();
    prop_oneof![
        12 => (0_u32..4, sample()).prop_map(|(point, sample)| Happening::Reading(point, sample)),
        1 => (0_u32..4, 0_u8..24).prop_map(|(p, v)| Happening::Repeated(p, f64::from(v) / 2.0)),
        2 => (0..alarms, prop::option::of(0_u64..4))
            .prop_map(|(alarm, asked)| Happening::Acknowledge(alarm, asked)),
        1 => (0..alarms).prop_map(Happening::Reset),
        2 => (0..alarms, 0_u8..40, any::<bool>())
            .prop_map(|(alarm, span, one_shot)| Happening::Shelve(alarm, f64::from(span), one_shot)),
        1 => (0..alarms).prop_map(Happening::Unshelve),
        1 => Just(Happening::Tick),
    ]
}

/// Times in whole quarters of a second, so that readings and timers meet at one instant.
fn trace() -> impl Strategy<Value = Vec<(f64, Happening)>> {
    let gap =
        prop_oneof![6 => 0_u8..6, 1 => 6_u8..60].prop_map(|quarters| f64::from(quarters) / 4.0);
    prop::collection::vec((gap, happening()), 1..150).prop_map(|steps| {
        let mut t = 0.0;
        let at = |(gap, happening)| {
            t += gap;
            (t, happening)
        };
        steps.into_iter().map(at).collect()
    })
}

fn apply(engine: &mut Engine, names: &[String], at: Moment, happening: &Happening) {
    match happening {
        Happening::Reading(point, sample) => read(engine, *point, *sample, at),
        Happening::Repeated(point, value) => engine.read(Reading {
            sequence: Some(7),
            ..Reading::live(PointIndex(*point), Sample::measured(*value), at)
        }),
        Happening::Acknowledge(alarm, asked) => {
            let _either = engine
                .command(&acknowledge(&names[*alarm], *asked), at)
                .is_ok();
        }
        Happening::Reset(alarm) => {
            let _either = engine.command(&reset(&names[*alarm]), at).is_ok();
        }
        Happening::Shelve(alarm, span, one_shot) => {
            let _either = engine
                .command(&shelve(&names[*alarm], *span, *one_shot), at)
                .is_ok();
        }
        Happening::Unshelve(alarm) => {
            let _either = engine.command(&unshelve(&names[*alarm]), at).is_ok();
        }
        Happening::Tick => engine.tick(at),
    }
}

/// Runs a trace; `watch` sees every event as it comes, with the engine after it.
fn run(trace: &[(f64, Happening)], mut watch: impl FnMut(&Engine, &Event)) -> Vec<Event> {
    let settings = plant();
    let names = ids(&settings);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut events = drain(&mut engine);
    for (t, happening) in trace {
        apply(&mut engine, &names, moment(*t), happening);
        for event in drain(&mut engine) {
            watch(&engine, &event);
            events.push(event);
        }
    }
    events
}

/// What the events alone say about one alarm.
#[derive(Default)]
struct Story {
    newest: u64,
    raised: BTreeMap<u64, f64>,
    acknowledged: BTreeMap<u64, u32>,
    cleared: BTreeMap<u64, f64>,
    state: Option<AlarmState>,
    overlays: Overlays,
    /// When what lies over it ends at the latest.
    until: Option<f64>,
}

proptest! {
    /// P3 to P8, P18: each occurrence begins once, ends once and later, is recognised once, and once
    /// more for each time it resurfaces; only allowed ways lead out of sight.
    #[test]
    fn every_alarm_has_a_story_that_makes_sense(trace in trace()) {
        let longest = plant().longest.shelf.as_secs_f64();
        let mut stories: BTreeMap<Arc<str>, Story> = BTreeMap::new();
        for event in run(&trace, |_, _| {}) {
            let Some(subject) = &event.subject else { continue };
            let story = stories.entry(Arc::clone(&subject.alarm)).or_default();
            let (occurrence, at) = (subject.occurrence, event.at.mono.as_secs_f64());
            let before = story.state.unwrap_or(AlarmState::Normal);
            let covered = std::mem::replace(&mut story.overlays, subject.overlays);
            // P6: while anything lies over it, its end is not over yet.
            prop_assert!(covered.is_empty() || story.until.is_some_and(|until| at <= until), "{:?}", event);
            prop_assert_eq!(subject.annunciated, subject.overlays.is_empty());
            match event.kind {
                EventKind::Raised => {
                    prop_assert_eq!(occurrence, story.newest + 1, "one after the other");
                    prop_assert!(!before.is_active(), "{:?}", event);
                    prop_assert_eq!(story.raised.insert(occurrence, at), None);
                    story.newest = occurrence;
                }
                EventKind::Cleared => {
                    prop_assert!(before.is_active(), "{:?}", event);
                    prop_assert!(story.raised[&occurrence] <= at);
                    prop_assert_eq!(story.cleared.insert(occurrence, at), None);
                    let process = !is_about_measuring(&subject.alarm);
                    // P4: nothing about the process ends without a value.
                    prop_assert!(!process || subject.quality != Quality::Bad, "{:?}", event);
                    prop_assert!(!process || subject.value.is_some(), "{:?}", event);
                }
                EventKind::Acknowledged => {
                    prop_assert!(story.raised.contains_key(&occurrence));
                    let times = story.acknowledged.entry(occurrence).or_default();
                    *times += 1;
                    prop_assert_eq!(*times, 1, "recognised once: {:?}", event);
                }
                EventKind::Reset => {
                    prop_assert_eq!(before, AlarmState::LatchedAcknowledged);
                    prop_assert!(story.cleared.contains_key(&occurrence));
                    prop_assert_eq!(subject.quality, Quality::Good);
                }
                EventKind::CommandRejected | EventKind::CommandIgnored => {
                    prop_assert!(event.details.reason.is_some() && event.details.by.is_some());
                    prop_assert_eq!(subject.state, before, "changed nothing");
                }
                EventKind::Changed => prop_assert!(before.is_active(), "{:?}", event),
                EventKind::Shelved => {
                    prop_assert!(!covered.shelved && subject.overlays.shelved);
                    let until = event.details.until.expect("every shelf ends");
                    let span = until.seconds_since(event.at.wall);
                    prop_assert!(span > 0.0 && span <= longest, "{:?}", event);
                    story.until = Some(at + span);
                }
                EventKind::Unshelved => {
                    prop_assert!(covered.shelved && !subject.overlays.shelved);
                    // P7: what is true beneath an overlay that ends by itself wants attention.
                    if event.cause == Cause::System && before.is_active() {
                        prop_assert_eq!(subject.state, AlarmState::Unacknowledged);
                        story.acknowledged.remove(&occurrence);
                    } else {
                        prop_assert_eq!(subject.state, before);
                    }
                    story.until = None;
                }
                kind @ (EventKind::Realarmed
                | EventKind::Suppressed
                | EventKind::Unsuppressed
                | EventKind::OutOfService
                | EventKind::InService
                | EventKind::Notified
                | EventKind::AllClear
                | EventKind::ClockStepped
                | EventKind::MonitoringGap
                | EventKind::ConfigChanged
                | EventKind::Started
                | EventKind::Stopped) => prop_assert!(false, "{:?} of an alarm", kind),
            }
            if !matches!(event.kind, EventKind::Shelved | EventKind::Unshelved) {
                prop_assert_eq!(subject.overlays, covered, "{:?}", event);
            }
            if occurrence == story.newest {
                // P5: from unacknowledged, quiet only by a person or at its end.
                if before == AlarmState::Unacknowledged && subject.state != before {
                    prop_assert!(matches!(event.kind, EventKind::Acknowledged | EventKind::Cleared));
                }
                story.state = Some(subject.state);
            }
            let beneath = event.record.as_ref().map(|record| (record.occurrence, record.state));
            prop_assert_eq!(beneath.unwrap_or((story.newest, story.state.unwrap_or(AlarmState::Normal))),
                (story.newest, story.state.unwrap_or(AlarmState::Normal)), "the record is the present");
        }
    }

    /// P9: the same calls give the same effects.
    #[test]
    fn the_same_input_gives_the_same_events(trace in trace()) {
        prop_assert_eq!(run(&trace, |_, _| {}), run(&trace, |_, _| {}));
    }

    /// Ticks between the calls, as often as one likes, change nothing but nothing.
    #[test]
    fn spurious_ticks_are_harmless(trace in trace()) {
        let mut with_ticks = Vec::new();
        let mut last = 0.0;
        for (t, happening) in &trace {
            if *t > last {
                with_ticks.push(((last + t) / 2.0, Happening::Tick));
                // The end of an instant, when all its readings are there.
                with_ticks.push((last, Happening::Tick));
                let count = with_ticks.len();
                with_ticks.swap(count - 1, count - 2);
            }
            with_ticks.push((*t, happening.clone()));
            last = *t;
        }
        prop_assert_eq!(run(&trace, |_, _| {}), run(&with_ticks, |_, _| {}));
    }

    /// P12: a wall clock that steps within one life changes no state and no duration.
    #[test]
    fn wall_clock_steps_change_nothing(
        trace in trace(),
        steps in prop::collection::vec((0_usize..150, -5_000_i32..5_000), 0..5),
    ) {
        let settings = plant();
        let names = ids(&settings);
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        let mut stepped = drain(&mut engine);
        let mut offset = 0.0;
        for (index, (t, happening)) in trace.iter().enumerate() {
            offset += steps.iter().filter(|(at, _)| *at == index).map(|(_, by)| f64::from(*by)).sum::<f64>();
            let mut at = moment(*t);
            at.wall = if offset < 0.0 { at.wall - seconds(-offset) } else { at.wall + seconds(offset) };
            apply(&mut engine, &names, at, happening);
            stepped.extend(drain(&mut engine));
        }
        let essence = |events: &[Event]| -> Vec<_> {
            let of_alarms = events.iter().filter(|event| event.kind != EventKind::ClockStepped);
            of_alarms.map(|event| (told(event), event.details.duration_s)).collect()
        };
        prop_assert_eq!(essence(&stepped), essence(&run(&trace, |_, _| {})));
    }

    /// P11: a repetition changes nothing.
    #[test]
    fn repetitions_change_nothing(trace in trace()) {
        let settings = plant();
        let play = |times: usize| {
            let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
            let mut events = drain(&mut engine);
            for (number, (t, happening)) in (0_u64..).zip(&trace) {
                if let Happening::Reading(point, sample) = happening {
                    let reading = Reading {
                        sequence: Some(number),
                        ..Reading::live(PointIndex(*point), *sample, moment(*t))
                    };
                    for _ in 0..times {
                        engine.read(reading);
                    }
                    events.extend(drain(&mut engine));
                }
            }
            events
        };
        prop_assert_eq!(play(1), play(3));
    }

    /// P10: a kill at any instant loses no occurrence and invents none: the second life goes on from
    /// the records, keeps every state until there is evidence, and clears nothing without it.
    #[test]
    fn a_kill_loses_no_occurrence(trace in trace(), cut in 0_usize..150) {
        let settings = plant();
        let names = ids(&settings);
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        let mut events = drain(&mut engine);
        let cut = cut.min(trace.len());
        for (t, happening) in &trace[..cut] {
            apply(&mut engine, &names, moment(*t), happening);
            events.extend(drain(&mut engine));
        }
        let t = trace[..cut].last().map_or(0.0, |(t, _)| *t);
        engine.tick(moment(t));
        events.extend(drain(&mut engine));
        let known = history(&events);
        let before = engine.snapshot();
        let mut engine = Engine::start(&settings, &known, moment(t));
        for event in drain(&mut engine) {
            prop_assert_eq!(event.kind, EventKind::Started);
        }
        for (old, new) in before.alarms.iter().zip(engine.snapshot().alarms) {
            prop_assert_eq!((old.state, old.occurrence, old.older_unacknowledged, &old.acknowledged, old.raised_at, &old.cover),
                (new.state, new.occurrence, new.older_unacknowledged, &new.acknowledged, new.raised_at, &new.cover));
        }
        // Without a reading nothing about the process clears, however long it takes.
        engine.tick(moment(t + 1000.0));
        for event in drain(&mut engine) {
            let allowed = matches!(event.kind, EventKind::Raised | EventKind::Changed | EventKind::Unshelved);
            prop_assert!(allowed, "{:?}", event);
            if event.kind == EventKind::Raised {
                prop_assert!(event.subject.is_some_and(|subject| is_about_measuring(&subject.alarm)));
            }
        }
    }
}
