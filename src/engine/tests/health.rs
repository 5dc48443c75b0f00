//! What a device says of itself, through the engine's calls: what a value is worth then, and that no alarm
//! is lost by it that the value itself would raise.

use proptest::prelude::*;

use super::super::reading::{Fault, Finite, Health, Quality};
use super::super::settings::{HealthRule, OnBad};
use super::*;

/// A point `P` with a limit at 8, whose device tells of itself in `S`: 0 good, 1 maintenance, 2 out of
/// specification, 3 function check, 4 failure.
fn told_by_status() -> Settings {
    let alarms = [
        limit(Level::High, 8.0, 1.0),
        alarm(Rule::Bad),
        alarm(Rule::Stale),
        alarm(Rule::Maintenance),
    ];
    Settings {
        points: vec![
            PointSettings {
                health: vec![HealthRule {
                    from: PointIndex(1),
                    good: [0.0].into(),
                    maintenance: [1.0].into(),
                    out_of_specification: [2.0].into(),
                    function_check: [3.0].into(),
                    failure: [4.0].into(),
                }],
                ..point("P", alarms.into())
            },
            point("S", vec![alarm(Rule::Bad), alarm(Rule::Stale)]),
        ],
        ..Settings::default()
    }
}

fn start() -> Engine {
    Engine::start(&told_by_status(), &History::default(), moment(0.0))
}

fn quality(engine: &Engine) -> (Quality, Option<&'static str>) {
    let point = &engine.snapshot().points[0];
    (point.quality, point.reason)
}

fn is_active(engine: &Engine, alarm: &str) -> bool {
    let (subject, _) = engine.alarm(alarm).expect("it is configured");
    subject.state.is_active()
}

fn doubtful(value: f64) -> Sample {
    let value = Finite::new(value).expect("a number");
    Sample::Uncertain(value, super::super::reading::Doubt::BadClock)
}

/// Before the next reading, in whatever order the two come.
#[test]
fn a_value_is_worth_what_the_status_says() {
    use Quality::{Bad, Good, Uncertain};
    let unknown = (Uncertain, Some("sub_normal"), false);
    for (status, (quality_now, reason, maintenance)) in [
        (Sample::measured(0.0), (Good, None, false)),
        (Sample::measured(1.0), (Good, None, true)),
        (
            Sample::measured(2.0),
            (Uncertain, Some("sensor_not_accurate"), false),
        ),
        (Sample::measured(3.0), (Bad, Some("out_of_service"), false)),
        (Sample::measured(4.0), (Bad, Some("device_failure"), false)),
        // What is in no list, and what is no evidence.
        (Sample::measured(5.0), unknown),
        (Sample::Bad(Fault::DeviceFailure), unknown),
        (doubtful(0.0), unknown),
        (doubtful(1.0), unknown),
        (doubtful(4.0), (Bad, Some("device_failure"), false)),
    ] {
        for status_first in [true, false] {
            let mut engine = start();
            let mut order = [(1, status), (0, Sample::measured(9.0))];
            if !status_first {
                order.reverse();
            }
            read(&mut engine, 1, Sample::measured(0.0), moment(0.0));
            for (index, sample) in order {
                read(&mut engine, index, sample, moment(1.0));
            }
            let what = format!("{status:?}, first: {status_first}");
            assert_eq!(quality(&engine), (quality_now, reason), "{what}");
            assert_eq!(is_active(&engine, "P/maintenance"), maintenance, "{what}");
            assert_eq!(is_active(&engine, "P/bad"), quality_now == Bad, "{what}");
            let seen = quality_now != Bad || !status_first;
            assert_eq!(is_active(&engine, "P/high"), seen, "{what}");
        }
    }
}

#[test]
fn a_status_that_is_not_heard_is_no_clean_bill() {
    let mut engine = start();
    let unknown = (Quality::Uncertain, Some("sub_normal"));
    read(&mut engine, 0, Sample::measured(1.0), moment(0.0));
    let unheard = (Quality::Uncertain, Some("status_not_heard"));
    assert_eq!(quality(&engine), unheard);
    read(&mut engine, 1, Sample::measured(0.0), moment(1.0));
    assert_eq!(quality(&engine), (Quality::Good, None));
    for second in 2..=11 {
        let at = moment(f64::from(second));
        read(&mut engine, 0, Sample::measured(1.0), at);
    }
    engine.tick(moment(11.0));
    assert_eq!(quality(&engine), unknown, "silent");
    read(&mut engine, 0, Sample::measured(9.0), moment(12.0));
    assert!(is_active(&engine, "P/high"), "judged all the same");
}

/// What was bad needs fresh good readings, whatever its status says by then; an alarm holds meanwhile.
#[test]
fn a_failure_ends_with_fresh_values_only() {
    let mut engine = start();
    let mut say = |point, value, at| {
        read(&mut engine, point, Sample::measured(value), moment(at));
        engine.tick(moment(at));
        (
            quality(&engine).0,
            is_active(&engine, "P/high"),
            is_active(&engine, "P/bad"),
        )
    };
    use Quality::{Bad, Good};
    say(1, 0.0, 0.0);
    assert_eq!(say(0, 9.0, 0.0), (Good, true, false));
    assert_eq!(say(1, 4.0, 1.0), (Bad, true, true));
    // What it shows meanwhile is no value.
    assert_eq!(say(0, 1.0, 2.0), (Bad, true, true));
    assert_eq!(say(1, 0.0, 3.0), (Bad, true, true));
    assert_eq!(say(1, 0.0, 7.0), (Bad, true, true), "no fresh reading yet");
    assert_eq!(say(0, 1.0, 8.0), (Bad, true, true), "not for long enough");
    // Another failure begins the proof anew.
    assert_eq!(say(1, 4.0, 9.0), (Bad, true, true));
    assert_eq!(say(1, 0.0, 9.5), (Bad, true, true));
    assert_eq!(say(0, 1.0, 11.5), (Bad, true, true));
    assert_eq!(say(0, 1.0, 14.5), (Good, false, false));
}

/// A failure and a function check last until the status says something else, beyond doubt.
#[test]
fn no_lost_status_takes_back_a_fault() {
    let bad = |reason| (Quality::Bad, Some(reason));
    for (fault, reason) in [(3.0, "out_of_service"), (4.0, "device_failure")] {
        for status in [
            Sample::measured(5.0),
            Sample::Bad(Fault::NotConnected),
            doubtful(0.0),
        ] {
            let mut engine = start();
            read(&mut engine, 1, Sample::measured(0.0), moment(0.0));
            read(&mut engine, 0, Sample::measured(9.0), moment(0.0));
            read(&mut engine, 1, Sample::measured(fault), moment(1.0));
            read(&mut engine, 1, status, moment(2.0));
            for second in 3..40 {
                let at = moment(f64::from(second));
                read(&mut engine, 0, Sample::measured(1.0), at);
                engine.tick(at);
                let what = format!("{fault}, then {status:?}, at {second} s");
                assert_eq!(quality(&engine), bad(reason), "{what}");
                assert!(is_active(&engine, "P/bad"), "{what}");
                assert!(is_active(&engine, "P/high"), "{what}");
            }
            // The status is good again itself, and then the value.
            for second in 40..60 {
                let at = moment(f64::from(second));
                read(&mut engine, 1, Sample::measured(2.0), at);
                read(&mut engine, 0, Sample::measured(1.0), at);
                engine.tick(at);
            }
            assert!(!is_active(&engine, "P/bad"), "{fault}, then {status:?}");
            assert!(!is_active(&engine, "P/high"), "{fault}, then {status:?}");
        }
    }
    // The worse word of the two is what stays.
    let mut engine = start();
    read(&mut engine, 0, Sample::measured(1.0), moment(0.0));
    read(&mut engine, 1, Sample::measured(4.0), moment(1.0));
    read(&mut engine, 1, doubtful(3.0), moment(2.0));
    assert_eq!(quality(&engine), bad("device_failure"));
    read(&mut engine, 1, Sample::measured(3.0), moment(3.0));
    assert_eq!(quality(&engine), bad("out_of_service"));
    read(&mut engine, 1, doubtful(4.0), moment(4.0));
    assert_eq!(quality(&engine), bad("device_failure"));
}

/// A vote by the loss of a channel lasts over a restart until its device says that it is well. So does one that a
/// channel took part in, and a degraded group stays one.
#[test]
fn a_channel_ends_no_vote_before_its_status_is_heard() {
    let mut settings = told_by_status();
    settings.points[0].on_bad = OnBad::VoteTrip;
    let other = point("Q", vec![limit(Level::High, 8.0, 1.0), alarm(Rule::Bad)]);
    settings.points.push(other);
    let channels = vec![PointIndex(0), PointIndex(2)];
    settings.points.push(PointSettings {
        group: Some(Box::new(GroupSettings {
            of: channels,
            alarm: AlarmKind::High,
            votes: 1,
            bad: BadChannel::Exclude,
            compares: false,
        })),
        stale_after: None,
        ..point("G", [Rule::Vote, Rule::Degraded].map(alarm).into())
    });
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut events = drain(&mut engine);
    for (index, value) in [(1, 4.0), (0, 1.0), (2, 1.0)] {
        read(&mut engine, index, Sample::measured(value), moment(1.0));
    }
    events.extend(drain(&mut engine));
    assert!(is_active(&engine, "G/vote"));
    let mut engine = Engine::start(&settings, &history(&events), moment(2.0));
    for second in 3..30 {
        let at = moment(f64::from(second));
        for index in [0, 2] {
            read(&mut engine, index, Sample::measured(1.0), at);
        }
        engine.tick(at);
        for alarm in ["P/bad", "G/vote", "G/degraded"] {
            assert!(is_active(&engine, alarm), "{alarm} at {second} s");
        }
    }
    for second in 30..36 {
        let at = moment(f64::from(second));
        for (index, value) in [(1, 0.0), (0, 1.0), (2, 1.0)] {
            read(&mut engine, index, Sample::measured(value), at);
        }
        engine.tick(at);
    }
    for alarm in ["P/bad", "G/vote", "G/degraded"] {
        assert!(!is_active(&engine, alarm), "{alarm} ends with the status");
    }
}

/// One status point that is well says nothing of what another one said last.
#[test]
fn each_status_point_takes_back_its_own_words_only() {
    let mut settings = told_by_status();
    let mut other = settings.points[0].health[0].clone();
    other.from = PointIndex(2);
    settings.points[0].health.push(other);
    settings.points.push(point("T", vec![alarm(Rule::Bad)]));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut say = |index, sample, at| {
        read(&mut engine, index, sample, moment(at));
        quality(&engine)
    };
    let good = Sample::measured(0.0);
    let failed = (Quality::Bad, Some("device_failure"));
    say(0, Sample::measured(1.0), 0.0);
    let unheard = (Quality::Uncertain, Some("status_not_heard"));
    assert_eq!(say(1, good, 0.0), unheard, "T has said nothing yet");
    assert_eq!(say(2, good, 0.0), (Quality::Good, None));
    assert_eq!(say(1, Sample::measured(4.0), 1.0), failed);
    assert_eq!(say(1, Sample::Bad(Fault::NotConnected), 2.0), failed);
    assert_eq!(say(2, good, 3.0), failed);
    assert_eq!(say(0, Sample::measured(1.0), 4.0), failed);
}

/// A reading that says itself how its device is needs no status point.
#[test]
fn a_reading_may_say_it_itself() {
    let mut settings = told_by_status();
    settings.points[0].health.clear();
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut say = |health, at| {
        engine.read(Reading {
            health,
            ..Reading::live(PointIndex(0), Sample::measured(1.0), moment(at))
        });
        engine.tick(moment(at));
        (quality(&engine), is_active(&engine, "P/maintenance"))
    };
    use Quality::{Bad, Good, Uncertain};
    assert_eq!(say(Health::Good, 0.0), ((Good, None), false));
    assert_eq!(say(Health::Maintenance, 1.0), ((Good, None), true));
    let doubt = Some("sensor_not_accurate");
    assert_eq!(
        say(Health::OutOfSpecification, 2.0),
        ((Uncertain, doubt), false)
    );
    assert_eq!(say(Health::Maintenance, 3.0), ((Good, None), true));
    // What has failed says nothing of its maintenance.
    let check = Some("out_of_service");
    assert_eq!(say(Health::FunctionCheck, 4.0), ((Bad, check), true));
    assert_eq!(
        say(Health::Failure, 5.0),
        ((Bad, Some("device_failure")), true)
    );
    say(Health::Good, 6.0);
    assert_eq!(say(Health::Good, 9.0), ((Good, None), false));
}

/// An alarm for maintenance that was active before a restart ends when the device says that it is well.
#[test]
fn maintenance_survives_a_restart_and_ends() {
    for by_reading in [true, false] {
        let mut settings = told_by_status();
        if by_reading {
            settings.points[0].health.clear();
        }
        let say = |engine: &mut Engine, health, at| {
            let status = f64::from(u8::from(health == Health::Maintenance));
            engine.read(Reading {
                health: if by_reading { health } else { Health::Good },
                ..Reading::live(PointIndex(0), Sample::measured(1.0), moment(at))
            });
            read(engine, 1, Sample::measured(status), moment(at));
            is_active(engine, "P/maintenance")
        };
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        let mut events = drain(&mut engine);
        assert!(say(&mut engine, Health::Maintenance, 0.0));
        events.extend(drain(&mut engine));
        let mut engine = Engine::start(&settings, &history(&events), moment(1.0));
        assert!(is_active(&engine, "P/maintenance"));
        assert!(!say(&mut engine, Health::Good, 2.0));
    }
}

#[derive(Debug, Clone, Copy)]
enum Said {
    Value(f64),
    Status(Sample),
    Nothing,
}

fn said() -> impl Strategy<Value = Said> {
    let status = prop_oneof![
        4 => (0_u8..3).prop_map(|value| Sample::measured(f64::from(value))),
        1 => Just(Sample::measured(5.0)),
        1 => Just(Sample::Bad(Fault::SensorFailure)),
    ];
    prop_oneof![
        6 => (8_u8..24).prop_map(|value| Said::Value(f64::from(value) / 2.0)),
        3 => status.prop_map(Said::Status),
        1 => Just(Said::Nothing),
    ]
}

proptest! {
    /// Whatever a status says short of that there is no value, and whether it is heard or not: the limit is
    /// raised and cleared as without it.
    #[test]
    fn no_doubt_takes_an_alarm_away(trace in prop::collection::vec((said(), 1_u8..14), 1..60)) {
        let told = told_by_status();
        let mut alone = told.clone();
        alone.points[0].health.clear();
        let events = [told, alone].map(|settings| {
            let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
            let mut events = Vec::new();
            let mut t = 0.0;
            read(&mut engine, 1, Sample::measured(0.0), moment(t));
            for (said, gap) in &trace {
                t += f64::from(*gap) / 2.0;
                match said {
                    Said::Value(value) => read(&mut engine, 0, Sample::measured(*value), moment(t)),
                    Said::Status(status) => read(&mut engine, 1, *status, moment(t)),
                    Said::Nothing => engine.tick(moment(t)),
                }
                events.extend(drain(&mut engine));
            }
            events.retain(|event| {
                let subject = event.subject.as_ref();
                let high = subject.is_some_and(|subject| &*subject.alarm == "P/high");
                high && event.kind != EventKind::Changed
            });
            events.iter().map(super::told).collect::<Vec<_>>()
        });
        prop_assert_eq!(&events[0], &events[1]);
    }
}
