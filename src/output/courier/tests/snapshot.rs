//! What stands now, told after an outage.

use super::*;

#[tokio::test(start_paused = true)]
async fn after_an_outage_the_present_goes_first_then_what_is_live_then_the_backlog() {
    let mut world = World::new(gone_for(seconds(60)));
    world.far_end().tells_present = true;
    world
        .run(async |world| {
            world.commit(20);
            sleep(seconds(59)).await;
            // The far end is back with the next attempt, which finds these committed.
            world.commit(10);
            let got = Arc::clone(&world.got);
            let present = || {
                got.lock()
                    .expect("no panic")
                    .iter()
                    .any(|(_, it)| it == "present at 30")
            };
            while !present() {
                sleep(Duration::from_millis(1)).await;
            }
            world.commit(3);
            world.until_cursor(33).await;
        })
        .await;
    let got = world.got();
    let back = got
        .iter()
        .position(|it| it == "present at 30")
        .expect("the present");
    let after = &got[back + 1..];
    let live: Vec<_> = after.iter().filter(|it| !it.ends_with('r')).collect();
    assert_eq!(live, ["31", "32", "33"]);
    let backlog: Vec<_> = after
        .iter()
        .filter(|it| it.ends_with('r'))
        .cloned()
        .collect();
    let expected: Vec<_> = (1..=30).map(|seq| format!("{seq}r")).collect();
    assert_eq!(backlog, expected);
    let last = after
        .iter()
        .position(|it| it == "33")
        .expect("the last live one");
    assert!(last < 10, "live events waited for the backlog: {after:?}");
}

/// A far end that was away for a minute, and then takes every event, but answers a snapshot so.
async fn back_from_an_outage(answer: fn() -> Verdict) -> Vec<String> {
    let began = clock::monotonic();
    let mut world = World::new(move |load| {
        if clock::monotonic().since(began) < seconds(60) {
            busy()
        } else if matches!(load, Load::Present(_)) {
            answer()
        } else {
            Verdict::accepted()
        }
    });
    world.far_end().tells_present = true;
    world
        .run(async |world| {
            world.commit(20);
            sleep(seconds(60)).await;
            world.until_cursor(20).await;
            let late = clock::monotonic().since(began);
            assert!(late < seconds(60 + 2 * 30), "{late:?}");
            world.commit(1);
            world.until_cursor(21).await;
        })
        .await;
    let got = world.got();
    let first = got.iter().position(|it| it == "1!").expect("an attempt");
    got[first + 1..].to_vec()
}

fn presents(got: &[String]) -> usize {
    got.iter().filter(|it| it.starts_with("present")).count()
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_refused_holds_back_no_event() {
    let got = back_from_an_outage(refused).await;
    assert_eq!(got.last().map(String::as_str), Some("21"));
    assert!(presents(&got) < 8, "{got:?}");
}

/// A receiver that answers what it does not understand with an error of its own.
#[tokio::test(start_paused = true)]
async fn a_snapshot_that_always_fails_holds_back_no_event() {
    let got = back_from_an_outage(busy).await;
    assert_eq!(got.last().map(String::as_str), Some("21"));
    let taken = got.iter().position(|it| it == "1r").expect("it arrives");
    let tries = presents(&got[taken..]);
    assert_eq!(tries, 1, "once more when an event was taken: {got:?}");
}

/// That the snapshot is taken says nothing of the event behind it, which keeps its pauses.
#[tokio::test(start_paused = true)]
async fn an_event_that_fails_alone_does_not_bring_a_snapshot_each_time() {
    let mut world = World::new(|load| {
        if is(load, 1) {
            busy()
        } else {
            Verdict::accepted()
        }
    });
    world.far_end().tells_present = true;
    world
        .run(async |world| {
            world.commit(1);
            sleep(seconds(600)).await;
        })
        .await;
    let got = world.got();
    assert!(presents(&got) <= 2, "{got:?}");
    assert!(got.len() < 40, "{} tries in ten minutes", got.len());
}
