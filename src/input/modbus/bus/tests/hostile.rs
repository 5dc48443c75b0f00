//! Devices that do harm without being dead.

use super::*;

/// The longest time between two readings of `point`.
fn longest(deliveries: &[Vec<Reading>], point: u32) -> Duration {
    let all = deliveries.iter().flatten();
    let own = all.filter(|reading| reading.point == PointIndex(point));
    let times: Vec<_> = own.map(|reading| reading.received.mono).collect();
    let gaps = times.windows(2).map(|pair| pair[1].since(pair[0]));
    gaps.max().expect("several readings")
}

/// Ten requests, each answered at the last moment: the others wait for what was planned and one timeout.
#[tokio::test(start_paused = true)]
async fn a_device_that_answers_late_each_time_costs_the_others_one_timeout_a_cycle() {
    let mut slow = device(1, 10);
    slow.rules.max_registers = 1;
    let planned = Duration::from_millis(10 * 11);
    let timeout = slow.timeout;
    let late = Manner::Slow(timeout - Duration::from_millis(10));
    let manners = [(1, late), (2, Manner::Fine)];
    let mut plant = Plant::start(vec![slow, device(2, 1)], &manners, 64);
    plant.until(10).await;
    let deliveries = plant.until(70).await;
    let gap = longest(&deliveries, 20);
    assert!(gap <= SECOND + planned + timeout, "{gap:?}");
    // It is read all the same, as fast as it lets itself, and the bus says that it is behind.
    for address in 0..10 {
        let polls = of(&deliveries, 10 + address).len();
        assert!(polls >= 10, "address {address}: {polls}");
    }
    plant.behave(1, Some(Manner::Fine));
    let deliveries = plant.until(210).await;
    assert_eq!(of(&deliveries, BUS.0), [Sample::measured(0.0)]);
}

/// Three classes are due when the connection is gone for a moment: that is one poll without an answer.
#[tokio::test(start_paused = true)]
async fn a_moment_without_a_connection_is_no_lost_device() {
    let mut device = device(1, 3);
    for (point, period) in device.points.iter_mut().zip([1, 3, 6]) {
        point.poll = SECOND * period;
    }
    let mut plant = Plant::start(vec![device], &[(1, Manner::Fine)], 64);
    plant.until(10).await;
    plant.behave(1, Some(Manner::Closes));
    plant.wire.up.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(700)).await;
    plant.behave(1, Some(Manner::Fine));
    plant.wire.up.store(true, Ordering::Relaxed);
    let deliveries = plant.until(20).await;
    assert!(
        of(&deliveries, 1001).is_empty(),
        "{:?}",
        of(&deliveries, 1001)
    );
    assert!(of(&deliveries, 10).len() >= 8);
}
