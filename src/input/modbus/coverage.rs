//! What is asked of a device that refuses some addresses.
//!
//! A request reads many points, so one refused address (exception 2 or 3) would lose them all. A
//! refused request is therefore asked again in two halves, and so on down to single values.
//!
//! ```text
//!            holding:0+8  refused
//!             ╱        ╲
//!     holding:0+4     holding:4+4  refused
//!      answered         ╱      ╲
//!               holding:4+2   holding:6+2
//!                answered      refused, a single value
//! ```
//!
//! When everything below a refused request is known the search is over. If it took several polls the whole is
//! asked for once more, as a device that starts refuses for a while what it gives later. Then the plan is made
//! anew around what was found, so that from then on nothing costs more than it must:
//!
//! - a single value that is refused is *pinned*: no request reaches over it, its point is bad, and it is
//!   asked for by itself every [`ASK_AGAIN`], in case it is there one day. Where many are pinned, one that is
//!   there says that the device was changed, and all that were refused are asked for anew;
//! - where two halves are answered and the whole is not, the device does not want to be read across that
//!   place, or not so much at a time: a *cut*, which no request reaches over. Cuts are lifted one at a
//!   time every [`LIFT`], in case the device was changed.
//!
//! # Silence as a refusal
//!
//! Some devices do not refuse what they do not have, but stay silent. Silence proves nothing by itself: the device
//! may be gone. So a round ends with the first silence, whatever was asked, and the next one begins with a
//! *witness*, a question for a single value of what is to be asked: after each silence one of the next request, and
//! other ones when all requests have had their turn.
//!
//! ```text
//!   round 1   holding:0+50  silent        is it dead?
//!   round 2   holding:0+1   answered      no
//!             holding:0+50  silent        once, with a witness
//! ```
//!
//! A request that is silent [`STRIKES`] times with a witness, and not answered in between, counts as refused:
//! its halves are asked, and what they come to is pinned or cut as above. A device that is gone costs no
//! question more by that, and a line that loses frames now and then splits nothing.
//!
//! # Bounds
//!
//! A search asks at most [`SPLITS`] times after fresh refusals in one poll and a poll tries at most
//! [`REPEATS`] pinned values, so that a device with many refused addresses does not hold up the others on
//! its bus; the rest of the search goes on in the next poll. So does a round that was put off half way, because
//! the device answers slowly. When everything is pinned one value is asked
//! for all the same: without a question nobody would know whether the device is there.

mod findings;
mod tree;

use std::collections::VecDeque;
use std::time::Duration;

use self::findings::findings;
use self::tree::{Doubt, Node, State, doubt, forget_below, tree};

use super::RegisterPoint;
use super::plan::{Plan, Request, Rules, Wall};
use crate::engine::reading::Fault;
use crate::engine::time::Mono;

/// Pause before a pinned value is asked for again.
pub const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Pause before a place where the device refused to be read across is tried again.
pub const LIFT: Duration = Duration::from_secs(3600);

/// Fresh refusals followed up in one poll.
pub const SPLITS: usize = 16;

/// Pinned values tried again in one poll.
pub const REPEATS: usize = 4;

/// Silences of a request in polls in which the device answered something else, after which it counts as refused.
pub const STRIKES: u32 = 3;

/// The requests for a set of points, less what the device refuses. Calls come in rounds, one per poll:
/// [`begin`](Self::begin), then [`ask`](Self::ask) and what became of it until there is none.
#[derive(Debug)]
pub struct Coverage {
    rules: Rules,
    plan: Plan,
    /// The plan's requests first, then their halves, halves of halves, ...
    nodes: Vec<Node>,
    /// One for each point that the plan leaves out, in its order.
    pins: Vec<Pin>,
    cuts: Vec<Cut>,
    /// Where the next round begins, a position among the plan's requests.
    first: usize,
    /// Did the last round end with a silence?
    wary: bool,
    /// How often all requests had their turn and the device said nothing: which way to the next witness.
    turns: usize,
    round: Round,
}

/// A value that the device refuses.
#[derive(Debug, Clone, Copy)]
struct Pin {
    fault: Fault,
    /// When to ask again.
    again: Mono,
    /// It was answered after all.
    healed: bool,
}

/// A place that no request reaches over.
#[derive(Debug, Clone, Copy)]
struct Cut {
    wall: Wall,
    lift: Mono,
}

/// What is being asked.
#[derive(Debug, Clone, Copy)]
enum Asking {
    Node(usize),
    Pin(usize),
    /// A single value of what is to be asked: is anybody there?
    Witness(usize),
}

#[derive(Debug, Default)]
struct Round {
    number: u64,
    now: Mono,
    queue: VecDeque<Asking>,
    asking: Option<Asking>,
    asked: usize,
    splits: usize,
    /// Has the device said anything? What was said before the rest was put off counts.
    heard: bool,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Halves will be asked; nothing is known about the points yet.
    Searching,
    /// A single value, refused for the first time.
    Found,
    /// A single value, asked for again and still refused.
    Known,
}

impl Coverage {
    /// Every one of `points` is asked for until it is refused.
    pub fn new(points: Vec<RegisterPoint>, rules: Rules) -> Self {
        let plan = Plan::new(points, &rules);
        let nodes = tree(&plan);
        Self {
            rules,
            plan,
            nodes,
            pins: Vec::new(),
            cuts: Vec::new(),
            first: 0,
            wary: false,
            turns: 0,
            round: Round::default(),
        }
    }

    /// The plan behind it. It changes only when a round begins.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How long a round takes as it is planned.
    pub fn planned(&self) -> Duration {
        self.plan.cost(&self.rules.timing)
    }

    /// Starts a round at `now`, or goes on with one that was put off.
    pub fn begin(&mut self, now: Mono) {
        if self.is_put_off() {
            let queue = std::mem::take(&mut self.round.queue);
            self.round = Round {
                number: self.round.number,
                now,
                queue,
                heard: self.round.heard,
                ..Round::default()
            };
            return;
        }
        self.settle(now);
        let roots = self.plan.requests().len();
        let nodes = (self.first..roots).chain(0..self.first.min(roots));
        let due = self.pins.iter().enumerate();
        let due = due.filter(|(_, pin)| now >= pin.again).take(REPEATS);
        let pins = due.map(|(position, _)| Asking::Pin(position));
        let wary = std::mem::take(&mut self.wary);
        let witness = wary.then(|| self.witness()).flatten();
        let witness = witness.map(Asking::Witness).into_iter();
        self.round = Round {
            number: self.round.number + 1,
            now,
            queue: witness.chain(nodes.map(Asking::Node)).chain(pins).collect(),
            ..Round::default()
        };
    }

    /// Is there more to ask in this round? Who leaves it at that puts the rest off to the next call of
    /// [`begin`](Self::begin).
    pub fn is_put_off(&self) -> bool {
        !self.round.queue.is_empty()
    }

    /// A single value of the request that comes first; in each turn one from another part of it.
    fn witness(&self) -> Option<usize> {
        let (mut position, mut turns) = (self.first, self.turns);
        while let Some(halves) = self.nodes.get(position)?.halves {
            position = halves[turns % 2];
            turns /= 2;
        }
        (position != self.first).then_some(position)
    }

    /// What to ask now; `None` at the end of the round. Must be followed by one of
    /// [`answered`](Self::answered), [`refused`](Self::refused), [`silent`](Self::silent) or
    /// [`unreachable`](Self::unreachable) before the next call; none of them leaves the request as it was.
    pub fn ask(&mut self) -> Option<Request> {
        let asking = self.next_question()?;
        self.round.asked += 1;
        self.round.asking = Some(asking);
        match asking {
            Asking::Node(position) | Asking::Witness(position) => {
                self.nodes.get(position).map(|node| node.request.clone())
            }
            Asking::Pin(pin) => self.plan.alone(self.plan.left_out().start + pin),
        }
    }

    fn next_question(&mut self) -> Option<Asking> {
        while let Some(asking) = self.round.queue.pop_front() {
            let Asking::Node(position) = asking else {
                return Some(asking);
            };
            let node = self.nodes.get(position)?;
            if !matches!(node.state, State::Refused(_)) || node.doubt == Doubt::Asking {
                return Some(asking);
            }
            self.queue_halves(position);
        }
        if self.round.asked > 0 {
            return None;
        }
        // Everything is refused: the one that waits longest, or the first of a search that has just ended.
        let pins = self.pins.iter().enumerate();
        let longest = pins.min_by_key(|(_, pin)| pin.again);
        let longest = longest.map(|(position, _)| Asking::Pin(position));
        let first = (!self.nodes.is_empty()).then_some(Asking::Node(self.first));
        longest.or(first)
    }

    /// The request was answered.
    pub fn answered(&mut self) {
        self.round.heard = true;
        match self.round.asking.take() {
            Some(Asking::Node(position)) => {
                forget_below(&mut self.nodes, position);
                if let Some(node) = self.nodes.get_mut(position) {
                    node.state = State::Answered;
                    node.strikes = 0;
                }
            }
            Some(Asking::Pin(position)) => {
                if let Some(pin) = self.pins.get_mut(position) {
                    pin.healed = true;
                }
            }
            Some(Asking::Witness(_)) | None => {}
        }
    }

    /// The device refused the addresses of the request; `fault` is what their points have by it.
    pub fn refused(&mut self, fault: Fault) -> Refusal {
        self.round.heard = true;
        match self.round.asking.take() {
            Some(Asking::Node(position)) => self.refused_node(position, fault),
            Some(Asking::Pin(position)) => {
                if let Some(pin) = self.pins.get_mut(position) {
                    pin.fault = fault;
                    pin.again = self.round.now + ASK_AGAIN;
                }
                Refusal::Known
            }
            // It will be asked for with the rest, or by itself.
            Some(Asking::Witness(_)) | None => Refusal::Searching,
        }
    }

    fn refused_node(&mut self, position: usize, fault: Fault) -> Refusal {
        let Some(node) = self.nodes.get_mut(position) else {
            return Refusal::Searching;
        };
        node.state = State::Refused(fault);
        node.refused_in = self.round.number;
        if node.halves.is_none() {
            return Refusal::Found;
        }
        if node.doubt == Doubt::Asking {
            node.doubt = Doubt::Settled;
            self.queue_halves(position);
            return Refusal::Searching;
        }
        self.round.splits += 1;
        if self.round.splits <= SPLITS {
            self.queue_halves(position);
        }
        Refusal::Searching
    }

    /// The request was not answered: the round is over. The next one begins behind this request, so
    /// that one the device chokes on cannot starve those after it. Says what is refused by that, if it is.
    pub fn silent(&mut self) -> Option<Refusal> {
        self.wary = true;
        let asking = self.end_round()?;
        if self.first == 0 && !self.round.heard {
            self.turns = self.turns.wrapping_add(1);
        }
        match asking {
            Asking::Node(position) if self.round.heard => self.strike(position),
            Asking::Node(_) | Asking::Witness(_) => None,
            Asking::Pin(position) => {
                let pin = self.pins.get_mut(position)?;
                pin.again = self.round.now + ASK_AGAIN;
                Some(Refusal::Known)
            }
        }
    }

    /// The device could not be asked: the round is over.
    pub fn unreachable(&mut self) {
        self.end_round();
    }

    fn end_round(&mut self) -> Option<Asking> {
        let roots = self.plan.requests().len();
        let asking = self.round.asking.take();
        if let Some(Asking::Node(position) | Asking::Witness(position)) = asking
            && let Some(node) = self.nodes.get_mut(position)
        {
            self.first = (node.root + 1) % roots.max(1);
            if node.doubt == Doubt::Asking && matches!(asking, Some(Asking::Node(_))) {
                node.doubt = Doubt::Settled;
            }
        }
        self.round.queue.clear();
        // An empty queue must not look like a device that refuses everything.
        self.round.asked = self.round.asked.max(1);
        asking
    }

    /// A silence to a question of a device that is there.
    fn strike(&mut self, position: usize) -> Option<Refusal> {
        let node = self.nodes.get_mut(position)?;
        node.strikes += 1;
        if node.strikes < STRIKES {
            return None;
        }
        node.state = State::Refused(Fault::Unanswered);
        Some(match node.halves {
            None => Refusal::Found,
            Some(_) => Refusal::Searching,
        })
    }

    /// The single values that are refused now, as positions in [`Plan::points`], and how.
    pub fn refused_points(&self) -> impl Iterator<Item = (usize, Fault)> {
        let found = self.nodes.iter().filter_map(|node| match node.state {
            State::Refused(fault) if node.halves.is_none() => {
                Some((node.request.points.start, fault))
            }
            State::Unknown | State::Answered | State::Refused(_) => None,
        });
        let pins = self.plan.left_out().zip(&self.pins);
        let pins = pins.filter(|(_, pin)| !pin.healed);
        found.chain(pins.map(|(position, pin)| (position, pin.fault)))
    }

    fn queue_halves(&mut self, position: usize) {
        let halves = self.nodes.get(position).and_then(|node| node.halves);
        let Some(mut halves) = halves else {
            return;
        };
        // What was silent goes last: a silence ends the round.
        halves.sort_by_key(|half| self.nodes.get(*half).map(|node| node.strikes));
        for half in halves.into_iter().rev() {
            self.round.queue.push_front(Asking::Node(half));
        }
    }

    /// Takes what was found into the plan.
    fn settle(&mut self, now: Mono) {
        let roots = self.plan.requests().len();
        let Some(found) = findings(&self.nodes, roots, now) else {
            return;
        };
        if doubt(&mut self.nodes, roots, self.round.number) {
            return;
        }
        let lifted = self.cuts.iter().position(|cut| now >= cut.lift);
        let healed = self.pins.iter().any(|pin| pin.healed);
        if found.is_empty() && lifted.is_none() && !healed {
            return;
        }
        if let Some(lifted) = lifted {
            self.cuts.swap_remove(lifted);
        }
        // One of many: the device was changed, and all of them are asked for with few questions.
        let all = healed && self.pins.len() > REPEATS;
        if all {
            self.cuts.clear();
        }
        self.cuts.extend(found.cuts);
        let (points, left_out) = self.plan.points().split_at(self.plan.left_out().start);
        let (mut read, mut refused, mut pins) = (Vec::new(), Vec::new(), Vec::new());
        for (position, point) in points.iter().enumerate() {
            match found.pins.iter().find(|(pinned, _)| *pinned == position) {
                None => read.push(*point),
                Some((_, pin)) => {
                    refused.push(*point);
                    pins.push(*pin);
                }
            }
        }
        for (point, pin) in left_out.iter().zip(&self.pins) {
            if pin.healed || (all && pin.fault != Fault::Unanswered) {
                read.push(*point);
            } else {
                refused.push(*point);
                pins.push(*pin);
            }
        }
        let walls: Vec<Wall> = self.cuts.iter().map(|cut| cut.wall).collect();
        self.plan = Plan::around(read, refused, &walls, &self.rules);
        self.nodes = tree(&self.plan);
        self.pins = pins;
        self.first = 0;
    }
}

#[cfg(test)]
mod tests;
