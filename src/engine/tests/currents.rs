//! A 4 to 20 mA loop: what no current beyond its measuring band does.

use proptest::prelude::*;

use super::super::reading::{Fault, Measured};
use super::super::signal::{
    Bounds, Conversion, CurrentLoop, CurrentMeaning, Curve, Scaling, Special,
};
use super::*;
use crate::engine::settings::{Average, DeviationRule, ExposureRule, OverRangeRule, Reference};

/// 0 to 12 over 4 to 20 mA. The head has currents of its own, and `fault_low` lets others through.
fn head() -> Signal {
    let special = |low, high, means| Special {
        band: Bounds { low, high },
        means,
    };
    Signal {
        conversion: Conversion::CurrentLoop(CurrentLoop {
            milliamps: Scaling::IDENTITY,
            range: (0.0, 12.0),
            curve: Curve::Linear,
            fault_low: 1.5,
            fault_high: CurrentLoop::FAULTS.1,
            special: [
                special(1.8, 2.2, CurrentMeaning::NoValue(Fault::Inhibited)),
                special(3.0, 3.5, CurrentMeaning::NoValue(Fault::OutOfService)),
                special(21.5, 22.5, CurrentMeaning::OverRange),
            ]
            .into(),
        }),
        ..Signal::plain()
    }
}

fn deviation(from: Reference) -> AlarmSettings {
    AlarmSettings {
        off_delay: seconds(2.0),
        ..alarm(Rule::Deviation(DeviationRule {
            from,
            below: None,
            above: Some(2.0),
            deadband: 0.5,
            settle: Duration::ZERO,
        }))
    }
}

fn stel(limit: f64) -> AlarmSettings {
    alarm(Rule::Exposure(ExposureRule {
        average: Average::ShortTerm,
        limit,
        deadband: limit / 20.0,
    }))
}

/// The plant; its first two points are loops, and have averages and over-range. `A` is compared with `B`,
/// and `B` with a number.
fn loops() -> Settings {
    let mut settings = plant();
    for (index, from) in [
        (0, Reference::Point(PointIndex(1))),
        (1, Reference::Fixed(5.0)),
    ] {
        let point = &mut settings.points[index];
        point.signal = head().into();
        point.alarms.extend([
            deviation(from),
            stel(0.01),
            alarm(Rule::OverRange(OverRangeRule {
                at: 12.0,
                bottom: 0.0,
                deadband: 0.5,
                latching: false,
                reset_below: 7.0,
                reset_after: Duration::ZERO,
            })),
        ]);
    }
    settings
}

fn measures(current: f64) -> bool {
    (CurrentLoop::SPAN.0..=CurrentLoop::SPAN.1).contains(&current)
}

fn current() -> impl Strategy<Value = f64> {
    let at = |current: f64| Just(current);
    prop_oneof![
        6 => 3.8..20.5,
        2 => at(4.0),
        1 => at(20.0),
        1 => 0.0..3.8,
        1 => 20.501..24.0,
        1 => at(2.0),
        1 => at(3.7),
        1 => at(22.0),
    ]
}

proptest! {
    /// P4: whatever a loop says beyond its measuring band, however long, in order or not: no alarm
    /// about the process ends with it, nor while it says so.
    #[test]
    fn no_current_beyond_the_measuring_band_clears(
        spells in prop::collection::vec((current(), current(), 1_u32..9, prop::option::of(1_u32..9)), 1..40),
    ) {
        let mut engine = Engine::start(&loops(), &History::default(), moment(0.0));
        let mut t = 50.0;
        // What the two loops say now.
        let mut says = [12.0; 2];
        for (first, second, lasts, old) in spells {
            for _ in 0..lasts {
                t += 1.0;
                // What is due happens by what was said before.
                engine.tick(moment(t));
                cleared(&mut engine, says)?;
                for (point, current) in [(0, first), (1, second)] {
                    says[point as usize] = current;
                    engine.read(loop_reading(point, current, t, t));
                    cleared(&mut engine, says)?;
                }
            }
            if let Some(age) = old {
                // Something else, from before.
                engine.read(loop_reading(0, 3.7, t - f64::from(age) + 0.5, t));
                let ended = drain(&mut engine).into_iter().find(|event| ends(event, "A/"));
                prop_assert!(ended.is_none(), "3.7 mA of the past ended {:?}", ended);
            }
        }
    }
}

fn loop_reading(point: u32, current: f64, taken: f64, received: f64) -> Reading {
    Reading {
        source_time: Some(moment(taken).wall),
        ..Reading::live(PointIndex(point), Measured::Raw(current), moment(received))
    }
}

/// Fails if an alarm ended that looks at a loop which does not measure.
fn cleared(engine: &mut Engine, says: [f64; 2]) -> Result<(), TestCaseError> {
    for event in drain(engine) {
        for (id, also, current) in [("A/", "A/", says[0]), ("B/", "A/deviation", says[1])] {
            let looks = ends(&event, id) || ends(&event, also);
            prop_assert!(
                measures(current) || !looks,
                "{} mA of {} ended {:?}",
                current,
                id,
                event
            );
        }
    }
    Ok(())
}

/// Is it the end of an alarm about the process whose id begins so?
fn ends(event: &Event, of: &str) -> bool {
    let subject = event.subject.as_ref();
    event.kind == EventKind::Cleared
        && subject.is_some_and(|subject| {
            subject.alarm.starts_with(of) && !is_about_measuring(&subject.alarm)
        })
}
