//! Plans against a small model.

use proptest::prelude::*;

use super::*;
use crate::engine::reading::PointIndex;
use crate::input::modbus::{ByteOrder, DataType};

const SECOND: Duration = Duration::from_secs(1);

/// A request costs, bytes do not: the cheapest plan has the fewest requests.
const FREE_BYTES: Timing = Timing {
    request: SECOND,
    byte: Duration::ZERO,
};

fn tcp() -> Timing {
    Timing::tcp(Duration::from_millis(10))
}

/// 9,600 baud with parity, where a register takes 2.3 ms and a request 33 ms.
fn serial() -> Timing {
    let character = Duration::from_micros(1146);
    Timing::serial(character, character * 7 / 2, Duration::from_millis(10))
}

fn point(index: u32, table: Table, address: u16, data_type: DataType) -> RegisterPoint {
    RegisterPoint {
        point: PointIndex(index),
        table,
        address,
        data_type,
        order: ByteOrder::Abcd,
        bits: None,
        poll: SECOND,
        hazard: false,
    }
}

fn rules(max_registers: u16, max_gap: u16, timing: Timing) -> Rules {
    Rules {
        max_registers,
        max_bits: max_registers.saturating_mul(16),
        max_gap,
        gaps: Vec::new(),
        timing,
    }
}

fn planned(points: Vec<RegisterPoint>, max_registers: u16, max_gap: u16) -> Plan {
    Plan::new(points, &rules(max_registers, max_gap, FREE_BYTES))
}

fn words(addresses: impl IntoIterator<Item = u16>) -> Vec<RegisterPoint> {
    addresses
        .into_iter()
        .zip(0..)
        .map(|(address, index)| point(index, Table::Holding, address, DataType::Uint16))
        .collect()
}

fn shape(plan: &Plan) -> Vec<(u16, u16)> {
    plan.requests()
        .iter()
        .map(|request| (request.address, request.count))
        .collect()
}

/// 50 values at 0, 3, 6 ... 87 and 120 to 139.
fn scattered() -> Vec<RegisterPoint> {
    words((0..=87).step_by(3).chain(120..=139))
}

#[test]
fn the_scattered_map_takes_two_requests_or_31_without_merging_over_holes() {
    for timing in [tcp(), serial()] {
        for gap in [2, 31, 32, 124, u16::MAX] {
            let plan = Plan::new(scattered(), &rules(125, gap, timing));
            assert_eq!(shape(&plan), [(0, 88), (120, 20)], "gap {gap}");
        }
        for gap in [0, 1] {
            let plan = Plan::new(scattered(), &rules(125, gap, timing));
            assert_eq!(plan.requests().len(), 31, "gap {gap}");
        }
    }
}

#[test]
fn holes_are_read_over_as_long_as_that_is_cheaper() {
    let apart = |hole: u16, timing| {
        let map = words((0..5).chain(5 + hole..10 + hole));
        Plan::new(map, &rules(125, u16::MAX, timing))
            .requests()
            .len()
            == 2
    };
    // 13 characters of frames, 7 of silence and 10 ms against 2 characters a register.
    for hole in 1..115 {
        assert_eq!(apart(hole, serial()), hole > 14, "{hole}");
        assert!(!apart(hole, tcp()), "{hole}");
    }
}

#[test]
fn gaps_that_are_listed_are_never_read() {
    let mut rules = rules(125, u16::MAX, tcp());
    let gap = |table, first, last| Gap { table, first, last };
    rules.gaps = vec![
        gap(Table::Holding, 4, 5),
        gap(Table::Holding, 1, 1),
        gap(Table::Input, 0, 99),
    ];
    let plan = Plan::new(words([0, 2, 3, 8, 9]), &rules);
    assert_eq!(shape(&plan), [(0, 1), (2, 2), (8, 2)]);
}

#[test]
fn what_a_device_refuses_is_left_out_and_not_reached_over() {
    let points = words(0..10);
    let (refused, read) = points.into_iter().partition(|point| point.address == 4);
    let boundary = Wall {
        table: Table::Holding,
        from: 8,
        to: 8,
    };
    let plan = Plan::around(read, refused, &[boundary], &rules(125, u16::MAX, tcp()));
    assert_eq!(shape(&plan), [(0, 4), (5, 3), (8, 2)]);
    assert_eq!(plan.left_out(), 9..10);
    let alone = plan.alone(9).expect("it is there");
    assert_eq!((alone.address, alone.count), (4, 1));
    assert_eq!(plan.points_of(&alone)[0].address, 4);
    // Where another value takes the same address it is read with that one.
    let wide = point(0, Table::Holding, 3, DataType::Float32);
    let plan = Plan::around(vec![wide], words([4]), &[], &rules(125, 0, tcp()));
    assert_eq!(shape(&plan), [(3, 2)]);
}

#[test]
fn a_value_is_never_cut() {
    let floats = |addresses: [u16; 3]| {
        addresses
            .into_iter()
            .zip(0..)
            .map(|(address, index)| point(index, Table::Input, address, DataType::Float32))
            .collect::<Vec<_>>()
    };
    let plan = planned(floats([0, 2, 4]), 5, 0);
    assert_eq!(shape(&plan), [(0, 4), (4, 2)]);
    // Wider than the cap: on its own, and whole.
    let plan = planned(floats([0, 2, 4]), 1, 0);
    assert_eq!(shape(&plan), [(0, 2), (2, 2), (4, 2)]);
}

#[test]
fn tables_do_not_mix_and_odd_settings_do_not_panic() {
    let mixed = vec![
        point(0, Table::Input, 0, DataType::Uint16),
        point(1, Table::Holding, 0, DataType::Uint16),
        point(2, Table::Coil, 0, DataType::Bool),
        point(3, Table::Discrete, 0, DataType::Bool),
        point(4, Table::Holding, u16::MAX, DataType::Float64),
        point(5, Table::Holding, u16::MAX, DataType::Float64),
    ];
    for (cap, requests) in [(0, 6), (1, 6), (4, 5), (u16::MAX, 5)] {
        let plan = planned(mixed.clone(), cap, u16::MAX);
        assert_eq!(plan.requests().len(), requests, "cap {cap}");
    }
    assert_eq!(planned(vec![], 125, 0).requests(), []);
}

#[test]
fn halves_are_cut_in_the_widest_gap_else_in_the_middle() {
    let plan = planned(words([0, 1, 2, 9, 10, 12]), 125, 10);
    let [left, right] = plan.halves(&plan.requests()[0]).expect("six values");
    assert_eq!((left.address, left.count), (0, 3));
    assert_eq!((right.address, right.count), (9, 4));
    let plan = planned(words(0..8), 125, 0);
    let [left, right] = plan.halves(&plan.requests()[0]).expect("eight values");
    assert_eq!((left.count, right.count), (4, 4));
    let plan = planned(words([7]), 125, 0);
    assert_eq!(plan.halves(&plan.requests()[0]), None);
}

#[test]
fn the_plan_reads_well() {
    // Two points share a register.
    let mut points = words([0, 3, 4, 4]);
    points.push(point(4, Table::Coil, 8, DataType::Bool));
    let plan = planned(points, 125, 2);
    assert_eq!(
        plan.to_string(),
        "2 requests for 5 points\n  coil:8+1: 1 point\n  holding:0+5: 4 points, reads over 2 unused"
    );
}

/// The least cost of values in order and its number of requests, by trying every way to cut them.
fn cheapest(points: &[RegisterPoint], walls: &[Wall], rules: &Rules) -> (u64, usize) {
    let Some(last) = points.len().checked_sub(1) else {
        return (0, 0);
    };
    let ways = 0u32..1 << last;
    let costs = ways.filter_map(|cuts| {
        let (mut cost, mut requests, mut first) = (0, 0, 0);
        for at in 0..=last {
            if at < last && cuts & (1 << at) == 0 {
                continue;
            }
            let run = &points[first..=at];
            let count = allowed(run, walls, rules)?;
            cost += rules.timing.nanos(run[0].table, count);
            requests += 1;
            first = at + 1;
        }
        Some((cost, requests))
    });
    costs.min().expect("each value by itself")
}

/// How many addresses one request for `run` reads, if it may.
fn allowed(run: &[RegisterPoint], walls: &[Wall], rules: &Rules) -> Option<u16> {
    let (from, to) = (u32::from(run[0].address), end(&run[run.len() - 1]));
    let mut pairs = run.windows(2);
    let near =
        pairs.all(|pair| u32::from(pair[1].address) - end(&pair[0]) <= u32::from(rules.max_gap));
    let mut over = walls.iter();
    let walled = over.any(|wall| wall.from > from && wall.to < to);
    let fits = to - from <= u32::from(rules.max_registers) && near && !walled;
    (fits || run.len() == 1).then(|| u16::try_from(to - from).expect("in the table"))
}

/// Values of one, two and four registers, and walls in some of the holes and between some of the values.
fn map(values: &[(u16, usize, bool)]) -> (Vec<RegisterPoint>, Vec<Wall>) {
    let types = [DataType::Uint16, DataType::Float32, DataType::Float64];
    let (mut address, mut points, mut walls) = (0, Vec::new(), Vec::new());
    for ((gap, kind, walled), index) in values.iter().zip(0..) {
        if *walled {
            walls.push(Wall {
                table: Table::Holding,
                from: u32::from(address + gap / 3),
                to: u32::from(address + gap),
            });
        }
        address += gap;
        let value = point(index, Table::Holding, address, types[*kind]);
        address += width(value.table, value.data_type);
        points.push(value);
    }
    (points, walls)
}

proptest! {
    #[test]
    fn every_point_is_read_once_within_the_caps_by_the_cheapest_requests(
        values in prop::collection::vec((0u16..30, 0usize..3, prop::bool::weighted(0.2)), 0..13),
        cap in 4u16..=125,
        max_gap in prop::sample::select(vec![0u16, 1, 5, 20, u16::MAX]),
        timing in prop::sample::select(vec![FREE_BYTES, tcp(), serial()]),
    ) {
        let (points, walls) = map(&values);
        let rules = rules(cap, max_gap, timing);
        let plan = Plan::around(points.clone(), Vec::new(), &walls, &rules);

        let mut read: Vec<_> = Vec::new();
        let mut cost = 0;
        for request in plan.requests() {
            prop_assert!(request.count <= cap);
            let run = plan.points_of(request);
            prop_assert_eq!(allowed(run, &walls, &rules), Some(request.count));
            prop_assert_eq!((u32::from(request.address), request.end()), (run[0].address.into(), run_end(run)));
            read.extend(run.iter().map(|point| point.point));
            cost += timing.nanos(request.table, request.count);
        }
        prop_assert_eq!(read, points.iter().map(|point| point.point).collect::<Vec<_>>());
        prop_assert_eq!((cost, plan.requests().len()), cheapest(&points, &walls, &rules));
        prop_assert_eq!(plan.cost(&timing), Duration::from_nanos(cost));

        let mut apart = rules.clone();
        apart.max_gap = 0;
        let apart = Plan::around(points, Vec::new(), &walls, &apart);
        prop_assert!(plan.requests().len() <= apart.requests().len());
    }

    #[test]
    fn large_maps_take_the_fewest_requests_where_bytes_are_free(
        values in prop::collection::vec((0u16..12, 0usize..3, Just(false)), 0..200),
        cap in 4u16..=125,
    ) {
        let (points, _) = map(&values);
        // Each as long as it may be: nothing needs fewer.
        let (mut fewest, mut from) = (0, None);
        for point in &points {
            let fits = from.is_some_and(|from| end(point) - from <= u32::from(cap));
            if !fits {
                fewest += 1;
                from = Some(u32::from(point.address));
            }
        }
        prop_assert_eq!(planned(points, cap, u16::MAX).requests().len(), fewest);
    }

    #[test]
    fn overlapping_values_are_read_once_each(
        addresses in prop::collection::vec(0u16..40, 0..40),
        refused in prop::collection::vec(0u16..40, 0..9),
        cap in 4u16..=125,
    ) {
        let mut points = words(addresses);
        for (point, kind) in points.iter_mut().zip([DataType::Float64, DataType::Uint16].iter().cycle()) {
            point.data_type = *kind;
        }
        let plan = Plan::around(points.clone(), words(refused.clone()), &[], &rules(cap, 9, tcp()));
        let read: usize = plan.requests().iter().map(|request| request.points.len()).sum();
        prop_assert_eq!(read, points.len());
        prop_assert_eq!(plan.left_out().len(), refused.len());
        for request in plan.requests() {
            prop_assert!(request.count <= cap);
            // A refused address is read only within a value that takes it.
            for address in request.address..request.address + request.count {
                let taken = plan.points_of(request).iter().any(|point| {
                    (u32::from(point.address)..end(point)).contains(&address.into())
                });
                prop_assert!(taken || !refused.contains(&address));
            }
        }
    }
}
