//! What pages and metrics show of telling people.

use std::sync::Arc;

use super::Notifier;
use super::case::Case;
use super::settings::NotifySettings;
use crate::engine::notice::{NoticeCounts, NoticeView};
use crate::engine::time::Moment;

impl Notifier {
    /// What is held back, now and since start.
    pub(super) fn counts(&self) -> NoticeCounts {
        let chatter = self.cases.values().filter_map(|case| case.chatter);
        let chatter: u64 = chatter.map(|chatter| u64::from(chatter.held)).sum();
        NoticeCounts {
            waiting: chatter + self.office.gate.waiting() as u64,
            ..self.office.counts
        }
    }

    /// Who was told of each alarm that people were told of, and who is next.
    pub(super) fn views(&self, at: Moment) -> impl Iterator<Item = (&str, NoticeView)> {
        self.cases.iter().filter_map(move |(alarm, case)| {
            let view = case.view(&self.office.settings, at)?;
            Some((&**alarm, view))
        })
    }
}

impl Case {
    fn view(&self, settings: &NotifySettings, at: Moment) -> Option<NoticeView> {
        let ladder = self.ladder.as_ref()?;
        let running = Some(ladder).filter(|ladder| ladder.running);
        let climbing = running.filter(|ladder| ladder.under.is_none());
        let next = climbing.and_then(|ladder| {
            let policy = settings.policy(ladder.priority)?;
            let step = policy.steps.get(usize::from(ladder.steps))?;
            Some(at.at(ladder.began.plus(step.after)).wall)
        });
        Some(NoticeView {
            told: ladder.told.clone(),
            steps: ladder.steps,
            next_step_at: next,
            held: ladder.muted || !ladder.held.is_empty(),
            under: running.and_then(|ladder| Some(Arc::clone(&ladder.under.as_ref()?.alarm))),
        })
    }
}
