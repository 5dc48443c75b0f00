//! Averages in the engine: timers, memory, pauses, and what over-range makes of them.

use super::*;
use crate::engine::memory::{CONFIGURATION, Memory};
use crate::engine::reading::Fault;
use crate::engine::settings::{Average, ExposureRule, Origin, OverRangeRule};
use crate::engine::snapshot::ExposureView;

fn average(average: Average, limit: f64) -> AlarmSettings {
    alarm(Rule::Exposure(ExposureRule {
        average,
        limit,
        deadband: limit / 20.0,
    }))
}

fn detector(alarms: Vec<AlarmSettings>) -> Settings {
    Settings {
        points: vec![point("G", alarms)],
        ..Settings::default()
    }
}

/// A value every five seconds, from `from` up to `to`.
fn steady(engine: &mut Engine, value: f64, (from, to): (u32, u32)) {
    for t in (from..=to).step_by(5) {
        read(engine, 0, Sample::measured(value), moment(f64::from(t)));
    }
}

fn stel(engine: &Engine) -> ExposureView {
    let snapshot = engine.snapshot();
    snapshot.points[0].stel.expect("something was seen")
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-3, "{found}, not {expected}");
}

/// Memories and events in the order in which the shells get them.
fn effects(engine: &mut Engine) -> (Vec<Memory>, Vec<&'static str>) {
    let (mut memories, mut order) = (Vec::new(), Vec::new());
    while let Some(effect) = engine.poll_effect() {
        match effect {
            Effect::Event(event) => order.push(event.kind.name()),
            Effect::Remember(memory) => {
                order.push("memory");
                memories.push(*memory);
            }
        }
    }
    (memories, order)
}

#[test]
fn what_was_seen_is_remembered_once_a_minute_and_at_the_end() {
    let settings = detector(vec![average(Average::ShortTerm, 30.0)]);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    // What is configured, for the next start.
    let (memories, order) = effects(&mut engine);
    assert_eq!(order, ["started", "memory"]);
    assert_eq!(&*memories[0].alarm, CONFIGURATION);
    steady(&mut engine, 10.0, (0, 200));
    let (memories, _) = effects(&mut engine);
    let times: Vec<_> = memories.iter().map(|memory| memory.at).collect();
    assert_eq!(times, [60.0, 120.0, 180.0].map(|t| moment(t).wall));
    engine.stop(moment(203.0));
    let (memories, order) = effects(&mut engine);
    assert_eq!(order, ["memory", "stopped"], "one transaction takes both");
    assert_eq!(memories[0].at, moment(203.0).wall);

    let history = History {
        memories,
        ..History::default()
    };
    let engine = Engine::start(&settings, &history, moment(213.0));
    let found = stel(&engine);
    near(found.average, 10.0 * 203.0 / 900.0);
    near(found.coverage, 203.0 / 900.0);
    near(found.upper_bound, 10.0 * 213.0 / 900.0);
}

#[test]
fn a_memory_of_another_alarm_or_method_changes_nothing() {
    let settings = detector(vec![average(Average::Dose, 30.0)]);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    steady(&mut engine, 10.0, (0, 600));
    let (memories, _) = effects(&mut engine);
    let history = History {
        memories,
        ..History::default()
    };
    let moving = detector(vec![average(Average::Shift, 30.0)]);
    let engine = Engine::start(&moving, &history, moment(601.0));
    assert_eq!(engine.snapshot().points[0].twa, None);
}

/// Numbers of another size have no sum with those before; a new instrument at the same place has.
#[test]
fn an_average_outlives_its_instrument_and_not_its_unit() {
    let from = |unit: &str, device: &str| {
        let mut settings = detector(vec![average(Average::ShortTerm, 30.0)]);
        settings.points[0].unit = unit.into();
        settings.points[0].origin = Some(Origin {
            words: device.into(),
            poll: None,
        });
        settings
    };
    for (after, kept) in [
        (from("ppm", "old"), true),
        (from("ppm", "new"), true),
        (from("ppb", "old"), false),
    ] {
        let mut engine = Engine::start(&from("ppm", "old"), &History::default(), moment(0.0));
        steady(&mut engine, 10.0, (0, 300));
        engine.stop(moment(300.0));
        let (events, memories) = super::configured::life(&mut engine);
        let known = History {
            memories,
            ..history(&events)
        };
        let mut engine = Engine::start(&after, &known, moment(301.0));
        let seen = engine.snapshot().points[0].stel;
        assert_eq!(seen.is_some(), kept, "{:?}", after.points[0]);
        let events = drain(&mut engine);
        let mut messages = events
            .iter()
            .filter_map(|event| event.details.message.as_deref());
        let said = messages.any(|message| message.ends_with("; the average begins anew"));
        assert_eq!(said, !kept);
    }
}

#[test]
fn time_in_which_nobody_watched_is_unseen() {
    let settings = detector(vec![average(Average::ShortTerm, 30.0)]);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    steady(&mut engine, 10.0, (0, 100));
    engine.paused(moment(101.0), moment(401.0));
    steady(&mut engine, 10.0, (405, 450));
    let found = stel(&engine);
    near(found.coverage, (101.0 + 45.0) / 900.0);
    near(found.average, 10.0 * (101.0 + 45.0) / 900.0);
}

#[test]
fn an_average_rises_by_its_timer_while_a_value_holds() {
    let silent = PointSettings {
        stale_after: Some(seconds(400.0)),
        ..point("G", vec![average(Average::ShortTerm, 10.0)])
    };
    let settings = Settings {
        points: vec![silent],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    read(&mut engine, 0, Sample::measured(60.0), moment(0.0));
    drain(&mut engine);
    engine.tick(moment(300.0));
    let raised = drain(&mut engine);
    assert_eq!(told(&raised[0]).0, EventKind::Raised);
    // 10 are reached at 150 s, which is a time of the grid.
    near(raised[0].at.mono.as_secs_f64(), 150.0);
}

#[test]
fn while_over_range_is_held_it_counts_as_the_full_scale() {
    let settings = detector(vec![
        average(Average::ShortTerm, 500.0),
        alarm(Rule::OverRange(OverRangeRule {
            at: 100.0,
            bottom: 0.0,
            deadband: 2.0,
            latching: true,
            reset_below: 23.0,
            reset_after: seconds(60.0),
        })),
    ]);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    steady(&mut engine, 100.0, (0, 0));
    steady(&mut engine, 2.0, (5, 450));
    // The value that raised it, and all that were read after it.
    near(stel(&engine).average, 100.0 * 450.0 / 900.0);
}

#[test]
fn a_new_dose_is_on_disk_with_the_reset_that_began_it() {
    let settings = detector(vec![average(Average::Dose, 30.0)]);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    steady(&mut engine, 50.0, (0, 590));
    effects(&mut engine);
    let done = engine.command(&reset("G/twa"), moment(592.0));
    assert!(done.is_ok(), "a dose may be reset at any time: {done:?}");
    let (memories, order) = effects(&mut engine);
    assert_eq!(order, ["memory", "reset"]);
    let history = History {
        memories,
        ..History::default()
    };
    let engine = Engine::start(&settings, &history, moment(605.0));
    let twa = engine.snapshot().points[0].twa;
    assert!(twa.is_none_or(|twa| twa.average < 0.01), "{twa:?}");
}

/// Enough was seen for a verdict, but the value is away: time alone ends nothing.
#[test]
fn no_average_ends_by_its_timer_while_the_value_is_away() {
    let settings = detector(vec![average(Average::ShortTerm, 30.0), alarm(Rule::Bad)]);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    steady(&mut engine, 100.0, (0, 300));
    steady(&mut engine, 0.0, (305, 930));
    let active = |engine: &Engine| engine.snapshot().alarms[0].state.is_active();
    assert!(active(&engine));
    assert!(engine.snapshot().alarms[0].exposure.is_some());
    read(
        &mut engine,
        0,
        Sample::Bad(Fault::SensorFailure),
        moment(931.0),
    );
    engine.tick(moment(1_000.0));
    assert!(stel(&engine).coverage > 0.9 && stel(&engine).average < 25.0);
    assert!(active(&engine));
    steady(&mut engine, 0.0, (1_005, 1_010));
    assert!(!active(&engine));
}
