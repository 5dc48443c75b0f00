//! More delayed readings than are kept to be put in order.

use super::*;

/// The times of late occurrences found in an hour of readings that come in one second, `swapped` or in order.
fn found(swapped: bool) -> Vec<(Option<Wall>, Option<Wall>)> {
    let settings = Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![limit(Level::High, 8.0, 0.0)])
        }],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let hour = 3600.0;
    let read = |engine: &mut Engine, taken: f64, value: f64, at: f64| {
        engine.read(Reading {
            source_time: Some(moment(taken).wall),
            ..Reading::live(PointIndex(0), Sample::measured(value), moment(at))
        });
    };
    for second in 0..5 {
        read(&mut engine, f64::from(second), 1.0, f64::from(second));
    }
    read(&mut engine, hour, 1.0, hour);
    let mut seconds: Vec<u32> = (5..3600).collect();
    if swapped {
        seconds.swap(1, 2);
    }
    for (place, second) in seconds.into_iter().enumerate() {
        let over = (300..310).contains(&second) || (2000..2300).contains(&second);
        let value = if over { 9.0 } else { 1.0 };
        let at = hour + 1.0 + place as f64 / 10_000.0;
        read(&mut engine, f64::from(second), value, at);
    }
    engine.tick(moment(hour + 60.0));
    let events = drain(&mut engine).into_iter();
    let late = events.filter(|event| event.kind == EventKind::Raised && event.details.late);
    late.map(|event| (event.details.raised_at, event.details.cleared_at))
        .collect()
}

#[test]
fn a_long_burst_is_judged_whole_whatever_its_order() {
    let wall = |second| Some(moment(second).wall);
    let expected = [(wall(300.0), wall(310.0)), (wall(2000.0), wall(2300.0))];
    assert_eq!(found(false), expected);
    assert_eq!(found(true), expected);
}
