//! What must hold for random traces as a whole: repeated, with more ticks, with clock steps, with a kill.

use proptest::prelude::*;

use super::super::effect::Subject;
use super::super::snapshot::DrillView;
use super::traces::{Happening, apply, run, trace};
use super::*;

proptest! {
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
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        let mut stepped = drain(&mut engine);
        let mut offset = 0.0;
        for (index, (t, happening)) in trace.iter().enumerate() {
            offset += steps.iter().filter(|(at, _)| *at == index).map(|(_, by)| f64::from(*by)).sum::<f64>();
            let mut at = moment(*t);
            at.wall = if offset < 0.0 { at.wall - seconds(-offset) } else { at.wall + seconds(offset) };
            apply(&mut engine, at, happening);
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
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        let mut events = drain(&mut engine);
        let cut = cut.min(trace.len());
        for (t, happening) in &trace[..cut] {
            apply(&mut engine, moment(*t), happening);
            events.extend(drain(&mut engine));
        }
        let t = trace[..cut].last().map_or(0.0, |(t, _)| *t);
        engine.tick(moment(t));
        events.extend(drain(&mut engine));
        let known = history(&events);
        let before = engine.snapshot();
        let running = |drills: &[DrillView]| drills.iter().map(|drill| drill.record.clone()).collect::<Vec<_>>();
        let mut engine = Engine::start(&settings, &known, moment(t));
        for event in drain(&mut engine) {
            prop_assert_eq!(event.kind, EventKind::Started, "{:?}", event);
        }
        prop_assert_eq!(running(&before.drills), running(&engine.snapshot().drills));
        for (old, new) in before.alarms.iter().zip(engine.snapshot().alarms) {
            prop_assert_eq!((&old.confirmed, &old.unconfirmed), (&new.confirmed, &new.unconfirmed));
            prop_assert_eq!((old.state, old.occurrence, old.older_unacknowledged, &old.acknowledged, old.raised_at, &old.cover),
                (new.state, new.occurrence, new.older_unacknowledged, &new.acknowledged, new.raised_at, &new.cover));
        }
        // Without a reading nothing about the process clears, however long it takes.
        engine.tick(moment(t + 1000.0));
        for event in drain(&mut engine) {
            if event.subject.as_ref().is_some_and(Subject::is_drill) {
                continue;
            }
            let allowed = matches!(event.kind, EventKind::Raised | EventKind::Changed
                | EventKind::Unshelved | EventKind::InService | EventKind::Realarmed);
            prop_assert!(allowed, "{:?}", event);
            if event.kind == EventKind::Raised {
                prop_assert!(event.subject.is_some_and(|subject| is_about_measuring(&subject.alarm)));
            }
        }
    }
}
