//! **forewarn**: an early-warning gateway for hazard points in plants.
//!
//! One small daemon next to the equipment reads sensors over MQTT and Modbus, judges every reading
//! with limit, rate-of-change and data-quality rules, runs the ISA-18.2 alarm life cycle, keeps an
//! append-only journal in SQLite, and forwards alarms and metrics upstream. This page is the map of
//! the code; what users are promised is in `README.md`, what they can write in
//! `config/forewarn.toml`.
//!
//! It is a supplementary early-warning and record-keeping tool, not a safety instrumented system.
//!
//! # The trip of a reading: four rooms
//!
//! ```text
//!   1 input            2 engine              3 journal            4 output
//!  ┌─────────────┐    ┌──────────────┐      ┌──────────────┐     ┌──────────────┐
//!  │ modbus      │    │ quality      │      │ one SQLite   │     │ mqtt         │
//!  │  bus per    │    │ rule         │      │ transaction: │     │  window,     │
//!  │  endpoint   ├───▶│ delay        ├─────▶│ event and    ├────▶│  receipts,   │
//!  │ mqtt        │    │ transition   │      │ alarm state  │     │  cursor      │
//!  │  client     │    │ and notify   │      │ (a thread)   │     └──────────────┘
//!  │  per broker │    └──────────────┘      └──────┬───────┘
//!  └─────────────┘        ▲     │ copies          │ reads
//!                         │     ▼                 ▼
//!                      commands, pages, metrics: http
//! ```
//!
//! 1. [`input`]: wire to [`Reading`](engine::reading::Reading), stamped with both clocks.
//! 2. [`engine`]: is it news, where does it lie, is it certain, what does it mean? [`notify`]: who is
//!    told? Both are pure, and one pair behind one contract, [`notify::station`]; the answer is a queue
//!    of effects. [`evaluation`] is the task that owns the pair, and its door.
//! 3. [`journal`]: event and alarm state in one transaction. Only then does anybody see it.
//! 4. [`output`]: committed events leave; a receipt moves that output's cursor.
//!
//! # Where things are
//!
//! | to find | look in |
//! |---|---|
//! | what raises and clears an alarm | [`engine`], one file a rule under `engine/rule/` |
//! | the life cycle, drawn | [`engine::alarm`] |
//! | voting over redundant points | `engine/group.rs`, counted in `engine/rule/vote.rs` |
//! | what silences an alarm by design, what people silence | `engine/suppression.rs`, [`engine::overlay`] |
//! | alarms exercised on purpose, beside the real ones | [`engine::drill`] |
//! | which alarm of a group came first | `engine/first_out.rs` |
//! | what a changed configuration means for what is open | `engine/configured.rs` |
//! | who is judged again when something else changes | `engine/links.rs` |
//! | what a raw number means, and when it is believed | [`engine::signal`], `engine/quality.rs` |
//! | values that do not move, and when they must | `engine/frozen.rs`, `engine/gate.rs` |
//! | conditions that are counted | `engine/count.rs` |
//! | readings out of order, delayed data | `engine/reorder.rs`, `engine/late.rs` |
//! | who is told when: ladders, reminders, floods, the all-clear | [`notify`] |
//! | Modbus: plan, schedule, decode, the safe wrapper | [`input::modbus`] |
//! | MQTT: payloads, acknowledgements, reconnects | [`input::mqtt`], [`broker`] |
//! | what happens when the disk fails | [`journal`] |
//! | links with which people acknowledge; their pages | [`ack_links`]; `http/links.rs` |
//! | what people read: letters and text messages, in English and Chinese | [`wording`] |
//! | delivery, duplicates, backlog | [`output::delivery`] |
//! | what is told of measured values, kept and dropped | [`telemetry`], `output/shipment.rs` |
//! | what stands at Alertmanager, and when it is taken back | [`output::alertmanager`] |
//! | outputs that are asked one event at a time; webhooks | [`output::courier`], [`output::webhook`] |
//! | the event as receivers see it | [`event`] |
//! | Sparkplug B: topics and payloads; the edge node | [`sparkplug`]; [`output::sparkplug`] |
//! | what a person may write, and every mistake | [`config`] |
//! | metrics, health, API | [`metrics`], [`http`] |
//! | tasks, supervision, the order of the end | [`gateway`] |
//! | subcommands | [`commands`] |
//! | what proves which invariant | the table in `engine/tests.rs`; whole worlds in `tests/simulation` |
//!
//! # Invariants
//!
//! - **The engine does no input or output, reads no clock and spawns nothing**, so the same input log
//!   gives the same event log. Time is an argument; only [`clock`] reads clocks.
//! - **A bad reading has no value.** It cannot become a zero, and never clears anything.
//! - **Committed before seen.** The exception is a failing disk, marked `durable: false`.
//! - **The journal is the queue.** Neither the MQTT client nor a channel is trusted to keep an event.
//! - **Every queue has a bound, a policy for full, and a counter.** Telemetry goes before alarms.
//! - **The gateway's own faults are readings** of points named `gateway.*`: same rules, same alarms.
//! - **A late Modbus answer can answer no other question**: the connection is gone by then.
//! - **Nothing here writes to equipment.**
//!
//! Dependencies point inward: `commands → gateway → {input, journal, output, http, config} → notify →
//! engine`.
//! Shells never import each other, but for `output` and `http`, which read the journal's
//! [`Feed`](journal::Feed). `tests/tidy.rs` and `clippy.toml` hold these fences.
//!
//! # Adding something
//!
//! | add | new file | lines elsewhere |
//! |---|---|---|
//! | a rule | `src/engine/rule/KIND.rs` | a variant and an arm in `rule/mod.rs`, its settings, a paragraph in `config/forewarn.toml`, a scenario |
//! | an input protocol | `src/input/PROTOCOL/` | its task in `gateway.rs` |
//! | an output | `src/output/NAME.rs` | a variant and an arm in `output/mod.rs` |
//! | a Modbus data type | none | a variant, a width, an arm and a table row in `input/modbus/decode.rs` |

pub mod ack_links;
mod allowance;
pub mod broker;
pub mod clock;
pub mod commands;
pub mod config;
#[cfg(feature = "demo")]
pub mod embedded;
pub mod engine;
pub mod evaluation;
pub mod event;
pub mod gateway;
pub mod guidance;
pub mod http;
pub mod input;
pub mod journal;
pub mod metrics;
pub mod notify;
pub mod output;
mod scalar;
pub mod sparkplug;
pub mod systemd;
pub mod telemetry;
pub mod wording;
