//! Terms that end, and what is said of what lies over an alarm.

use super::*;

#[test]
fn overlays_are_named_strongest_first() {
    let all = Overlay::ALL
        .into_iter()
        .fold(Overlays::default(), |overlays, overlay| {
            assert!(!overlays.has(overlay));
            overlays.with(overlay, true)
        });
    assert_eq!(all.names(), ["out_of_service", "shelved", "suppressed"]);
    assert!(!all.is_empty());
    assert!(Overlays::default().is_empty());
    for overlay in Overlay::ALL {
        assert!(!all.with(overlay, false).has(overlay));
    }
}

fn moment(seconds: u64) -> Moment {
    Moment::default().after(Duration::from_secs(seconds))
}

/// A term of 100 s that began at second 50.
fn term() -> Term {
    Term::new(moment(50), Duration::from_secs(100))
}

#[test]
fn a_term_goes_on_after_a_restart_while_the_clock_can_tell() {
    let restart = |wall: u64| Moment {
        mono: Mono::from_nanos(7),
        wall: moment(wall).wall,
    };
    let due = |left: u64| restart(0).mono + Duration::from_secs(left);
    for (wall, trusted, resumed, left) in [
        (50, true, Resumed::Runs, 100),
        (120, true, Resumed::Runs, 30),
        (150, true, Resumed::RanOut, 0),
        (9_000, true, Resumed::RanOut, 0),
        // Before it began.
        (49, true, Resumed::Unknown, 0),
        (120, false, Resumed::Unknown, 0),
    ] {
        let mut term = term();
        let case = format!("at {wall}, trusted: {trusted}");
        assert_eq!(term.resume(restart(wall), trusted), resumed, "{case}");
        assert_eq!(term.due, due(left), "{case}");
    }
}

/// Of an outage of 30 h that begins at second 0, reminders are due after 6 h, 29 h and 29 h 50 min.
#[test]
fn a_reminder_is_missed_when_it_was_due_while_nobody_was_there() {
    let hours = |hours: u64| 3_600 * hours;
    let outage = |span: u64| Outage {
        by: "li-wei".into(),
        approved_by: "wang-fang".into(),
        also_approved_by: None,
        permit: "P-1".into(),
        compensating_measure: None,
        term: Term::new(moment(0), Duration::from_secs(span)),
        next: Mono::ZERO,
    };
    let long = hours(30);
    for (span, from, until, missed) in [
        (long, hours(1), hours(6) - 1, false),
        (long, hours(1), hours(6), true),
        (long, hours(6) - 1, hours(6), true),
        // It was given at this very instant.
        (long, hours(6), hours(28), false),
        (long, hours(28), hours(29), true),
        (long, hours(29), hours(29) + 2_999, false),
        (long, hours(29), hours(29) + 3_000, true),
        // Nobody is reminded of an end that is as near from the beginning.
        (hours(24), 0, hours(22), false),
        (hours(1), 0, 2_999, false),
        (hours(1), 0, 3_000, true),
    ] {
        let [from, now] = [from, until].map(|at| moment(at).wall);
        let found = outage(span).missed_reminder(from, now);
        assert_eq!(found, missed, "{span} s, away from {from:?} to {now:?}");
    }
    // Away since before it began, which only a clock that was set can say.
    let before = moment(0).wall - Duration::from_secs(5);
    assert!(!outage(hours(24)).missed_reminder(before, moment(0).wall));
}

#[test]
fn a_step_of_the_wall_clock_moves_what_people_read_and_nothing_else() {
    for step in [-3600.0, 3600.0] {
        let mut stepped = term();
        stepped.shift(step);
        assert_eq!(stepped.due, term().due);
        assert!((stepped.until.seconds_since(term().until) - step).abs() < 1e-9);
        assert!((stepped.since.seconds_since(term().since) - step).abs() < 1e-9);
    }
}
