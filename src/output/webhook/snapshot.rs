//! What is not normal now, as one body: the first that a program gets after an outage.

use std::cmp::Reverse;

use minijinja::value::Value;
use serde::Deserialize;

use super::template::BODY_LIMIT;
use crate::engine::settings::Priority;
use crate::event::rfc3339;
use crate::output::courier::Present;

/// For the states; the rest of a body needs far less than what is left.
const ROOM: usize = BODY_LIMIT - 8 * 1024;

/// What a template may name.
pub(super) fn facts(present: &Present) -> Vec<(&'static str, Value)> {
    let (states, left_out) = fitting(&present.states);
    let states = format!("[{}]", states.join(","));
    let mut facts = vec![
        ("snapshot", Value::from_safe_string(states)),
        ("time", rfc3339::format(present.at).into()),
        ("seq", present.seq.into()),
    ];
    if left_out > 0 {
        facts.push(("left_out", left_out.into()));
    }
    facts
}

#[derive(Deserialize)]
struct Urgency {
    priority: Priority,
}

/// The states that a body has room for, and how many it has none for: the most urgent stay, and come first then. A
/// body that is too long would be refused, and the program told of none.
fn fitting(states: &[String]) -> (Vec<&str>, usize) {
    let mut fitting: Vec<&str> = states.iter().map(String::as_str).collect();
    let length = |state: &str| state.len() + 1;
    if fitting.iter().map(|state| length(state)).sum::<usize>() > ROOM {
        let urgency = |state: &&str| {
            let urgency: Option<Urgency> = serde_json::from_str(state).ok();
            Reverse(urgency.map(|urgency| urgency.priority))
        };
        fitting.sort_by_cached_key(urgency);
        let mut used = 0;
        let fits = |state: &&str| {
            used += length(state);
            used <= ROOM
        };
        let room = fitting.iter().copied().take_while(fits).count();
        fitting.truncate(room);
    }
    let left_out = states.len() - fitting.len();
    (fitting, left_out)
}
