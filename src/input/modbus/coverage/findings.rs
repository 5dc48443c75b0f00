//! What a search has come to, once everything below a refused request is known.

use super::tree::{Node, State};
use super::{ASK_AGAIN, Cut, LIFT, Pin};
use crate::engine::time::Mono;
use crate::input::modbus::plan::Wall;

/// Positions of refused points, and cuts.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) pins: Vec<(usize, Pin)>,
    pub(super) cuts: Vec<Cut>,
}

impl Findings {
    pub(super) const fn is_empty(&self) -> bool {
        self.pins.is_empty() && self.cuts.is_empty()
    }
}

/// What the searches found, of which the first `roots` of the nodes are the beginnings; `None` while one is not
/// finished, which a new plan would begin anew.
pub(super) fn findings(nodes: &[Node], roots: usize, now: Mono) -> Option<Findings> {
    let mut findings = Findings::default();
    let mut waiting: Vec<usize> = (0..roots).collect();
    while let Some(position) = waiting.pop() {
        let node = nodes.get(position)?;
        match (node.state, node.halves) {
            (State::Answered, _) => {}
            // Not asked since the plan was made: of a root nothing follows.
            (State::Unknown, _) if position < roots => {}
            (State::Unknown, _) => return None,
            (State::Refused(fault), None) => {
                let pin = Pin {
                    fault,
                    again: now + ASK_AGAIN,
                    healed: false,
                };
                findings.pins.push((node.request.points.start, pin));
            }
            (State::Refused(_), Some(halves)) => {
                let [left, right] = halves.map(|half| nodes.get(half));
                findings.cuts.extend(cut_between(left?, right?, now));
                waiting.extend(halves);
            }
        }
    }
    Some(findings)
}

/// Between two halves that the device answers, but not together.
fn cut_between(left: &Node, right: &Node, now: Mono) -> Option<Cut> {
    let both = left.state == State::Answered && right.state == State::Answered;
    let from = left.request.end();
    both.then_some(Cut {
        wall: Wall {
            table: left.request.table,
            from,
            to: u32::from(right.request.address).max(from),
        },
        lift: now + LIFT,
    })
}
