//! The engine decides. It does no input or output, reads no clock, spawns nothing and cannot fail on
//! a reading: a bad reading is data.
//!
//! # Calling contract
//!
//! 1. Make **one** call: [`Engine::read`], [`Engine::command`] or [`Engine::tick`], with the time.
//! 2. Drain [`Engine::poll_effect`] until it says `None`.
//! 3. Ask [`Engine::poll_timeout`] when to call [`Engine::tick`] at the latest.
//!
//! Time is an argument. It may stand still but not go back: an earlier monotonic time than the last
//! one is taken as the last one. Timers fire at their due time, in order, before anything later is
//! looked at; at one instant readings come first, then timers, then commands. Spurious ticks are
//! harmless. The same calls give the same effects, byte for byte.

pub mod alarm;
pub mod command;
pub mod effect;
pub mod reading;
pub mod settings;
pub mod snapshot;
pub mod time;

/// Decides what every reading means.
#[derive(Debug)]
pub struct Engine {}
