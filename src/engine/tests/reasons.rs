//! Why a point has no value: when people are told, and of which alarm.

use super::super::reading::Fault;
use super::*;

/// Two faults within the delay of the alarm that tells of them, and a third one after it.
#[test]
fn another_reason_is_told_of_what_is_active_only() {
    let bad = AlarmSettings {
        on_delay: seconds(5.0),
        ..alarm(Rule::Bad)
    };
    let settings = Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![limit(Level::High, 8.0, 0.0), bad])
        }],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let changed = |engine: &mut Engine| -> Vec<_> {
        let events = drain(engine).into_iter();
        let changed = events.filter(|event| event.kind == EventKind::Changed);
        changed
            .map(|event| (event.subject.map(|of| of.alarm), event.details.reason))
            .collect()
    };
    let fails = |engine: &mut Engine, fault: Fault, t: f64| {
        read(engine, 0, Sample::Bad(fault), moment(t));
    };
    read(&mut engine, 0, Sample::measured(1.0), moment(0.0));
    fails(&mut engine, Fault::SensorFailure, 1.0);
    fails(&mut engine, Fault::DeviceFailure, 2.0);
    engine.tick(moment(6.0));
    assert_eq!(changed(&mut engine), []);
    fails(&mut engine, Fault::DeviceFailure, 7.0);
    assert_eq!(changed(&mut engine), [], "the same one");
    fails(&mut engine, Fault::SensorFailure, 70.0);
    let told = changed(&mut engine);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0.as_deref(), Some("P/bad"));
}
