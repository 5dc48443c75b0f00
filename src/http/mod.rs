//! HTTP: metrics, health, the API.
//!
//! ```text
//!  TCP, Unix socket ─▶ server ─▶ guard ─▶ routes ─▶ Desk (engine) · Feed (journal) · Metrics
//!                      bounds    Host,     JSON in,
//!                      on time   Origin    JSON out
//! ```
//!
//! Nothing here decides. A page that cannot get its answer in time says so; the engine never waits
//! for a page. Every connection, header and body has a bound (`server`), lists are written while they
//! are read (`listing`), and no page of a
//! stranger can make a browser on the plant's network change an alarm (`guard`).
//!
//! | method and path | answer |
//! |---|---|
//! | `GET /` | this list, as text |
//! | `GET /metrics` | Prometheus text format 0.0.4 |
//! | `GET /healthz` | does the process work? |
//! | `GET /readyz` | does it watch the plant? |
//! | `GET /api/v1/alarms[?state=all\|standing\|active\|unacknowledged\|unconfirmed]` | `{"time","alarms":[..],"drills":[..]}` |
//! | `GET /api/v1/alarms/{point}/{kind}` | one alarm |
//! | `POST /api/v1/alarms/{point}/{kind}/acknowledge`, `/confirm`, `/reset`, `/shelve`, `/unshelve`, `/out-of-service`, `/in-service` | what it did |
//! | `GET /api/v1/alarms/{point}/{kind}/drill` | the drill of it that runs, or that nobody has acknowledged |
//! | `POST /api/v1/alarms/{point}/{kind}/drill`, `/drill/acknowledge`, `/drill/end` | what it did |
//! | `POST /api/v1/groups/{group}/reset-first-out` | what it did |
//! | `GET /api/v1/points` | `{"time","points":[..]}` |
//! | `GET /api/v1/inputs` | `{"time","inputs":[..]}`: brokers, and messages that became no reading |
//! | `GET /api/v1/events?after=SEQ&limit=N` | `{"events":[..],"next":SEQ}` |
//! | `GET /api/v1/journal?after=SEQ&limit=N` | rows as they are on disk, with the hash chain |
//! | `GET /api/v1/journal/EVENT` | one event, and what became of it at each output |
//! | `GET /a/{token}`, `POST /a/{token}` | an acknowledgement link ([`crate::ack_links`]): a page for people |
//! | `GET /api/v1/status` | how the gateway is: sources, blind points, alarms, outputs, journal |
//!
//! Everything that is no success is `{"error":"one_word","message":"what to do"}`, without versions,
//! paths or traces. Deliberately absent: cross-origin headers, cookies, compression.

mod alarms;
mod commands;
mod drills;
mod events;
mod groups;
mod guard;
mod health;
mod indoors;
mod inputs;
mod journal;
mod links;
mod listing;
mod points;
mod question;
mod reply;
mod scrape;
mod server;
mod socket;
mod status;
mod view;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use self::commands::{
    Acknowledge, Confirm, InService, OutOfService, Plain, Reset, Shelve, Unshelve,
};
use self::drills::{AcknowledgeDrill, Drill, EndDrill};
use self::guard::Hosts;
pub use self::indoors::Indoors;
pub use self::links::{LinkPages, RESULTS as LINK_RESULTS};
use self::listing::Turns;
use self::reply::Refusal;
use self::scrape::Scrape;
pub use self::server::{serve, serve_locally};
pub use self::socket::{NAME as SOCKET_NAME, Socket, SocketError, default_path as default_socket};
use crate::engine::time::Wall;
use crate::evaluation::Desk;
use crate::guidance::Guidance;
use crate::journal::Feed;
use crate::metrics::Metrics;
use crate::wording::Context;

/// Where to listen.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A person wrote that an address beyond loopback may be served without login and TLS.
    pub insecure: bool,
    /// Socket for the commands of this machine; `None`: [`default_socket`].
    pub socket: Option<PathBuf>,
}

/// A body may have this many bytes; commands need some hundred.
const BODY_LIMIT: usize = 64 * 1024;

/// What the routes answer from; cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    desk: Desk,
    feed: Feed,
    metrics: Arc<Metrics>,
    /// Alarms in the engine's order.
    context: Context,
    scrape: Arc<Scrape>,
    lists: Turns,
    /// `None`: there are no links.
    links: Option<Arc<LinkPages>>,
}

impl App {
    /// `context` has the alarms in the engine's order.
    pub fn new(desk: Desk, feed: Feed, metrics: Arc<Metrics>, context: Context) -> Self {
        Self {
            desk,
            feed,
            metrics,
            context,
            scrape: Arc::default(),
            lists: Turns::default(),
            links: None,
        }
    }

    /// With the pages of acknowledgement links.
    #[must_use]
    pub fn with_links(self, links: Option<LinkPages>) -> Self {
        let links = links.map(Arc::new);
        Self { links, ..self }
    }

    /// What is written about the alarm at this position, and who is responsible for it at `at`.
    fn about(&self, index: usize, at: Wall) -> (Option<&Guidance>, Vec<String>) {
        let guidance = self.context.all().get(index);
        let responsible = |guidance: &Guidance| {
            let readers = &self.context.readers;
            readers.responsible(&guidance.point, at)
        };
        (guidance, guidance.map(responsible).unwrap_or_default())
    }
}

/// All routes, behind the guard for a listener on `listen`.
fn router(app: App, listen: SocketAddr) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/metrics", get(scrape::metrics))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/api/v1/alarms", get(alarms::list))
        .route("/api/v1/alarms/{point}/{kind}", get(alarms::one))
        .route(
            "/api/v1/alarms/{point}/{kind}/acknowledge",
            post(commands::give::<Acknowledge>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/confirm",
            post(commands::give::<Confirm>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/reset",
            post(commands::give::<Reset>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/shelve",
            post(commands::give::<Shelve>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/unshelve",
            post(commands::give::<Plain<Unshelve>>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/out-of-service",
            post(commands::give::<OutOfService>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/in-service",
            post(commands::give::<Plain<InService>>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/drill",
            get(drills::one).post(commands::give::<Drill>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/drill/acknowledge",
            post(commands::give::<AcknowledgeDrill>),
        )
        .route(
            "/api/v1/alarms/{point}/{kind}/drill/end",
            post(commands::give::<Plain<EndDrill>>),
        )
        .route(
            "/api/v1/groups/{group}/reset-first-out",
            post(groups::reset_first_out),
        )
        .route("/api/v1/points", get(points::list))
        .route("/api/v1/inputs", get(inputs::list))
        .route("/api/v1/events", get(events::after))
        .route("/api/v1/journal", get(journal::page))
        .route("/api/v1/journal/{event}", get(journal::account))
        .route("/api/v1/status", get(status::status))
        .route("/a/{token}", get(links::show).post(links::act))
        .fallback(no_such_page)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn_with_state(
            Hosts::of(listen),
            guard::check,
        ))
        .with_state(app)
}

/// What can be asked. The page for operators is another one.
async fn index() -> &'static str {
    "forewarn: early warning for hazard points. Supplementary; not a safety system.\n\
     \n\
     GET  /metrics                                     Prometheus\n\
     GET  /healthz                                     does the process work? 503: restart it\n\
     GET  /readyz                                      does it watch the plant? 503: no, or not yet\n\
     GET  /api/v1/alarms?state=standing                or active, unacknowledged, unconfirmed, all (default)\n\
     GET  /api/v1/alarms/POINT/KIND                    one alarm\n\
     POST /api/v1/alarms/POINT/KIND/acknowledge        {\"by\":\"who\",\"comment\":\"..\",\"occurrence\":1}\n\
     POST /api/v1/alarms/POINT/KIND/confirm            {\"by\":\"who\",\"comment\":\"what was done\",\"occurrence\":1}\n\
     POST /api/v1/alarms/POINT/KIND/reset              {\"by\":\"who\",\"verified_independently\":true}\n\
     POST /api/v1/alarms/POINT/KIND/shelve             {\"by\":\"who\",\"reason\":\"why\",\"for\":\"2h\"}\n\
     POST /api/v1/alarms/POINT/KIND/unshelve           {\"by\":\"who\"}\n\
     POST /api/v1/alarms/POINT/KIND/out-of-service     {\"by\":\"who\",\"approved_by\":\"another\",\"permit\":\"P-1\",\"for\":\"8h\"}\n\
     POST /api/v1/alarms/POINT/KIND/in-service         {\"by\":\"who\"}\n\
     POST /api/v1/alarms/POINT/KIND/drill              {\"by\":\"who\",\"reason\":\"why\",\"for\":\"10min\"}\n\
     POST /api/v1/alarms/POINT/KIND/drill/acknowledge  {\"by\":\"who\"}\n\
     POST /api/v1/alarms/POINT/KIND/drill/end          {\"by\":\"who\"}\n\
     POST /api/v1/groups/GROUP/reset-first-out         {\"by\":\"who\",\"reason\":\"..\"}\n\
     GET  /api/v1/points                               values, quality, slope\n\
     GET  /api/v1/inputs                               brokers, and messages that became no reading\n\
     GET  /api/v1/events?after=SEQ&limit=N             what happened after SEQ\n\
     GET  /api/v1/journal?after=SEQ&limit=N            the same as it is on disk, with its hash chain\n\
     GET  /api/v1/journal/EVENT                        one event by number or id, and who has it\n\
     GET  /api/v1/status                               sources, blind points, alarms, outputs, journal\n\
     GET  /a/TOKEN                                     a link of a message, to acknowledge with: a page, and its form\n"
}

async fn no_such_page() -> Refusal {
    Refusal::not_found("no such page; / lists what there is")
}

async fn wrong_method() -> Refusal {
    Refusal::wrong_method()
}

#[cfg(test)]
mod tests;
