//! What is kept, what is dropped, and that nothing is dropped that is not counted.

use super::*;
use crate::engine::reading::{PointIndex, Quality};
use crate::engine::time::Wall;

fn record(number: u64) -> Record {
    let time = Wall::from_unix_nanos(i64::try_from(number).expect("few") * 1_000_000);
    Record {
        point: PointIndex(1),
        time,
        from: time,
        value: Some(number as f64 / 10.0),
        quality: Quality::Good,
        reason: None,
        held: false,
        range: Some((-1.0, 1e300 / (number as f64))),
        count: 7,
    }
}

fn memory(outputs: &[&str]) -> Memory {
    let cursors = outputs.iter().map(|id| (Arc::from(*id), 0));
    Memory::new(0, cursors.collect())
}

fn push(memory: &mut Memory, count: u64) -> u64 {
    let first = memory.newest() + 1;
    (first..first + count)
        .map(|number| memory.push(record(number)))
        .sum()
}

/// Numbers of all records after `after`, each with the right content.
fn all(memory: &Memory, mut after: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Found::Here(records) = memory.read(after, u64::MAX, 100) {
        for (number, content) in records {
            assert_eq!(content, record(number));
            numbers.push(number);
            after = number;
        }
    }
    numbers
}

#[test]
fn everything_is_read_in_order_from_wherever_it_lies() {
    let mut memory = memory(&["up"]);
    assert_eq!(push(&mut memory, 3000), 0);
    assert!(all(&memory, 0).into_iter().eq(1..=3000));
    assert!(all(&memory, 511).into_iter().eq(512..=3000));
    assert!(all(&memory, 2999).into_iter().eq(3000..=3000));
    assert_eq!(memory.read(3000, u64::MAX, 9), Found::Nothing);
    let Found::Here(few) = memory.read(10, 12, 100) else {
        panic!("there are two");
    };
    assert_eq!(few.len(), 2);
}

#[test]
fn the_oldest_goes_first_and_all_that_goes_is_counted() {
    let mut memory = memory(&["up"]);
    let total = 200_000;
    let dropped = push(&mut memory, total);
    assert!(dropped > 0 && memory.size <= BLOCKS);
    assert_eq!(memory.dropped(), dropped);
    let left = all(&memory, 0);
    assert!(left.iter().copied().eq(dropped + 1..=total), "{dropped}");
}

#[test]
fn what_has_arrived_or_is_on_disk_is_not_lost() {
    let total = 200_000;
    let mut arriving = memory(&["up", "second"]);
    for _ in 0..total / 100 {
        assert_eq!(push(&mut arriving, 100), 0);
        let newest = arriving.newest();
        arriving.arrived("up", newest);
        arriving.arrived("second", newest - 50);
    }
    assert_eq!(arriving.safe(), total - 50);

    let mut storing = memory(&["up"]);
    let mut written = 0;
    for _ in 0..total / 1000 {
        assert_eq!(push(&mut storing, 1000), 0);
        for block in storing.unstored(true) {
            assert_eq!(block.first, written + 1, "each once, in order");
            written = block.last;
        }
        storing.stored(written, Some(1..=written), &[]);
    }
    assert_eq!(written, total);
    assert_eq!(storing.read(0, u64::MAX, 10), Found::OnDisk);
    assert_eq!(storing.dropped(), 0);
}

#[test]
fn what_has_arrived_is_not_written() {
    let mut memory = memory(&["up"]);
    push(&mut memory, 600);
    memory.arrived("up", 600);
    assert!(memory.unstored(true).is_empty());
    push(&mut memory, 10);
    let blocks = memory.unstored(true);
    assert_eq!(
        (blocks.len(), blocks[0].first, blocks[0].last),
        (1, 601, 610)
    );
}

#[test]
fn what_the_disk_evicts_is_lost_as_far_as_an_output_wants_it() {
    let mut memory = memory(&["up"]);
    push(&mut memory, 1000);
    memory.arrived("up", 300);
    assert_eq!(memory.stored(1000, Some(513..=1000), &[1..=512]), 212);
    assert_eq!(memory.dropped(), 212);
}

#[test]
fn a_disk_that_gives_way_costs_what_memory_does_not_have() {
    let mut memory = memory(&["up"]);
    push(&mut memory, 200_000);
    let before = memory.dropped();
    let first = memory.first_in_memory();
    memory.stored(200_000, Some(1..=200_000), &[]);
    assert_eq!(memory.gave_way(), first - 1);
    assert_eq!(memory.dropped(), before + first - 1);
    assert!(all(&memory, 0).into_iter().eq(first..=200_000));
    // It may be written again.
    let again = memory.unstored(true)[0].first;
    assert_eq!(again, memory.first_in_memory());
}
