//! Devices that stay silent where others refuse.

use super::*;

/// One poll of a device that says nothing when it is asked for `bad` addresses, or at all: how many requests,
/// which addresses were read, and whether it was silent.
fn poll(
    coverage: &mut Coverage,
    now: Mono,
    bad: &BTreeSet<u16>,
    gone: bool,
) -> (usize, BTreeSet<u16>, bool) {
    let (mut requests, mut read, mut silent) = (0, BTreeSet::new(), false);
    coverage.begin(now);
    while let Some(request) = coverage.ask() {
        assert!(!silent, "a silence ends the round");
        requests += 1;
        let addresses = request.address..request.address + request.count;
        if gone || bad.range(addresses).next().is_some() {
            silent = true;
            coverage.silent();
        } else {
            let points = coverage.plan().points_of(&request);
            read.extend(points.iter().map(|point| point.address));
            coverage.answered();
        }
    }
    (requests, read, silent)
}

fn unanswered(coverage: &Coverage) -> Vec<u16> {
    let points = coverage.plan().points();
    let refused = coverage.refused_points();
    let refused = refused.map(|(position, fault)| {
        assert_eq!(fault, Fault::Unanswered);
        points[position].address
    });
    refused.collect()
}

#[test]
fn a_hole_that_a_device_is_silent_about_is_not_read_over_any_more() {
    let mut coverage = coverage(&[0, 1, 2, 10, 11], 8);
    let bad = BTreeSet::from([5]);
    let mut without_a_word = 0;
    let mut silences = 0;
    for second in 0..10 {
        let (_, read, silent) = poll(&mut coverage, at(second), &bad, false);
        without_a_word = if read.is_empty() {
            without_a_word + 1
        } else {
            0
        };
        assert!(without_a_word < 3, "it would be called lost");
        silences += usize::from(silent);
    }
    assert_eq!(silences, 1 + STRIKES as usize);
    let (requests, read, silent) = poll(&mut coverage, at(10), &bad, false);
    assert_eq!((requests, read.len(), silent), (2, 5, false));
    assert!(unanswered(&coverage).is_empty());
}

#[test]
fn one_address_without_an_answer_is_found_and_left_alone() {
    for lone in [0, 17, 49] {
        let mut coverage = coverage(&(0..50).collect::<Vec<_>>(), 0);
        let bad = BTreeSet::from([lone]);
        let mut without_a_word = 0;
        for second in 0..40 {
            let (_, read, _) = poll(&mut coverage, at(second), &bad, false);
            without_a_word = if read.is_empty() {
                without_a_word + 1
            } else {
                0
            };
            assert!(without_a_word < 3, "it would be called lost");
        }
        assert_eq!(unanswered(&coverage), [lone]);
        // A timeout a minute, for the one that may be there one day.
        let silences: Vec<bool> = (40..160)
            .map(|second| {
                let (_, read, silent) = poll(&mut coverage, at(second), &bad, false);
                assert_eq!(read.len(), 49);
                silent
            })
            .collect();
        let silences = silences.iter().filter(|silent| **silent).count();
        assert!((1..=2).contains(&silences), "{silences}");
        for second in 160..240 {
            poll(&mut coverage, at(second), &BTreeSet::new(), false);
        }
        assert_eq!(poll(&mut coverage, at(240), &bad, true).0, 1);
        let (requests, read, _) = poll(&mut coverage, at(241), &BTreeSet::new(), false);
        assert_eq!((requests, read.len()), (2, 50), "a witness and the rest");
        assert_eq!(poll(&mut coverage, at(242), &bad, true).0, 1);
    }
}

#[test]
fn requests_of_which_nothing_is_answered_starve_nobody() {
    let addresses = [0, 50, 51, 52, 53, 96, 111, 112];
    for there in addresses {
        let bad: BTreeSet<u16> = addresses.into_iter().filter(|it| *it != there).collect();
        let mut coverage = coverage(&addresses, 0);
        // Within the pause of a pinned one.
        for hundredth in 0..2_000 {
            let now = Mono::ZERO + Duration::from_millis(hundredth * 10);
            poll(&mut coverage, now, &bad, false);
        }
        let (_, read, silent) = poll(&mut coverage, at(20), &bad, false);
        assert_eq!((read, silent), (BTreeSet::from([there]), false));
        assert_eq!(BTreeSet::from_iter(unanswered(&coverage)), bad);
    }
}

#[test]
fn a_device_that_is_gone_is_asked_one_question_a_poll_and_nothing_is_split() {
    let addresses: Vec<u16> = (0..50).chain(400..420).collect();
    let mut coverage = coverage(&addresses, 0);
    let fresh = self::coverage(&addresses, 0);
    poll(&mut coverage, at(0), &BTreeSet::new(), false);
    for second in 1..1000 {
        let (requests, read, silent) = poll(&mut coverage, at(second), &BTreeSet::new(), true);
        assert_eq!((requests, read.len(), silent), (1, 0, true));
    }
    let (requests, read, _) = poll(&mut coverage, at(1000), &BTreeSet::new(), false);
    assert_eq!((requests, read.len()), (3, 70), "at once, with its witness");
    let (requests, _, _) = poll(&mut coverage, at(1001), &BTreeSet::new(), false);
    assert_eq!(requests, 2);
    assert_eq!(coverage.plan(), fresh.plan());
}

#[test]
fn frames_that_are_lost_now_and_then_split_nothing() {
    let mut coverage = coverage(&(0..50).collect::<Vec<_>>(), 0);
    for second in 0..1000 {
        // Two of three polls, never three in a row.
        poll(&mut coverage, at(second), &BTreeSet::new(), second % 3 != 0);
    }
    assert_eq!(coverage.plan().requests().len(), 1);
}

proptest! {
    #[test]
    fn exactly_what_is_never_answered_is_missing_in_the_end(
        addresses in prop::collection::btree_set(0u16..120, 2..40),
        bad in prop::collection::btree_set(0u16..120, 0..8),
        max_gap in 0u16..20,
    ) {
        let addresses: Vec<u16> = addresses.into_iter().collect();
        let (lost, readable): (BTreeSet<u16>, BTreeSet<u16>) =
            addresses.iter().partition(|address| bad.contains(address));
        prop_assume!(!readable.is_empty());
        let mut coverage = coverage(&addresses, max_gap);
        // Within the pause of a pinned one.
        for tenth in 0..500 {
            let now = Mono::ZERO + Duration::from_millis(tenth * 100);
            poll(&mut coverage, now, &bad, false);
        }
        let (_, read, silent) = poll(&mut coverage, at(50), &bad, false);
        prop_assert!(!silent);
        prop_assert_eq!(read, readable);
        prop_assert_eq!(BTreeSet::from_iter(unanswered(&coverage)), lost);
    }
}
