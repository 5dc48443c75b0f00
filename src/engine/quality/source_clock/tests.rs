//! What a source time says, at the edges: by calls that say when a reading came and what its time was.

use super::*;

/// 2026-05-04T06:00:00Z plus `seconds`.
fn wall(seconds: f64) -> Wall {
    let base = Wall::from_unix_nanos(1_777_874_400_000_000_000);
    let span = Duration::from_secs_f64(seconds.abs());
    if seconds < 0.0 {
        base - span
    } else {
        base + span
    }
}

fn arrival(at: f64) -> Moment {
    Moment {
        mono: Mono::ZERO + Duration::from_secs_f64(at),
        wall: wall(at),
    }
}

fn clock() -> SourceClock {
    let ten = Duration::from_secs(10);
    SourceClock::new(None, ten, Duration::from_secs(1))
}

/// What `(arrival, source time)` are.
fn timings(clock: &mut SourceClock, arrivals: &[(f64, f64)]) -> Vec<Timing> {
    let arrivals = arrivals.iter();
    arrivals
        .map(|(at, source)| clock.time(wall(*source), arrival(*at)))
        .collect()
}

fn is_late(timing: &Timing) -> bool {
    matches!(timing, Timing::Late(_))
}

/// Five readings at live pace whose clock is behind by this much.
fn behind(lag: f64) -> SourceClock {
    let mut clock = clock();
    for at in 0..5 {
        let at = f64::from(at);
        clock.time(wall(at - lag), arrival(at));
    }
    clock
}

#[test]
fn a_source_is_skewed_beyond_five_seconds_and_right_again_below_four() {
    for (lag, zone) in [
        (0.0, Zone::Inside),
        (3.75, Zone::Inside),
        (4.0, Zone::Inside),
        (4.5, Zone::Margin),
        (5.0, Zone::Margin),
        (5.25, Zone::Beyond),
    ] {
        assert_eq!(behind(lag).zone(), zone, "{lag}");
    }
    let mut early = clock();
    (0..4).for_each(|at| {
        early.time(wall(f64::from(at) - 60.0), arrival(f64::from(at)));
    });
    assert_eq!(early.zone(), Zone::Unknown, "four prove nothing");
}

/// Neither does a step of ours make a source wrong, nor does it make right what was wrong.
#[test]
fn a_step_of_our_own_clock_says_nothing_about_a_source() {
    for (lag, step, zone) in [
        (0.0, 60.0, Zone::Inside),
        (0.0, -60.0, Zone::Inside),
        (6.0, 20.0, Zone::Beyond),
        (6.0, -20.0, Zone::Beyond),
    ] {
        let mut clock = behind(lag);
        clock.shift(step);
        assert_eq!(clock.zone(), zone, "{lag} s, a step of {step} s");
    }
}

#[test]
fn times_at_the_edge_of_what_can_be_are_believed() {
    let nanos = Duration::from_nanos(1);
    let mut fresh = clock();
    let now = Moment {
        mono: Mono::ZERO,
        wall: PLAUSIBLE_FROM,
    };
    assert_eq!(fresh.time(PLAUSIBLE_FROM - nanos, now), Timing::Implausible);
    assert_ne!(fresh.time(PLAUSIBLE_FROM, now), Timing::Implausible);
    let mut ahead = clock();
    assert_eq!(timings(&mut ahead, &[(0.0, 5.25)]), [Timing::Implausible]);
    assert_eq!(timings(&mut ahead, &[(0.0, 5.0)]), [Timing::Live(0.0)]);
}

#[test]
fn a_reading_is_late_when_it_was_held_up_for_longer_than_it_may() {
    let mut clock = clock();
    let seen = timings(&mut clock, &[(0.0, 0.0), (15.0, 5.0), (16.25, 6.0)]);
    assert_eq!(seen[..2], [Timing::Live(0.0), Timing::Live(10.0)]);
    assert!(is_late(&seen[2]), "{seen:?}");
}

/// A minute of live readings, then those that come with this lag at these times.
fn after_a_minute(witnesses: &[(f64, f64)]) -> Vec<Timing> {
    let mut clock = clock();
    let live: Vec<_> = (0..60).map(|at| (f64::from(at), f64::from(at))).collect();
    timings(&mut clock, &live);
    let late: Vec<_> = witnesses
        .iter()
        .map(|(at, lag)| (60.0 + at, 60.0 + at - lag))
        .collect();
    timings(&mut clock, &late)
}

#[test]
fn witnesses_of_another_skew_have_nearly_one_lag_and_come_at_live_pace() {
    let ends = |lags: [f64; 5]| {
        let times = [0.0, 10.0, 20.0, 30.0, 40.0];
        let witnesses: Vec<_> = times.into_iter().zip(lags).collect();
        let seen = after_a_minute(&witnesses);
        assert!(seen[..4].iter().all(is_late), "{seen:?}");
        seen[4] == Timing::Reskewed
    };
    assert!(ends([600.0, 600.0, 600.0, 600.0, 600.0]));
    // The lags may differ by 5 s, and so the pace by a little.
    assert!(ends([600.0, 605.0, 600.0, 600.0, 600.0]));
    assert!(!ends([600.0, 605.25, 600.0, 600.0, 600.0]));
    assert!(ends([600.0, 600.0, 600.0, 600.0, 596.0]));
    let fast = [
        (0.0, 600.0),
        (1.0, 599.5),
        (2.0, 599.0),
        (3.0, 598.5),
        (4.0, 598.0),
    ];
    assert!(
        after_a_minute(&fast).iter().all(is_late),
        "half as fast again"
    );
}

/// One that comes twice is one witness; one that is older than the one before it begins anew.
#[test]
fn witnesses_come_in_the_order_of_their_times() {
    let lag = 600.0;
    let twice = [
        (0.0, lag),
        (1.0, lag),
        (2.0, lag + 1.0),
        (3.0, lag),
        (4.0, lag),
        (5.0, lag),
    ];
    let seen = after_a_minute(&twice);
    assert_eq!(seen[5], Timing::Reskewed, "{seen:?}");
    let back = [
        (0.0, lag),
        (1.0, lag),
        (2.0, lag + 1.5),
        (3.0, lag),
        (4.0, lag),
        (5.0, lag),
    ];
    assert!(after_a_minute(&back).iter().all(is_late));
}

/// Two readings before our clock steps and three after it are five of one source.
#[test]
fn witnesses_outlast_a_step_of_our_clock() {
    for step in [60.0, -30.0] {
        let mut clock = behind(0.0);
        let seen = timings(&mut clock, &[(10.0, -90.0), (11.0, -89.0)]);
        assert!(seen.iter().all(is_late), "{seen:?}");
        clock.shift(step);
        let stepped = |at: f64| Moment {
            wall: wall(at + step),
            ..arrival(at)
        };
        for (at, expected) in [(12.0, false), (13.0, false), (14.0, true)] {
            let timing = clock.time(wall(at - 100.0), stepped(at));
            assert_eq!(timing == Timing::Reskewed, expected, "{at}: {timing:?}");
        }
    }
}

/// What the first reading after a restart is, with this lag, when our clock stepped since.
fn first_after_a_restart(step: f64, lag: f64) -> Timing {
    let ten = Duration::from_secs(10);
    let mut clock = SourceClock::new(Some(wall(-1_000_000.0)), ten, Duration::from_secs(1));
    clock.shift(step);
    clock.time(wall(-lag), arrival(0.0))
}

/// An old good value that a broker kept ends no alarm, whichever of our two clocks its source follows.
#[test]
fn a_first_reading_after_a_restart_is_old_also_when_our_clock_was_set_back() {
    for (step, lag, late) in [
        (0.0, 300.0, true),
        (0.0, 9.0, false),
        (-3600.0, 300.0, true),
        (-3600.0, 9.0, false),
        (-3600.0, -3600.0 + 300.0, true),
        (-3600.0, -3600.0 + 9.0, false),
        (-3600.0, -3600.0 - 4.0, false),
    ] {
        let timing = first_after_a_restart(step, lag);
        assert_eq!(is_late(&timing), late, "{step} s, {lag} s: {timing:?}");
    }
}

/// After a restart, with a clock that may have been set back: what comes at these times may be old, until it
/// has come for long enough.
fn is_known(went_back: f64, arrivals: &[(f64, f64)]) -> Vec<bool> {
    let ten = Duration::from_secs(10);
    let mut clock = SourceClock::new(Some(wall(went_back)), ten, Duration::from_secs(1));
    let known = arrivals.iter().map(|(at, source)| {
        clock.time(wall(*source), arrival(*at));
        clock.is_known()
    });
    known.collect()
}

#[test]
fn what_may_be_old_is_told_from_what_is_not() {
    // The first live reading shows it, if our clock went on from where it was.
    assert_eq!(is_known(-100.0, &[(0.0, -1.0)]), [true]);
    assert_eq!(is_known(100.0, &[(0.0, 101.0)]), [false], "it fell back");
    assert_eq!(is_known(-100.0, &[(0.0, 60.0)]), [false], "our future");
    assert_eq!(is_known(-100.0, &[(0.0, -60.0)]), [false], "late");
    // Five apart over ten seconds; a burst is one.
    let paced = |apart: f64, n: u32| -> Vec<_> {
        let at = (0..n).map(|number| f64::from(number) * apart);
        at.map(|at| (at, at + 60.0)).collect()
    };
    let known = |apart, n| {
        is_known(-100.0, &paced(apart, n))
            .iter()
            .position(|known| *known)
    };
    assert_eq!(known(2.5, 9), Some(4));
    assert_eq!(known(3.0, 9), Some(4), "five of them");
    assert_eq!(known(1.0, 20), Some(10), "for ten seconds");
    assert_eq!(known(0.25, 36), None);
    let mut burst = paced(0.002, 200);
    burst.extend([(10.5, 90.0), (11.0, 91.0), (11.5, 92.0), (12.0, 93.0)]);
    let seen = is_known(-100.0, &burst);
    assert_eq!(seen.iter().position(|known| *known), Some(203), "{seen:?}");
}

#[test]
fn a_clock_that_fell_back_after_the_start_makes_what_follows_doubtful() {
    let ten = Duration::from_secs(10);
    for (step, known) in [(-30.0, false), (30.0, true)] {
        let mut clock = SourceClock::new(Some(wall(-100.0)), ten, Duration::from_secs(1));
        clock.shift(step);
        clock.time(wall(-2.0), arrival(0.0));
        assert_eq!(clock.is_known(), known, "{step}");
    }
    let mut first = clock();
    first.shift(-30.0);
    first.time(wall(60.0), arrival(0.0));
    assert!(first.is_known(), "nothing is old on a fresh journal");
}
