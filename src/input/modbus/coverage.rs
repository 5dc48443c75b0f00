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
//! When everything below a refused request is known the search is over, and the plan is made anew
//! around what it found, so that from then on nothing costs more than it must:
//!
//! - a single value that is refused is *pinned*: no request reaches over it, its point is bad, and it is
//!   asked for by itself every [`ASK_AGAIN`], in case it is there one day;
//! - where two halves are answered and the whole is not, the device does not want to be read across that
//!   place, or not so much at a time: a *cut*, which no request reaches over. Cuts are lifted one at a
//!   time every [`LIFT`], in case the device was changed.
//!
//! A search asks at most [`SPLITS`] times after fresh refusals in one poll and a poll tries at most
//! [`REPEATS`] pinned values, so that a device with many refused addresses does not hold up the others on
//! its bus; the rest of the search goes on in the next poll. So does a round that was put off half way, because
//! the device answers slowly. When everything is pinned one value is asked
//! for all the same: without a question nobody would know whether the device is there.

use std::collections::VecDeque;
use std::time::Duration;

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
    round: Round,
}

#[derive(Debug)]
struct Node {
    request: Request,
    /// Position of the plan's request it is a part of.
    root: usize,
    /// `None` for a single value.
    halves: Option<[usize; 2]>,
    state: State,
}

/// What the device last said of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Answered,
    Refused(Fault),
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
}

#[derive(Debug, Default)]
struct Round {
    now: Mono,
    queue: VecDeque<Asking>,
    asking: Option<Asking>,
    asked: usize,
    splits: usize,
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
                now,
                queue,
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
        self.round = Round {
            now,
            queue: nodes.map(Asking::Node).chain(pins).collect(),
            ..Round::default()
        };
    }

    /// Is there more to ask in this round? Who leaves it at that puts the rest off to the next call of
    /// [`begin`](Self::begin).
    pub fn is_put_off(&self) -> bool {
        !self.round.queue.is_empty()
    }

    /// What to ask now; `None` at the end of the round. Must be followed by one of
    /// [`answered`](Self::answered), [`refused`](Self::refused) or [`silent`](Self::silent) before
    /// the next call; none of them leaves the request as it was.
    pub fn ask(&mut self) -> Option<Request> {
        let asking = self.next_question()?;
        self.round.asked += 1;
        self.round.asking = Some(asking);
        match asking {
            Asking::Node(position) => self.nodes.get(position).map(|node| node.request.clone()),
            Asking::Pin(pin) => self.plan.alone(self.plan.left_out().start + pin),
        }
    }

    fn next_question(&mut self) -> Option<Asking> {
        while let Some(asking) = self.round.queue.pop_front() {
            let Asking::Node(position) = asking else {
                return Some(asking);
            };
            let node = self.nodes.get(position)?;
            if !matches!(node.state, State::Refused(_)) {
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
        match self.round.asking.take() {
            Some(Asking::Node(position)) => {
                if let Some(node) = self.nodes.get_mut(position) {
                    node.state = State::Answered;
                }
            }
            Some(Asking::Pin(position)) => {
                if let Some(pin) = self.pins.get_mut(position) {
                    pin.healed = true;
                }
            }
            None => {}
        }
    }

    /// The device refused the addresses of the request; `fault` is what their points have by it.
    pub fn refused(&mut self, fault: Fault) -> Refusal {
        match self.round.asking.take() {
            Some(Asking::Node(position)) => self.refused_node(position, fault),
            Some(Asking::Pin(position)) => {
                if let Some(pin) = self.pins.get_mut(position) {
                    pin.fault = fault;
                    pin.again = self.round.now + ASK_AGAIN;
                }
                Refusal::Known
            }
            None => Refusal::Searching,
        }
    }

    fn refused_node(&mut self, position: usize, fault: Fault) -> Refusal {
        let Some(node) = self.nodes.get_mut(position) else {
            return Refusal::Searching;
        };
        node.state = State::Refused(fault);
        if node.halves.is_none() {
            return Refusal::Found;
        }
        self.round.splits += 1;
        if self.round.splits <= SPLITS {
            self.queue_halves(position);
        }
        Refusal::Searching
    }

    /// The request was not answered: the round is over. The next one begins behind this request, so
    /// that one the device chokes on cannot starve those after it.
    pub fn silent(&mut self) {
        let roots = self.plan.requests().len();
        if let Some(Asking::Node(position)) = self.round.asking.take()
            && let Some(node) = self.nodes.get(position)
        {
            self.first = (node.root + 1) % roots.max(1);
        }
        self.round.queue.clear();
        // An empty queue must not look like a device that refuses everything.
        self.round.asked = self.round.asked.max(1);
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
        for half in halves.into_iter().flatten().rev() {
            self.round.queue.push_front(Asking::Node(half));
        }
    }

    /// Takes what was found into the plan.
    fn settle(&mut self, now: Mono) {
        let Some(found) = self.findings(now) else {
            return;
        };
        let lifted = self.cuts.iter().position(|cut| now >= cut.lift);
        let healed = self.pins.iter().any(|pin| pin.healed);
        if found.is_empty() && lifted.is_none() && !healed {
            return;
        }
        if let Some(lifted) = lifted {
            self.cuts.swap_remove(lifted);
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
            if pin.healed {
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

    /// What the searches found; `None` while one is not finished, which a new plan would begin anew.
    fn findings(&self, now: Mono) -> Option<Findings> {
        let roots = 0..self.plan.requests().len();
        let mut findings = Findings::default();
        let mut waiting: Vec<usize> = roots.collect();
        while let Some(position) = waiting.pop() {
            let node = self.nodes.get(position)?;
            match (node.state, node.halves) {
                (State::Answered, _) => {}
                // Not asked since the plan was made: of a root nothing follows.
                (State::Unknown, _) if position < self.plan.requests().len() => {}
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
                    findings.cuts.extend(self.cut_between(halves, now));
                    waiting.extend(halves);
                }
            }
        }
        Some(findings)
    }

    /// Between two halves that the device answers, but not together.
    fn cut_between(&self, halves: [usize; 2], now: Mono) -> Option<Cut> {
        let [left, right] = halves.map(|half| self.nodes.get(half));
        let (left, right) = (left?, right?);
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
}

/// What a search found: positions of refused points, and cuts.
#[derive(Debug, Default)]
struct Findings {
    pins: Vec<(usize, Pin)>,
    cuts: Vec<Cut>,
}

impl Findings {
    const fn is_empty(&self) -> bool {
        self.pins.is_empty() && self.cuts.is_empty()
    }
}

/// The plan's requests, then all their possible halves.
fn tree(plan: &Plan) -> Vec<Node> {
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
    nodes
}

impl Node {
    const fn new(root: usize, request: Request) -> Self {
        Self {
            request,
            root,
            halves: None,
            state: State::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
