//! What is asked of a device that refuses some addresses.
//!
//! A request reads many points, so one refused address (exception 2 or 3) would lose them all. A
//! refused request is therefore asked again in two halves, and so on down to single values: those
//! that are still refused are *refused points*, and their neighbours go on being read.
//!
//! All possible halves of a plan form a fixed binary tree over its requests, so nothing grows at run
//! time. A node that was refused is passed over in favour of its halves until its time to be asked
//! again has come; an answer makes everything below it whole again.
//!
//! ```text
//!            holding:0+8  refused, again in 60 s
//!             ╱        ╲
//!     holding:0+4     holding:4+4  refused
//!      asked            ╱      ╲
//!               holding:4+2   holding:6+2
//!                  asked       refused, single value: a refused point
//! ```
//!
//! A poll follows at most [`SPLITS`] fresh refusals and repeats at most [`REPEATS`] old ones, so that
//! a device with many refused addresses does not hold up the others on its bus; the rest of the
//! search goes on in the next poll. When everything is refused one request is asked all the same:
//! without a question nobody would know whether the device is there.

use std::collections::VecDeque;
use std::time::Duration;

use super::plan::{Plan, Request};
use crate::engine::time::Mono;

/// Pause before a refused request is asked again.
pub const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Fresh refusals followed up in one poll.
pub const SPLITS: usize = 16;

/// Old refusals tried again in one poll.
pub const REPEATS: usize = 4;

/// A device's requests, less what the device refuses. Calls come in rounds, one per poll:
/// [`begin`](Self::begin), then [`ask`](Self::ask) and what became of it until there is none.
#[derive(Debug)]
pub struct Coverage {
    plan: Plan,
    /// The plan's requests first, then their halves, halves of halves, ...
    nodes: Vec<Node>,
    /// Where the next round begins, a position among the plan's requests.
    first: usize,
    round: Round,
}

#[derive(Debug)]
struct Node {
    request: Request,
    /// Position of the plan's request it is a part of.
    root: usize,
    /// `None` for a single value.
    halves: Option<[usize; 2]>,
    /// Refused, and when to ask again.
    refused: Option<Mono>,
}

#[derive(Debug, Default)]
struct Round {
    now: Mono,
    queue: VecDeque<usize>,
    asking: Option<usize>,
    asked: usize,
    splits: usize,
    repeats: usize,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Halves will be asked; nothing is known about the points yet.
    Searching,
    /// A single value, refused for the first time.
    Found,
    /// A single value, still refused.
    Known,
}

impl Coverage {
    /// Everything in `plan` is asked until it is refused.
    pub fn new(plan: Plan) -> Self {
        let mut nodes: Vec<Node> = (0..)
            .zip(plan.requests())
            .map(|(root, request)| Node::new(root, request.clone()))
            .collect();
        let mut position = 0;
        while let Some(node) = nodes.get(position) {
            let root = node.root;
            if let Some(halves) = plan.halves(&node.request) {
                let left = nodes.len();
                nodes.extend(halves.map(|half| Node::new(root, half)));
                if let Some(node) = nodes.get_mut(position) {
                    node.halves = Some([left, left + 1]);
                }
            }
            position += 1;
        }
        Self {
            plan,
            nodes,
            first: 0,
            round: Round::default(),
        }
    }

    /// The plan behind it.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Starts a round at `now`.
    pub fn begin(&mut self, now: Mono) {
        let roots = self.plan.requests().len();
        self.round = Round {
            now,
            queue: (self.first..roots).chain(0..self.first).collect(),
            ..Round::default()
        };
    }

    /// What to ask now; `None` at the end of the round. Must be followed by one of
    /// [`answered`](Self::answered), [`refused`](Self::refused) or [`silent`](Self::silent) before
    /// the next call; none of them leaves the request as it was.
    pub fn ask(&mut self) -> Option<&Request> {
        let position = self.next_position()?;
        self.round.asked += 1;
        self.round.asking = Some(position);
        self.nodes.get(position).map(|node| &node.request)
    }

    fn next_position(&mut self) -> Option<usize> {
        while let Some(position) = self.round.queue.pop_front() {
            let node = self.nodes.get(position)?;
            match node.refused {
                None => return Some(position),
                Some(again) if self.round.now >= again && self.round.repeats < REPEATS => {
                    self.round.repeats += 1;
                    return Some(position);
                }
                Some(_) => self.queue_halves(position),
            }
        }
        (self.round.asked == 0 && !self.plan.requests().is_empty()).then_some(self.first)
    }

    /// The request was answered: it is whole, whatever was refused below it.
    pub fn answered(&mut self) {
        let mut healed: Vec<usize> = self.round.asking.take().into_iter().collect();
        while let Some(position) = healed.pop() {
            if let Some(node) = self.nodes.get_mut(position) {
                node.refused = None;
                healed.extend(node.halves.into_iter().flatten());
            }
        }
    }

    /// The device refused the addresses of the request.
    pub fn refused(&mut self) -> Refusal {
        let again = self.round.now + ASK_AGAIN;
        let asking = self.round.asking.take();
        let Some((position, node)) =
            asking.and_then(|position| Some((position, self.nodes.get_mut(position)?)))
        else {
            return Refusal::Searching;
        };
        let fresh = node.refused.replace(again).is_none();
        if node.halves.is_none() {
            return if fresh {
                Refusal::Found
            } else {
                Refusal::Known
            };
        }
        if fresh {
            self.round.splits += 1;
        }
        if !fresh || self.round.splits <= SPLITS {
            self.queue_halves(position);
        }
        Refusal::Searching
    }

    /// The request was not answered: the round is over. The next one begins behind this request, so
    /// that one the device chokes on cannot starve those after it.
    pub fn silent(&mut self) {
        let roots = self.plan.requests().len();
        let asking = self.round.asking.take();
        if let Some(node) = asking.and_then(|position| self.nodes.get(position)) {
            self.first = (node.root + 1) % roots.max(1);
        }
        self.round.queue.clear();
        // An empty queue must not look like a device that refuses everything.
        self.round.asked = self.round.asked.max(1);
    }

    /// The single values that are refused now, as positions in [`Plan::points`].
    pub fn refused_points(&self) -> impl Iterator<Item = usize> {
        self.nodes
            .iter()
            .filter(|node| node.halves.is_none() && node.refused.is_some())
            .flat_map(|node| node.request.points.clone())
    }

    fn queue_halves(&mut self, position: usize) {
        let halves = self.nodes.get(position).and_then(|node| node.halves);
        for half in halves.into_iter().flatten().rev() {
            self.round.queue.push_front(half);
        }
    }
}

impl Node {
    const fn new(root: usize, request: Request) -> Self {
        Self {
            request,
            root,
            halves: None,
            refused: None,
        }
    }
}

#[cfg(test)]
mod tests;
