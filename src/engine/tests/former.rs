//! The first verdict after a start is given by the rule of the life before, too: what only one setting of it held
//! is let go at once, and by the configuration.

use super::super::effect::Cause;
use super::super::settings::{Average, DeviationRule, ExposureRule, OverRangeRule, Reference};
use super::configured::life;
use super::*;

/// Seconds from the end of the condition to the clear, if the process ended it.
const OFF: f64 = 5.0;

/// Values from a time to another, one every `step` seconds.
#[derive(Clone, Copy)]
struct Course {
    from: u32,
    to: u32,
    step: u32,
    value: f64,
    per_second: f64,
}

fn flat(value: f64, (from, to): (u32, u32)) -> Course {
    Course {
        from,
        to,
        step: 1,
        value,
        per_second: 0.0,
    }
}

fn show(engine: &mut Engine, course: Course) {
    for second in (course.from..=course.to).step_by(course.step as usize) {
        let passed = f64::from(second - course.from);
        let value = course.per_second.mul_add(passed, course.value);
        read(engine, 0, Sample::measured(value), moment(second.into()));
    }
}

fn plant(rule: Rule) -> Settings {
    let alarm = AlarmSettings {
        off_delay: seconds(OFF),
        ..alarm(rule)
    };
    Settings {
        points: vec![PointSettings {
            stale_after: Some(seconds(400.0)),
            ..point("P", vec![alarm])
        }],
        ..Settings::default()
    }
}

/// When and by what the alarm ended that the rule before had raised.
fn ended(before: Rule, after: Rule, first: &[Course], second: &[Course]) -> Option<(f64, Cause)> {
    let mut engine = Engine::start(&plant(before), &History::default(), moment(0.0));
    first.iter().for_each(|course| show(&mut engine, *course));
    assert!(engine.snapshot().alarms[0].state.is_active(), "{before:?}");
    let last = first.last().expect("it raised the alarm").to;
    engine.stop(moment(f64::from(last) + 0.5));
    let (events, memories) = life(&mut engine);
    let newest = memories.iter().map(|memory| (&memory.alarm, memory));
    let newest: std::collections::BTreeMap<_, _> = newest.collect();
    let known = History {
        memories: newest.into_values().cloned().collect(),
        ..history(&events)
    };
    let begin = second.first().expect("it ends it").from;
    let mut engine = Engine::start(&plant(after), &known, moment(f64::from(begin) - 0.5));
    second.iter().for_each(|course| show(&mut engine, *course));
    let events = drain(&mut engine);
    let mut cleared = events
        .iter()
        .filter(|event| event.kind == EventKind::Cleared);
    let ended = cleared.next();
    ended.map(|event| (event.at.mono.as_secs_f64(), event.cause))
}

fn rate(limit_per_min: f64, deadband_per_min: f64) -> Rule {
    Rule::Rate(RateRule {
        direction: Direction::Rise,
        limit_per_min,
        deadband_per_min,
        significant: false,
        trend: 0,
    })
}

fn deviation(below: Option<f64>, above: Option<f64>, deadband: f64) -> Rule {
    Rule::Deviation(DeviationRule {
        from: Reference::Fixed(5.0),
        below,
        above,
        deadband,
        settle: Duration::ZERO,
    })
}

fn over_range(at: f64, deadband: f64) -> Rule {
    Rule::OverRange(OverRangeRule {
        at,
        bottom: 0.0,
        deadband,
        latching: false,
        reset_below: 5.0,
        reset_after: seconds(1.0),
    })
}

fn stel(limit: f64, deadband: f64) -> Rule {
    Rule::Exposure(ExposureRule {
        average: Average::ShortTerm,
        limit,
        deadband,
    })
}

/// By the configuration at once, by the process after the off-delay: at the first value but for a slope, which
/// needs six seconds of them.
#[test]
fn each_setting_of_a_former_rule_may_be_what_held_the_alarm() {
    let (at_once, later) = (
        |at: f64| Some((at, Cause::Config)),
        |at: f64| Some((at + OFF, Cause::Process)),
    );
    let high = |value| flat(value, (0, 9));
    let then = |value| flat(value, (10, 30));
    let line = |from: u32, to: u32, per_min: f64| Course {
        per_second: per_min / 60.0,
        ..flat(1.0, (from, to))
    };
    let (steep, gentle, level) = (line(0, 9, 10.0), line(10, 30, 1.0), line(10, 30, 0.0));
    let both = deviation(Some(1.0), Some(2.0), 0.5);
    for (name, before, after, first, second, end) in [
        (
            "limit of a slope",
            rate(3.0, 0.5),
            rate(30.0, 0.5),
            steep,
            line(10, 30, 10.0),
            at_once(16.0),
        ),
        (
            "deadband of a slope",
            rate(3.0, 2.5),
            rate(3.0, 0.5),
            steep,
            gentle,
            at_once(16.0),
        ),
        (
            "slope, over by both",
            rate(3.0, 2.5),
            rate(3.0, 0.5),
            steep,
            level,
            later(16.0),
        ),
        (
            "below",
            both,
            deviation(Some(6.0), Some(2.0), 0.5),
            high(2.0),
            then(2.0),
            at_once(10.0),
        ),
        (
            "no more below",
            both,
            deviation(None, Some(2.0), 0.5),
            high(2.0),
            then(2.0),
            at_once(10.0),
        ),
        (
            "above",
            both,
            deviation(Some(1.0), Some(6.0), 0.5),
            high(9.0),
            then(9.0),
            at_once(10.0),
        ),
        (
            "no more above",
            both,
            deviation(Some(1.0), None, 0.5),
            high(9.0),
            then(9.0),
            at_once(10.0),
        ),
        (
            "deadband of a deviation",
            deviation(None, Some(2.0), 1.5),
            deviation(None, Some(2.0), 0.5),
            high(9.0),
            then(6.0),
            at_once(10.0),
        ),
        (
            "below now, and above as before",
            deviation(None, Some(2.0), 0.5),
            both,
            high(9.0),
            then(5.0),
            later(10.0),
        ),
        (
            "full scale",
            over_range(8.0, 1.0),
            over_range(12.0, 1.0),
            high(9.0),
            then(9.0),
            at_once(10.0),
        ),
        (
            "its deadband",
            over_range(8.0, 3.0),
            over_range(8.0, 1.0),
            high(9.0),
            then(6.0),
            at_once(10.0),
        ),
        (
            "over range, over by both",
            over_range(8.0, 3.0),
            over_range(8.0, 1.0),
            high(9.0),
            then(4.0),
            later(10.0),
        ),
    ] {
        assert_eq!(ended(before, after, &[first], &[second]), end, "{name}");
    }
    // With another reference the old limit cannot be asked.
    let elsewhere = Rule::Deviation(DeviationRule {
        from: Reference::Fixed(9.0),
        below: None,
        above: Some(6.0),
        deadband: 0.5,
        settle: Duration::ZERO,
    });
    let before = deviation(None, Some(2.0), 0.5);
    let end = ended(before, elsewhere, &[high(9.0)], &[then(13.0)]);
    assert_eq!(end, Some((10.0 + OFF, Cause::Config)));
}

#[test]
fn each_setting_of_an_average_may_be_what_held_the_alarm() {
    let steady = flat(31.0, (0, 905));
    let limit = ended(
        stel(30.0, 5.0),
        stel(60.0, 5.0),
        &[steady],
        &[flat(31.0, (906, 920))],
    );
    assert_eq!(limit, Some((906.0, Cause::Config)));
    // The average falls to 28: out of the alarm by the narrower deadband only.
    let falling = [steady, flat(20.0, (906, 1150))];
    let after = [flat(20.0, (1151, 1160))];
    let deadband = ended(stel(30.0, 5.0), stel(30.0, 1.0), &falling, &after);
    assert_eq!(deadband, Some((1151.0, Cause::Config)));
    let over = [flat(0.0, (906, 2000))];
    let over = ended(stel(30.0, 5.0), stel(30.0, 1.0), &[steady], &over);
    assert_eq!(over.map(|(_, cause)| cause), Some(Cause::Process));
}

/// Five minutes were not seen. Once enough of the average is, between two values, it is judged as well.
#[test]
fn an_average_that_comes_to_a_verdict_between_values_is_over_by_the_configuration() {
    let seldom = Course {
        step: 60,
        ..flat(60.0, (1_200, 2_400))
    };
    let ended = ended(
        stel(30.0, 5.0),
        stel(200.0, 5.0),
        &[flat(31.0, (0, 900))],
        &[seldom],
    );
    assert_eq!(ended, Some((1_875.0, Cause::Config)));
}
