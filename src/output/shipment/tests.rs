//! Lanes, cursors and what a lost connection costs.

use super::*;

const NOW: Mono = Mono::ZERO;

const fn load(last: u64, bytes: usize, records: u32) -> Load {
    Load {
        last,
        bytes,
        records,
    }
}

impl Shipment {
    /// Sends the next ten at most. Their numbers, and the ticket.
    fn send(&mut self, newest: u64) -> Option<(u64, u64, bool, u64)> {
        let want = self.next(newest)?;
        let last = want.upto.min(want.after + 10);
        let records = u32::try_from(last - want.after).expect("ten at most");
        let ticket = self.sent(want.lane, load(last, 100, records), NOW);
        Some((want.after + 1, last, want.replayed, ticket))
    }

    /// Sends and acknowledges everything up to `newest`; what went, in order.
    fn drain(&mut self, newest: u64) -> Vec<(u64, u64, bool)> {
        let mut went = Vec::new();
        while let Some((first, last, replayed, ticket)) = self.send(newest) {
            self.acknowledged(ticket);
            went.push((first, last, replayed));
        }
        went
    }
}

#[test]
fn the_cursor_moves_with_the_acknowledgement_and_not_before() {
    let mut shipment = Shipment::new(0);
    shipment.connected(0);
    let (_, _, _, first) = shipment.send(30).expect("there is some");
    let (_, _, _, second) = shipment.send(30).expect("there is more");
    assert_eq!(shipment.cursor(), 0);
    shipment.acknowledged(second);
    assert_eq!(shipment.cursor(), 0, "out of order");
    shipment.acknowledged(first);
    assert_eq!(shipment.cursor(), 20);
    shipment.acknowledged(first);
    assert_eq!(shipment.cursor(), 20, "a ticket counts once");
}

#[test]
fn what_is_recorded_now_goes_before_what_was_missed() {
    let mut shipment = Shipment::new(100);
    shipment.connected(130);
    assert_eq!(shipment.send(130), Some((101, 110, true, 0)));
    // Three are recorded while the backlog is on its way.
    assert_eq!(shipment.send(133), Some((131, 133, false, 1)));
    assert_eq!(shipment.send(133), Some((111, 120, true, 2)));
    shipment.acknowledged(0);
    shipment.acknowledged(1);
    assert_eq!(shipment.cursor(), 110, "the backlog is not done");
    shipment.acknowledged(2);
    assert_eq!(shipment.drain(135), [(134, 135, false), (121, 130, true)]);
    assert_eq!(shipment.cursor(), 135);
}

#[test]
fn a_lost_connection_takes_back_what_was_on_the_way_and_only_that() {
    let mut shipment = Shipment::new(0);
    shipment.connected(20);
    // Live goes first and arrives; of the backlog the half.
    assert_eq!(shipment.send(25), Some((21, 25, false, 0)));
    assert_eq!(shipment.send(25), Some((1, 10, true, 1)));
    assert_eq!(shipment.send(25), Some((11, 20, true, 2)));
    shipment.acknowledged(0);
    shipment.acknowledged(1);
    shipment.disconnected(false, NOW);
    assert_eq!((shipment.cursor(), shipment.on_the_way()), (10, 0));
    shipment.connected(40);
    let went = shipment.drain(40);
    // Not 21 to 25, which have arrived.
    assert_eq!(went, [(11, 20, true), (26, 35, true), (36, 40, true)]);
    assert_eq!(shipment.cursor(), 40);
}

#[test]
fn many_lost_connections_take_no_more_room_and_lose_nothing() {
    let mut shipment = Shipment::new(0);
    let mut newest = 0;
    let mut arrived = std::collections::BTreeSet::new();
    for _ in 0..50 {
        newest += 25;
        shipment.connected(newest);
        // Live arrives, the backlog never does.
        newest += 5;
        let (first, last, replayed, ticket) = shipment.send(newest).expect("live");
        assert!(!replayed);
        arrived.extend(first..=last);
        shipment.acknowledged(ticket);
        shipment.disconnected(false, NOW);
        assert!(shipment.stretches.len() <= STRETCHES + 1);
    }
    shipment.connected(newest);
    for (first, last, _) in shipment.drain(newest) {
        arrived.extend(first..=last);
    }
    assert!(arrived.into_iter().eq(1..=newest));
    assert_eq!(shipment.cursor(), newest);
}

#[test]
fn what_was_dropped_is_passed_over() {
    let mut shipment = Shipment::new(0);
    shipment.connected(30);
    let want = shipment.next(30).expect("backlog");
    shipment.passed_over(want.lane, 30);
    assert_eq!((shipment.next(30), shipment.cursor()), (None, 30));
    // Not before what is on the way.
    shipment.connected(60);
    let (_, _, _, ticket) = shipment.send(60).expect("there is some");
    let want = shipment.next(60).expect("there is more");
    shipment.passed_over(want.lane, want.upto);
    assert_eq!((shipment.next(60), shipment.cursor()), (None, 30));
    shipment.acknowledged(ticket);
    assert_eq!(shipment.cursor(), 60);
}

#[test]
fn no_more_is_on_the_way_than_the_window() {
    let mut shipment = Shipment::new(0);
    shipment.connected(0);
    while shipment.has_room(NOW) {
        shipment.send(10_000).expect("there is enough");
    }
    assert_eq!(shipment.on_the_way(), WINDOW);
    shipment.disconnected(false, NOW);
    shipment.connected(10_000);
    for _ in 0..2 {
        let want = shipment.next(10_000).expect("there is enough");
        shipment.sent(want.lane, load(want.after + 1, BYTES / 2, 1), NOW);
    }
    assert!(!shipment.has_room(NOW), "by bytes");
}

#[test]
fn who_does_not_take_it_is_given_time_and_nothing_is_lost() {
    let mut shipment = Shipment::new(0);
    shipment.connected(0);
    let (_, _, _, first) = shipment.send(20).expect("there is some");
    let (_, _, _, second) = shipment.send(20).expect("there is more");
    shipment.refused(first, NOW);
    assert!(
        !shipment.has_room(NOW),
        "what is on the way first comes back"
    );
    let counted = shipment.acknowledged(second);
    let behind = "an acknowledgement behind a refusal";
    assert_eq!((shipment.cursor(), counted), (0, 0), "{behind}");
    assert!(!shipment.has_room(NOW + Duration::from_secs(9)));
    assert!(shipment.has_room(NOW + SHORTEST_PAUSE));
    assert_eq!(shipment.drain(20).len(), 2);
    assert_eq!(shipment.cursor(), 20);
    // A connection that is closed on it each time rests longer each time.
    let mut now = NOW + SHORTEST_PAUSE;
    for pause in [10, 20, 40, 80, 160, 320, 600, 600] {
        shipment.connected(20);
        shipment.send(30).expect("there is some");
        shipment.disconnected(true, now);
        let end = now + Duration::from_secs(pause);
        assert!(shipment.rests(end - Duration::from_secs(1)), "{pause}");
        assert!(!shipment.rests(end), "{pause}");
        now = end;
    }
}

#[test]
fn what_alone_is_not_acknowledged_rests_and_is_tried_with_one_message() {
    let mut shipment = Shipment::new(0);
    let mut now = NOW;
    shipment.connected(0);
    for pause in [10, 20, 40, 80, 160, 320, 600, 600] {
        shipment.send(30).expect("there is some");
        assert!(shipment.waits_since().is_some());
        assert!(shipment.is_late(now), "{pause}");
        assert_eq!((shipment.on_the_way(), shipment.waits_since()), (0, None));
        let end = now + Duration::from_secs(pause);
        shipment.turn(end - Duration::from_secs(1));
        assert!(!shipment.has_room(end - Duration::from_secs(1)), "{pause}");
        shipment.turn(end);
        assert!(shipment.has_room(end), "{pause}");
        now = end;
    }
    assert!(shipment.is_in_doubt());
    assert!(!shipment.is_late(now), "nothing is on the way");
    let (_, _, _, ticket) = shipment.send(30).expect("there is some");
    assert!(!shipment.has_room(now), "one message, until it is known");
    assert_eq!(shipment.acknowledged(ticket), 10);
    assert!(shipment.has_room(now) && !shipment.is_in_doubt());
}

#[test]
fn an_acknowledgement_that_is_late_counts_until_it_is_sent_again() {
    let mut shipment = Shipment::new(0);
    shipment.connected(0);
    let (_, _, _, first) = shipment.send(30).expect("there is some");
    let (_, _, _, second) = shipment.send(30).expect("there is more");
    assert!(shipment.is_late(NOW));
    assert_eq!((shipment.acknowledged(first), shipment.cursor()), (10, 10));
    shipment.turn(NOW + SHORTEST_PAUSE);
    assert_eq!((shipment.acknowledged(second), shipment.cursor()), (0, 10));
    // Nor does a refusal that belongs to nothing any more put off what comes now.
    shipment.refused(second, NOW + SHORTEST_PAUSE);
    assert!(shipment.has_room(NOW + SHORTEST_PAUSE));
    assert_eq!(shipment.drain(30), [(11, 20, false), (21, 30, false)]);
}

#[test]
fn what_is_taken_beside_what_never_is_makes_no_pause_shorter() {
    let mut shipment = Shipment::new(0);
    shipment.connected(10);
    let mut now = NOW;
    for (newest, pause) in [(11, 10), (12, 20), (13, 40)] {
        let (_, _, replayed, live) = shipment.send(newest).expect("live");
        assert_eq!((replayed, shipment.acknowledged(live)), (false, 1));
        assert!(shipment.send(newest).expect("backlog").2);
        assert!(shipment.is_late(now));
        now = now + Duration::from_secs(pause);
        assert!(shipment.rests(now - Duration::from_secs(1)), "{pause}");
        shipment.turn(now);
        assert!(!shipment.rests(now), "{pause}");
    }
}

#[test]
fn a_record_counts_as_sent_once_it_has_arrived_for_good() {
    let mut shipment = Shipment::new(0);
    shipment.connected(0);
    shipment.send(20).expect("there is some");
    let (_, _, _, second) = shipment.send(20).expect("there is more");
    assert_eq!(shipment.acknowledged(second), 0, "the first is not there");
    shipment.disconnected(false, NOW);
    shipment.connected(20);
    let (_, _, _, first) = shipment.send(20).expect("it goes again");
    let (_, _, _, second) = shipment.send(20).expect("that, too");
    assert_eq!(shipment.acknowledged(second), 0);
    assert_eq!(shipment.acknowledged(first), 20);
    assert_eq!(shipment.acknowledged(first), 0);
}
