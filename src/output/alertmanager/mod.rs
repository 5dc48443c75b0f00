//! Alertmanager (API v2): not what happened, but what stands now.
//!
//! ```text
//!  journal ──states, events──▶ standing ──what stands, what is over──▶ member ──▶ POST /api/v2/alerts
//!   (committed)                (pure)     └─ silences ───────────────▶ member ──▶ POST ...
//! ```
//!
//! Every member of a cluster gets everything, for they do not pass alerts on to each other: all that
//! stands, on every change and every `refresh`, and all that is over for a quarter of an hour. Each has
//! a pause of its own when it does not answer. **History is never sent**: an old "firing" would bring an
//! alarm back to life. After an outage a member gets the present; the story of the outage goes to the
//! outputs that carry events.
//!
//! **A dead gateway leaves its alerts standing.** They end a day from now, each time anew, and are taken
//! back explicitly. The usual short end would be sent out as "resolved" when the gateway dies, and nothing
//! tells that from a real all-clear.
//!
//! What is posted is on disk, as everything that leaves; while the disk fails it says `durable: false`.
//!
//! | part | what it knows |
//! |---|---|
//! | `alert`, `news` | labels and annotations |
//! | `standing` | which alarm is an alert, and for how long at least |
//! | `member`, `told`, `batches` | what one member is told next; a refused alert does not hold up the others |
//! | `untouched` | what others post, and what was left behind under old labels |
//! | `silences` | acknowledged and shelved alarms |
//! | `skew` | two clocks |
//! | `wire`, `exchange` | HTTP |
//!
//! # Two gateways that watch the same plant
//!
//! With one configuration they give the same labels, so there is one alert, which stands as soon as one of
//! them sees the alarm. Alertmanager believes whoever posts last: without `pair` one that has cleared would
//! take back what the other still means, and the alert would flap. With `pair` an alert is taken back
//! only when nobody posted it for two `refresh`, so the all-clear comes when both are clear, up to two
//! `refresh` later than otherwise. A partner that dies meanwhile means nothing any more: the living one decides about
//! what it has seen itself, and leaves alone what it never saw.
//!
//! | bound | when full |
//! |---|---|
//! | requests on the way: two a member, one of them with alerts | the next waits |
//! | alerts in a post: `batches::MOST` | another post |
//! | the list of what stands there: 8 MiB | it is not believed |
//!
//! Deliberately absent: a queue and a cursor. The journal need not keep anything for this output.

mod alert;
mod batches;
mod exchange;
mod member;
mod news;
mod reporting;
mod silences;
mod skew;
mod standing;
mod told;
mod trial;
mod untouched;
mod wire;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::info;

pub use self::alert::LABELS;
use self::alert::Words;
use self::batches::Item;
use self::exchange::{Came, Exchange};
use self::member::{Aside, Manner, Member};
use self::reporting::Reporting;
use self::silences::{Policy, Wishes};
use self::skew::Skew;
use self::standing::Standing;
pub use self::trial::{Trial, trial};
use super::Wiring;
use super::finishing;
use super::http_client::{Client, ClientSettings};
use crate::broker::{Secret, Signal, Signals};
use crate::clock;
use crate::engine::reading::PointIndex;
use crate::engine::time::{Moment, Mono};
use crate::journal::Feed;

/// How soon a member that is behind is looked at again.
const SOON: Duration = Duration::from_millis(50);
/// The lists of alerts and silences are no longer, bytes: some thousands of alerts.
const LONGEST_LIST: usize = 8 << 20;
/// Events in one look.
const PAGE: usize = 500;

/// An Alertmanager, or the members of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertmanagerTarget {
    /// Every member; each gets everything.
    pub members: Vec<ClientSettings>,
    /// Value of the header `Authorization`.
    pub authorization: Option<Secret>,
    /// Everything is posted anew this often.
    pub refresh: Duration,
    /// No alert is shorter.
    pub min_notify: Duration,
    /// Labels on every alert beside the gateway's own.
    pub labels: BTreeMap<String, String>,
    /// Put a silence over what is acknowledged?
    pub silence_acknowledged: bool,
    /// Put a silence over what is shelved?
    pub silence_shelved: bool,
    /// Post drills?
    pub drills: bool,
    /// Where the gateway's pages are, without a slash at the end.
    pub page_url: Option<String>,
    /// Which one of two gateways this is that watch the same plant.
    pub pair: Option<String>,
}

/// Posts to every member until `shutdown` turns true; then posts what is new, within 2.5 s, and leaves what
/// stands standing. Never returns for a fault: a member that is lost or refuses is tried again with growing
/// pauses. `status` reads 1 while one of them is not reached or does not take an alert, and 2 while none is reached.
pub async fn run(
    id: Arc<str>,
    status: PointIndex,
    target: AlertmanagerTarget,
    wiring: Wiring,
    shutdown: watch::Receiver<bool>,
) {
    let mut poster = Poster::new(id, status, target, wiring);
    poster.serve(Signals::new(shutdown)).await;
}

/// The task of one output.
struct Poster {
    site: Arc<str>,
    feed: Feed,
    standing: Standing,
    manner: Manner,
    wishes: Wishes,
    /// When any member was asked for a silence, by its mark.
    given: BTreeMap<String, Mono>,
    lines: Vec<Line>,
    /// The newest event that `standing` knows of.
    seen: u64,
    durable: bool,
    reporting: Reporting,
}

/// The way to one member.
struct Line {
    name: Arc<str>,
    member: Member,
    posts: Exchange<Vec<Item>>,
    asides: Exchange<Aside>,
    skew: Skew,
}

/// What came from a member.
enum Happened {
    Posted(Vec<Item>, Came),
    Told(Aside, Came),
}

impl Poster {
    fn new(id: Arc<str>, status: PointIndex, target: AlertmanagerTarget, wiring: Wiring) -> Self {
        let now = clock::now();
        let manner = Manner {
            refresh: target.refresh,
            pair: target.pair.is_some(),
            silences: Policy {
                acknowledged: target.silence_acknowledged,
                shelved: target.silence_shelved,
                site: Arc::clone(&wiring.site),
                pair: target.pair,
            },
        };
        let words = Words {
            site: Arc::clone(&wiring.site),
            alarms: Arc::clone(&wiring.guidance),
            labels: target.labels,
            sources: Arc::clone(&wiring.sources),
            readers: wiring.readers.clone(),
            page_url: target.page_url,
            drills: target.drills,
        };
        // Read first: the states may be newer than the number says, never older.
        let seen = wiring.feed.committed();
        let states = wiring.feed.states();
        let standing = Standing::new(words, target.min_notify, states.iter(), now);
        let line = |settings: ClientSettings| {
            let client = Client::new(settings.clone());
            Line {
                name: exchange::name(&client),
                member: Member::new(&standing, &manner, now.mono),
                posts: Exchange::new(client, target.authorization.clone()),
                asides: Exchange::new(
                    Client::new(settings).taking(LONGEST_LIST),
                    target.authorization.clone(),
                ),
                skew: Skew::default(),
            }
        };
        let lines = target.members.into_iter().map(line).collect();
        Self {
            site: Arc::clone(&wiring.site),
            durable: wiring.feed.is_durable(seen),
            reporting: Reporting::new(id, status, &wiring),
            feed: wiring.feed,
            standing,
            manner,
            wishes: Wishes::default(),
            given: BTreeMap::new(),
            lines,
            seen,
        }
    }

    async fn serve(&mut self, mut signals: Signals) {
        self.turn(clock::now());
        loop {
            self.ask(clock::now());
            let behind = self.is_behind();
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Turn => self.turn(clock::now()),
                    Signal::Stop => break,
                },
                (line, happened) = next(&mut self.lines) => self.take(line, happened),
                () = self.feed.advanced(self.seen) => self.read(clock::now()),
                () = sleep(SOON), if behind => {}
            }
        }
        // In time or not: what is not posted now, the next start posts.
        let _in_time = timeout(finishing::WITHIN, self.finish()).await.is_ok();
        info!(output = &*self.reporting.id, "output stopped");
    }

    /// Posts what happened until the end.
    async fn finish(&mut self) {
        self.read(clock::now());
        while self.is_behind() || self.lines.iter().any(|line| !line.posts.is_idle()) {
            self.ask(clock::now());
            tokio::select! {
                (line, happened) = next(&mut self.lines) => self.take(line, happened),
                () = sleep(SOON) => {}
            }
        }
    }

    /// Is there something new for a member that listens?
    fn is_behind(&self) -> bool {
        let behind = |line: &Line| {
            line.posts.is_idle()
                && line.member.reached() != Some(false)
                && !line.member.is_up_to_date(&self.standing)
        };
        self.lines.iter().any(behind)
    }

    /// About twice a second, whatever happens.
    fn turn(&mut self, now: Moment) {
        self.read(now);
        self.standing.turn(now);
        self.want(now);
        let members = self.lines.iter().map(|line| (&*line.name, &line.member));
        self.reporting.beat(members, self.standing.len(), now);
    }

    /// Takes up what was committed.
    fn read(&mut self, now: Moment) {
        let before = self.standing.version();
        let committed = self.feed.committed();
        while self.seen < committed {
            match self.feed.recent(self.seen, PAGE) {
                // Nothing is kept under the last numbers.
                Ok(events) if events.is_empty() => self.seen = committed,
                Ok(events) => {
                    for event in &events {
                        self.seen = event.seq;
                        if let Some(record) = &event.record {
                            self.standing.heard(record, &event.line, now);
                        }
                    }
                }
                Err(until) => {
                    self.seen = until;
                    for record in self.feed.states() {
                        self.standing.heard(&record, "", now);
                    }
                }
            }
        }
        self.durable = self.feed.is_durable(self.seen);
        if self.standing.version() != before {
            self.want(now);
        }
    }

    fn want(&mut self, now: Moment) {
        let silences = &self.manner.silences;
        self.wishes = silences.wishes(&self.standing, now.wall);
        let wanted = &self.wishes.silences;
        self.given.retain(|mark, _| wanted.contains_key(mark));
    }

    /// Asks every member whatever it is to be asked now.
    fn ask(&mut self, now: Moment) {
        let ways = (&self.manner, &self.wishes);
        for line in &mut self.lines {
            if line.posts.is_idle()
                && let Some(post) = line.member.post(&self.standing, ways, now.mono)
            {
                line.posts.post(post, self.durable, line.skew, now);
            }
            if line.asides.is_idle()
                && let Some(aside) = line.member.aside(ways, &self.given, now.mono)
            {
                // Whether or not it comes about: two that are asked at one time would both make it.
                if let Aside::Silence(silences::Ask::Make(mark, _, None)) = &aside {
                    self.given.insert(mark.clone(), now.mono);
                }
                line.asides.aside(aside, &self.site, line.skew, now);
            }
        }
    }

    fn take(&mut self, index: usize, happened: Happened) {
        let now = clock::now();
        let Some(line) = self.lines.get_mut(index) else {
            return;
        };
        match happened {
            Happened::Posted(items, came) => {
                if exchange::learn(&mut line.skew, &came) {
                    self.reporting.clocks_differ(&line.name, line.skew);
                    line.member.tell_again(now.mono);
                }
                let Some(client) = line.posts.client() else {
                    return;
                };
                let (outcome, why) = exchange::of_post(came, client, now.wall);
                let posted = !items.is_empty();
                let refused = line
                    .member
                    .posted(items, outcome, now.mono, fastrand::f64());
                self.reporting.posted(&line.name, outcome, posted);
                self.reporting
                    .trouble(&line.name, why, refused.as_deref(), now.mono);
            }
            Happened::Told(aside, came) => {
                let Some(client) = line.asides.client() else {
                    return;
                };
                let (answer, why) = exchange::of_aside(&aside, came, client);
                self.reporting.trouble(&line.name, why, None, now.mono);
                let around = (&self.standing, &self.manner);
                line.member.told(aside, answer, around, now.mono);
            }
        }
    }
}

/// The next thing that comes from any of the members, and from which. Nothing is lost when it is dropped.
async fn next(lines: &mut [Line]) -> (usize, Happened) {
    poll_fn(|context| {
        for (index, line) in lines.iter_mut().enumerate() {
            if let Some((items, came)) = line.posts.poll(context) {
                return Poll::Ready((index, Happened::Posted(items, came)));
            }
            if let Some((aside, came)) = line.asides.poll(context) {
                return Poll::Ready((index, Happened::Told(aside, came)));
            }
        }
        Poll::Pending
    })
    .await
}
