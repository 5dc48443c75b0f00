//! Far ends that put off single readers.

use super::*;
use crate::journal::{Audience, Receipt};
use crate::output::verdict::{BUSY, Parted};

pub(super) const LI: &str = "li";
pub(super) const ANNA: &str = "anna";

pub(super) fn names(readers: &[&str]) -> Vec<Arc<str>> {
    readers.iter().map(|reader| Arc::from(*reader)).collect()
}

/// Of every event that there is.
pub(super) fn parted(served: &[&str], put_off: &[&str]) -> Verdict {
    let audience = Audience {
        waiting: names(put_off),
        reached: !served.is_empty(),
        ..Audience::default()
    };
    Verdict::Parted(Parted {
        events: (1..1000).map(|seq| (seq, audience.clone())).collect(),
        answer: "250 OK".to_owned(),
        why: "452 box full".to_owned(),
    })
}

/// Serves Anna and puts off Li.
fn full_box(load: &Load<'_>) -> Verdict {
    let alone = matches!(load, Load::Owed { .. });
    let served: &[&str] = if alone { &[] } else { &[ANNA] };
    parted(served, &[LI])
}

/// Two readers of each event.
pub(super) fn with_readers(mut world: World) -> World {
    world.far_end().readers = |_event| names(&[LI, ANNA]);
    world
}

async fn receipt(world: &World, seq: u64) -> Receipt {
    let receipts = world.journal.feed().receipts(seq).await;
    let receipts = receipts.expect("a sound disk");
    receipts.into_iter().next().expect("a receipt")
}

async fn stands(world: &World, seq: u64) -> (Fate, Vec<Arc<str>>, Vec<Arc<str>>) {
    let receipt = receipt(world, seq).await;
    let audience = receipt.audience.unwrap_or_default();
    (receipt.fate, audience.waiting, audience.missed)
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_is_put_off_gets_theirs_after_a_restart_and_nobody_gets_it_twice() {
    let mut world = with_readers(World::new(full_box));
    world
        .run(async |world| {
            world.commit(2);
            world.until_cursor(2).await;
            sleep(seconds(61)).await;
        })
        .await;
    assert_eq!(world.got(), ["1!", "2!", "1 to li!"]);
    let waits = (Fate::Aside, names(&[LI]), names(&[]));
    assert_eq!(stands(&world, 1).await, waits);
    let since = receipt(&world, 1).await.at;
    let mut world = with_readers(world.again(full_box).await);
    assert_eq!(stands(&world, 1).await, waits, "the ledger says so");
    world.run(async |_world| sleep(seconds(1)).await).await;
    assert_eq!(world.got(), ["1 to li!"], "put off again");
    assert_eq!(receipt(&world, 1).await.at, since, "it grows no younger");
    let mut world = with_readers(world.again(accepted).await);
    world
        .run(async |world| {
            sleep(seconds(1)).await;
            world.commit(1);
            world.until_cursor(3).await;
        })
        .await;
    assert_eq!(world.got(), ["1 to li", "2 to li", "3"]);
    let all = (Fate::Accepted, names(&[]), names(&[]));
    for seq in 1..=2 {
        assert_eq!(stands(&world, seq).await, all);
    }
}

/// What one reader gets makes it no younger for the others: its age is what ends it, over restarts.
#[tokio::test(start_paused = true)]
async fn an_event_waits_since_the_first_of_its_readers_did() {
    let to_anna = |load: &Load<'_>| matches!(load, Load::Owed { reader, .. } if *reader == ANNA);
    let mut world = with_readers(World::new(move |load| {
        if to_anna(load) {
            parted(&[], &[ANNA])
        } else if matches!(load, Load::Owed { .. }) {
            Verdict::accepted()
        } else {
            parted(&[], &[LI, ANNA])
        }
    }));
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(1).await;
            let since = receipt(world, 1).await.at;
            sleep(seconds(90)).await;
            let receipt = receipt(world, 1).await;
            assert_eq!((receipt.fate, receipt.at), (Fate::Aside, since));
            let audience = receipt.audience.expect("one waits");
            assert_eq!(audience.waiting, names(&[ANNA]));
            assert!(audience.reached);
        })
        .await;
    assert_eq!(world.got(), ["1!", "1 to li", "1 to anna!"]);
}

#[tokio::test(start_paused = true)]
async fn old_notices_that_a_reader_is_owed_are_summed_up() {
    let began = clock::monotonic();
    let mut world = with_readers(World::new(move |load| {
        let full = clock::monotonic().since(began) < seconds(30);
        if full { full_box(load) } else { accepted(load) }
    }));
    // Events of this scratch journal happened long ago.
    world.far_end().sums_up = true;
    world
        .run(async |world| {
            world.commit(3);
            world.until_cursor(3).await;
            sleep(seconds(120)).await;
        })
        .await;
    assert_eq!(world.got(), ["summary of 3!", "1 2 3 to li"]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_day_misses_it_and_what_nobody_has_is_lost() {
    let mut world = with_readers(World::new(|load| {
        let served: &[&str] = if is(load, 1) { &[ANNA] } else { &[] };
        parted(served, &[LI])
    }));
    world
        .run(async |world| {
            world.commit(2);
            world.until_cursor(2).await;
            sleep(seconds(23 * 3_600)).await;
            assert_eq!(stands(world, 1).await.0, Fate::Aside);
            sleep(seconds(3_700)).await;
        })
        .await;
    let missed = names(&[LI]);
    assert_eq!(
        stands(&world, 1).await,
        (Fate::Accepted, vec![], missed.clone())
    );
    assert_eq!(stands(&world, 2).await, (Fate::Lost, vec![], missed));
    let words = receipt(&world, 1).await.words;
    assert_eq!(words.as_deref(), Some("li: they were put off for a day"));
}

/// The journal is the queue of a relay that puts off everybody.
#[tokio::test(start_paused = true)]
async fn a_far_end_that_serves_nobody_does_not_drain_the_journal() {
    let mut world = with_readers(World::new(|_load| parted(&[], &[LI, ANNA])));
    world
        .run(async |world| {
            world.commit(100);
            sleep(seconds(3_600)).await;
            assert_eq!(world.cursor(), 64);
        })
        .await;
    let mut world = with_readers(world.again(accepted).await);
    world
        .run(async |world| {
            world.until_cursor(100).await;
            sleep(seconds(10)).await;
        })
        .await;
    let got = world.got();
    let owed = |reader: &str| got.iter().filter(|it| it.ends_with(reader)).count();
    assert_eq!((owed("to li"), owed("to anna")), (64, 64), "{got:?}");
    assert_eq!(got.len(), 64 + 64 + 36);
}

/// What it did for somebody before says nothing of now, however long the list of what is owed is.
#[tokio::test(start_paused = true)]
async fn a_far_end_that_serves_nobody_any_more_does_not_drain_the_journal() {
    let mut world = with_readers(World::new(|load| {
        let early = matches!(load, Load::Event(parcel) if parcel.seq <= 10);
        if early {
            full_box(load)
        } else {
            parted(&[], &[LI, ANNA])
        }
    }));
    world
        .run(async |world| {
            world.commit(200);
            sleep(seconds(3_600)).await;
            assert_eq!(world.cursor(), 10 + 64);
        })
        .await;
    let everybody_waits = |_load: &Load<'_>| parted(&[], &[LI, ANNA]);
    let mut world = with_readers(world.again(everybody_waits).await);
    world.run(async |_world| sleep(seconds(3_600)).await).await;
    assert_eq!(world.cursor(), 10 + 64, "a restart is no proof");
}

#[tokio::test(start_paused = true)]
async fn a_summary_for_nobody_counts_for_each_event_of_it() {
    let began = clock::monotonic();
    let mut world = with_readers(World::new(move |load| {
        let nobody = clock::monotonic().since(began) < seconds(3_600);
        if nobody {
            parted(&[], &[LI, ANNA])
        } else {
            full_box(load)
        }
    }));
    world.far_end().sums_up = true;
    world
        .run(async |world| {
            world.commit(65);
            sleep(seconds(3_500)).await;
            assert_eq!(world.cursor(), 0);
            world.until_cursor(65).await;
        })
        .await;
}

/// With others served, one reader's full box holds up nothing, however much they are owed.
#[tokio::test(start_paused = true)]
async fn what_is_for_others_goes_on() {
    let mut world = World::new(|load| {
        if matches!(load, Load::Event(parcel) if parcel.seq % 2 == 0) {
            Verdict::accepted()
        } else {
            parted(&[], &[LI])
        }
    });
    world.far_end().readers = |event| {
        if event.seq % 2 == 0 {
            names(&[ANNA])
        } else {
            names(&[LI])
        }
    };
    world
        .run(async |world| {
            world.commit(300);
            let began = clock::monotonic();
            world.until_cursor(300).await;
            assert!(clock::monotonic().since(began) < seconds(60));
        })
        .await;
    assert_eq!(stands(&world, 299).await.0, Fate::Aside);
    assert_eq!(stands(&world, 300).await.0, Fate::Accepted);
}

/// Readers are waited for so long, and no pause, however it falls, makes others wait beyond that.
#[tokio::test(start_paused = true)]
async fn a_pause_outlasts_no_patience() {
    for _pauses_of_other_lengths in 0..20 {
        let until = clock::monotonic() + seconds(20);
        let mut world = World::new(move |_load| {
            if clock::monotonic() < until {
                return Verdict::later(BUSY, "452 box full".to_owned());
            }
            parted(&[ANNA], &[LI])
        });
        world.far_end().patience = until;
        world
            .run(async |world| {
                world.commit(2);
                world.until_cursor(2).await;
            })
            .await;
        let late = clock::monotonic().since(until);
        assert!(late < seconds(1), "{late:?} later");
    }
}

/// Behind 64 notices that nobody was served with, one for somebody else is found without delay.
#[tokio::test(start_paused = true)]
async fn a_full_list_looks_for_somebody_who_is_served() {
    let mut world = World::new(|load| {
        if is(load, 70) {
            Verdict::accepted()
        } else {
            parted(&[], &[LI])
        }
    });
    world.far_end().readers = |event| {
        if event.seq == 70 {
            names(&[ANNA])
        } else {
            names(&[LI])
        }
    };
    world
        .run(async |world| {
            world.commit(80);
            let began = clock::monotonic();
            world.until_cursor(80).await;
            assert!(clock::monotonic().since(began) < seconds(180));
        })
        .await;
}

/// Whoever is no reader any more is owed nothing.
#[tokio::test(start_paused = true)]
async fn a_reader_who_is_configured_no_more_misses_it() {
    let mut world = with_readers(World::new(full_box));
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(1).await;
        })
        .await;
    let mut world = world.again(accepted).await;
    world.far_end().readers = |_event| names(&[ANNA]);
    world.run(async |_world| sleep(seconds(1)).await).await;
    assert_eq!(world.got(), [""; 0]);
    let expected = (Fate::Accepted, names(&[]), names(&[LI]));
    assert_eq!(stands(&world, 1).await, expected);
}

/// Commits an event of that alarm.
pub(super) fn commit_of(world: &mut World, alarm: &str) {
    world.raised += 1;
    let event = Box::new(event(EventKind::Raised, alarm, world.raised));
    let committed = None;
    world
        .journal
        .push(Record { event, committed }, clock::now());
    world.journal.write(clock::now());
}

/// Who was to wait with which event.
pub(super) type Behind = Arc<Mutex<Vec<(u64, Vec<Arc<str>>)>>>;

/// What is new about an alarm goes behind what is owed about it, and what is of another alarm does not, over a restart
/// too, after which only the journal says of which alarm it is.
#[tokio::test(start_paused = true)]
async fn what_is_new_about_an_alarm_goes_behind_what_is_owed_about_it() {
    let behind = Behind::default();
    let seen = || {
        let mut behind = behind.lock().expect("no panic");
        std::mem::take(&mut *behind)
    };
    let script = || {
        let behind = Arc::clone(&behind);
        move |load: &Load<'_>| {
            if let Load::Event(parcel) = load {
                let mut behind = behind.lock().expect("no panic");
                behind.push((parcel.seq, parcel.behind.clone()));
            }
            full_box(load)
        }
    };
    let mut world = with_readers(World::new(script()));
    world
        .run(async |world| {
            for alarm in ["P/high", "Q/high", "P/high"] {
                commit_of(world, alarm);
            }
            world.until_cursor(3).await;
        })
        .await;
    let li = names(&[LI]);
    let none = || names(&[]);
    assert_eq!(seen(), [(1, none()), (2, none()), (3, li.clone())]);
    let mut world = with_readers(world.again(script()).await);
    world
        .run(async |world| {
            commit_of(world, "R/high");
            commit_of(world, "Q/high");
            world.until_cursor(5).await;
        })
        .await;
    assert_eq!(seen(), [(4, none()), (5, li)]);
}

/// While nothing more may be owed, what is owed goes first: what waits in the journal may be behind that.
#[tokio::test(start_paused = true)]
async fn a_full_list_is_served_before_the_journal() {
    let began = clock::monotonic();
    let mut world = with_readers(World::new(move |load| {
        let is_late = clock::monotonic().since(began) > seconds(600);
        match load {
            Load::Owed { .. } if is_late => Verdict::accepted(),
            Load::Event(parcel) if is_late && parcel.behind.is_empty() => Verdict::accepted(),
            Load::Owed { .. } | Load::Event(_) | Load::Summary(_) | Load::Present(_) => {
                parted(&[], &[LI, ANNA])
            }
        }
    }));
    world
        .run(async |world| {
            world.commit(80);
            world.until_cursor(80).await;
            sleep(seconds(120)).await;
        })
        .await;
    let got = world.got();
    let to_li = got.iter().filter_map(|it| it.strip_suffix(" to li"));
    let numbers: Vec<u64> = to_li.filter_map(|it| it.parse().ok()).collect();
    assert!(numbers.len() > 1 && numbers.is_sorted(), "{got:?}");
}
