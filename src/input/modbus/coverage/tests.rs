//! The search for refused addresses.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::engine::reading::PointIndex;
use crate::input::modbus::timing::Timing;
use crate::input::modbus::{ByteOrder, DataType, Table};

mod silence;

fn coverage(addresses: &[u16], max_gap: u16) -> Coverage {
    let points = addresses
        .iter()
        .zip(0..)
        .map(|(&address, index)| RegisterPoint {
            point: PointIndex(index),
            table: Table::Holding,
            address,
            data_type: DataType::Uint16,
            order: ByteOrder::Abcd,
            bits: None,
            poll: Duration::from_secs(1),
            hazard: false,
        });
    let rules = Rules {
        max_registers: 125,
        max_bits: 2000,
        max_gap,
        gaps: Vec::new(),
        timing: Timing::tcp(Duration::from_millis(10)),
    };
    Coverage::new(points.collect(), rules)
}

fn at(seconds: u64) -> Mono {
    Mono::ZERO + Duration::from_secs(seconds)
}

/// One poll of a device that refuses `bad` addresses: how many requests, which addresses were read.
fn poll(coverage: &mut Coverage, now: Mono, bad: &BTreeSet<u16>) -> (usize, Vec<u16>) {
    poll_up_to(coverage, now, bad, u16::MAX)
}

/// The same of a device that refuses to give more than `most` registers at a time, too.
fn poll_up_to(
    coverage: &mut Coverage,
    now: Mono,
    bad: &BTreeSet<u16>,
    most: u16,
) -> (usize, Vec<u16>) {
    let (mut requests, mut read) = (0, Vec::new());
    coverage.begin(now);
    while let Some(request) = coverage.ask() {
        requests += 1;
        let addresses = request.address..request.address + request.count;
        if bad.range(addresses).next().is_some() {
            coverage.refused(Fault::IllegalAddress);
        } else if request.count > most {
            coverage.refused(Fault::IllegalValue);
        } else {
            let points = coverage.plan().points_of(&request);
            read.extend(points.iter().map(|point| point.address));
            coverage.answered();
        }
    }
    read.sort_unstable();
    (requests, read)
}

fn refused(coverage: &Coverage) -> Vec<u16> {
    let points = coverage.plan().points();
    coverage
        .refused_points()
        .map(|(position, fault)| {
            assert_eq!(fault, Fault::IllegalAddress);
            points[position].address
        })
        .collect()
}

#[test]
fn one_refused_address_does_not_lose_its_neighbours() {
    let mut coverage = coverage(&(0..100).collect::<Vec<_>>(), 0);
    let bad = BTreeSet::from([37]);
    let all_others: Vec<u16> = (0..100).filter(|address| *address != 37).collect();

    let (requests, read) = poll(&mut coverage, at(0), &bad);
    assert_eq!(read, all_others, "found within one poll");
    // The whole, and two halves on each of seven levels.
    assert!(requests <= 15, "{requests}");
    assert_eq!(refused(&coverage), [37]);

    // From then on nothing refused is asked, and the neighbours are read in as few requests as can be.
    for second in 1..61 {
        let (requests, read) = poll(&mut coverage, at(second), &bad);
        assert_eq!((requests, &read), (2, &all_others));
        assert_eq!(refused(&coverage), [37]);
    }
    // Once a minute it is tried by itself.
    let (requests, read) = poll(&mut coverage, at(61), &bad);
    assert_eq!((requests, &read), (3, &all_others));
    assert_eq!(poll(&mut coverage, at(62), &bad).0, 2);

    // Once it is there, it is read in that poll, and one request reads everything from the next.
    let (requests, read) = poll(&mut coverage, at(121), &BTreeSet::new());
    assert_eq!((requests, read.len()), (3, 100));
    assert!(refused(&coverage).is_empty());
    let (requests, read) = poll(&mut coverage, at(122), &BTreeSet::new());
    assert_eq!((requests, read.len()), (1, 100));
}

#[test]
fn refusals_are_repeated_rarely_and_few_at_a_time() {
    let mut coverage = coverage(&(0..64).collect::<Vec<_>>(), 0);
    let bad: BTreeSet<u16> = (0..64).step_by(2).collect();
    for second in 0..20 {
        let (requests, _) = poll(&mut coverage, at(second), &bad);
        // What is known, two halves of each split, and one question at least.
        assert!(requests <= 32 + 2 * SPLITS + 1, "{requests}");
    }
    assert_eq!(refused(&coverage).len(), 32);
    let (requests, read) = poll(&mut coverage, at(20), &bad);
    assert_eq!((requests, read.len()), (32, 32));
    let (requests, read) = poll(&mut coverage, at(200), &bad);
    assert_eq!((requests, read.len()), (32 + REPEATS, 32));
}

#[test]
fn a_hole_that_is_refused_is_not_read_over_any_more() {
    let mut coverage = coverage(&[0, 1, 2, 3, 10, 11], 6);
    let bad: BTreeSet<u16> = (4..10).collect();
    let (requests, read) = poll(&mut coverage, at(0), &bad);
    assert_eq!((requests, read.len()), (3, 6));
    assert!(refused(&coverage).is_empty());
    for second in 1..3600 {
        let (requests, _) = poll(&mut coverage, at(second), &bad);
        assert_eq!(requests, 2);
    }
    // Once an hour it is tried again, in case the device was changed.
    assert_eq!(poll(&mut coverage, at(3601), &bad).0, 3);
    assert_eq!(poll(&mut coverage, at(3602), &bad).0, 2);
    assert_eq!(poll(&mut coverage, at(7202), &BTreeSet::new()).0, 1);
}

#[test]
fn a_device_with_small_answers_is_asked_for_less() {
    let mut coverage = coverage(&(0..100).collect::<Vec<_>>(), 0);
    for second in 0..20 {
        let (_, read) = poll_up_to(&mut coverage, at(second), &BTreeSet::new(), 16);
        assert_eq!(read.len(), 100, "second {second}");
    }
    let (requests, _) = poll_up_to(&mut coverage, at(20), &BTreeSet::new(), 16);
    assert!((7..=13).contains(&requests), "{requests}");
    assert!(refused(&coverage).is_empty());
}

#[test]
fn a_map_full_of_holes_that_are_refused_settles() {
    let addresses: Vec<u16> = (0..=87).step_by(3).chain(120..=139).collect();
    let bad: BTreeSet<u16> = (0..140)
        .filter(|address| !addresses.contains(address))
        .collect();
    let mut coverage = coverage(&addresses, u16::MAX);
    for second in 0..20 {
        poll(&mut coverage, at(second), &bad);
    }
    let (requests, read) = poll(&mut coverage, at(20), &bad);
    assert_eq!((requests, read), (31, addresses));
}

/// The answers of a device that starts: for a while it refuses what it gives later.
#[test]
fn what_a_device_refused_while_it_started_is_not_held_against_it() {
    for until in 1..20 {
        let mut coverage = coverage(&(0..100).collect::<Vec<_>>(), 0);
        let all = (0..100).collect();
        for second in 0..until {
            poll(&mut coverage, at(second), &all);
        }
        let none = BTreeSet::new();
        let mut polls = 0;
        // Pinned values are tried after a minute.
        let begin = if refused(&coverage).len() == 100 {
            until + 60
        } else {
            until
        };
        while poll(&mut coverage, at(begin + polls), &none) != (1, (0..100).collect()) {
            polls += 1;
            assert!(polls < 10, "refused for {until} s");
        }
    }
}

/// A thousand pinned values, four a poll, would take 250 polls.
#[test]
fn a_device_that_was_changed_is_read_as_a_whole_at_once() {
    let mut coverage = coverage(&(0..1_000).collect::<Vec<_>>(), 0);
    let all = (0..1_000).collect();
    for second in 0..200 {
        poll(&mut coverage, at(second), &all);
    }
    assert_eq!(refused(&coverage).len(), 1_000);
    let none = BTreeSet::new();
    poll(&mut coverage, at(300), &none);
    let (requests, read) = poll(&mut coverage, at(310), &none);
    assert_eq!((requests, read.len()), (8, 1_000));
}

#[test]
fn a_round_that_is_put_off_goes_on_where_it_was() {
    let mut coverage = coverage(&(0..10).map(|i| i * 10).collect::<Vec<_>>(), 0);
    let mut asked = Vec::new();
    for second in 0..5 {
        coverage.begin(at(second));
        for _ in 0..3 {
            let Some(request) = coverage.ask() else {
                break;
            };
            asked.push(request.address / 10);
            if request.address == 0 {
                coverage.refused(Fault::IllegalAddress);
            } else {
                coverage.answered();
            }
        }
        assert_eq!(coverage.is_put_off(), second != 3, "{second}");
    }
    // The next round is planned around what was refused.
    assert_eq!(asked, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]);
    assert_eq!(refused(&coverage), [0]);
}

#[test]
fn a_device_that_refuses_everything_is_still_asked_something() {
    let mut coverage = coverage(&[5, 6], 0);
    let bad = BTreeSet::from([5, 6]);
    assert_eq!(poll(&mut coverage, at(0), &bad).0, 3);
    assert_eq!(refused(&coverage), [5, 6]);
    for second in 1..100 {
        let (requests, _) = poll(&mut coverage, at(second), &bad);
        assert!((1..=2).contains(&requests), "{requests}");
    }
    for second in 100..170 {
        poll(&mut coverage, at(second), &BTreeSet::new());
    }
    let all = (1, vec![5, 6]);
    assert_eq!(poll(&mut coverage, at(170), &BTreeSet::new()), all);
}

#[test]
fn what_a_device_chokes_on_does_not_starve_the_rest() {
    let mut coverage = coverage(&[0, 10, 20], 0);
    let mut asked = Vec::new();
    for second in 0..3 {
        coverage.begin(at(second));
        while let Some(request) = coverage.ask() {
            asked.push(request.address);
            if request.address == 10 {
                coverage.silent();
            } else {
                coverage.answered();
            }
        }
    }
    assert_eq!(asked, [0, 10, 20, 0, 10, 20, 0, 10]);
}

#[test]
fn a_device_without_points_is_asked_nothing() {
    let mut coverage = coverage(&[], 0);
    coverage.begin(at(0));
    assert_eq!(coverage.ask(), None);
}

proptest! {
    #[test]
    fn exactly_the_refused_points_are_missing_in_the_end(
        addresses in prop::collection::btree_set(0u16..300, 1..120),
        bad in prop::collection::btree_set(0u16..300, 0..60),
        max_gap in 0u16..20,
    ) {
        let addresses: Vec<u16> = addresses.into_iter().collect();
        let mut coverage = coverage(&addresses, max_gap);
        for second in 0..50 {
            let (_, read) = poll(&mut coverage, at(second), &bad);
            // Never a refused one, never one twice.
            prop_assert!(read.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(read.iter().all(|address| !bad.contains(address)));
        }
        let (_, read) = poll(&mut coverage, at(50), &bad);
        let (refused_now, readable): (Vec<u16>, Vec<u16>) =
            addresses.iter().partition(|address| bad.contains(address));
        prop_assert_eq!(read, readable);
        prop_assert_eq!(BTreeSet::from_iter(refused(&coverage)), BTreeSet::from_iter(refused_now));

        // No more requests than the readable points need with every hole refused.
        let (requests, _) = poll(&mut coverage, at(51), &bad);
        prop_assert!(requests <= coverage.plan().requests().len().max(1));

        // When the device accepts everything again, so do we, a few repeats at a time, and in the end the
        // plan is the first one again.
        for second in 200..300 {
            poll(&mut coverage, at(second), &BTreeSet::new());
        }
        let (_, read) = poll(&mut coverage, at(300), &BTreeSet::new());
        prop_assert_eq!(&read, &addresses);
        for second in 4000..4400 {
            poll(&mut coverage, at(second), &BTreeSet::new());
        }
        let fresh = self::coverage(&addresses, max_gap);
        prop_assert_eq!(coverage.plan(), fresh.plan());
    }
}
