//! What tries of what was put by say of the far end, and what they cost whatever is new.

use super::owed::{ANNA, LI, names, parted, with_readers};
use super::*;
use crate::engine::reading::Service::{Down, Good, Troubled};

fn gone() -> Verdict {
    Verdict::later("network", "no route to host".to_owned())
}

/// An earlier run has set event 1 aside; then nobody is reached for `span`.
async fn after_a_restart(span: Duration, answer: fn() -> Verdict) -> World {
    let mut world = World::new(|_load| refused());
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(1).await;
        })
        .await;
    let began = clock::monotonic();
    let again = world.again(move |_load| {
        let away = clock::monotonic().since(began) < span;
        if away { gone() } else { answer() }
    });
    again.await
}

/// The gateway is up before the switch: the output is soon known to be sound, though nothing new is sent.
#[tokio::test(start_paused = true)]
async fn a_far_end_that_was_not_reached_is_asked_soon_again() {
    for (answer, then) in [
        (Verdict::accepted as fn() -> Verdict, Good),
        // That it does not take this one it has said before.
        (busy, Troubled),
        (refused, Troubled),
    ] {
        let mut world = after_a_restart(seconds(60), answer).await;
        world
            .run(async |world| {
                sleep(seconds(50)).await;
                let told = world.services();
                assert_eq!(told, [Troubled, Down], "it is true as long as it lasts");
                sleep(seconds(50)).await;
                assert_eq!(world.services(), [then]);
            })
            .await;
        let tries = world.got().len();
        assert!((5..20).contains(&tries), "{:?}", world.got());
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_once_more_says_nothing_of_others() {
    let mut world = World::new(|load| {
        if is(load, 2) {
            refused()
        } else {
            accepted(load)
        }
    });
    world
        .run(async |world| {
            world.commit(3);
            world.until_cursor(3).await;
        })
        .await;
    let answer = |load: &Load<'_>| if is(load, 2) { busy() } else { accepted(load) };
    let mut world = world.again(answer).await;
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(4).await;
            sleep(seconds(3_000)).await;
            assert_eq!(world.services(), [Troubled]);
        })
        .await;
    assert_eq!(world.got(), ["2r!", "4", "2r!", "2r!", "2r!"]);
}

/// The same for what one reader is owed; and a page does not wait for any of it.
#[tokio::test(start_paused = true)]
async fn a_far_end_that_is_not_reached_with_what_is_owed_delays_nothing_new() {
    let began = clock::monotonic();
    let mut world = with_readers(World::new(move |load| {
        let away = clock::monotonic().since(began) < seconds(700);
        match load {
            Load::Owed { .. } if away => gone(),
            Load::Owed { .. } => parted(&[], &[LI]),
            Load::Event(_) | Load::Summary(_) | Load::Present(_) => parted(&[ANNA], &[LI]),
        }
    }));
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(1).await;
            sleep(seconds(5)).await;
            assert_eq!(world.services(), [Troubled]);
            sleep(seconds(295)).await;
            assert_eq!(world.services(), [Down]);
            let tries = world.got().len();
            assert!(tries > 10, "{tries}");
            world.commit(1);
            let committed = clock::monotonic();
            world.until_cursor(2).await;
            assert!(clock::monotonic().since(committed) < seconds(1));
            assert_eq!(world.got()[tries], "2!", "at once, and no backlog");
            sleep(seconds(1)).await;
            assert_eq!(world.services(), [Troubled]);
            sleep(seconds(600)).await;
            assert_eq!(world.services(), [Down, Troubled]);
        })
        .await;
}

/// Nobody is served while one reader has a full box, and still the mail is not dead, unless that is so for long.
#[tokio::test(start_paused = true)]
async fn one_reader_who_is_put_off_is_trouble_and_several_are_a_loss() {
    for (readers, then) in [(&[LI][..], &[Troubled, Down][..]), (&[LI, ANNA], &[Down])] {
        let began = clock::monotonic();
        let mut world = World::new(move |_load| {
            let away = clock::monotonic().since(began) < seconds(20);
            if away { gone() } else { parted(&[], readers) }
        });
        world.far_end().readers = |_event| names(&[LI, ANNA]);
        world
            .run(async |world| {
                world.commit(1);
                world.until_cursor(1).await;
                sleep(seconds(60)).await;
                assert_eq!(world.services().last(), then.first());
                sleep(seconds(240)).await;
                assert_eq!(world.services(), then[1..]);
            })
            .await;
    }
}
