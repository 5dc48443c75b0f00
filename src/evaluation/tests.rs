//! The task around the engine: pauses of the process, floods of events.

mod floods;
mod pauses;
