//! What ends an alarm (P4 of alarm-standards 1.8): a fresh value, in its order, that is not bad.

use proptest::prelude::*;

use super::super::reading::Fault;
use super::*;

/// What comes in a second beside the live value: how long ago it was taken, and what it is.
#[derive(Debug, Clone, Copy)]
enum Beside {
    Nothing,
    /// The live value once more.
    Again,
    /// Out of order, or history.
    Old(u32, u8),
    /// The sensor says that it has failed.
    Bad,
    /// A message that the broker kept.
    Retained(u8),
}

fn beside() -> impl Strategy<Value = Beside> {
    prop_oneof![
        4 => Just(Beside::Nothing),
        1 => Just(Beside::Again),
        2 => (1_u32..40, 0_u8..24).prop_map(|(age, value)| Beside::Old(age, value)),
        1 => Just(Beside::Bad),
        1 => (0_u8..24).prop_map(Beside::Retained),
    ]
}

/// Point `A` of the plant, which has every kind of limit, delays, and a group that votes on it.
fn reading(measured: Sample, taken: f64, received: f64, number: u64) -> Reading {
    Reading {
        source_time: Some(moment(taken).wall),
        sequence: Some(number),
        ..Reading::live(PointIndex(0), measured, moment(received))
    }
}

fn value(halves: u8) -> Sample {
    Sample::measured(f64::from(halves) / 2.0)
}

fn ends_an_alarm(event: &Event) -> bool {
    let subject = event.subject.as_ref();
    event.kind == EventKind::Cleared
        && subject.is_some_and(|subject| !is_about_measuring(&subject.alarm))
}

proptest! {
    /// Whatever comes late, twice, retained or bad: no alarm about the process ends with it.
    #[test]
    fn only_fresh_values_end_alarms(
        seconds in prop::collection::vec((0_u8..24, beside()), 1..120),
    ) {
        let mut engine = Engine::start(&plant(), &History::default(), moment(0.0));
        for (second, (halves, beside)) in (50_u32..).zip(seconds) {
            let t = f64::from(second);
            let number = u64::from(second) * 2;
            let live = reading(value(halves), t, t, number);
            engine.read(live);
            // What is due happens before, and by itself.
            engine.tick(moment(t));
            drain(&mut engine);
            let old = |age| t - f64::from(age);
            let beside = match beside {
                Beside::Nothing => continue,
                Beside::Again => live,
                Beside::Old(age, halves) => {
                    reading(value(halves), old(age), t, number - 2 * u64::from(age) + 1)
                }
                Beside::Bad => reading(Sample::Bad(Fault::SensorFailure), t, t, number + 1),
                Beside::Retained(halves) => Reading {
                    retained: true,
                    ..reading(value(halves), t, t, number + 1)
                },
            };
            engine.read(beside);
            let events = drain(&mut engine);
            // An excursion that a reading out of order adds begins and ends with it.
            let began = |event: &Event| {
                let raised = events.iter().filter(|event| event.kind == EventKind::Raised);
                raised.map(told).any(|raised| (raised.1, raised.2) == (told(event).1, told(event).2))
            };
            let mut ended = events.iter().filter(|event| ends_an_alarm(event));
            let ended = ended.find(|event| !began(event));
            prop_assert!(ended.is_none(), "{:?} ended {:?}", beside, ended);
        }
    }
}
