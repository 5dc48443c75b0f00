//! Who is polled when, against small models.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(millis: u64) -> Mono {
    Mono::ZERO + Duration::from_millis(millis)
}

#[test]
fn units_are_spread_over_their_period() {
    let mut schedule = Schedule::new([SECOND; 4], Mono::ZERO);
    let mut polls = Vec::new();
    for millis in (0..2000).step_by(50) {
        while let Some(unit) = schedule.due(at(millis)) {
            assert_eq!(schedule.begin(unit, at(millis)), 0);
            schedule.answered(unit);
            polls.push((millis, unit));
        }
    }
    let expected = [
        (0, 0),
        (250, 1),
        (500, 2),
        (750, 3),
        (1000, 0),
        (1250, 1),
        (1500, 2),
        (1750, 3),
    ];
    assert_eq!(polls, expected);
}

#[test]
fn missed_ticks_are_skipped_and_counted() {
    let mut schedule = Schedule::new([SECOND], Mono::ZERO);
    assert_eq!(schedule.begin(0, at(0)), 0);
    // The process was stopped for 3.2 s: one poll, two ticks missed, back on the grid.
    assert_eq!(schedule.due(at(4200)), Some(0));
    assert_eq!(schedule.begin(0, at(4200)), 3);
    assert_eq!(schedule.due(at(4200)), None);
    assert_eq!(schedule.next_due(), at(5000));
    // Late by less than a period: nothing was missed.
    assert_eq!(schedule.begin(0, at(5900)), 0);
    assert_eq!(schedule.next_due(), at(6000));
}

#[test]
fn a_silent_unit_is_probed_ever_more_rarely_until_it_answers() {
    let mut schedule = Schedule::new([SECOND], Mono::ZERO);
    let mut polls = Vec::new();
    let mut now = Mono::ZERO;
    for _ in 0..10 {
        now = schedule.next_due();
        polls.push(now.as_nanos() / 1_000_000_000);
        schedule.begin(0, now);
        schedule.silent(0, now + Duration::from_millis(500));
    }
    // Spacing 2, 4, 8, 16, 30, 30 s after the half second of waiting, on the next tick.
    assert_eq!(polls, [0, 1, 2, 5, 10, 19, 36, 67, 98, 129]);
    schedule.begin(0, now);
    schedule.answered(0);
    assert_eq!(schedule.next_due(), now + SECOND);
}

#[test]
fn a_long_period_is_not_shortened_by_the_cap() {
    let mut schedule = Schedule::new([SECOND * 90], Mono::ZERO);
    for _ in 0..5 {
        schedule.begin(0, schedule.next_due());
        schedule.silent(0, schedule.next_due());
    }
    assert!(schedule.next_due().since(Mono::ZERO) >= SECOND * 90 * 5);
}

#[test]
fn no_units_are_never_due() {
    let schedule = Schedule::new([], Mono::ZERO);
    assert_eq!(schedule.due(at(1_000_000)), None);
    assert_eq!(schedule.next_due(), Mono::NEVER);
}

/// Plays a bus for `seconds`; dead units take `timeout`, others 5 ms. Gives the longest time between
/// two polls of each unit that answers, over the last half.
fn longest_gaps(dead: &[bool], timeout: Duration, seconds: u64) -> Vec<Duration> {
    let mut schedule = Schedule::new(dead.iter().map(|_| SECOND), Mono::ZERO);
    let mut last = vec![at(0); dead.len()];
    let mut gaps = vec![Duration::ZERO; dead.len()];
    let mut now = Mono::ZERO;
    while now < at(seconds * 1000) {
        let Some(unit) = schedule.due(now) else {
            now = schedule.next_due();
            continue;
        };
        schedule.begin(unit, now);
        if now > at(seconds * 500) {
            gaps[unit] = gaps[unit].max(now.since(last[unit]));
        }
        last[unit] = now;
        if dead[unit] {
            now = now + timeout;
            schedule.silent(unit, now);
        } else {
            now = now + Duration::from_millis(5);
            schedule.answered(unit);
        }
    }
    gaps
}

#[test]
fn dead_units_cost_the_others_one_timeout_however_many_they_are() {
    // Probing 50 dead units takes longer than the longest spacing of probes.
    for (dead_units, units) in [(1, 20), (19, 20), (50, 60)] {
        let dead: Vec<_> = (0..units).map(|unit| unit < dead_units).collect();
        let gaps = longest_gaps(&dead, SECOND, 400);
        let worst = gaps.iter().zip(&dead).filter(|(_, dead)| !**dead);
        let worst = worst.map(|(gap, _)| *gap).max().expect("one answers");
        assert!(
            worst <= Duration::from_millis(2250),
            "{dead_units}: {worst:?}"
        );
        // And the dead ones are still asked.
        let probed = gaps.iter().zip(&dead).filter(|(_, dead)| **dead);
        for (gap, _) in probed {
            assert!(*gap > SECOND && *gap < Duration::from_secs(90), "{gap:?}");
        }
    }
}

#[test]
fn units_that_answer_slowly_do_not_starve_a_probe() {
    // Two units that take 0.6 s each of every second, and a dead one.
    let mut schedule = Schedule::new([SECOND; 3], Mono::ZERO);
    let (mut now, mut probes) = (Mono::ZERO, 0);
    while now < at(600_000) {
        let Some(unit) = schedule.due(now) else {
            now = schedule.next_due();
            continue;
        };
        schedule.begin(unit, now);
        now = now + Duration::from_millis(600);
        if unit == 0 {
            probes += 1;
            schedule.silent(unit, now);
        } else {
            schedule.answered(unit);
        }
    }
    assert!((18..=30).contains(&probes), "{probes}");
}

proptest! {
    #[test]
    fn a_poll_is_never_early_and_never_twice_on_a_tick(
        period in 10u64..3000,
        steps in prop::collection::vec((0u64..5000, any::<bool>()), 1..80),
    ) {
        let mut schedule = Schedule::new([Duration::from_millis(period)], Mono::ZERO);
        let (mut now, mut last_tick, mut silent) = (0, None, 0);
        for (step, answers) in steps {
            now += step;
            if schedule.due(at(now)).is_none() {
                continue;
            }
            let tick = now / period;
            prop_assert!(last_tick.is_none_or(|last| tick > last));
            let missed = schedule.begin(0, at(now));
            if silent < u64::from(SILENT_AFTER) {
                let expected = last_tick.map_or(tick, |last| tick - last - 1);
                prop_assert_eq!(missed, expected);
            }
            last_tick = Some(tick);
            silent = if answers { 0 } else { silent + 1 };
            if answers { schedule.answered(0) } else { schedule.silent(0, at(now)) }
            prop_assert!(schedule.next_due() > at(now));
        }
    }
}
