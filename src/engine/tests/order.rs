//! Readings that come twice or out of order (P11 of alarm-standards 1.8).

use proptest::prelude::*;

use super::*;

/// One reading a second: its value in halves, how long it was on its way, and how often it comes.
#[derive(Debug, Clone)]
struct Sent {
    value: u8,
    way: u32,
    copies: usize,
}

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let one = (0_u8..24, 0_u32..9, 1_usize..3);
    let one = one.prop_map(|(value, way, copies)| Sent { value, way, copies });
    prop::collection::vec(one, 1..40)
}

/// A limit with these delays (and no deadband, for a value within it counts only after another one) over what arrives, each reading with the time at which it was taken.
fn watch(arrivals: &[(f64, u32, u8)], on: f64, off: f64) -> Vec<Event> {
    let high = AlarmSettings {
        on_delay: seconds(on),
        off_delay: seconds(off),
        ..limit(Level::High, 8.0, 0.0)
    };
    let settings = Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![high])
        }],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut events = drain(&mut engine);
    for (at, taken, value) in arrivals {
        let sample = Sample::measured(f64::from(*value) / 2.0);
        engine.read(Reading {
            source_time: Some(moment(f64::from(*taken)).wall),
            sequence: Some(u64::from(*taken)),
            ..Reading::live(PointIndex(0), sample, moment(*at))
        });
        events.extend(drain(&mut engine));
    }
    engine.tick(moment(200.0));
    events.extend(drain(&mut engine));
    events
}

/// From when to when the alarm was active, late occurrences left out; without an end, for ever.
fn active(events: &[Event]) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = Vec::new();
    for event in events.iter().filter(|event| !event.details.late) {
        let at = event.at.mono.as_secs_f64();
        match (event.kind, spans.last_mut()) {
            (EventKind::Raised, _) => spans.push((at, f64::INFINITY)),
            (EventKind::Cleared, Some(last)) => last.1 = at,
            (_, _) => {}
        }
    }
    spans
}

proptest! {
    /// What comes twice, sooner or later, changes nothing.
    #[test]
    fn copies_change_nothing(sent in sent(), on in 0_u8..4, off in 0_u8..4) {
        let mut once = Vec::new();
        let mut twice = Vec::new();
        for (taken, one) in (0..).zip(&sent) {
            let at = f64::from(taken) + f64::from(one.way);
            once.push((at, taken, one.value));
            // Copies of one reading come half a second apart.
            twice.extend((0..one.copies).map(|copy| (at + copy as f64 / 2.0, taken, one.value)));
        }
        once.sort_by(|a, b| a.0.total_cmp(&b.0));
        twice.sort_by(|a, b| a.0.total_cmp(&b.0));
        let essence = |events: Vec<Event>| events.iter().map(told).collect::<Vec<_>>();
        prop_assert_eq!(
            essence(watch(&once, on.into(), off.into())),
            essence(watch(&twice, on.into(), off.into()))
        );
    }

    /// Whatever way the readings take within the window: what raises an alarm when each comes at once
    /// raises one soon, and it ends no earlier. With an on-delay it may, by less than a way and an off-delay: a
    /// value that would have held it and comes after the clear is a new excursion, which may be too short.
    #[test]
    fn no_order_hides_an_alarm(sent in sent(), on in 0_u8..4, off in 0_u8..4) {
        let at_once: Vec<_> = (0..).zip(&sent)
            .map(|(taken, one)| (f64::from(taken), taken, one.value))
            .collect();
        let mut arriving: Vec<_> = (0..).zip(&sent)
            .map(|(taken, one)| (f64::from(taken) + f64::from(one.way), taken, one.value))
            .collect();
        arriving.sort_by(|a, b| a.0.total_cmp(&b.0));
        let found = active(&watch(&arriving, on.into(), off.into()));
        for (from, to) in active(&watch(&at_once, on.into(), off.into())) {
            let raised = found.iter().any(|span| span.0 <= from + 10.0 && span.1 >= from);
            // A way takes 8 s at most.
            let slack = if on == 0 { 0.0 } else { f64::from(off) + 8.0 };
            let lasted = found.iter().any(|span| span.0 <= to + 9.0 && span.1 >= to - slack);
            prop_assert!(raised && lasted, "{from} to {to} in {found:?}");
        }
    }
}

/// A value from within the off-delay that comes after the clear: in order it would have stopped it.
#[test]
fn what_would_have_stopped_a_clear_brings_the_alarm_back() {
    for (taken, comes_back) in [(4, true), (5, true), (7, true), (8, false)] {
        let arrival = |second: u32| match second {
            0..4 => (f64::from(second), second, 16),
            second if second == taken => (9.5, second, 16),
            second => (f64::from(second), second, 0),
        };
        let mut arrivals: Vec<_> = (0..16).map(arrival).collect();
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        let spans = active(&watch(&arrivals, 2.0, 3.0));
        let cleared = if taken == 4 { 8.0 } else { 7.0 };
        let mut expected = vec![(2.0, cleared)];
        expected.extend(comes_back.then_some((9.5, 12.5)));
        assert_eq!(spans, expected, "{taken}");
    }
}

/// What an excursion that came behind its own end leaves behind: the next one that comes behind it is a part of
/// it, unless it was taken at the very end.
#[test]
fn one_excursion_is_added_for_all_that_come_behind_it() {
    for (second, added) in [(6, 1), (8, 2)] {
        let mut arrivals: Vec<_> = [0, 1, 3, 4, 5, 6, 7]
            .into_iter()
            .filter(|taken| *taken != second)
            .map(|taken| (f64::from(taken), taken, 0))
            .collect();
        // At 8 s the newest value holds still, and ends what the one of 2 s began.
        arrivals.extend([(8.0, 2, 18), (9.0, 9, 0), (9.5, second, 18)]);
        let events = watch(&arrivals, 0.0, 0.0);
        let raised = events
            .iter()
            .filter(|event| event.kind == EventKind::Raised);
        assert_eq!(raised.count(), added, "{second}");
    }
}

/// A value that shows a steep rise raises its alarm also when it comes behind a later one.
#[test]
fn a_slope_that_a_value_out_of_order_shows_is_one() {
    let settings = Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![rise(30.0)])
        }],
        ..Settings::default()
    };
    for (value, rises) in [(12.0, true), (0.0, false)] {
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        let in_order = (0..8).map(f64::from).map(|second| (second, second, 0.0));
        for (at, taken, value) in in_order.chain([(7.5, 6.5, value)]) {
            engine.read(Reading {
                source_time: Some(moment(taken).wall),
                ..Reading::live(PointIndex(0), Sample::measured(value), moment(at))
            });
        }
        let raised = drain(&mut engine)
            .iter()
            .any(|event| event.kind == EventKind::Raised);
        assert_eq!(raised, rises, "{value}");
    }
}
