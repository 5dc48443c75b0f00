//! What waits for a confirmation, as the page lists it.

use proptest::prelude::*;

use super::traces::{Happening, run, trace};
use super::*;
use crate::engine::command::Denied;

fn required(confirm_required: bool) -> Settings {
    let high = AlarmSettings {
        confirm_required,
        ..limit(Level::High, 8.0, 1.0)
    };
    Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![high])
        }],
        ..Settings::default()
    }
}

fn confirm(occurrence: Option<u64>) -> Command {
    Command {
        action: Action::Confirm { occurrence },
        ..acknowledge("P/high", None)
    }
}

fn waiting(engine: &Engine) -> Vec<u64> {
    engine.snapshot().alarms[0].unconfirmed.clone()
}

/// Raised and over at `t`, acknowledged a second later.
fn occurrence(engine: &mut Engine, t: f64) {
    read(engine, 0, Sample::measured(9.0), moment(t));
    read(engine, 0, Sample::measured(1.0), moment(t + 0.5));
    let outcome = engine.command(&acknowledge("P/high", None), moment(t + 1.0));
    outcome.expect("it waits for that");
}

#[test]
fn what_is_over_waits_until_somebody_saw_to_it() {
    let settings = required(true);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    assert_eq!(waiting(&engine), [] as [u64; 0]);
    read(&mut engine, 0, Sample::measured(9.0), moment(1.0));
    assert_eq!(
        waiting(&engine),
        [] as [u64; 0],
        "it waits to be seen first"
    );
    read(&mut engine, 0, Sample::measured(1.0), moment(1.5));
    assert_eq!(waiting(&engine), [1], "over before anybody saw it");
    occurrence(&mut engine, 2.0);
    assert_eq!(waiting(&engine), [1, 2]);
    let events = drain(&mut engine);
    let mut engine = Engine::start(&settings, &history(&events), moment(10.0));
    assert_eq!(waiting(&engine), [1, 2], "over a restart, too");
    assert!(engine.command(&confirm(None), moment(11.0)).is_ok());
    assert_eq!(waiting(&engine), [1]);
    let view = &engine.snapshot().alarms[0];
    assert!(
        view.confirmed
            .as_ref()
            .is_some_and(|by| &*by.by == "li-wei")
    );
    occurrence(&mut engine, 12.0);
    assert_eq!(
        waiting(&engine),
        [1, 3],
        "one that was seen to pushes none out"
    );
}

/// Eight older ones wait beside the newest. What a further one pushes out stands on its raise.
#[test]
fn what_leaves_unconfirmed_is_on_record() {
    let mut engine = Engine::start(&required(true), &History::default(), moment(0.0));
    let left = |engine: &mut Engine, t| {
        occurrence(engine, t);
        let events = drain(engine);
        let left = events.iter().map(|event| event.details.left_unconfirmed);
        left.flatten().collect::<Vec<_>>()
    };
    for t in [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0] {
        assert_eq!(left(&mut engine, t), [] as [u64; 0]);
    }
    assert_eq!(waiting(&engine), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(left(&mut engine, 19.0), [1]);
    assert_eq!(waiting(&engine), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let denied = engine.command(&confirm(Some(1)), moment(21.0));
    assert!(matches!(denied, Err(Denied::UnknownOccurrence { .. })));
    assert!(engine.command(&confirm(Some(5)), moment(22.0)).is_ok());
    assert_eq!(left(&mut engine, 23.0), [] as [u64; 0]);
    assert_eq!(waiting(&engine), [2, 3, 4, 6, 7, 8, 9, 10, 11]);
}

/// What was over before anybody asked for confirmations waits for none, and what waited no longer does.
#[test]
fn only_what_began_under_the_setting_waits() {
    let mut engine = Engine::start(&required(false), &History::default(), moment(0.0));
    occurrence(&mut engine, 1.0);
    let events = drain(&mut engine);
    let mut engine = Engine::start(&required(true), &history(&events), moment(10.0));
    assert_eq!(waiting(&engine), [] as [u64; 0]);
    occurrence(&mut engine, 12.0);
    assert_eq!(waiting(&engine), [2]);
    let events = drain(&mut engine);
    let engine = Engine::start(&required(false), &history(&events), moment(20.0));
    assert_eq!(waiting(&engine), [] as [u64; 0]);
}

/// What is left of the events when nobody looks at confirmations, nor at what is refused.
fn beside(events: Vec<Event>) -> Vec<Event> {
    let reason = |event: &Event| event.details.reason.as_deref() == Some("already_confirmed");
    let kept = events.into_iter().filter(|event| {
        !matches!(
            event.kind,
            EventKind::Confirmed | EventKind::CommandRejected
        ) && !reason(event)
    });
    let bare = |mut event: Event| {
        event.details.left_unconfirmed = None;
        if let Some(record) = &mut event.record {
            record.confirmation = None;
        }
        event
    };
    kept.map(bare).collect()
}

proptest! {
    /// A run in which everything that can be is confirmed at once has the same other events as the run
    /// without any confirmation.
    #[test]
    fn a_confirmation_moves_nothing(trace in trace()) {
        let names = ids(&plant());
        let all = |t: f64| names.iter().map(move |alarm| {
            let command = Command {
                action: Action::Confirm { occurrence: None },
                ..acknowledge(alarm, None)
            };
            (t, Happening::Command(command))
        });
        let is_confirm = |happening: &Happening| {
            matches!(happening, Happening::Command(command) if matches!(command.action, Action::Confirm { .. }))
        };
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for (t, happening) in trace {
            with.push((t, happening.clone()));
            with.extend(all(t));
            // Time passes all the same.
            without.push((t, if is_confirm(&happening) { Happening::Tick } else { happening }));
            without.push((t, Happening::Tick));
        }
        prop_assert_eq!(beside(run(&with, |_, _| {})), beside(run(&without, |_, _| {})));
    }
}
