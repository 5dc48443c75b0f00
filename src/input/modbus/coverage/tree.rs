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
}

/// What the device last said of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Unknown,
    Answered,
    Refused(Fault),
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
        }
    }
}
