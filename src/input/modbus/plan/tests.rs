//! Plans against a small model.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::engine::reading::PointIndex;
use crate::input::modbus::{ByteOrder, DataType};

fn point(index: u32, table: Table, address: u16, data_type: DataType) -> RegisterPoint {
    RegisterPoint {
        point: PointIndex(index),
        table,
        address,
        data_type,
        order: ByteOrder::Abcd,
        bits: None,
    }
}

fn device(points: Vec<RegisterPoint>, max_registers: u16, max_gap: u16) -> DeviceSettings {
    DeviceSettings {
        id: Arc::from("gd-01"),
        unit_id: 1,
        poll: Duration::from_secs(1),
        timeout: Duration::from_millis(500),
        max_registers,
        max_bits: max_registers.saturating_mul(16),
        max_gap,
        points,
        status: PointIndex(0),
    }
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

#[test]
fn the_scattered_map_takes_two_requests_or_31() {
    let map = || words((0..=87).step_by(3).chain(120..=139));
    for gap in [2, 31] {
        let plan = Plan::new(&device(map(), 125, gap));
        assert_eq!(shape(&plan), [(0, 88), (120, 20)], "gap {gap}");
    }
    for gap in [0, 1] {
        let plan = Plan::new(&device(map(), 125, gap));
        assert_eq!(plan.requests().len(), 31, "gap {gap}");
    }
    // The hole of 32 is read over, too, but 140 registers do not fit in one answer.
    let plan = Plan::new(&device(map(), 125, 32));
    assert_eq!(shape(&plan), [(0, 125), (125, 15)]);
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
    let plan = Plan::new(&device(floats([0, 2, 4]), 5, 0));
    assert_eq!(shape(&plan), [(0, 4), (4, 2)]);
    // Wider than the cap: on its own, and whole.
    let plan = Plan::new(&device(floats([0, 2, 4]), 1, 0));
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
        let plan = Plan::new(&device(mixed.clone(), cap, u16::MAX));
        assert_eq!(plan.requests().len(), requests, "cap {cap}");
    }
    assert_eq!(Plan::new(&device(vec![], 125, 0)).requests(), []);
}

#[test]
fn halves_are_cut_in_the_widest_gap_else_in_the_middle() {
    let plan = Plan::new(&device(words([0, 1, 2, 9, 10, 12]), 125, 10));
    let [left, right] = plan.halves(&plan.requests()[0]).expect("six values");
    assert_eq!((left.address, left.count), (0, 3));
    assert_eq!((right.address, right.count), (9, 4));
    let plan = Plan::new(&device(words(0..8), 125, 0));
    let [left, right] = plan.halves(&plan.requests()[0]).expect("eight values");
    assert_eq!((left.count, right.count), (4, 4));
    let plan = Plan::new(&device(words([7]), 125, 0));
    assert_eq!(plan.halves(&plan.requests()[0]), None);
}

#[test]
fn the_plan_reads_well() {
    // Two points share a register.
    let mut points = words([0, 3, 4, 4]);
    points.push(point(4, Table::Coil, 8, DataType::Bool));
    let plan = Plan::new(&device(points, 125, 2));
    assert_eq!(
        plan.to_string(),
        "2 requests for 5 points\n  coil:8+1: 1 point\n  holding:0+5: 4 points, reads over 2 unused"
    );
}

/// The least number of requests for values in order, found by trying every way to cut them.
fn fewest(points: &[RegisterPoint], cap: u32, max_gap: u32) -> usize {
    let mut fewest = vec![0];
    for last in 1..=points.len() {
        let best = (0..last).filter(|&first| {
            let run = &points[first..last];
            let ends = end(&run[run.len() - 1]) - u32::from(run[0].address) <= cap;
            ends && run
                .windows(2)
                .all(|pair| u32::from(pair[1].address) - end(&pair[0]) <= max_gap)
        });
        fewest.push(1 + best.map(|first| fewest[first]).min().expect("a value fits"));
    }
    fewest[points.len()]
}

proptest! {
    #[test]
    fn every_point_is_read_once_within_the_caps_by_the_fewest_requests(
        values in prop::collection::vec((0u16..9, 0usize..3), 0..60),
        cap in 4u16..=125,
        max_gap in 0u16..12,
    ) {
        let types = [DataType::Uint16, DataType::Float32, DataType::Float64];
        let mut address = 0;
        let mut points = Vec::new();
        for ((gap, kind), index) in values.into_iter().zip(0..) {
            address += gap;
            let value = point(index, Table::Holding, address, types[kind]);
            address += width(value.table, value.data_type);
            points.push(value);
        }
        let plan = Plan::new(&device(points.clone(), cap, max_gap));

        let mut read: Vec<_> = Vec::new();
        for request in plan.requests() {
            prop_assert!(request.count <= cap);
            for point in plan.points_of(request) {
                let from = u32::from(request.address);
                prop_assert!(u32::from(point.address) >= from);
                prop_assert!(end(point) <= from + u32::from(request.count));
                read.push(point.point);
            }
        }
        read.sort_unstable();
        prop_assert_eq!(read, points.iter().map(|point| point.point).collect::<Vec<_>>());
        prop_assert_eq!(plan.requests().len(), fewest(&points, cap.into(), max_gap.into()));
    }

    #[test]
    fn overlapping_values_are_read_once_each(
        addresses in prop::collection::vec(0u16..40, 0..40),
        cap in 4u16..=125,
    ) {
        let mut points = words(addresses);
        for (point, kind) in points.iter_mut().zip([DataType::Float64, DataType::Uint16].iter().cycle()) {
            point.data_type = *kind;
        }
        let plan = Plan::new(&device(points.clone(), cap, 0));
        let read: usize = plan.requests().iter().map(|request| request.points.len()).sum();
        prop_assert_eq!(read, points.len());
        prop_assert!(plan.requests().iter().all(|request| request.count <= cap));
    }
}
