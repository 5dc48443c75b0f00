//! Who is polled when, against small models.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn at(millis: u64) -> Mono {
    Mono::ZERO + Duration::from_millis(millis)
}

fn class(unit: u8, period: Duration) -> Class {
    Class {
        unit,
        period,
        hazard: false,
        slowest_probe: SECOND * 30,
    }
}

/// Units with one class each.
fn units(count: u8, period: Duration) -> Schedule {
    Schedule::new((0..count).map(|unit| class(unit, period)), Mono::ZERO)
}

#[test]
fn units_are_spread_over_their_period() {
    let mut schedule = units(4, SECOND);
    let mut polls = Vec::new();
    for millis in (0..2000).step_by(50) {
        while let Some(position) = schedule.due(at(millis)) {
            assert_eq!(schedule.begin(position, at(millis)), 0);
            schedule.answered(position, at(millis));
            polls.push((millis, position));
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
    let mut schedule = units(1, SECOND);
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
    let mut schedule = units(1, SECOND);
    let mut polls = Vec::new();
    for _ in 0..10 {
        let now = schedule.next_due();
        assert_eq!(schedule.due(now), Some(0));
        polls.push(now.as_nanos() / 1_000_000);
        assert_eq!(
            schedule.begin(0, now),
            0,
            "nothing is missed that was not due"
        );
        schedule.silent(0, now + SECOND / 2, Duration::ZERO);
    }
    // Spacing 2, 4, 8, 16, 30, 30 s after the half second of waiting.
    let expected = [
        0, 1000, 2000, 4500, 9000, 17_500, 34_000, 64_500, 95_000, 125_500,
    ];
    assert_eq!(polls, expected);
    assert!(schedule.is_quarantined(0));
    let now = schedule.next_due();
    schedule.begin(0, now);
    schedule.answered(0, now);
    assert!(!schedule.is_quarantined(0));
    assert!(schedule.next_due().since(now) <= SECOND);
}

#[test]
fn a_unit_is_seen_again_before_its_points_are_stale_unless_that_costs_too_much() {
    // Three polls of 1 s are 5 s at least; a timeout of 200 ms is 4 % of that.
    assert_eq!(slowest_probe(Some(SECOND * 5), MS * 200), SECOND * 5);
    assert_eq!(slowest_probe(Some(SECOND * 5), SECOND), SECOND * 20);
    assert_eq!(slowest_probe(Some(SECOND * 600), SECOND), SECOND * 30);
    assert_eq!(slowest_probe(None, SECOND * 3), SECOND * 60);
}

#[test]
fn a_long_period_is_not_shortened_by_the_slowest_probe() {
    let mut schedule = units(1, SECOND * 90);
    for _ in 0..5 {
        let now = schedule.next_due();
        schedule.begin(0, now);
        schedule.silent(0, now, Duration::ZERO);
    }
    assert!(schedule.next_due().since(Mono::ZERO) >= SECOND * 90 * 5);
}

#[test]
fn no_units_are_never_due() {
    let schedule = units(0, SECOND);
    assert_eq!(schedule.due(at(1_000_000)), None);
    assert_eq!(schedule.next_due(), Mono::NEVER);
}

#[test]
fn what_is_fast_goes_before_what_is_slow_and_hazards_before_both() {
    let hazard = Class {
        hazard: true,
        ..class(3, SECOND * 60)
    };
    let classes = [
        class(0, SECOND * 10),
        class(1, SECOND),
        class(2, SECOND * 5),
        hazard,
    ];
    let mut schedule = Schedule::new(classes, Mono::ZERO);
    let mut order = Vec::new();
    let now = at(59_900);
    while let Some(position) = schedule.due(now) {
        schedule.begin(position, now);
        order.push(position);
    }
    // By their next ticks: due at 0, 0.25, 2.5 and 45 s, and a tick later each.
    assert_eq!(order, [1, 2, 0, 3], "all wait since their first tick");
    let mut order = Vec::new();
    let now = at(105_100);
    while let Some(position) = schedule.due(now) {
        schedule.begin(position, now);
        order.push(position);
    }
    assert_eq!(order, [1, 2, 0, 3]);
    // Together with the hazard only what has waited for longer than a period.
    let mut schedule = Schedule::new([class(0, SECOND), hazard], Mono::ZERO);
    schedule.begin(0, at(29_900));
    assert_eq!(schedule.due(at(30_000)), Some(1));
}

#[test]
fn a_unit_is_silent_with_all_its_classes_and_comes_back_with_all_of_them() {
    let classes = [class(7, SECOND), class(7, SECOND * 5), class(8, SECOND)];
    let mut schedule = Schedule::new(classes, Mono::ZERO);
    let mut asked = [0; 3];
    let mut now = Mono::ZERO;
    while now < at(60_000) {
        let Some(position) = schedule.due(now) else {
            now = schedule.next_due();
            continue;
        };
        asked[position] += 1;
        schedule.begin(position, now);
        if position == 2 {
            now = now + MS * 5;
            schedule.answered(position, now);
        } else {
            now = now + MS * 500;
            schedule.silent(position, now, Duration::ZERO);
        }
    }
    let silent = asked[0] + asked[1];
    assert!((6..=8).contains(&silent), "{silent}: three, then probes");
    assert!(asked[2] >= 58, "{}", asked[2]);
    assert!(schedule.is_quarantined(7) && !schedule.is_quarantined(8));
    // The answer to a probe of one makes both due at once.
    while schedule.due(now).is_none_or(|position| position == 2) {
        let Some(position) = schedule.due(now) else {
            now = schedule.next_due();
            continue;
        };
        schedule.begin(position, now);
        schedule.answered(position, now);
    }
    let probed = schedule.due(now).expect("a probe");
    schedule.begin(probed, now);
    schedule.answered(probed, now);
    assert_eq!(schedule.due(now), Some(1 - probed), "the other one");
}

#[test]
fn after_a_silence_another_unit_goes_first() {
    let mut schedule = units(3, SECOND);
    // All are late; unit 0 is the most urgent and does not answer, so that it is due again at once.
    let now = at(10_000);
    assert_eq!(schedule.due(now), Some(0));
    schedule.begin(0, now);
    schedule.silent(0, at(11_900), Duration::ZERO);
    assert_eq!(schedule.due(at(12_100)), Some(1));
    schedule.begin(1, at(12_100));
    schedule.silent(1, at(12_700), Duration::ZERO);
    assert_eq!(schedule.due(at(12_700)), Some(2));
}

/// Plays a bus with 1 s periods; dead units take `timeout`, others 5 ms. Gives the polls and the longest
/// time between two polls of each unit, of those after `from` seconds.
fn play(dead: &[bool], timeout: Duration, from: u64, to: u64) -> Vec<(u32, Duration)> {
    let slowest = slowest_probe(Some(SECOND * 5), timeout);
    let classes = (0..).zip(dead).map(|(unit, _)| Class {
        slowest_probe: slowest,
        ..class(unit, SECOND)
    });
    let mut schedule = Schedule::new(classes, Mono::ZERO);
    let mut last = vec![at(0); dead.len()];
    let mut seen = vec![(0, Duration::ZERO); dead.len()];
    let mut now = Mono::ZERO;
    while now < at(to * 1000) {
        let Some(position) = schedule.due(now) else {
            now = schedule.next_due();
            continue;
        };
        schedule.begin(position, now);
        if now >= at(from * 1000) {
            let (polls, gap) = seen[position];
            seen[position] = (polls + 1, gap.max(now.since(last[position])));
        }
        last[position] = now;
        if dead[position] {
            now = now + timeout;
            schedule.silent(position, now, Duration::ZERO);
        } else {
            now = now + MS * 5;
            schedule.answered(position, now);
        }
    }
    seen
}

#[test]
fn one_dead_unit_of_20_costs_the_others_a_timeout_and_then_a_twentieth() {
    let dead: Vec<_> = (0..20).map(|unit| unit == 7).collect();
    // Timeouts as long as the period, shorter, and three times as long.
    for timeout in [SECOND, SECOND / 5, SECOND * 3] {
        let first = play(&dead, timeout, 0, 30);
        let later = play(&dead, timeout, 200, 1200);
        for unit in (0..20).filter(|unit| *unit != 7) {
            let longest = first[unit].1;
            assert!(
                longest <= SECOND + timeout + MS * 100,
                "{timeout:?} {unit}: {longest:?}"
            );
            let polls = later[unit].0;
            let least = if timeout > SECOND { 900 } else { 950 };
            assert!(polls >= least, "{timeout:?} {unit}: {polls}");
        }
        // It is asked for as it must be to be seen again.
        let probes = later[7].1;
        assert!(
            probes <= slowest_probe(Some(SECOND * 5), timeout) + timeout + SECOND,
            "{probes:?}"
        );
    }
}

#[test]
fn dead_units_cost_the_others_one_timeout_however_many_they_are() {
    // Probing 50 dead units takes longer than the longest spacing of probes.
    for (dead_units, units) in [(1, 20), (19, 20), (50, 60)] {
        let dead: Vec<_> = (0..units).map(|unit| unit < dead_units).collect();
        let seen = play(&dead, SECOND, 200, 400);
        let worst = seen.iter().zip(&dead).filter(|(_, dead)| !**dead);
        let worst = worst.map(|((_, gap), _)| *gap).max().expect("one answers");
        assert!(
            worst <= Duration::from_millis(2250),
            "{dead_units}: {worst:?}"
        );
        // And the dead ones are still asked.
        let probed = seen.iter().zip(&dead).filter(|(_, dead)| **dead);
        for ((_, gap), _) in probed {
            assert!(*gap > SECOND && *gap < Duration::from_secs(90), "{gap:?}");
        }
    }
}

#[test]
fn units_that_answer_slowly_do_not_starve_a_probe() {
    // Two units that take 0.6 s each of every second, and a dead one.
    let mut schedule = units(3, SECOND);
    let (mut now, mut probes) = (Mono::ZERO, 0);
    while now < at(600_000) {
        let Some(position) = schedule.due(now) else {
            now = schedule.next_due();
            continue;
        };
        schedule.begin(position, now);
        now = now + Duration::from_millis(600);
        if position == 0 {
            probes += 1;
            schedule.silent(position, now, Duration::ZERO);
        } else {
            schedule.answered(position, now);
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
        let mut schedule = units(1, Duration::from_millis(period));
        let (mut now, mut last_tick, mut silent) = (0, None, 0);
        for (step, answers) in steps {
            now += step;
            if schedule.due(at(now)).is_none() {
                continue;
            }
            let tick = now / period;
            prop_assert!(last_tick.is_none_or(|last| tick > last));
            let missed = schedule.begin(0, at(now));
            if silent < SILENT_AFTER {
                let expected = last_tick.map_or(tick, |last| tick - last - 1);
                prop_assert_eq!(missed, expected);
            }
            last_tick = Some(tick);
            silent = if answers { 0 } else { silent + 1 };
            if answers { schedule.answered(0, at(now)) } else { schedule.silent(0, at(now), Duration::ZERO) }
            prop_assert!(schedule.next_due() > at(now));
        }
    }

    /// However busy the bus and whoever is dead: between two polls of a class that answers, every other
    /// class that answers is polled a bounded number of times, and no probe waits for ever.
    #[test]
    fn nobody_starves(
        classes in prop::collection::vec((0u8..6, 100u64..3000, any::<bool>()), 1..12),
        dead in prop::collection::btree_set(0u8..6, 0..4),
        cost in 1u64..400,
        timeout in 100u64..2000,
    ) {
        let classes: Vec<_> = classes
            .into_iter()
            .map(|(unit, period, hazard)| Class {
                unit,
                period: Duration::from_millis(period),
                hazard,
                slowest_probe: SECOND * 5,
            })
            .collect();
        let mut schedule = Schedule::new(classes.clone(), Mono::ZERO);
        let mut last = vec![Mono::ZERO; classes.len()];
        let mut now = Mono::ZERO;
        while now < at(200_000) {
            let Some(position) = schedule.due(now) else {
                let next = schedule.next_due();
                prop_assert!(next > now, "time goes on");
                now = next;
                continue;
            };
            schedule.begin(position, now);
            last[position] = now;
            let unit = classes[position].unit;
            if dead.contains(&unit) {
                now = now + Duration::from_millis(timeout);
                schedule.silent(position, now, Duration::ZERO);
            } else {
                now = now + Duration::from_millis(cost);
                schedule.answered(position, now);
            }
        }
        // A round: everything that answers once for each period of the slowest, and a timeout for each.
        let slowest = classes.iter().map(|class| class.period).max().expect("one");
        let round = u32::try_from(classes.len()).expect("few") * Duration::from_millis(cost + timeout);
        let bound = (slowest + round) * 4 + SECOND * 10;
        for (class, last) in classes.iter().zip(&last) {
            if !dead.contains(&class.unit) {
                prop_assert!(now.since(*last) <= bound, "{class:?}: {:?}", now.since(*last));
            }
        }
        for unit in &dead {
            let asked = classes.iter().zip(&last).filter(|(class, _)| class.unit == *unit);
            if let Some(newest) = asked.map(|(_, last)| *last).max() {
                prop_assert!(now.since(newest) <= bound + SECOND * 60, "unit {unit}");
            }
        }
    }
}

#[test]
fn what_was_put_off_goes_on_behind_what_is_due() {
    let mut schedule = units(2, SECOND);
    schedule.begin(0, at(0));
    schedule.put_off(0, at(600));
    assert_eq!(schedule.due(at(600)), Some(1));
    schedule.begin(1, at(600));
    schedule.answered(1, at(650));
    assert_eq!(schedule.due(at(650)), Some(0));
    assert_eq!(schedule.begin(0, at(650)), 0);
    // Back on the grid.
    assert_eq!(schedule.next_due(), at(1_000));
}

#[test]
fn what_is_due_of_a_unit_without_a_connection_is_one_poll() {
    let classes = [class(7, SECOND), class(7, SECOND * 2), class(8, SECOND)];
    let mut schedule = Schedule::new(classes, Mono::ZERO);
    assert_eq!(schedule.due(at(1_000)), Some(0));
    schedule.begin(0, at(1_000));
    schedule.unreachable(0, at(1_000));
    assert_eq!(schedule.due(at(1_000)), Some(2));
    assert!(!schedule.is_quarantined(7));
    schedule.begin(2, at(1_000));
    assert_eq!(schedule.due(at(1_666)), None);
    assert_eq!(schedule.due(at(1_667)), Some(2));
}

#[test]
fn a_silent_unit_rests_and_nobody_waits_for_it() {
    let mut schedule = Schedule::new([class(7, SECOND), class(8, SECOND * 3)], Mono::ZERO);
    schedule.begin(0, at(0));
    schedule.silent(0, at(1_000), SECOND);
    assert_eq!(schedule.due(at(1_000)), None);
    assert_eq!(schedule.due(at(1_999)), Some(1));
    schedule.begin(1, at(1_999));
    schedule.answered(1, at(1_999));
    assert_eq!(schedule.due(at(2_000)), Some(0));
}
