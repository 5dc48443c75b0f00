//! Readers over whom the far end falls silent, and messages that it alone puts off.

use super::owed::{ANNA, Behind, LI, commit_of, names, parted, with_readers};
use super::*;

const FIVE: [&str; 5] = [LI, "wang", "eve", "chen", "zhao"];

/// Five hang for a minute each, with a full list of what they are owed and always due: a page to the sixth waits for ten
/// seconds of that, and the list is worked at meanwhile.
#[tokio::test(start_paused = true)]
async fn a_page_waits_ten_seconds_for_those_who_hang() {
    let mut world = World::new(|load| match load {
        Load::Owed { reader, .. } => parted(&[], &[reader]),
        Load::Event(_) | Load::Summary(_) | Load::Present(_) => parted(&[ANNA], &FIVE),
    });
    let far_end = world.far_end();
    far_end.readers = |_event| names(&[&FIVE[..], &[ANNA]].concat());
    far_end.takes = |load| match load {
        Load::Owed { .. } => seconds(60),
        Load::Event(_) | Load::Summary(_) | Load::Present(_) => Duration::from_millis(10),
    };
    world
        .run(async |world| {
            world.commit(500);
            world.until_cursor(500).await;
            let mut longest = Duration::ZERO;
            for pause in 0..100 {
                sleep(seconds(60 + pause % 67)).await;
                world.commit(1);
                let committed = clock::monotonic();
                world.until_cursor(world.raised).await;
                longest = longest.max(clock::monotonic().since(committed));
            }
            let ten = seconds(9)..seconds(10) + Duration::from_millis(50);
            assert!(ten.contains(&longest), "{longest:?}");
        })
        .await;
    let tries = world.got().iter().filter(|it| it.contains(" to ")).count();
    assert!(tries > 20, "{tries} went on to their end");
}

/// A relay that filters for longer than something new may wait delivers the mail all the same.
#[tokio::test(start_paused = true)]
async fn what_the_far_end_was_given_does_not_give_way() {
    let mut world = with_readers(World::new(|load| match load {
        Load::Owed { .. } => Verdict::accepted(),
        Load::Event(parcel) if parcel.seq > 1 => Verdict::accepted(),
        Load::Event(_) | Load::Summary(_) | Load::Present(_) => parted(&[ANNA], &[LI]),
    }));
    let far_end = world.far_end();
    far_end.takes_all_first = |load| matches!(load, Load::Owed { .. });
    far_end.takes = |load| match load {
        Load::Owed { .. } => seconds(40),
        Load::Event(_) | Load::Summary(_) | Load::Present(_) => Duration::from_millis(10),
    };
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(1).await;
            sleep(seconds(65)).await;
            world.commit(1);
            let committed = clock::monotonic();
            world.until_cursor(2).await;
            let waited = clock::monotonic().since(committed);
            assert!(seconds(20) < waited, "it was on its way: {waited:?}");
            sleep(seconds(600)).await;
        })
        .await;
    assert_eq!(world.got(), ["1!", "1 to li", "2"]);
}

/// With nothing new, what is owed has all the time that it takes.
#[tokio::test(start_paused = true)]
async fn what_is_owed_may_take_long_while_nothing_is_new() {
    let mut world = with_readers(World::new(|load| match load {
        Load::Owed { .. } => Verdict::accepted(),
        Load::Event(_) | Load::Summary(_) | Load::Present(_) => parted(&[ANNA], &[LI]),
    }));
    world.far_end().takes = |_load| seconds(55);
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(1).await;
            sleep(seconds(120)).await;
        })
        .await;
    assert_eq!(world.got(), ["1!", "1 to li"]);
}

/// It is tried after all else that its reader is owed, alone, and what is new about its alarm does not wait for it.
#[tokio::test(start_paused = true)]
async fn what_is_stuck_holds_back_nothing() {
    let behind = Behind::default();
    let seen = Arc::clone(&behind);
    let began = clock::monotonic();
    let mut world = with_readers(World::new(move |load| {
        if let Load::Event(parcel) = load {
            let mut seen = seen.lock().expect("no panic");
            seen.push((parcel.seq, parcel.behind.clone()));
        }
        let is_full = clock::monotonic().since(began) < seconds(30);
        match load {
            Load::Event(_) if is_full => parted(&[ANNA], &[LI]),
            Load::Owed { parcels, .. } if parcels[0].seq == 1 => parted(&[], &[LI]),
            Load::Event(_) | Load::Owed { .. } | Load::Summary(_) | Load::Present(_) => {
                Verdict::accepted()
            }
        }
    }));
    world.far_end().stuck = |seq| seq == 1;
    world
        .run(async |world| {
            for alarm in ["P/high", "Q/high", "Q/high", "P/high"] {
                commit_of(world, alarm);
            }
            world.until_cursor(4).await;
            sleep(seconds(70)).await;
        })
        .await;
    let li = || names(&[LI]);
    let none = || names(&[]);
    let seen = behind.lock().expect("no panic").clone();
    assert_eq!(seen, [(1, none()), (2, none()), (3, li()), (4, none())]);
    let got = world.got();
    assert_eq!(
        got[4..],
        ["2 to li", "3 to li", "4 to li", "1 to li!"],
        "{got:?}"
    );
}
