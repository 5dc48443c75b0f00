//! Who is on call now: a rota of turns that follow each other without a gap.
//!
//! ```text
//!   begins        every        every        every
//!     |  order[0]   |  order[1]  |  order[2]  |  order[0]  ...
//!     06:00         14:00        22:00        06:00
//!                         |swap|                             these persons instead, in between
//! ```
//!
//! A pure function of wall time, resolved whenever somebody is told, so a replay tells the same persons.
//! Turns are counted on the clock on the wall of the plant: the hand-over stays at 06:00 when daylight
//! saving time begins, and the turn in which it does is an hour shorter. When it ends an hour of that clock
//! comes twice; nobody hands over a second time in it. How far the local clock is from UTC, and from when
//! on, is a table ([`Offsets`]), because zones are files and this reads none.
//!
//! Before the rota begins everybody of it is on call. That is also what a clock shows that was never set: a
//! wrong receiver is better than none. Nobody comes on duty then: whoever was told stays told, and is enough
//! (`relief.rs`).
//!
//! | what | bound |
//! |---|---|
//! | turns of a rota | 64, as configured |
//! | swaps | 366, as configured |
//! | changes of the offset | 512; later ones are not known, the last one stays |

use std::sync::Arc;
use std::time::Duration;

use crate::engine::time::Wall;

/// Seconds that a clock on the wall of the plant shows, counted as if it showed UTC.
pub type LocalSeconds = i64;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// How far a zone's local time is from UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offsets {
    /// Seconds east of UTC before the first change.
    pub first: i32,
    /// From this second of UTC (since 1970) on, so many seconds east of it; in order of time.
    pub changes: Vec<(i64, i32)>,
}

impl Offsets {
    /// What a clock that never goes back shows at `at`: when the hour comes twice, the end of its first time.
    fn local(&self, at: Wall) -> LocalSeconds {
        let utc = at.unix_nanos().div_euclid(SECOND);
        let known = self.changes.partition_point(|(from, _)| *from <= utc);
        let offset = |index: Option<usize>| {
            let change = index.and_then(|index| self.changes.get(index));
            i64::from(change.map_or(self.first, |(_, offset)| *offset))
        };
        let now = utc + offset(known.checked_sub(1));
        let Some((changed, _)) = known.checked_sub(1).and_then(|last| self.changes.get(last))
        else {
            return now;
        };
        now.max(changed + offset(known.checked_sub(2)))
    }
}

/// Who stands in for whom, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// First second.
    pub from: LocalSeconds,
    /// First second after it.
    pub to: LocalSeconds,
    /// Person ids, at least one.
    pub persons: Vec<Arc<str>>,
}

/// Turns that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rota {
    /// When the first turn begins.
    pub begins: LocalSeconds,
    /// How long each is; at least a second.
    pub every: Duration,
    /// Person ids, turn by turn; at least one turn, at least one person in each.
    pub order: Vec<Vec<Arc<str>>>,
    /// In order of time; they do not overlap.
    pub swaps: Vec<Swap>,
    /// Of the plant.
    pub offsets: Arc<Offsets>,
}

/// From when to when somebody is on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<'r> {
    /// First second.
    pub from: LocalSeconds,
    /// First second after it.
    pub to: LocalSeconds,
    /// Person ids.
    pub persons: &'r [Arc<str>],
}

impl Rota {
    /// Does it say at `at` whose turn it is?
    pub fn has_begun(&self, at: Wall) -> bool {
        self.local(at) >= self.begins
    }

    /// Person ids of those on call at `at`, each once.
    pub fn on_call(&self, at: Wall) -> Vec<&Arc<str>> {
        let local = self.local(at);
        let mut persons: Vec<&Arc<str>> = Vec::new();
        let all = self.order.iter().flatten();
        let chosen: Vec<&Arc<str>> = if self.has_begun(at) {
            self.turn(local).persons.iter().collect()
        } else {
            all.collect()
        };
        for person in chosen {
            if !persons.contains(&person) {
                persons.push(person);
            }
        }
        persons
    }

    /// What the clock on the wall shows at `at`.
    pub fn local(&self, at: Wall) -> LocalSeconds {
        self.offsets.local(at)
    }

    /// The turns of the `span` after `at`, the one that runs then first; at most `most`. Of a rota that has
    /// not begun, those after its beginning.
    pub fn ahead(&self, at: Wall, span: Duration, most: usize) -> Vec<Turn<'_>> {
        let now = self.local(at).max(self.begins);
        let end = now.saturating_add(seconds(span));
        let mut turns: Vec<Turn<'_>> = Vec::new();
        let mut next = now;
        while next < end && turns.len() < most {
            let turn = self.turn(next);
            next = turn.to.max(next + 1);
            turns.push(turn);
        }
        turns
    }

    /// The turn, or the part of one that no swap covers, at a time after the beginning.
    fn turn(&self, local: LocalSeconds) -> Turn<'_> {
        let after = self.swaps.partition_point(|swap| swap.to <= local);
        let swap = self.swaps.get(after);
        if let Some(swap) = swap.filter(|swap| swap.from <= local) {
            return Turn {
                from: swap.from,
                to: swap.to,
                persons: &swap.persons,
            };
        }
        let every = seconds(self.every).max(1);
        let number = (local - self.begins).div_euclid(every);
        let turns = i64::try_from(self.order.len()).unwrap_or(i64::MAX).max(1);
        let index = usize::try_from(number.rem_euclid(turns)).unwrap_or_default();
        let from = self.begins + number * every;
        let before = after.checked_sub(1).and_then(|last| self.swaps.get(last));
        Turn {
            from: before.map_or(from, |swap| swap.to.max(from)),
            to: swap.map_or(from + every, |swap| swap.from.min(from + every)),
            persons: self.order.get(index).map_or(&[], Vec::as_slice),
        }
    }
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;
    /// 2026-11-02T06:00 on the wall.
    const BEGINS: LocalSeconds = 1_793_599_200;

    fn rota(offsets: Offsets) -> Rota {
        let turns = [&["a"][..], &["b", "c"], &["d"]];
        let ids = |turn: &[&str]| turn.iter().map(|id| (*id).into()).collect();
        Rota {
            begins: BEGINS,
            every: Duration::from_secs(8 * 3_600),
            order: turns.iter().map(|turn| ids(turn)).collect(),
            swaps: Vec::new(),
            offsets: Arc::new(offsets),
        }
    }

    fn east(hours: i32) -> Offsets {
        Offsets {
            first: hours * 3_600,
            changes: Vec::new(),
        }
    }

    fn on_call(rota: &Rota, utc: i64) -> String {
        let ids = rota.on_call(Wall::from_unix_nanos(utc * SECOND));
        ids.iter().map(|id| &***id).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn turns_follow_each_other_on_the_local_clock() {
        let rota = rota(east(8));
        let begins = BEGINS - 8 * HOUR;
        for (hours, who) in [
            (0, "a"),
            (7, "a"),
            (8, "b,c"),
            (16, "d"),
            (24, "a"),
            (24 * 400, "b,c"),
        ] {
            let turn = hours / 8 % 3;
            let expected = ["a", "b,c", "d"][usize::try_from(turn).expect("small")];
            assert_eq!(
                on_call(&rota, begins + hours * HOUR),
                expected,
                "{hours} {who}"
            );
        }
        assert_eq!(on_call(&rota, begins + 8 * HOUR - 1), "a");
        assert_eq!(on_call(&rota, begins + 8 * HOUR), "b,c");
    }

    /// A clock that was never set shows such a time, too.
    #[test]
    fn before_the_beginning_everybody_is_on_call() {
        let rota = rota(east(8));
        assert_eq!(on_call(&rota, 0), "a,b,c,d");
        assert_eq!(on_call(&rota, BEGINS - 8 * HOUR - 1), "a,b,c,d");
    }

    #[test]
    fn a_swap_stands_in_and_ends() {
        let mut rota = rota(east(0));
        rota.swaps.push(Swap {
            from: BEGINS + 4 * HOUR,
            to: BEGINS + 10 * HOUR,
            persons: vec!["e".into()],
        });
        for (hours, who) in [(3, "a"), (4, "e"), (9, "e"), (10, "b,c"), (16, "d")] {
            assert_eq!(on_call(&rota, BEGINS + hours * HOUR), who, "{hours}");
        }
        let at = Wall::from_unix_nanos(BEGINS * SECOND);
        let ahead = rota.ahead(at, Duration::from_secs(86_400), 10);
        let shown: Vec<_> = ahead
            .iter()
            .map(|turn| {
                (
                    (turn.from - BEGINS) / HOUR,
                    (turn.to - BEGINS) / HOUR,
                    &*turn.persons[0],
                )
            })
            .collect();
        assert_eq!(
            shown,
            [(0, 4, "a"), (4, 10, "e"), (10, 16, "b"), (16, 24, "d")]
        );
    }

    /// Clocks go from 02:00 to 03:00 and back from 03:00 to 02:00; hand-overs stay where they are.
    #[test]
    fn daylight_saving_moves_no_hand_over() {
        let (forward, back) = (BEGINS + 20 * HOUR, BEGINS + 24 * 7 * HOUR + 20 * HOUR);
        let summer = Offsets {
            first: 0,
            changes: vec![(forward, 3_600), (back, 0)],
        };
        let rota = rota(summer);
        // Local 06:00 of the next day is 05:00 of UTC.
        assert_eq!(on_call(&rota, BEGINS + 23 * HOUR - 1), "d");
        assert_eq!(on_call(&rota, BEGINS + 23 * HOUR), "a");
        // Every second around the hour that comes twice: whoever has handed over stays away.
        let mut last = i64::MIN;
        for utc in back - 2 * HOUR..back + 2 * HOUR {
            let local = rota.local(Wall::from_unix_nanos(utc * SECOND));
            assert!(local >= last, "{utc}");
            last = local;
        }
    }
}
