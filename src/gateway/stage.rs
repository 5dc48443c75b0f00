//! What the gateway ends stage by stage.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;
use tracing::warn;

/// Tasks that end together, and the switch that ends them.
#[derive(Debug, Default)]
pub(super) struct Stage {
    tasks: JoinSet<()>,
    /// Of those that were not seen to end.
    names: Vec<(Id, String)>,
    pub(super) stop: watch::Sender<bool>,
}

impl Stage {
    pub(super) fn spawn(&mut self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.names.push((id, name));
    }

    /// Resolves with the name of a task that ended.
    pub(super) async fn died(&mut self) -> String {
        let Some(ended) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let name = self.take_name(&ended);
        match ended {
            Ok(_by_itself) => name,
            Err(error) => format!("{name} ({error})"),
        }
    }

    /// Ends all tasks: they may finish for as long as `within`, then they are dropped.
    pub(super) async fn end(&mut self, within: Duration) {
        if !self.ends(within).await {
            let left = self.left();
            warn!(?left, ?within, "tasks did not end in time");
            self.tasks.shutdown().await;
        }
    }

    /// Do all tasks end in this time? Those that do not are left among the names.
    async fn ends(&mut self, within: Duration) -> bool {
        self.stop.send_replace(true);
        let all = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.take_name(&ended);
            }
        };
        timeout(within, all).await.is_ok()
    }

    fn left(&self) -> Vec<&str> {
        self.names.iter().map(|(_, name)| &**name).collect()
    }

    fn take_name(&mut self, ended: &Result<(Id, ()), JoinError>) -> String {
        let ended = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let known = self.names.iter().position(|(id, _)| *id == ended);
        known.map_or_else(String::new, |known| self.names.swap_remove(known).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_that_do_not_end_in_time_are_known_by_name() {
        let mut stage = Stage::default();
        stage.spawn("journal".to_owned(), async {});
        stage.spawn("output.mail".to_owned(), std::future::pending());
        assert!(!stage.ends(Duration::from_millis(100)).await);
        assert_eq!(stage.left(), ["output.mail"]);
        assert!(*stage.stop.borrow());
    }
}
