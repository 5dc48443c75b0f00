//! Readings that are not believed yet, and how long they must last when another one comes between.

use super::*;

#[test]
fn a_step_that_began_anew_must_last_anew() {
    let signal = Signal {
        max_step: Some(5.0),
        settle: seconds(2.0),
        ..Signal::plain()
    };
    let settings = Settings {
        points: vec![PointSettings {
            signal: signal.into(),
            ..point("P", vec![limit(Level::High, 8.0, 0.0)])
        }],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for (t, value) in [(0.0, 1.0), (1.0, 9.0), (2.0, 1.0), (2.5, 9.0)] {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    engine.tick(moment(4.4));
    let raised = |events: Vec<Event>| {
        let raised = events.into_iter();
        let mut raised = raised.filter(|event| event.kind == EventKind::Raised);
        raised.next().map(|event| event.at.mono)
    };
    assert_eq!(raised(drain(&mut engine)), None);
    engine.tick(moment(6.0));
    assert_eq!(raised(drain(&mut engine)), Some(moment(4.5).mono));
}
