//! The window, step by step; against a model in a file of its own.

mod model;

use super::*;

fn send(delivery: &mut Delivery, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        delivery.sent(seq, 1, Mono::ZERO);
    }
}

/// What the first of the stretches wants.
fn wanted(delivery: &Delivery) -> Want {
    delivery.want(0).expect("there is always one")
}

fn room(delivery: &Delivery) -> usize {
    wanted(delivery).room
}

fn next(delivery: &Delivery) -> u64 {
    wanted(delivery).after
}

fn cursor_after(delivery: &mut Delivery, seq: u64) -> Option<u64> {
    delivery.acknowledged(seq).cursor
}

#[test]
fn the_cursor_stops_at_a_hole() {
    let mut delivery = Delivery::new(10, 5, 0);
    delivery.connected(15);
    assert_eq!(room(&delivery), 0);
    delivery.proved();
    assert_eq!((room(&delivery), next(&delivery)), (5, 10));
    send(&mut delivery, 11..=15);
    assert_eq!((room(&delivery), next(&delivery)), (0, 15));
    assert_eq!(cursor_after(&mut delivery, 12), None);
    assert_eq!(cursor_after(&mut delivery, 13), None);
    assert_eq!(cursor_after(&mut delivery, 11), Some(13));
    assert_eq!((room(&delivery), delivery.cursor()), (3, 13));
}

#[test]
fn an_event_is_complete_with_its_last_acknowledgement() {
    let mut delivery = Delivery::new(0, 5, 0);
    delivery.connected(1);
    delivery.sent(1, 2, Mono::from_nanos(7));
    assert_eq!(delivery.acknowledged(1), Progress::default());
    let progress = delivery.acknowledged(1);
    assert_eq!(progress.delivered, Some(Mono::from_nanos(7)));
    assert_eq!(progress.cursor, Some(1));
    assert_eq!(delivery.acknowledged(1), Progress::default());
    assert_eq!(delivery.acknowledged(99), Progress::default());
}

#[test]
fn backlog_is_what_was_committed_before_the_connection() {
    // Events 1 to 5 are of earlier runs; 6 and 7 came before the first connection of this one.
    let mut delivery = Delivery::new(2, 5, 5);
    delivery.connected(7);
    let replayed = |delivery: &Delivery| -> Vec<u64> {
        (3..=10).filter(|seq| delivery.replayed(*seq)).collect()
    };
    assert_eq!(replayed(&delivery), [3, 4, 5]);
    delivery.disconnected(true);
    delivery.connected(9);
    assert_eq!(replayed(&delivery), [3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn what_a_far_end_missed_that_came_long_after_the_start_is_backlog() {
    let mut delivery = Delivery::new(2, 5, 5);
    delivery.missed_the_start();
    delivery.connected(7);
    let live: Vec<u64> = (3..=10).filter(|seq| !delivery.replayed(*seq)).collect();
    assert_eq!(live, [8, 9, 10]);
    assert!(delivery.is_replaying());
}

#[test]
fn after_a_disconnect_everything_behind_the_cursor_goes_again() {
    let mut delivery = Delivery::new(0, 5, 0);
    delivery.connected(5);
    send(&mut delivery, 1..=5);
    cursor_after(&mut delivery, 1);
    cursor_after(&mut delivery, 3);
    assert_eq!(delivery.disconnected(true), None);
    delivery.connected(5);
    delivery.proved();
    assert_eq!((room(&delivery), next(&delivery)), (5, 1));
    // An acknowledgement of the old connection.
    assert_eq!(delivery.acknowledged(2), Progress::default());
}

/// One connection on which event `seq` and what fits with it is sent, and which the far end closes.
fn die(delivery: &mut Delivery, seq: u64, proven: bool, by_far_end: bool) -> Option<u64> {
    delivery.connected(100);
    if proven {
        delivery.proved();
    }
    let room = room(delivery);
    for seq in (seq..).take(room.max(usize::from(!proven))) {
        delivery.sent(seq, 1, Mono::ZERO);
    }
    delivery.disconnected(by_far_end)
}

#[test]
fn a_row_that_kills_connections_is_set_aside_in_the_end() {
    let mut delivery = Delivery::new(0, 5, 0);
    assert_eq!(die(&mut delivery, 1, true, true), None);
    for _ in 1..STRIKES {
        assert_eq!(die(&mut delivery, 1, true, true), None);
    }
    assert_eq!(die(&mut delivery, 1, true, true), Some(1));
    delivery.connected(100);
    delivery.proved();
    assert_eq!((delivery.cursor(), room(&delivery)), (1, 5));
}

#[test]
fn only_one_is_set_aside_until_another_arrives() {
    let mut delivery = Delivery::new(0, 5, 0);
    let lost: Vec<u64> = (0..=STRIKES)
        .filter_map(|_| die(&mut delivery, 1, true, true))
        .collect();
    assert_eq!(lost, [1]);
    for _ in 0..50 {
        assert_eq!(die(&mut delivery, 2, true, true), None);
    }
    delivery.connected(100);
    delivery.sent(2, 1, Mono::ZERO);
    assert_eq!(cursor_after(&mut delivery, 2), Some(2));
    assert_eq!(delivery.disconnected(true), None);
    let lost = (0..=STRIKES).find_map(|_| die(&mut delivery, 3, true, true));
    assert_eq!(lost, Some(3));
}

#[test]
fn a_broken_far_end_is_not_the_fault_of_an_event() {
    for (proven, by_far_end) in [(false, true), (true, false)] {
        let mut delivery = Delivery::new(0, 5, 0);
        for _ in 0..50 {
            assert_eq!(die(&mut delivery, 1, proven, by_far_end), None);
            assert_eq!(delivery.suspect, None);
        }
    }
}

#[test]
fn the_first_that_nothing_later_survived_is_suspect() {
    let mut delivery = Delivery::new(0, 5, 0);
    delivery.connected(9);
    delivery.proved();
    send(&mut delivery, 1..=5);
    // The far end takes them in order: what it acknowledged after 1 cannot have come before 1.
    cursor_after(&mut delivery, 2);
    assert_eq!(
        (delivery.disconnected(true), delivery.suspect),
        (None, None)
    );
    delivery.connected(9);
    delivery.proved();
    send(&mut delivery, 1..=5);
    cursor_after(&mut delivery, 1);
    assert_eq!(delivery.disconnected(true), None);
    let suspect = Suspect { seq: 2, strikes: 0 };
    assert_eq!(delivery.suspect, Some(suspect));
}

#[test]
fn numbers_without_an_event_are_passed_over_and_counted_once() {
    let mut delivery = Delivery::new(10, 5, 0);
    delivery.connected(30);
    delivery.proved();
    let progress = delivery.sent(15, 1, Mono::ZERO);
    assert_eq!((progress.gone, progress.cursor), (4, Some(14)));
    assert_eq!(delivery.disconnected(false), None);
    delivery.connected(30);
    delivery.proved();
    assert_eq!(delivery.sent(15, 1, Mono::ZERO).gone, 0);
    let progress = delivery.passed_over(15, 20);
    assert_eq!((progress.gone, progress.cursor), (5, None));
    assert_eq!(delivery.passed_over(15, 20), Progress::default());
    assert_eq!(cursor_after(&mut delivery, 15), Some(20));
}

/// Events 1 to 100, the backlog up to 90; memory begins after 80 and the disk cannot be read.
fn cut() -> Delivery {
    let mut delivery = Delivery::new(0, 5, 90);
    delivery.connected(95);
    delivery.proved();
    assert!(delivery.go_ahead(0, 80));
    delivery
}

fn wants(delivery: &Delivery) -> Vec<(Place, u64, u64)> {
    let wants = (0..).map_while(|turn| delivery.want(turn));
    wants
        .map(|want| (want.place, want.after, want.upto))
        .collect()
}

#[test]
fn what_is_live_goes_first_while_the_disk_cannot_be_read() {
    use Place::{Between, Newest, Oldest, Only};
    let mut delivery = cut();
    assert_eq!(
        wants(&delivery),
        [(Newest, 90, u64::MAX), (Oldest, 0, 80), (Between, 80, 90)]
    );
    let marked = [1, 80, 81, 90, 91].map(|seq| delivery.replayed(seq));
    assert_eq!(marked, [true, true, true, true, false]);
    send(&mut delivery, 91..=93);
    assert_eq!(delivery.acknowledged(92).cursor, None);
    assert_eq!(delivery.acknowledged(91).cursor, None);
    assert_eq!(delivery.unconfirmed(95), 93);
    assert!(delivery.has_more(95, 80) && delivery.has_more(95, 93) && !delivery.has_more(95, 94));

    // What was acknowledged is not sent again on the next connection, and 93 is.
    delivery.disconnected(true);
    delivery.connected(95);
    delivery.proved();
    assert_eq!(wants(&delivery)[0], (Newest, 92, u64::MAX));

    // The gap is read: the cursor moves over all that is safe.
    for seq in 1..=90 {
        assert!(delivery.replayed(seq));
        delivery.sent(seq, 1, Mono::ZERO);
        assert_eq!(
            delivery.acknowledged(seq).cursor,
            Some(if seq < 90 { seq } else { 92 })
        );
    }
    assert_eq!(wants(&delivery), [(Only, 92, u64::MAX)]);
}

#[test]
fn a_gap_whose_last_numbers_are_gone_closes() {
    let mut delivery = cut();
    send(&mut delivery, 81..=85);
    for seq in 81..=85 {
        assert_eq!(cursor_after(&mut delivery, seq), None);
    }
    let progress = delivery.passed_over(0, 200);
    assert_eq!((progress.gone, progress.cursor), (80, Some(85)));
}

#[test]
fn an_output_that_memory_overtakes_again_and_again_keeps_few_stretches() {
    let mut delivery = Delivery::new(0, 5, 0);
    delivery.connected(0);
    delivery.proved();
    for round in 1..=20 {
        assert!(delivery.go_ahead(next(&delivery), 100 * round));
        delivery.sent(100 * round + 1, 1, Mono::ZERO);
        delivery.acknowledged(100 * round + 1);
    }
    assert_eq!(delivery.stretches.len(), STRETCHES);
    assert_eq!((delivery.cursor(), wanted(&delivery).after), (0, 2001));
    assert!(delivery.replayed(2000) && !delivery.replayed(2001));
}

#[test]
fn a_row_in_the_gap_that_kills_connections_is_set_aside_though_live_events_arrive() {
    let mut delivery = cut();
    let mut live = 90;
    let aside = (0..=STRIKES).find_map(|_| {
        delivery.connected(95);
        delivery.proved();
        live += 1;
        delivery.sent(live, 1, Mono::ZERO);
        let oldest = delivery.want(1).expect("the gap");
        let expected = usize::from(delivery.suspect.is_none()) * 4;
        assert_eq!(oldest.room, expected, "a suspect waits until it is alone");
        delivery.acknowledged(live);
        delivery.sent(1, 1, Mono::ZERO);
        if delivery.suspect.is_some() {
            assert_eq!(room(&delivery), 0, "nothing goes beside it");
        }
        delivery.disconnected(true)
    });
    assert_eq!((aside, delivery.cursor()), (Some(1), 1));
}

#[test]
fn a_refusal_sets_aside_after_three_and_sixteen_in_a_row_at_most() {
    let mut delivery = Delivery::new(0, 1, 0);
    delivery.connected(0);
    delivery.proved();
    for seq in 1..=16 {
        for last in [false, false, true] {
            assert_eq!(wanted(&delivery).after, seq - 1);
            send(&mut delivery, seq..=seq);
            assert_eq!(delivery.refused(seq), last, "{seq}");
        }
        assert_eq!(delivery.cursor(), seq);
    }
    for _ in 0..20 {
        send(&mut delivery, 17..=17);
        assert!(!delivery.refused(17));
    }
    send(&mut delivery, 17..=17);
    assert_eq!(cursor_after(&mut delivery, 17), Some(17));
    for last in [false, false, true] {
        send(&mut delivery, 18..=18);
        assert_eq!(delivery.refused(18), last, "one that arrives gives credit");
    }
}

#[test]
fn what_is_live_goes_before_a_long_backlog_only() {
    let mut delivery = Delivery::new(0, 1, 0);
    delivery.connected(0);
    for committed in [10, 20, 30] {
        delivery.disconnected(false);
        delivery.connected(committed);
        delivery.proved();
        delivery.live_first();
        assert_eq!(delivery.is_cut(), committed > 10);
    }
    assert_eq!(
        (wanted(&delivery).after, wanted(&delivery).place),
        (30, Place::Newest)
    );
    assert_eq!(
        delivery.want(1).map(|want| (want.after, want.upto)),
        Some((0, 30))
    );
    assert_eq!(
        delivery.want(2),
        None,
        "cuts of which nothing came are undone"
    );
    send(&mut delivery, 31..=31);
    assert_eq!(cursor_after(&mut delivery, 31), None);
    for seq in 1..=30 {
        assert!(delivery.replayed(seq));
        send(&mut delivery, seq..=seq);
        delivery.acknowledged(seq);
    }
    assert_eq!((delivery.cursor(), delivery.is_cut()), (31, false));
}

#[test]
fn a_second_outage_while_backlog_goes_out_puts_nothing_out_of_order() {
    let mut delivery = Delivery::new(0, 1, 0);
    delivery.connected(0);
    delivery.connected(50);
    delivery.proved();
    delivery.live_first();
    for seq in (51..=52).chain(1..=20) {
        send(&mut delivery, seq..=seq);
        delivery.acknowledged(seq);
    }
    delivery.connected(55);
    delivery.proved();
    delivery.live_first();
    let mut order = Vec::new();
    while delivery.unconfirmed(57) > 0 {
        let wants = (0..).map_while(|turn| delivery.want(turn));
        let mut open = wants.filter(|want| want.after < want.upto.min(57));
        let want = open.next().expect("something waits");
        order.push(want.after + 1);
        send(&mut delivery, want.after + 1..=want.after + 1);
        delivery.acknowledged(want.after + 1);
    }
    let expected: Vec<u64> = (56..=57).chain(21..=50).chain(53..=55).collect();
    assert_eq!(order, expected, "live, then all backlog in order");
    assert_eq!((delivery.cursor(), delivery.is_cut()), (57, false));
}
