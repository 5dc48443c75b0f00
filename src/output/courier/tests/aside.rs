//! Events that a far end refuses: set aside, tried again, also by the next run.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_poison_event_is_set_aside_and_tried_again_later() {
    let began = clock::monotonic();
    let mut world = World::new(move |load| {
        let cured = clock::monotonic().since(began) > seconds(1200);
        if is(load, 2) && !cured {
            refused()
        } else {
            Verdict::accepted()
        }
    });
    world
        .run(async |world| {
            world.commit(4);
            world.until_cursor(4).await;
            assert_eq!(world.got(), ["1", "2!", "2!", "2!", "3", "4"]);
            sleep(seconds(3600)).await;
        })
        .await;
    assert_eq!(world.got()[6..], ["2r!", "2r"]);
    let receipts = world
        .journal
        .feed()
        .receipts(2)
        .await
        .expect("a sound disk");
    assert_eq!(receipts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_set_aside_outlives_the_run() {
    let poison = |load: &Load<'_>| {
        if is(load, 2) {
            refused()
        } else {
            Verdict::accepted()
        }
    };
    let mut world = World::new(poison);
    world
        .run(async |world| {
            world.commit(3);
            world.until_cursor(3).await;
        })
        .await;
    let mut world = world.again(poison).await;
    world.run(async |_world| sleep(seconds(1)).await).await;
    assert_eq!(world.got(), ["2r!"], "tried once, and set aside as before");
    assert_eq!(world.fate(2).await, [Fate::Aside]);
    let mut world = world.again(accepted).await;
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(4).await;
            sleep(seconds(1)).await;
        })
        .await;
    assert_eq!(world.got(), ["2r", "4"]);
    assert_eq!(world.fate(2).await, [Fate::Accepted]);
}

#[tokio::test(start_paused = true)]
async fn a_far_end_that_refuses_everything_drains_nothing() {
    let mut world = World::new(|_load| refused());
    world
        .run(async |world| {
            world.commit(40);
            sleep(seconds(7200)).await;
            assert_eq!(world.cursor(), 16);
        })
        .await;
    let got = world.got();
    let (_, blocked) = got.split_at(3 * 16);
    let looks = blocked.iter().filter(|it| !it.starts_with("17"));
    assert!(
        looks.count() > blocked.len() / 3,
        "it looks for one that is taken: {blocked:?}"
    );
}

fn refuses_up_to(last: u64) -> impl FnMut(&Load<'_>) -> Verdict {
    move |load| {
        if matches!(load, Load::Event(parcel) if parcel.seq <= last) {
            refused()
        } else {
            Verdict::accepted()
        }
    }
}

/// Of one alarm the far end takes nothing, and it calls and calls. Others are told all the same.
#[tokio::test(start_paused = true)]
async fn many_that_are_refused_in_a_row_do_not_hold_up_what_is_behind_them() {
    let mut world = World::new(refuses_up_to(20));
    world
        .run(async |world| {
            world.commit(22);
            let began = clock::monotonic();
            let others = || world.got().contains(&"22r".to_owned());
            while !others() {
                sleep(seconds(1)).await;
                assert!(clock::monotonic().since(began) < seconds(600));
            }
            world.until_cursor(22).await;
        })
        .await;
    for seq in 17..=20 {
        assert_eq!(world.fate(seq).await, [Fate::Aside], "{seq}");
    }
}

/// What happens now is tried with the next attempt, whatever comes before it then, and before all that the far end was
/// shown to refuse.
#[tokio::test(start_paused = true)]
async fn what_is_new_does_not_wait_for_what_is_refused() {
    let mut world = World::new(refuses_up_to(205));
    world
        .run(async |world| {
            world.commit(200);
            sleep(seconds(600)).await;
            assert_eq!(world.cursor(), 16);
            world.commit(6);
            let began = clock::monotonic();
            while !world.got().contains(&"206r".to_owned()) {
                sleep(seconds(1)).await;
                let late = clock::monotonic().since(began);
                // An attempt may just have begun.
                assert!(late < seconds(35), "{late:?}");
            }
        })
        .await;
}

/// A far end that takes every snapshot has taken no event.
#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_taken_does_not_end_the_search() {
    let mut world = World::new(refuses_up_to(600));
    world.far_end().tells_present = true;
    world
        .run(async |world| {
            world.commit(601);
            let began = clock::monotonic();
            while !world.got().contains(&"601r".to_owned()) {
                sleep(seconds(1)).await;
                let late = clock::monotonic().since(began);
                assert!(late < seconds(3600), "{late:?}");
            }
        })
        .await;
}

/// A page that was taken meanwhile has opened the incident that the raise was to open.
#[tokio::test(start_paused = true)]
async fn what_is_set_aside_and_not_needed_any_more_is_no_loss() {
    let poison = |load: &Load<'_>| {
        if is(load, 2) {
            refused()
        } else {
            accepted(load)
        }
    };
    let mut world = World::new(poison);
    world
        .run(async |world| {
            world.commit(3);
            world.until_cursor(3).await;
        })
        .await;
    assert_eq!(world.fate(2).await, [Fate::Aside]);
    let mut world = world.again(poison).await;
    world.far_end().wants = |event| event.seq != 2;
    world.run(async |_world| sleep(seconds(1)).await).await;
    assert_eq!(world.got(), [""; 0]);
    assert_eq!(world.fate(2).await, [Fate::Accepted]);
}
