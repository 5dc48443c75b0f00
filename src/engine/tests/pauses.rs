//! Nobody watched for a while: what must not follow from it, and what silence may confirm.

use super::super::reading::Fault;
use super::*;

/// One point with a limit at 8, both delays 5 s, stale after 10 s, and its alarms about a missing value.
fn watched() -> Engine {
    let high = AlarmSettings {
        on_delay: seconds(5.0),
        off_delay: seconds(5.0),
        ..limit(Level::High, 8.0, 0.0)
    };
    let settings = Settings {
        points: vec![point("P", vec![high, alarm(Rule::Bad), alarm(Rule::Stale)])],
        ..Settings::default()
    };
    Engine::start(&settings, &History::default(), moment(0.0))
}

fn value(engine: &mut Engine, value: f64, t: f64) {
    read(engine, 0, Sample::measured(value), moment(t));
}

/// Kinds, alarms and times, without the start.
fn story(engine: &mut Engine) -> Vec<(EventKind, String, f64)> {
    let events = drain(engine);
    let lines = events.iter().map(told).map(|(kind, alarm, _, at)| {
        let alarm = alarm.map_or_else(String::new, |alarm| alarm.to_string());
        (kind, alarm, at)
    });
    lines.filter(|line| line.0 != EventKind::Started).collect()
}

fn line(kind: EventKind, alarm: &str, at: f64) -> (EventKind, String, f64) {
    (kind, alarm.to_owned(), at)
}

#[test]
fn a_gap_is_no_silence() {
    let mut engine = watched();
    value(&mut engine, 5.0, 1.0);
    engine.paused(moment(2.0), moment(23.0));
    let events = drain(&mut engine);
    let gap = events.last().expect("the gap is told");
    assert_eq!(gap.kind, EventKind::MonitoringGap);
    assert_eq!(gap.details.from, Some(moment(2.0).wall));
    assert_eq!(gap.details.to, Some(moment(23.0).wall));
    engine.tick(moment(31.9));
    assert_eq!(story(&mut engine), []);
    // One second of silence before the gap, nine after it.
    engine.tick(moment(40.0));
    assert_eq!(
        story(&mut engine),
        [line(EventKind::Raised, "P/stale", 32.0)]
    );
}

#[test]
fn delays_begin_anew_after_a_gap() {
    let mut engine = watched();
    value(&mut engine, 9.0, 1.0);
    engine.paused(moment(2.0), moment(23.0));
    value(&mut engine, 9.0, 24.0);
    engine.tick(moment(30.0));
    let gap = line(EventKind::MonitoringGap, "", 23.0);
    assert_eq!(
        story(&mut engine),
        [gap, line(EventKind::Raised, "P/high", 28.0)]
    );
    value(&mut engine, 5.0, 31.0);
    engine.paused(moment(32.0), moment(50.0));
    value(&mut engine, 9.0, 51.0);
    engine.tick(moment(57.0));
    let gap = line(EventKind::MonitoringGap, "", 50.0);
    assert_eq!(story(&mut engine), [gap]);
}

#[test]
fn a_confirmation_begins_anew_after_a_gap() {
    let mut engine = watched();
    read(
        &mut engine,
        0,
        Sample::Bad(Fault::NoCommunication),
        moment(1.0),
    );
    value(&mut engine, 5.0, 2.0);
    engine.paused(moment(3.0), moment(24.0));
    engine.tick(moment(28.0));
    assert_eq!(
        story(&mut engine),
        [
            line(EventKind::Raised, "P/bad", 1.0),
            line(EventKind::MonitoringGap, "", 24.0),
            line(EventKind::Cleared, "P/bad", 27.0),
        ]
    );
}

#[test]
fn what_was_due_before_the_gap_happened_then() {
    let mut engine = watched();
    value(&mut engine, 9.0, 1.0);
    engine.paused(moment(6.5), moment(30.0));
    assert_eq!(
        story(&mut engine),
        [
            line(EventKind::Raised, "P/high", 6.0),
            line(EventKind::MonitoringGap, "", 30.0),
        ]
    );
}

/// One good value and then silence: the point is not good again, however long it takes to confirm.
#[test]
fn silence_confirms_nothing() {
    for confirm in [10.0, 15.0] {
        let settings = Settings {
            points: vec![PointSettings {
                good_confirm: seconds(confirm),
                ..point("P", vec![alarm(Rule::Bad), alarm(Rule::Stale)])
            }],
            ..Settings::default()
        };
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        read(
            &mut engine,
            0,
            Sample::Bad(Fault::NoCommunication),
            moment(1.0),
        );
        value(&mut engine, 5.0, 2.0);
        engine.tick(moment(60.0));
        let cleared = story(&mut engine);
        assert!(
            cleared.iter().all(|line| line.0 != EventKind::Cleared),
            "{confirm}: {cleared:?}"
        );
    }
}

/// A caller whose second time lies before its first has noticed no gap, and nothing is due the sooner for it.
#[test]
fn a_gap_that_ends_before_it_began_is_none() {
    let high = AlarmSettings {
        on_delay: seconds(3.0),
        ..limit(Level::High, 8.0, 1.0)
    };
    let settings = Settings {
        points: vec![point("P", vec![high])],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    read(&mut engine, 0, Sample::measured(9.0), moment(9.0));
    engine.paused(moment(10.0), moment(5.0));
    engine.tick(moment(20.0));
    let raised = drain(&mut engine).into_iter();
    let raised = raised.filter(|event| event.kind == EventKind::Raised);
    let at: Vec<_> = raised.map(|event| event.at.mono).collect();
    assert_eq!(at[..1], [moment(13.0).mono]);
}
