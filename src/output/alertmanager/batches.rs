//! One round: everything that is to be told, in posts of which a bad alert does not hold up the good ones.
//! Pure.
//!
//! ```text
//!   [a b c d] ──400──▶ [a b] ──200
//!                      [c d] ──400──▶ [c] ──200
//!                                     [d] ──400──▶ refused: named and counted
//! ```
//!
//! A far end that refuses everything refuses us and no alert: after [`DOUBTFUL`] single refusals with nothing
//! accepted it is asked to take nothing at all. If it refuses that, too, the round ends.

use std::collections::VecDeque;
use std::sync::Arc;

use super::alert::Alert;

/// Alerts in one post.
pub(super) const MOST: usize = 2_000;

/// See the module docs.
const DOUBTFUL: usize = 4;

/// What is told of one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) alert: Arc<Alert>,
    /// It does not stand any longer.
    pub(super) over: bool,
}

/// What has not been told yet.
#[derive(Debug, Default)]
pub(super) struct Round {
    posts: VecDeque<Vec<Item>>,
    accepted: bool,
    refused: usize,
}

/// What a refusal means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is somewhere in there: the halves go next.
    Split,
    /// It is this one.
    Alone(Item),
    /// It is us.
    Hopeless,
}

impl Round {
    /// `together`, most urgent first, in as few posts as may be; `apart` each alone, behind them.
    pub(super) fn new(together: Vec<Item>, apart: Vec<Item>) -> Self {
        let mut posts: VecDeque<_> = together.chunks(MOST).map(<[Item]>::to_vec).collect();
        if posts.is_empty() {
            // Nothing to tell is told, too: how else would we know that the far end is there?
            posts.push_back(Vec::new());
        }
        posts.extend(apart.into_iter().map(|item| vec![item]));
        Self {
            posts,
            ..Self::default()
        }
    }

    /// The next post.
    pub(super) fn next(&mut self) -> Option<Vec<Item>> {
        self.posts.pop_front()
    }

    /// Has everything been told?
    pub(super) fn is_done(&self) -> bool {
        self.posts.is_empty()
    }

    /// A post was taken.
    pub(super) const fn accepted(&mut self) {
        self.accepted = true;
    }

    /// A post was refused for good.
    pub(super) fn refused(&mut self, mut post: Vec<Item>) -> Refusal {
        if post.len() > 1 {
            let second = post.split_off(post.len() / 2);
            self.posts.push_front(second);
            self.posts.push_front(post);
            return Refusal::Split;
        }
        let Some(item) = post.pop() else {
            self.posts.clear();
            return Refusal::Hopeless;
        };
        self.refused += 1;
        if self.refused == DOUBTFUL && !self.accepted {
            self.posts.push_front(Vec::new());
        }
        Refusal::Alone(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::alertmanager::alert::tests::alert;

    fn items(count: usize) -> Vec<Item> {
        let named = |number| Item {
            alert: Arc::new(alert(&format!("P-{number}/high"))),
            over: false,
        };
        (0..count).map(named).collect()
    }

    /// Tells `items` to a far end that refuses the `bad` ones, and everything if all are bad; how many were
    /// taken, which were refused, and in how many posts. `None`: given up.
    fn tell(count: usize, bad: &[usize]) -> Option<(usize, Vec<Arc<str>>, usize)> {
        let items = items(count);
        let bad: Vec<_> = bad
            .iter()
            .map(|at| Arc::clone(&items[*at].alert.alarm))
            .collect();
        let mut round = Round::new(items, Vec::new());
        let (mut taken, mut refused, mut posts) = (0, Vec::new(), 0);
        while let Some(post) = round.next() {
            posts += 1;
            let all = count > 0 && bad.len() == count;
            if !all && !post.iter().any(|item| bad.contains(&item.alert.alarm)) {
                round.accepted();
                taken += post.len();
                continue;
            }
            match round.refused(post) {
                Refusal::Split => {}
                Refusal::Alone(item) => refused.push(Arc::clone(&item.alert.alarm)),
                Refusal::Hopeless => return None,
            }
        }
        Some((taken, refused, posts))
    }

    #[test]
    fn one_bad_alert_is_found_and_all_others_arrive() {
        for at in [0, 1, 499, 998, 999] {
            let (taken, refused, posts) = tell(1000, &[at]).expect("it goes on");
            assert_eq!((taken, refused.len()), (999, 1), "at {at}");
            assert_eq!(*refused[0], *format!("P-{at}/high"));
            assert!(posts <= 22, "{posts} posts");
        }
        let (taken, refused, _) = tell(4001, &[3, 2500, 4000]).expect("it goes on");
        assert_eq!((taken, refused.len()), (3998, 3));
    }

    #[test]
    fn a_far_end_that_refuses_all_is_not_asked_for_each() {
        let all: Vec<usize> = (0..1000).collect();
        assert_eq!(tell(1000, &all), None);
        let (taken, refused, _) = tell(1, &[0]).expect("one alone may be bad");
        assert_eq!((taken, refused.len()), (0, 1));
        let most: Vec<usize> = (0..999).collect();
        let (taken, refused, _) = tell(1000, &most).expect("the last one is good");
        assert_eq!((taken, refused.len()), (1, 999));
    }

    #[test]
    fn nothing_to_tell_is_one_empty_post() {
        assert_eq!(tell(0, &[]), Some((0, Vec::new(), 1)));
    }

    #[test]
    fn an_empty_post_that_is_refused_blames_nobody() {
        let mut round = Round::new(Vec::new(), Vec::new());
        let post = round.next().expect("one post");
        assert_eq!(round.refused(post), Refusal::Hopeless);
    }
}
