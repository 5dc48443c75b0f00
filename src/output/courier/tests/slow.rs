//! Far ends that take what they are given too slowly, or not all of it.

use super::*;

/// Events of this scratch journal are old, as those are that wait for a far end that is slow.
#[tokio::test(start_paused = true)]
async fn live_notices_that_have_waited_for_minutes_are_summed_up_too() {
    let mut world = World::new(accepted);
    world.far_end().sums_up = true;
    world.commit(300);
    world.run(async |world| world.until_cursor(300).await).await;
    assert_eq!(world.got(), ["summary of 300"]);
}

/// A receiver that fails on one event, and says no more than that it fails.
#[tokio::test(start_paused = true)]
async fn an_event_that_alone_fails_does_not_hold_up_the_others_for_ever() {
    let mut world = World::new(|load| {
        if is(load, 2) {
            busy()
        } else {
            Verdict::accepted()
        }
    });
    world
        .run(async |world| {
            world.commit(4);
            for _ in 0..3 {
                sleep(seconds(900)).await;
                world.commit(1);
            }
            world.until_cursor(7).await;
        })
        .await;
    let got = world.got.lock().expect("no panic").clone();
    let at = |what: &str| got.iter().find(|(_, it)| it == what).map(|(at, _)| *at);
    assert!(
        at("3r").is_some_and(|at| (600..900).contains(&at)),
        "{got:?}"
    );
    assert!(at("4r").is_some() && at("2!").is_some(), "{got:?}");
    // What comes while it still fails waits for a pause and no longer.
    let seven = ["7", "7r"].into_iter().find_map(at);
    assert!(
        seven.is_some_and(|at| (2_700..2_740).contains(&at)),
        "{got:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_far_end_that_hangs() {
    struct Hanging;
    impl Carrier for Hanging {
        fn wants(&self, _event: &WireEvent) -> bool {
            true
        }
        async fn carry(&mut self, _load: &Load<'_>) -> Verdict {
            std::future::pending().await
        }
    }
    let mut world = World::new(accepted);
    world.commit(1);
    let (readings, _told) = mpsc::channel(64);
    let wiring = wiring(world.journal.feed(), readings);
    let (stop, stopped) = watch::channel(false);
    let output = run("up".into(), PointIndex(0), Hanging, wiring, stopped);
    let life = async {
        sleep(seconds(1)).await;
        stop.send_replace(true);
        clock::monotonic()
    };
    let ((), asked) = tokio::join!(output, life);
    assert!(clock::monotonic().since(asked) <= finishing::WITHIN);
    assert_eq!(world.cursor(), 0);
}
