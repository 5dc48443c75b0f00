//! The task around the engine: pauses of the process, floods of events, what is no event.

mod floods;
mod memories;
mod order;
mod pauses;
