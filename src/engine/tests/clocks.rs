//! Clocks that step (P12 of alarm-standards 1.8), for readings that have a time of their own.

use proptest::prelude::*;

use super::*;

/// What one second brings: a value in halves, and by how much the gateway's clock steps before it.
fn seconds_of_life() -> impl Strategy<Value = Vec<(u8, i32)>> {
    let step = prop_oneof![9 => Just(0), 1 => -90_000_i32..90_000];
    prop::collection::vec((0_u8..24, step), 1..80)
}

/// What a source with a right clock brings about, with or without the steps of ours.
fn lived(life: &[(u8, i32)], steps: bool) -> Vec<(EventKind, Option<Arc<str>>, u64, f64)> {
    let high = AlarmSettings {
        on_delay: seconds(2.0),
        off_delay: seconds(3.0),
        ..limit(Level::High, 8.0, 1.0)
    };
    let alarms = [Rule::Bad, Rule::Stale, Rule::Clock].map(alarm);
    let settings = Settings {
        points: vec![point("P", [vec![high, rise(30.0)], alarms.into()].concat())],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut events = drain(&mut engine);
    let mut offset = 0.0;
    for (second, (value, step)) in (1_u32..).zip(life) {
        offset += if steps { f64::from(*step) } else { 0.0 };
        let taken = moment(f64::from(second));
        let mut received = taken.after(seconds(0.25));
        received.wall = if offset < 0.0 {
            received.wall - seconds(-offset)
        } else {
            received.wall + seconds(offset)
        };
        engine.read(Reading {
            source_time: Some(taken.wall),
            ..Reading::live(
                PointIndex(0),
                Sample::measured(f64::from(*value) / 2.0),
                received,
            )
        });
        events.extend(drain(&mut engine));
    }
    let of_alarms = events.iter().filter(|event| event.subject.is_some());
    of_alarms.map(told).collect()
}

proptest! {
    /// Steps of the gateway's clock, by a day in either direction, change no alarm and no time.
    #[test]
    fn steps_of_our_clock_change_nothing(life in seconds_of_life()) {
        prop_assert_eq!(lived(&life, true), lived(&life, false));
    }
}
