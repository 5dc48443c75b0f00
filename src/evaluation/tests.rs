//! The task around the engine: pauses of the process, floods of events, what is no event.

mod floods;
mod last_record;
mod memories;
mod order;
mod pauses;
mod reminder;

use std::path::PathBuf;

use super::*;
use crate::engine::settings::Settings;
use crate::engine::snapshot::History;
use crate::journal::{self, Journal, JournalSettings, Restored};
use crate::notify::settings::NotifySettings;

/// A journal in a folder of its own.
struct Bench {
    folder: PathBuf,
    journal: Journal,
    metrics: Arc<Metrics>,
}

impl Bench {
    /// `name` is that of the test.
    fn new(name: &str) -> Self {
        let name = format!("forewarn-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for the journal");
        let metrics = Arc::default();
        let (journal, _nothing) = open(&folder, &metrics);
        Self {
            folder,
            journal,
            metrics,
        }
    }

    fn evaluation(&self, station: Station) -> Evaluation {
        let (inbox, metrics) = (self.journal.inbox(), Arc::clone(&self.metrics));
        Evaluation::new(station, inbox, metrics, watch::channel(false).1)
    }

    /// What would be known after a restart; the journal is another one from then on.
    async fn restarted(mut self) -> (Self, Restored) {
        assert!(self.journal.close(CLOSED_WITHIN).await);
        let (journal, restored) = open(&self.folder, &self.metrics);
        self.journal = journal;
        (self, restored)
    }

    /// Ends it and its folder; says whether everything was stored.
    async fn end(self) -> bool {
        let stored = self.journal.close(CLOSED_WITHIN).await;
        std::fs::remove_dir_all(&self.folder).expect("it was made here");
        stored
    }
}

/// However busy the machine is.
const CLOSED_WITHIN: Duration = Duration::from_secs(20);

fn open(folder: &std::path::Path, metrics: &Arc<Metrics>) -> (Journal, Restored) {
    let settings = JournalSettings {
        path: folder.join("journal.db"),
        max_size: 64 << 20,
        keep_events: Duration::from_secs(3600),
        first_epoch: Some(1),
    };
    let started = journal::start(&settings, "plant", &[], Arc::clone(metrics));
    started.expect("the temporary folder is writable")
}

/// A station that knows no life before.
fn station(settings: &Settings) -> Station {
    let (notify, history) = (NotifySettings::default(), History::default());
    Station::start(settings, notify, &history, clock::now())
}
