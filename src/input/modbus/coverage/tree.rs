//! Requests, their halves, and what is known of each.

use crate::engine::reading::Fault;
use crate::input::modbus::plan::{Plan, Request};

/// A request of the plan, or a part of one.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) request: Request,
    /// Position of the plan's request it is a part of.
    pub(super) root: usize,
    /// `None` for a single value.
    pub(super) halves: Option<[usize; 2]>,
    pub(super) state: State,
    /// Silences in a row while the device answered other questions.
    pub(super) strikes: u32,
    /// In which round it was refused.
    pub(super) refused_in: u64,
    /// Of a request of the plan: is its refusal doubted?
    pub(super) doubt: Doubt,
}

/// A device that starts refuses for a while what it gives later. So a refusal that a search of several
/// rounds rests on is asked for once more when the search is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Not yet.
    Not,
    /// It is to be asked again.
    Asking,
    /// It was refused again, or not answered.
    Settled,
}

/// What the device last said of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Unknown,
    Answered,
    Refused(Fault),
}

/// Of the first `roots` of the nodes those whose refusal is to be asked for once more are marked: refused before
/// `round`, in which their search ended. Are there any?
pub(super) fn doubt(nodes: &mut [Node], roots: usize, round: u64) -> bool {
    let mut asking = false;
    for node in nodes.iter_mut().take(roots) {
        // Silence was counted more than once already.
        let is_refused = matches!(node.state, State::Refused(fault) if fault != Fault::Unanswered);
        let is_searched = is_refused && node.halves.is_some();
        if is_searched && node.doubt == Doubt::Not && node.refused_in != round {
            node.doubt = Doubt::Asking;
        }
        asking |= node.doubt == Doubt::Asking;
    }
    asking
}

/// A request that was refused is answered: what was found below it has no meaning any more.
pub(super) fn forget_below(nodes: &mut [Node], position: usize) {
    let mut below = vec![position];
    while let Some(position) = below.pop() {
        if let Some(node) = nodes.get_mut(position)
            && matches!(node.state, State::Refused(_))
        {
            (node.state, node.doubt) = (State::Unknown, Doubt::Not);
            below.extend(node.halves.into_iter().flatten());
        }
    }
}

/// The plan's requests, then all their possible halves.
pub(super) fn tree(plan: &Plan) -> Vec<Node> {
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
            strikes: 0,
            refused_in: 0,
            doubt: Doubt::Not,
        }
    }
}
