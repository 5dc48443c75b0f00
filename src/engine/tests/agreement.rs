//! Against independent models, and how outcomes move with the settings.

use proptest::prelude::*;

use super::*;

/// One good value a second; what one `high` alarm makes of it, as (second, raised or cleared).
fn episodes(alarm: AlarmSettings, values: &[f64]) -> Vec<(f64, EventKind)> {
    let settings = Settings {
        points: vec![point("P", vec![alarm])],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut events = Vec::new();
    for (t, value) in (0_u32..).zip(values) {
        read(
            &mut engine,
            0,
            Sample::measured(*value),
            moment(f64::from(t)),
        );
        engine.tick(moment(f64::from(t)));
        events.extend(drain(&mut engine));
    }
    let of_alarm = events.iter().filter(|event| event.subject.is_some());
    of_alarm
        .map(|event| (event.at.mono.as_secs_f64(), event.kind))
        .collect()
}

fn high(deadband: f64, on: f64, off: f64) -> AlarmSettings {
    AlarmSettings {
        on_delay: seconds(on),
        off_delay: seconds(off),
        ..limit(Level::High, 8.0, deadband)
    }
}

fn raises(alarm: AlarmSettings, values: &[f64]) -> usize {
    let events = episodes(alarm, values);
    events
        .iter()
        .filter(|(_, kind)| *kind == EventKind::Raised)
        .count()
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((8_u8..24).prop_map(|value| f64::from(value) / 2.0), 1..120)
}

proptest! {
    /// A limit with deadband and delays, by looking back over the whole trace.
    #[test]
    fn a_limit_agrees_with_looking_back(
        values in values(), deadband in 0_u8..4, on in 0_u8..5, off in 0_u8..5,
    ) {
        let (deadband, on, off) = (f64::from(deadband) / 2.0, f64::from(on), f64::from(off));
        let (mut active, mut since, mut expected) = (false, None, Vec::new());
        for (t, value) in (0_u32..).zip(&values) {
            let t = f64::from(t);
            let wanted = if active { *value < 8.0 - deadband } else { *value >= 8.0 };
            since = if wanted { since.or(Some(t)) } else { None };
            if since.is_some_and(|since| t - since >= if active { off } else { on }) {
                expected.push((t, if active { EventKind::Cleared } else { EventKind::Raised }));
                active = !active;
                since = None;
            }
        }
        prop_assert_eq!(episodes(high(deadband, on, off), &values), expected);
    }

    /// P14: a larger deadband, on-delay or off-delay never raises more often.
    #[test]
    fn more_damping_never_raises_more(
        values in values(),
        (deadband, on, off) in (0_u8..4, 0_u8..5, 0_u8..5),
        (wider, later, longer) in (0_u8..4, 0_u8..5, 0_u8..5),
    ) {
        let f = f64::from;
        let less = raises(high(f(deadband), f(on), f(off)), &values);
        for more in [
            high(f(deadband) + f(wider), f(on), f(off)),
            high(f(deadband), f(on) + f(later), f(off)),
            high(f(deadband), f(on), f(off) + f(longer)),
        ] {
            prop_assert!(raises(more, &values) <= less);
        }
    }

    /// P13: limits out of reach raise nothing about the process.
    #[test]
    fn limits_out_of_reach_raise_nothing(values in values()) {
        let far = high(1.0, 0.0, 0.0);
        let Rule::Limit(rule) = far.rule else { unreachable!("built as a limit") };
        let far = AlarmSettings { rule: Rule::Limit(LimitRule { limit: 1e6, ..rule }), ..far };
        prop_assert_eq!(episodes(far, &values), vec![]);
    }

    /// P19: a slope does not see a constant, and scales with the value.
    #[test]
    fn a_slope_ignores_offsets_and_follows_scales(
        values in values(), offset in -1000_i32..1000, scale in 1_u8..50,
    ) {
        let slopes = |change: &dyn Fn(f64) -> f64| {
            let settings = Settings { points: vec![point("P", vec![rise(1e9)])], ..Settings::default() };
            let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
            let mut slopes = Vec::new();
            for (t, value) in (0_u32..).zip(&values) {
                read(&mut engine, 0, Sample::measured(change(*value)), moment(f64::from(t)));
                slopes.push(engine.snapshot().points[0].slope_per_min);
            }
            slopes
        };
        let plain = slopes(&|value| value);
        let scale = f64::from(scale);
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-6 * a.abs().max(1.0),
            (a, b) => a.is_none() && b.is_none(),
        };
        for (plain, moved) in plain.iter().zip(slopes(&|value| value + f64::from(offset))) {
            prop_assert!(near(*plain, moved), "{:?} {:?}", plain, moved);
        }
        for (plain, scaled) in plain.iter().zip(slopes(&|value| value * scale)) {
            prop_assert!(near(plain.map(|slope| slope * scale), scaled), "{:?} {:?}", plain, scaled);
        }
    }
}

/// The order in which points are configured is the order of their alarms at one instant, and has no
/// other effect.
#[test]
fn points_do_not_influence_each_other() {
    let one = |points: Vec<PointSettings>, index: u32| {
        let settings = Settings {
            points,
            ..Settings::default()
        };
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        for second in 0..40 {
            let t = moment(f64::from(second));
            read(
                &mut engine,
                index,
                Sample::measured(f64::from(second % 12)),
                t,
            );
        }
        let events = drain(&mut engine);
        let of_a = |event: &&Event| event.subject.as_ref().is_some_and(|s| &*s.point == "A");
        events.iter().filter(of_a).map(told).collect::<Vec<_>>()
    };
    let a = || point("A", vec![high(1.0, 2.0, 0.0)]);
    let other = |id| point(id, vec![high(0.0, 0.0, 0.0), alarm(Rule::Stale)]);
    let alone = one(vec![a()], 0);
    assert!(!alone.is_empty());
    assert_eq!(alone, one(vec![other("X"), a(), other("Y")], 1));
}
