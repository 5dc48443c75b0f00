//! The seeded simulation: engine, notifier, a real journal on disk and the delivery from it, in a world in
//! which everything happens at once. One seed decides everything, so that a failure comes again.
//!
//! ```text
//!   sensors ──▶ links: late, twice, out of order, ──▶ station ──▶ journal on disk ──▶ what was shown
//!   (plant)     buffered, silent, failing (link)      ▲   ▲        ▲    │              │
//!                                                     │   │        │    ▼              ▼
//!   people (hands) ───────────────────────────────────┘   │        │  delivery    witness, row, tally,
//!   power cuts, steps of the clock, pauses (weather) ─────┘        │  (upstream)  books, look, design
//!   a disk that hangs or fails (disk) ─────────────────────────────┘    │
//!                                                                       ▼
//!                                               a far end that goes away and forgets to acknowledge
//! ```
//!
//! Engine, notifier, journal and window are the gateway's own, and so is the file; the journal's thread,
//! the MQTT client and the tasks between them are not here, for they have no time but the real one:
//! `daemon`, `interop` and the tests of `journal` run those.
//!
//! True time is the world's own. The gateway's monotonic clock begins anew with every boot, and its
//! wall clock is wherever a step or a dead battery left it. A power cut loses what was not committed.
//!
//! # What is checked (invariants of alarm-standards 1.8)
//!
//! | invariant | where | when |
//! |---|---|---|
//! | P1 shown is stored, or was marked as not stored | `books`, `upstream` | at every power cut, and at the end |
//! | P2 numbers rise, ids are unique | `books` | every event |
//! | P3 one raise, clear and first acknowledgement each | `witness` | every event |
//! | P4 bad, late, repeated readings clear nothing | `world`, `witness` | every reading, every clear |
//! | P5 silence only by a person, an end, an overlay | `witness`, `look` | every event, every round |
//! | P6 overlays end | `witness`, `look` | every event, every round |
//! | P7 what is true at the end of an overlay calls | `witness` | every end |
//! | P8 no reset of what is true | `witness` | every reset |
//! | P9 the same seed, the same bytes | here | every seed is run twice |
//! | P10 a restart keeps every state | `look`, `witness` | every start |
//! | P11 repetitions change nothing | `world` | every repetition |
//! | P12 steps of the clock change nothing | `world` | every step |
//! | P13 limits out of reach raise nothing | `look` | every round |
//! | P17 what is no number is shown nowhere | `look` | every round |
//! | P18 refusals are on record and change nothing | `world` | every command |
//! | what the plant silences is silent, and nothing else; it is on record | `design`, `witness`, `look` | every round |
//! | exactly one alarm of a row is the first | `row` | every event |
//! | what stands still is doubtful until it moves | `design`, `world` | every round, every reading |
//! | what is counted was there so often | `tally` | every raise |
//! | events arrive, at least once, in order, under one id | `upstream` | every arrival, and at the end |
//! | what a full journal lets go has arrived | `books`, `upstream` | at every power cut, and at the end |
//! | P20 counters are what the journal adds up to | `books` | at the end |
//!
//! P14, P15, P16 and P19 compare two plants; they are properties in `src/engine/tests`.
//!
//! `FOREWARN_SIMULATION_SEEDS=2000 cargo test --release simulation` for the long run;
//! `FOREWARN_SIMULATION_SEED=17` for one seed alone.

mod books;
mod design;
mod disk;
mod hands;
mod life;
mod link;
mod look;
mod plant;
mod row;
mod tally;
mod upstream;
mod witness;
mod world;

use std::sync::Arc;

use forewarn::config::{self, Config, Source};

use crate::daemon::gateway::from_environment;
use world::World;

/// Rounds of a seed: of a second, as a rule.
const ROUNDS: u32 = 150;

/// What does not hold, in words.
type Finding = Result<(), String>;

#[test]
fn no_seed_breaks_a_promise() {
    let (config, _warnings) =
        config::load(&Source::text("plant", plant::CONFIG)).expect("a good configuration");
    let one = from_environment("FOREWARN_SIMULATION_SEED", 0);
    let seeds = match one {
        0 => 1..=from_environment("FOREWARN_SIMULATION_SEEDS", 5),
        one => one..=one,
    };
    let mut events = 0;
    for seed in seeds.clone() {
        let twice = live(&config, seed).and_then(|once| Ok((once, live(&config, seed)?)));
        let (once, again) = twice.unwrap_or_else(|breach| panic!("{}", told(seed, &breach)));
        let differs = once.iter().zip(&again).find(|(a, b)| a != b);
        let same = differs.is_none() && once.len() == again.len();
        assert!(
            same,
            "{}",
            told(seed, &format!("P9: not the same twice: {differs:?}"))
        );
        events += once.len();
    }
    let (first, last) = seeds.into_inner();
    println!("seeds {first} to {last}: {events} events shown or received, every promise kept");
}

fn live(config: &Config, seed: u64) -> Result<Vec<Arc<str>>, String> {
    World::new(config, seed)?.run(ROUNDS)
}

fn told(seed: u64, breach: &str) -> String {
    format!(
        "seed {seed}: {breach}\nagain: FOREWARN_SIMULATION_SEED={seed} cargo test --test \
         integration simulation"
    )
}
