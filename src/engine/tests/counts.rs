//! Conditions that are counted, in the engine: timers, restarts, and readings that are not of the present.

use super::super::settings::{
    CountRule, DeviationRule, ForecastRule, FrozenRule, MedianRule, Reference,
};
use super::*;

/// `high` after two times within 20 s, clearing 2 s after the value is inside.
fn counted() -> Settings {
    let high = AlarmSettings {
        off_delay: seconds(2.0),
        count: Some(CountRule {
            times: 2,
            within: seconds(20.0),
        }),
        ..limit(Level::High, 8.0, 0.0)
    };
    Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![high])
        }],
        ..Settings::default()
    }
}

fn feed(engine: &mut Engine, values: &[(f64, f64)]) -> Vec<(EventKind, f64)> {
    for (t, value) in values {
        read(engine, 0, Sample::measured(*value), moment(*t));
    }
    seen(engine)
}

fn seen(engine: &mut Engine) -> Vec<(EventKind, f64)> {
    let events = drain(engine);
    let own = events.iter().filter(|event| event.subject.is_some());
    own.map(|event| (event.kind, event.at.mono.as_secs_f64()))
        .collect()
}

#[test]
fn it_clears_between_readings_when_the_instants_are_old() {
    let settings = counted();
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let told = feed(
        &mut engine,
        &[(0.0, 9.0), (1.0, 5.0), (4.0, 9.0), (5.0, 5.0)],
    );
    assert_eq!(told, [(EventKind::Raised, 4.0)]);
    engine.tick(moment(19.9));
    assert_eq!(seen(&mut engine), []);
    engine.tick(moment(30.0));
    assert_eq!(seen(&mut engine), [(EventKind::Cleared, 20.0)]);
    // The same when no delay has ended since the raise.
    let mut settings = counted();
    settings.points[0].alarms[0].off_delay = Duration::ZERO;
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    feed(&mut engine, &[(0.0, 9.0), (1.0, 5.0), (4.0, 9.0)]);
    feed(&mut engine, &[(5.0, 5.0)]);
    engine.tick(moment(30.0));
    assert_eq!(seen(&mut engine), [(EventKind::Cleared, 20.0)]);
}

#[test]
fn a_younger_instant_keeps_it() {
    let settings = counted();
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    feed(
        &mut engine,
        &[
            (0.0, 9.0),
            (1.0, 5.0),
            (4.0, 9.0),
            (5.0, 5.0),
            (15.0, 9.0),
            (16.0, 5.0),
        ],
    );
    engine.tick(moment(100.0));
    assert_eq!(seen(&mut engine), [(EventKind::Cleared, 24.0)]);
    assert!(engine.agenda.len() < 3);
}

#[test]
fn what_was_active_before_a_restart_has_its_off_delay() {
    let settings = counted();
    let mut before = Engine::start(&settings, &History::default(), moment(0.0));
    for (t, value) in [(0.0, 9.0), (1.0, 5.0), (4.0, 9.0)] {
        read(&mut before, 0, Sample::measured(value), moment(t));
    }
    let history = history(&drain(&mut before));
    let mut engine = Engine::start(&settings, &history, moment(0.0));
    seen(&mut engine);
    assert_eq!(feed(&mut engine, &[(1.0, 5.0), (2.0, 5.0)]), []);
    engine.tick(moment(9.0));
    assert_eq!(seen(&mut engine), [(EventKind::Cleared, 3.0)]);
}

#[test]
fn what_is_not_of_the_present_is_not_counted() {
    let settings = counted();
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut heard = |value: f64, taken: f64, at: f64| {
        engine.read(Reading {
            source_time: Some(moment(taken).wall),
            ..Reading::live(PointIndex(0), Sample::measured(value), moment(at))
        });
        seen(&mut engine)
    };
    for second in 0..30 {
        let t = f64::from(second);
        assert_eq!(heard(5.0, t, t), [], "live");
        if second > 20 {
            assert_eq!(heard(9.0, t - 3.5, t), [], "out of order");
            assert_eq!(heard(9.0, t - 19.5, t), [], "history");
            assert_eq!(heard(5.0, t - 19.2, t), [], "history");
        }
    }
    engine.tick(moment(90.0));
    assert_eq!(seen(&mut engine), []);
}

/// Windows, runs and instants have their room from the start.
#[test]
fn rules_with_a_memory_allocate_nothing() {
    let usual = alarm(Rule::Deviation(DeviationRule {
        from: Reference::Median(MedianRule {
            window: seconds(60.0),
        }),
        below: Some(50.0),
        above: Some(50.0),
        deadband: 1.0,
        settle: Duration::ZERO,
    }));
    let frozen = alarm(Rule::Frozen(FrozenRule {
        after: seconds(30.0),
        tolerance: 0.5,
        rests_at_zero: false,
        gate: None,
    }));
    let mut settings = counted();
    settings.points[0].alarms.extend([usual, frozen]);
    settings.points[0].alarms[0].count = Some(CountRule {
        times: 100,
        within: seconds(20.0),
    });
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    drain(&mut engine);
    let mut run = |from: u32, to: u32| {
        for t in from..to {
            // It moves, and is beyond the limit now and then.
            let value = 5.0 + f64::from(t % 5);
            read(
                &mut engine,
                0,
                Sample::measured(value),
                moment(f64::from(t) / 4.0),
            );
        }
    };
    run(0, 1_000);
    let counted = allocation_counter::measure(|| run(1_000, 4_000));
    assert_eq!(counted.count_total, 0);
}

/// It foretells the limit itself: once that is passed there is nothing left to foretell, however many times
/// it takes until somebody is called.
#[test]
fn a_forecast_lasts_while_its_limit_is_passed_and_only_counted() {
    let mut settings = counted();
    settings.points[0]
        .alarms
        .push(alarm(Rule::Forecast(ForecastRule {
            to: Level::High,
            limit: 8.0,
            within: seconds(60.0),
            confirmations: 1,
            trend: 0,
        })));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let rising = (0_u32..10).map(|t| (f64::from(t), 1.0 + 0.75 * f64::from(t)));
    let flat = (10_u32..30).map(|t| (f64::from(t), 8.5));
    for (t, value) in rising.chain(flat) {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    let states = |engine: &Engine| {
        let alarms = engine.snapshot().alarms;
        [0, 1].map(|index| alarms[index].state.is_active())
    };
    assert_eq!(states(&engine), [false, true]);
    for t in (30_u32..45).map(f64::from) {
        read(&mut engine, 0, Sample::measured(1.0), moment(t));
    }
    assert_eq!(states(&engine), [false, false]);
}
