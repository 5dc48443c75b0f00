//! Suppression by design in the engine: who silences whom, and what stays true whatever comes.

use proptest::prelude::*;

use super::super::overlay::Overlay;
use super::super::settings::{DeviationRule, PlantState, Reference, Suppressor};
use super::*;

/// `P/high` is silent while the contact `C` is set, for 5 s at most when `max` says so.
fn silenced(max: Option<f64>) -> Settings {
    let high = AlarmSettings {
        suppressed_by: vec![Suppressor {
            plant: PlantState::Position {
                point: PointIndex(1),
                on: true,
            },
            max: max.map(seconds),
        }],
        ..limit(Level::High, 8.0, 1.0)
    };
    Settings {
        points: vec![
            point("P", vec![high]),
            point("C", vec![alarm(Rule::Bad), alarm(Rule::Stale)]),
        ],
        ..Settings::default()
    }
}

fn suppressed(engine: &Engine) -> bool {
    engine.snapshot().alarms[0]
        .overlays
        .has(Overlay::Suppressed)
}

/// The end of one reason is written down again when another one joins it, by the clock as it is then.
#[test]
fn the_end_of_a_reason_steps_with_the_clock() {
    let mut settings = silenced(Some(500.0));
    settings.points.push(point("D", vec![alarm(Rule::Bad)]));
    settings.points[0].alarms[0].suppressed_by.push(Suppressor {
        plant: PlantState::Position {
            point: PointIndex(2),
            on: true,
        },
        max: None,
    });
    let hour = seconds(3_600.0);
    let stepped = |t: f64| Moment {
        wall: moment(t).wall + hour,
        ..moment(t)
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for (point, value, at) in [
        (1, 0.0, moment(0.0)),
        (2, 0.0, moment(0.0)),
        (1, 1.0, moment(1.0)),
    ] {
        read(&mut engine, point, Sample::measured(value), at);
    }
    let ends = |engine: &Engine| {
        let cover = engine.snapshot().alarms[0].cover.clone();
        let causes = cover
            .and_then(|cover| cover.suppression)
            .map(|own| own.causes);
        let terms = causes
            .unwrap_or_default()
            .into_iter()
            .map(|cause| cause.term);
        terms
            .map(|term| term.map(|term| term.until))
            .collect::<Vec<_>>()
    };
    assert_eq!(ends(&engine), [Some(moment(501.0).wall)]);
    engine.tick(stepped(2.0));
    assert_eq!(ends(&engine), [Some(stepped(501.0).wall)]);
    read(&mut engine, 2, Sample::measured(1.0), stepped(3.0));
    assert_eq!(ends(&engine), [Some(stepped(501.0).wall), None]);
}

/// With another configuration there is nothing any more that could end it.
#[test]
fn a_suppression_that_is_no_longer_configured_ends_at_the_start() {
    let mut engine = Engine::start(&silenced(None), &History::default(), moment(0.0));
    read(&mut engine, 1, Sample::measured(1.0), moment(0.0));
    read(&mut engine, 0, Sample::measured(9.0), moment(1.0));
    let known = history(&drain(&mut engine));
    let mut plain = silenced(None);
    plain.points[0].alarms[0].suppressed_by.clear();
    let mut engine = Engine::start(&plain, &known, moment(2.0));
    let events = drain(&mut engine);
    let ended = events
        .iter()
        .find(|event| event.kind == EventKind::Unsuppressed)
        .expect("it is told");
    assert_eq!(ended.details.reason.as_deref(), Some("config_change"));
    assert!(
        ended
            .subject
            .as_ref()
            .is_some_and(|subject| subject.annunciated)
    );
    assert!(!suppressed(&engine));
}

/// An alarm that was silent in a life that ends at 3 s, and the next one, which begins at 4 s.
fn over_a_restart(settings: &Settings, change: impl FnOnce(&mut History)) -> Engine {
    let mut engine = Engine::start(settings, &History::default(), moment(0.0));
    read(&mut engine, 1, Sample::measured(0.0), moment(0.0));
    read(&mut engine, 1, Sample::measured(1.0), moment(1.0));
    read(&mut engine, 0, Sample::measured(9.0), moment(2.0));
    assert!(suppressed(&engine));
    let mut known = History {
        last_alive: Some(moment(3.0).wall),
        ..history(&drain(&mut engine))
    };
    change(&mut known);
    Engine::start(settings, &known, moment(4.0))
}

fn reason_of_the_end(engine: &mut Engine) -> Option<String> {
    let events = drain(engine);
    let mut ended = events.into_iter();
    ended
        .find(|event| event.kind == EventKind::Unsuppressed)
        .and_then(|event| event.details.reason)
}

/// The gateway's own points are silent while nothing changes, so one of them may stay unheard for ever.
#[test]
fn what_is_never_stale_keeps_nothing_silent_over_a_restart() {
    let mut settings = silenced(None);
    assert!(suppressed(&over_a_restart(&settings, |_| ())));
    settings.points[1].stale_after = None;
    let mut engine = over_a_restart(&settings, |_| ());
    assert!(!suppressed(&engine));
    assert_eq!(
        reason_of_the_end(&mut engine).as_deref(),
        Some("input_unknown")
    );
}

/// `P/high` is silent while the vote of two contacts is active, which are stale after 10 s and after `longest`.
fn silenced_by_a_group(longest: Option<f64>) -> Settings {
    let mut settings = silenced(None);
    let state = || alarm(Rule::State { when: true });
    settings.points[0].alarms[0].suppressed_by[0].plant = PlantState::Active {
        point: PointIndex(3),
        kind: AlarmKind::Vote,
    };
    settings.points.truncate(1);
    settings.points.extend([
        point("C", vec![state()]),
        PointSettings {
            stale_after: longest.map(seconds),
            ..point("D", vec![state()])
        },
        group("G", 1, vec![1, 2], AlarmKind::State, BadChannel::Exclude),
    ]);
    settings
}

/// Its silence is that of the last of its channels.
#[test]
fn a_vote_is_word_of_a_life_before_until_all_of_its_channels_are_stale() {
    let mut engine = over_a_restart(&silenced_by_a_group(Some(20.0)), |_| ());
    assert!(suppressed(&engine));
    engine.tick(moment(23.75));
    assert!(suppressed(&engine), "{:?}", reason_of_the_end(&mut engine));
    engine.tick(moment(24.0));
    assert!(!suppressed(&engine));
    let one_never = silenced_by_a_group(None);
    assert!(!suppressed(&over_a_restart(&one_never, |_| ())));
}

/// The reason tells of the point that is at fault: the alarm's own, or the one it compares with.
#[test]
fn the_end_is_told_by_the_input_that_is_at_fault() {
    let mut settings = silenced(None);
    settings.points[0].alarms[0].suppressed_by[0].plant = PlantState::Active {
        point: PointIndex(1),
        kind: AlarmKind::Deviation,
    };
    settings.points[1].alarms = vec![alarm(Rule::Deviation(DeviationRule {
        from: Reference::Point(PointIndex(2)),
        below: None,
        above: Some(2.0),
        deadband: 0.5,
        settle: Duration::ZERO,
    }))];
    settings.points.push(point("R", vec![alarm(Rule::Stale)]));
    for (heard, value) in [(1, 5.0), (2, 1.0)] {
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        for (point, value) in [(2, 1.0), (1, 1.0), (1, 5.0), (0, 9.0)] {
            read(&mut engine, point, Sample::measured(value), moment(1.0));
        }
        assert!(suppressed(&engine), "{heard}");
        read(&mut engine, heard, Sample::measured(value), moment(9.0));
        engine.tick(moment(12.0));
        let reason = reason_of_the_end(&mut engine);
        assert_eq!(
            reason.as_deref(),
            Some("input_stale"),
            "only {heard} is heard"
        );
    }
}

/// Nobody knows how long nobody watched when the clock does not go on from where it was, or when nothing
/// says when the life before ended; and after a long absence nobody knows what became of the plant.
#[test]
fn word_of_a_life_before_counts_only_after_a_short_absence_that_a_clock_can_tell() {
    let start = moment(4.0).wall;
    let ends = |alive: Option<Wall>, max: Option<f64>| {
        let mut engine = over_a_restart(&silenced(max), |known| {
            known.last_alive = alive;
        });
        let reason = reason_of_the_end(&mut engine);
        assert_eq!(suppressed(&engine), reason.is_none());
        reason
    };
    for max in [None, Some(5.0)] {
        assert_eq!(ends(Some(start - seconds(1.0)), max), None);
        assert_eq!(ends(Some(start - seconds(299.0)), None), None);
        for alive in [
            None,
            Some(start + seconds(1.0)),
            Some(start - seconds(301.0)),
        ] {
            let reason = ends(alive, max);
            assert_eq!(
                reason.as_deref(),
                Some("input_unknown"),
                "{alive:?} {max:?}"
            );
        }
    }
}

/// With a longest time that the configuration has shortened meanwhile, or taken away.
#[test]
fn a_longest_time_that_was_changed_counts_from_the_same_beginning() {
    let mut engine = Engine::start(&silenced(Some(60.0)), &History::default(), moment(0.0));
    read(&mut engine, 1, Sample::measured(0.0), moment(0.0));
    read(&mut engine, 1, Sample::measured(1.0), moment(1.0));
    let known = History {
        last_alive: Some(moment(1.0).wall),
        ..history(&drain(&mut engine))
    };
    let mut engine = Engine::start(&silenced(Some(5.0)), &known, moment(4.0));
    engine.tick(moment(5.75));
    assert!(suppressed(&engine));
    engine.tick(moment(6.0));
    assert_eq!(reason_of_the_end(&mut engine).as_deref(), Some("expired"));
    let mut engine = Engine::start(&silenced(None), &known, moment(4.0));
    engine.tick(moment(13.75));
    assert!(suppressed(&engine));
    engine.tick(moment(14.0));
    assert_eq!(
        reason_of_the_end(&mut engine).as_deref(),
        Some("input_stale")
    );
}

/// A step of the wall clock moves what people read, and not when it ends.
#[test]
fn a_step_of_the_wall_clock_moves_the_end_of_no_run_up() {
    let mut engine = Engine::start(&silenced(Some(5.0)), &History::default(), moment(0.0));
    read(&mut engine, 1, Sample::measured(0.0), moment(0.0));
    read(&mut engine, 1, Sample::measured(1.0), moment(1.0));
    let later = |t: f64| Moment {
        wall: moment(t + 3_600.0).wall,
        ..moment(t)
    };
    engine.tick(later(2.0));
    let events = drain(&mut engine);
    let stepped = events.last().expect("the step is told");
    let stored = stepped.others.first().and_then(|record| {
        let cover = record.cover.as_ref()?;
        cover.suppression.as_ref()?.until()
    });
    assert_eq!(stored, Some(later(6.0).wall), "stored with the step");
    engine.tick(later(5.75));
    assert!(suppressed(&engine));
    engine.tick(later(6.0));
    assert!(!suppressed(&engine));
}

/// What a person who watches the contact knows.
#[derive(Default)]
struct Contact {
    set: bool,
    /// Was it seen not to be set since it began last?
    unset: bool,
    /// When it was seen to begin.
    began: Option<f64>,
}

impl Contact {
    fn watch(&mut self, engine: &Engine, t: f64) {
        let value = engine.snapshot().points[1].value;
        self.set = value.is_some_and(|value| value >= 0.5);
        if self.set && self.unset {
            self.began = Some(t);
            self.unset = false;
        }
        if value.is_some() && !self.set {
            self.unset = true;
            self.began = None;
        }
    }
}

proptest! {
    /// Whatever comes: an alarm is silent only while its contact is known to be set, never longer than
    /// its longest time after the contact was seen to be set; and what it does is told the same with
    /// and without its suppression.
    #[test]
    fn only_good_evidence_silences_and_nothing_of_the_condition_changes(
        trace in prop::collection::vec((0_u8..8, 0_u32..2, prop_oneof![
            6 => (0_u8..12).prop_map(|value| Sample::measured(f64::from(value))),
            1 => Just(Sample::Bad(super::super::reading::Fault::SensorFailure)),
        ]), 1..80),
        max in prop::option::of(1_u8..8),
    ) {
        let settings = silenced(max.map(f64::from));
        let mut plain = silenced(None);
        plain.points[0].alarms[0].suppressed_by.clear();
        let mut with = Engine::start(&settings, &History::default(), moment(0.0));
        let mut without = Engine::start(&plain, &History::default(), moment(0.0));
        let mut t = 0.0;
        let mut contact = Contact::default();
        let (mut events, mut bare) = (Vec::new(), Vec::new());
        for (gap, point, sample) in trace {
            t += f64::from(gap) / 4.0;
            let at = moment(t);
            let steps: [&dyn Fn(&mut Engine); 3] = [
                &|engine| engine.tick(at),
                &|engine| read(engine, point, sample, at),
                &|engine| engine.tick(at),
            ];
            for step in steps {
                step(&mut with);
                step(&mut without);
                contact.watch(&with, t);
                if suppressed(&with) {
                    prop_assert!(contact.set, "silent at {t} without evidence");
                    let most = max.map_or(f64::INFINITY, f64::from);
                    let began = contact.began.filter(|_| max.is_some());
                    prop_assert!(began.is_some() || max.is_none(), "silent at {t}, never begun");
                    prop_assert!(began.is_none_or(|began| t < began + most), "silent at {t}");
                }
            }
            events.extend(drain(&mut with));
            bare.extend(drain(&mut without));
        }
        let essence = |events: &[Event]| -> Vec<_> {
            let of_condition = events.iter().filter(|event| {
                matches!(event.kind, EventKind::Raised | EventKind::Cleared)
            });
            of_condition.map(told).collect()
        };
        prop_assert_eq!(essence(&events), essence(&bare));
    }

    /// Wherever a life ends: what was silent in it stays so at the start of the next one, unless it was so on
    /// word of the life before that and too short for a silence to show; and without a word of its
    /// contact no longer than a silence makes that stale. What was not silent is heard.
    #[test]
    fn a_restart_neither_shows_nor_hides(
        trace in prop::collection::vec((1_u8..40, 0_u32..2, prop_oneof![
            6 => (0_u8..12).prop_map(|value| Sample::measured(f64::from(value))),
            1 => Just(Sample::Bad(super::super::reading::Fault::SensorFailure)),
        ], prop::bool::weighted(0.2)), 1..60),
    ) {
        let settings = silenced(None);
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        let (mut events, mut t) = (Vec::new(), 0.0);
        let (mut began, mut heard, mut kept) = (0.0, true, false);
        let mut taken_over: Option<f64> = None;
        for (gap, point, sample, restart) in trace {
            t += f64::from(gap) / 4.0;
            if restart {
                kept = suppressed(&engine) && taken_over.is_none_or(|at| t - at >= 10.0);
                let known = History {
                    last_alive: Some(moment(t).wall),
                    ..history(&events)
                };
                engine = Engine::start(&settings, &known, moment(t));
                (began, heard) = (t, false);
                prop_assert_eq!(suppressed(&engine), kept, "with the start at {}", t);
                taken_over = kept.then_some(t);
                events.extend(drain(&mut engine));
                continue;
            }
            engine.tick(moment(t));
            heard |= point == 1;
            read(&mut engine, point, sample, moment(t));
            let new = drain(&mut engine);
            if new.iter().any(|event| event.kind == EventKind::Suppressed) {
                taken_over = None;
            }
            events.extend(new);
            if !heard {
                prop_assert_eq!(suppressed(&engine), kept && t < began + 10.0, "unheard at {}", t);
            }
        }
    }
}
