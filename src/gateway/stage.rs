//! What the gateway ends stage by stage.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::warn;

/// Tasks that end together, and the switch that ends them.
#[derive(Debug, Default)]
pub(super) struct Stage {
    tasks: JoinSet<String>,
    pub(super) stop: watch::Sender<bool>,
}

impl Stage {
    pub(super) fn spawn(&mut self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            task.await;
            name
        });
    }

    /// Resolves with the name of a task that ended.
    pub(super) async fn died(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Ok(task)) => task,
            Some(Err(error)) => error.to_string(),
            None => std::future::pending().await,
        }
    }

    /// Ends all tasks: they may finish for as long as `within`, then they are dropped.
    pub(super) async fn end(&mut self, within: Duration) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(within, all).await.is_err() {
            warn!(left = self.tasks.len(), "tasks did not end in time");
            self.tasks.shutdown().await;
        }
    }
}
