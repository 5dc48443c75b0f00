//! The wiring: channels, tasks, supervision, the order of the end. The only file that spawns.
//!
//! ```text
//!  input.modbus.* ──┐                                          ┌──▶ output.*
//!  input.mqtt.*  ───┼─▶ engine ──▶ journal (a thread) ── Feed ─┤
//!  supervisor ──────┘     ▲                                    └──▶ http
//!                         └──────────── Desk ───────────────────────┘
//! ```
//!
//! A task that ends although nobody asked stops the process with exit code 70, and so does a panic:
//! a gateway with a dead part must not look alive. Connection errors never end a task. The service
//! manager's watchdog is fed only while every task gives signs of life.
//!
//! The end, within five seconds: inputs stop; the engine judges what has arrived and records
//! `stopped`; outputs finish or give up what is on its way (it stays in the journal); the journal
//! commits and closes; HTTP goes last, so that the end can be watched.

mod names;
mod own_points;
mod recording;
mod stage;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info};

use crate::ack_links::Links;
use crate::clock;
use crate::config::Config;
use crate::engine::effect::Run;
use crate::engine::snapshot::History;
use crate::evaluation::{self, Desk, Inlet, Readings};
use crate::guidance::Directory;
use crate::http::{self, App, Indoors, LinkPages, Socket};
use crate::input::modbus;
use crate::input::mqtt;
use crate::journal::{self, Journal, OpenError, Restored};
use crate::metrics::Metrics;
use crate::notify::station::Station;
use crate::output::command_topic::{self, Give};
use crate::output::{self, OutputSettings, Target, Wiring};
use crate::systemd;
use crate::telemetry::{Tap, Telemetry};
use crate::wording::Context;
use names::{bus_task, names, subscriber_task};
use own_points::JournalPoint;
use stage::Stage;

/// How long each stage of the end may take; five seconds in all.
const OUTPUTS_END: Duration = output::END;
const JOURNAL_END: Duration = Duration::from_millis(1500);
const INPUTS_END: Duration = Duration::from_millis(300);
const ENGINE_END: Duration = Duration::from_millis(300);
const HTTP_END: Duration = Duration::from_millis(400);

/// What every start-up log says (the limits of the claim).
const DISCLAIMER: &str = "Supplementary early-warning and record-keeping tool. It does not replace certified \
     detection, alarm or shutdown equipment, which must work with this software stopped.";

/// Why the gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The HTTP port.
    #[error("cannot listen on {address} for HTTP; is another gateway running? see [http] listen")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The embedded broker.
    #[error("cannot run the embedded broker on {address}")]
    Embedded {
        /// As configured.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// Why the gateway ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to; `false`: not everything reached the disk.
    Asked {
        /// Is everything that was handed in on disk?
        stored: bool,
    },
    /// A task ended although nobody asked.
    TaskDied(String),
}

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    inputs: Stage,
    engine: Stage,
    outputs: Stage,
    pages: Stage,
    journal: Journal,
    telemetry: Option<Telemetry>,
    metrics: Arc<Metrics>,
    readings: Readings,
    journal_point: JournalPoint,
    desk: Desk,
    http: SocketAddr,
}

impl Gateway {
    /// Starts everything that `config` names.
    ///
    /// # Errors
    /// What would make the gateway useless: no journal, no HTTP port, no embedded broker. Devices,
    /// brokers and outputs that cannot be reached are no reason not to start.
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        info!(
            site = %config.site,
            version = env!("CARGO_PKG_VERSION"),
            config_hash = config.hash,
            "{DISCLAIMER}"
        );
        let address = config.http.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        let http = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address, source })?;
        start_embedded(&config.embedded_brokers)?;
        let metrics = Arc::new(Metrics::new(&names(&config)));
        let outputs: Vec<_> = config
            .outputs
            .iter()
            .filter(|output| output.target.carries_events())
            .map(|output| Arc::clone(&output.id))
            .collect();
        let sources = Arc::new(names::sources(&config));
        let (journal, restored) = journal::start(
            &config.journal,
            &config.site,
            &outputs,
            Arc::clone(&metrics),
        )?;
        report_restored(&restored);
        let journal_point = JournalPoint::new(
            config.journal_status,
            restored.is_history_lost(),
            clock::monotonic(),
        );
        let (telemetry, tap) = recording::start(&config, &journal, &metrics).unzip();
        let history = History {
            notes: restored.notes(),
            records: restored.records,
            memories: restored.memories,
            last_alive: restored.last_alive,
            run: Run {
                config_hash: Some(config.hash.as_str().into()),
                boot_id: clock::boot_id().map(Into::into),
            },
        };
        // The engine has its own form of the settings; two are not kept.
        let settings = std::mem::take(&mut config.engine);
        let notify = std::mem::take(&mut config.notify);
        let station = Station::start(&settings, notify, &history, clock::now());
        drop(settings);
        let (readings, desk, inlet) = evaluation::door();
        let mut gateway = Self {
            inputs: Stage::default(),
            engine: Stage::default(),
            outputs: Stage::default(),
            pages: Stage::default(),
            journal,
            telemetry,
            metrics,
            readings,
            journal_point,
            desk,
            http,
        };
        gateway.spawn_all(config, sources, (station, tap), inlet, listener);
        Ok(gateway)
    }

    /// Where HTTP is served.
    pub const fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// For asking the engine.
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Supervises until `end` resolves or a task dies, then ends everything in order.
    pub async fn supervise(mut self, end: impl Future<Output = ()>) -> Ended {
        systemd::ready();
        systemd::status("watching");
        let died = {
            let mut end = std::pin::pin!(end);
            let mut beat = interval(Duration::from_secs(1));
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut place_works = std::pin::pin!(self.journal.real_place_works());
            let mut may_return = false;
            loop {
                tokio::select! {
                    () = &mut end => break None,
                    task = self.engine.died() => break Some(task),
                    task = self.inputs.died() => break Some(task),
                    task = self.outputs.died() => break Some(task),
                    task = self.pages.died() => break Some(task),
                    place = &mut place_works, if !may_return => {
                        may_return = true;
                        error!(
                            journal = %place.display(),
                            "the journal's place works again: restart the gateway to return to it"
                        );
                    }
                    _instant = beat.tick() => self.beat(),
                }
            }
        };
        if let Some(task) = &died {
            error!(
                task,
                "a task ended although nobody asked; the gateway stops"
            );
        }
        systemd::stopping();
        let stored = self.end().await;
        died.map_or(Ended::Asked { stored }, Ended::TaskDied)
    }

    /// Once a second: the journal's own watch, the watchdog, the gateway's own points.
    fn beat(&mut self) {
        let now = clock::now();
        self.journal.tick(now);
        let health = *self.journal.health().borrow();
        self.metrics.store_size(health.size, health.limit);
        self.journal_point.report(health, now, &self.readings);
        let stuck = self.metrics.stuck_tasks();
        if stuck.is_empty() {
            systemd::watchdog();
        } else {
            error!(
                ?stuck,
                "tasks without a sign of life; the watchdog is not fed"
            );
        }
    }

    fn spawn_all(
        &mut self,
        config: Config,
        sources: Arc<BTreeMap<Arc<str>, Arc<str>>>,
        (station, tap): (Station, Option<Tap>),
        inlet: Inlet,
        listener: TcpListener,
    ) {
        let socket = Socket::of(&config.http, &config.journal.path);
        let guidance = Arc::new(Directory::new(config.guidance));
        let (site, readers) = (config.site.as_str(), config.readers);
        let context = Context::new(site, Arc::clone(&guidance), readers.clone());
        let app = App::new(
            self.desk.clone(),
            self.journal.feed(),
            Arc::clone(&self.metrics),
            context.clone(),
        );
        let links = config.links.as_ref();
        let links = links.map(|links| Arc::new(Links::new(site, links)));
        let pages = links.clone().map(|links| LinkPages::new(links, context));
        let app = app.with_links(pages);
        let engine = evaluation::run(
            station,
            tap,
            inlet,
            self.journal.inbox(),
            Arc::clone(&self.metrics),
            self.engine.stop.subscribe(),
        );
        self.engine.spawn(evaluation::TASK.to_owned(), engine);
        for output in config.outputs {
            let name = format!("output.{}", output.id);
            let wiring = Wiring {
                feed: self.journal.feed(),
                readers: readers.clone(),
                links: links.clone(),
                guidance: Arc::clone(&guidance),
                site: config.site.as_str().into(),
                desk: self.desk.clone(),
                telemetry: self.telemetry.as_ref().map(Telemetry::feed),
                readings: self.readings.clone(),
                metrics: Arc::clone(&self.metrics),
                sources: Arc::clone(&sources),
            };
            self.spawn_commands(&output, &wiring, &app);
            let task = output::run(output, wiring, self.outputs.stop.subscribe());
            self.outputs.spawn(name, task);
        }
        if let Some(socket) = socket {
            let pages = http::serve_locally(socket, app.clone(), self.pages.stop.subscribe());
            self.pages.spawn("http.socket".to_owned(), pages);
        }
        let http = http::serve(listener, app, self.pages.stop.subscribe());
        self.pages.spawn("http".to_owned(), async move {
            if let Err(error) = http.await {
                error!(%error, "HTTP ended");
            }
        });
        for bus in config.buses {
            let (metrics, stop) = (Arc::clone(&self.metrics), self.inputs.stop.subscribe());
            let name = bus_task(&bus);
            let task = modbus::bus::run(bus, self.readings.clone(), metrics, stop);
            self.inputs.spawn(name, task);
        }
        for subscriber in config.subscribers {
            let (metrics, stop) = (Arc::clone(&self.metrics), self.inputs.stop.subscribe());
            let name = subscriber_task(&subscriber);
            let task = mqtt::client::run(subscriber, self.readings.clone(), metrics, stop);
            self.inputs.spawn(name, task);
        }
    }

    /// Commands over the broker of an output, if anybody may give them.
    fn spawn_commands(&mut self, output: &OutputSettings, wiring: &Wiring, app: &App) {
        let Target::Mqtt(target) = &output.target else {
            return;
        };
        if target.commands.is_empty() {
            return;
        }
        let pages = Indoors::new(app.clone());
        let give: Give = Arc::new(move |path, body| {
            let pages = pages.clone();
            Box::pin(async move { pages.post(path, body).await })
        });
        let task = command_topic::run(
            Arc::clone(&output.id),
            target.clone(),
            Arc::clone(&wiring.site),
            give,
            Arc::clone(&self.metrics),
            self.outputs.stop.subscribe(),
        );
        self.outputs
            .spawn(command_topic::task_name(&output.id), task);
    }

    /// Stage by stage; answers whether everything is on disk.
    async fn end(mut self) -> bool {
        self.inputs.end(INPUTS_END).await;
        self.engine.end(ENGINE_END).await;
        self.outputs.end(OUTPUTS_END).await;
        let stored = recording::close(self.journal, self.telemetry, JOURNAL_END).await;
        if !stored {
            error!("not everything that was handed in is on disk");
        }
        self.pages.end(HTTP_END).await;
        info!(stored, "stopped");
        stored
    }
}

fn report_restored(restored: &Restored) {
    for note in restored.notes() {
        error!("{note}");
    }
    info!(
        events = restored.last_seq,
        epoch = restored.epoch,
        clean_stop = restored.clean_stop,
        "journal open"
    );
}

#[cfg(feature = "demo")]
fn start_embedded(addresses: &[SocketAddr]) -> Result<(), StartError> {
    for address in addresses {
        crate::embedded::start(*address).map_err(|source| StartError::Embedded {
            address: *address,
            source,
        })?;
    }
    Ok(())
}

/// Without the feature no configuration with an embedded broker passes its check.
#[cfg(not(feature = "demo"))]
fn start_embedded(_addresses: &[SocketAddr]) -> Result<(), StartError> {
    Ok(())
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked { stored: true } => f.write_str("stopped; everything is on disk"),
            Self::Asked { stored: false } => {
                f.write_str("stopped; not everything reached the disk")
            }
            Self::TaskDied(task) => write!(f, "task {task} ended although nobody asked"),
        }
    }
}
