//! The world of one seed: true time, the gateway's two clocks, the life that runs, and what happens to
//! them. The checks that need to know what was done stand here; those on events alone are the
//! [`Witness`]'s and the [`Books`]'.

mod weather;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use forewarn::commands::scratch::ScratchFolder;
use forewarn::config::Config;
use forewarn::engine::command::{Command, Outcome};
use forewarn::engine::effect::{Event, EventKind};
use forewarn::engine::reading::{Health, PointIndex, Reading};
use forewarn::engine::snapshot::Snapshot;
use forewarn::engine::time::{Moment, Mono, Wall};
use forewarn::journal::JournalSettings;
use forewarn::notify::station::Station;

use super::Finding;
use super::books::Books;
use super::disk::Disk;
use super::hands;
use super::life::Life;
use super::link::{Arrival, Link};
use super::look;
use super::plant::SENSORS;
use super::tally::Tally;
use super::upstream::{OUTPUT, Upstream};
use super::witness::{Witness, is_about_measuring};

/// True time zero: 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000_000_000;

/// A reading is history when it was on its way for longer; the second is for what a link usually takes.
const HISTORY: Duration = Duration::from_secs(11);

/// Lines of the log that a breach shows.
const SHOWN: usize = 60;

pub(super) struct World<'a> {
    config: &'a Config,
    pub(super) dice: Rng,
    /// Removed with the world.
    _folder: ScratchFolder,
    journal: JournalSettings,
    /// True time since the start.
    now: Duration,
    /// True time at which the monotonic clock of this boot showed zero.
    boot: Duration,
    /// What the gateway's wall clock is ahead of true time, nanoseconds.
    ahead: i64,
    life: Option<Life>,
    /// Rounds until somebody starts the gateway again.
    down: u32,
    disk: Disk,
    upstream: Upstream,
    /// So many events the journals of earlier lives let go.
    let_go: u64,
    links: Vec<Link>,
    points: Vec<PointIndex>,
    witness: Witness,
    /// What the witness knew before the first event that is not stored, and how many were kept then.
    sure: Option<(Witness, usize)>,
    tally: Tally,
    books: Books,
    log: VecDeque<String>,
}

impl<'a> World<'a> {
    pub(super) fn new(config: &'a Config, seed: u64) -> Result<Self, String> {
        let folder = ScratchFolder::in_memory("simulation").map_err(|error| error.to_string())?;
        let journal = JournalSettings {
            path: PathBuf::from(folder.path()).join("journal.db"),
            first_epoch: None,
            // Too small for all of a life.
            max_size: 384 << 10,
            ..config.journal.clone()
        };
        let index = |id: &str| {
            let mut points = config.engine.points.iter();
            let at = points.position(|point| *point.id == *id);
            let at = at.and_then(|at| u32::try_from(at).ok());
            at.map(PointIndex).ok_or(format!("no point {id}"))
        };
        let points: Result<_, String> = SENSORS.iter().map(|sensor| index(sensor.id)).collect();
        let disk = Disk::new(&journal.path);
        let mut world = Self {
            config,
            dice: Rng::with_seed(seed),
            _folder: folder,
            journal,
            now: Duration::ZERO,
            boot: Duration::ZERO,
            ahead: 0,
            life: None,
            down: 0,
            disk,
            upstream: Upstream::new()?,
            let_go: 0,
            links: SENSORS.iter().map(Link::new).collect(),
            points: points?,
            witness: Witness::new(),
            sure: None,
            tally: Tally::default(),
            books: Books::new(),
            log: VecDeque::new(),
        };
        world.begin()?;
        Ok(world)
    }

    /// Runs `rounds`, then lets everything settle, and holds the books against the journal.
    pub(super) fn run(mut self, rounds: u32) -> Result<Vec<Arc<str>>, String> {
        let lived = (|| {
            for _ in 0..rounds {
                self.round()?;
            }
            self.settle()
        })();
        match lived {
            Ok(()) => {
                let mut lines = self.books.into_lines();
                lines.extend(self.upstream.into_arrivals());
                Ok(lines)
            }
            Err(breach) => {
                let log: Vec<String> = self.log.into();
                Err(format!("{breach}\nbefore it:\n{}", log.join("\n")))
            }
        }
    }

    /// Nothing is in the way any more: everything reaches the disk and the far end, and a restart sends
    /// nothing again.
    fn settle(&mut self) -> Finding {
        if self.life.is_none() {
            self.begin()?;
        }
        self.disk.heal()?;
        // The journal tries a disk that failed every few seconds.
        for _ in 0..3 {
            self.pass(Duration::from_secs(5))?;
        }
        self.books.are_in(&self.journal.path)?;
        self.books.agree_with_counters()?;
        if let Some(life) = &self.life {
            self.upstream.finish(&life.feed)?;
        }
        let let_go = self.let_go();
        self.upstream.has(self.books.kept(), u64::MAX, let_go)?;
        let newest = self.books.kept().last().map_or(0, |newest| newest.seq);
        // Receipts wake the journal, and wait for company there.
        self.commit()?;
        self.pass(Duration::from_secs(1))?;
        self.kill()?;
        self.begin()?;
        let cursor = self.life.as_ref().map(|life| life.feed.cursor(OUTPUT));
        if cursor.is_none_or(|cursor| cursor < newest) {
            return Err(format!(
                "delivery: {cursor:?} is known of {newest} that arrived"
            ));
        }
        Ok(())
    }

    fn pass(&mut self, span: Duration) -> Finding {
        self.now += span;
        let now = self.moment();
        self.call(|station| station.tick(now))?;
        self.commit()
    }

    /// Time passes, things happen, readings arrive.
    fn round(&mut self) -> Finding {
        let gap = match self.dice.u8(..) {
            0..220 => Duration::from_secs(1),
            220..240 => Duration::from_millis(250 * self.dice.u64(0..12)),
            240..254 => Duration::from_secs(self.dice.u64(5..60)),
            _ => Duration::from_secs(self.dice.u64(60..1_000)),
        };
        self.now += gap;
        self.note(format!("-- {} s", self.now.as_secs_f64()));
        self.weather()?;
        let heard = self.life.is_some();
        for sensor in 0..self.links.len() {
            let arrivals = self.links[sensor].beat(&mut self.dice, self.now, heard);
            for arrival in arrivals {
                self.deliver(sensor, &arrival)?;
            }
        }
        if self.dice.bool()
            && let Some(snapshot) = self.snapshot()
        {
            let command = hands::command(&mut self.dice, &snapshot);
            self.command(&command)?;
        }
        let moment = self.moment();
        self.call(|station| station.tick(moment))?;
        self.commit()?;
        let Some(life) = &self.life else {
            return Ok(());
        };
        for _ in 0..self.dice.u8(..4) {
            self.upstream.beat(&life.feed, &mut self.dice)?;
        }
        if life.waiting() > 0 {
            // What waits for the disk is not told yet.
            return Ok(());
        }
        look::at(&life.snapshot(), &self.witness, self.now.as_secs_f64())
    }

    fn deliver(&mut self, sensor: usize, arrival: &Arrival) -> Finding {
        let now = self.moment();
        let point = self.points[sensor];
        let taken = arrival.sent.taken;
        let wall = |taken: Duration| Wall::from_unix_nanos(START) + taken;
        let reading = Reading {
            point,
            measured: arrival.sent.measured,
            received: now,
            source_time: taken.map(wall),
            sequence: taken.map(|_| arrival.sent.number),
            retained: arrival.retained,
            health: Health::Good,
        };
        // Timers up to now, so that what follows comes of the reading alone. At one instant a reading comes
        // before them; but averages go on with time, so a repetition is looked at before and after at the
        // very same one.
        let just_before = Mono::from_nanos(now.mono.as_nanos().saturating_sub(1));
        let until = if arrival.again { now.mono } else { just_before };
        self.call(|station| station.tick(now.at(until)))?;
        // A gateway that began with a wrong clock took for history what it heard before it knew better.
        let knew = self.life.as_ref().is_some_and(|life| life.clock_was_right);
        let before = self.snapshot().filter(|_| arrival.again && knew);
        let age = taken.map(|taken| (self.now - taken).as_secs_f64());
        let id = self.links[sensor].sensor().id;
        self.note(format!("{id} {:?}, age {age:?}", arrival.sent.measured));
        if id == "DOOR" && !arrival.retained && self.life.is_some() {
            self.tally
                .read(arrival.sent.measured, self.now.as_secs_f64());
        }
        let events = self.call(|station| station.read(reading))?;
        if arrival.again && knew && !events.is_empty() {
            return Err(format!(
                "P11: a repetition of {id} brought about {events:?}"
            ));
        }
        if let Some((before, after)) = before.zip(self.snapshot())
            && let Some(difference) = look::difference(&before, &after)
        {
            return Err(format!("P11: a repetition of {id} changed {difference:?}"));
        }
        let proves = self.proves(sensor, arrival);
        // An excursion that a reading out of order adds begins and ends with it.
        let added = |event: &Event| {
            let raised = events
                .iter()
                .filter(|event| event.kind == EventKind::Raised);
            raised
                .into_iter()
                .any(|raised| occurrence(raised) == occurrence(event))
        };
        let mut ended = events.iter().filter(|event| ends_an_alarm(event));
        let cleared = ended.find(|event| !added(event));
        if let (Some(cleared), false) = (cleared, proves) {
            return Err(format!("P4: {id} is no evidence, and ended {cleared:?}"));
        }
        self.commit()
    }

    /// Is this reading evidence that a condition has ended: fresh, in order, with a value?
    fn proves(&mut self, sensor: usize, arrival: &Arrival) -> bool {
        let now = self.now;
        let Some(life) = &mut self.life else {
            return false;
        };
        let Some(taken) = arrival.sent.taken else {
            return arrival.sent.has_value() && !arrival.retained;
        };
        let (key, newest) = ((taken, arrival.sent.number), &mut life.newest[sensor]);
        let in_order = newest.is_none_or(|newest| key > newest);
        if !arrival.again {
            *newest = (*newest).max(Some(key));
        }
        // A gateway that began with a wrong clock cannot tell what is old.
        let fresh = (in_order && now - taken < HISTORY) || !life.clock_was_right;
        fresh && arrival.sent.has_value() && !arrival.again
    }

    /// P18: what is refused is on record, and changes nothing.
    fn command(&mut self, command: &Command) -> Finding {
        let now = self.moment();
        self.call(|station| station.tick(now))?;
        let before = self.snapshot();
        self.note(format!("{command:?}"));
        let mut outcome = None;
        let events = self.call(|station| outcome = Some(station.command(command, now)))?;
        let on_record = |kind| events.len() == 1 && events[0].kind == kind;
        let effect = match outcome {
            Some(Err(_)) if !on_record(EventKind::CommandRejected) => true,
            Some(Ok(Outcome::AlreadyDone { .. })) if !on_record(EventKind::CommandIgnored) => true,
            Some(Ok(Outcome::Accepted { .. })) => return self.commit(),
            _ => false,
        };
        let after = self.snapshot();
        let changed = before.zip(after);
        let changed = changed.and_then(|(before, after)| look::difference(&before, &after));
        if effect || changed.is_some() {
            return Err(format!("P18: refused, but {changed:?} and {events:?}"));
        }
        self.commit()
    }

    /// One call of the station, timers before it at their own times. What it brought about itself.
    fn call(&mut self, call: impl FnOnce(&mut Station)) -> Result<Vec<Event>, String> {
        let now = self.moment();
        let Some(life) = &mut self.life else {
            return Ok(Vec::new());
        };
        life.wake(now.mono)?;
        self.commit()?;
        let life = self.life.as_mut();
        Ok(life.map_or_else(Vec::new, |life| life.act(now, call)))
    }

    /// Shows what is stored, or what the disk keeps waiting for too long.
    fn commit(&mut self) -> Finding {
        let now = self.moment();
        let Some(life) = self.life.as_mut() else {
            return Ok(());
        };
        for (said, shown) in life.show(now, self.disk.answers())? {
            self.note(format!("{} durable: {}", shown.line, shown.durable));
            if !shown.durable && self.sure.is_none() {
                self.sure = Some((self.witness.clone(), self.books.kept().len()));
            }
            self.witness.hear(&said.event, said.t)?;
            self.tally.hear(&said.event, said.t)?;
            self.books.publish(said, &shown)?;
        }
        if self.stored_upto() == self.books.kept().last().map(|newest| newest.seq) {
            self.sure = None;
        }
        Ok(())
    }

    /// So many events full journals let go although they had not arrived, as they say.
    fn let_go(&self) -> u64 {
        self.let_go + self.life.as_ref().map_or(0, Life::let_go)
    }

    /// The newest event that is stored, as the gateway says.
    fn stored_upto(&self) -> Option<u64> {
        let life = self.life.as_ref()?;
        let mut newest_first = self.books.kept().iter().rev();
        let stored = newest_first.find(|kept| life.feed.is_durable(kept.seq));
        stored.map(|kept| kept.seq)
    }

    /// Now, as the gateway's clocks show it.
    fn moment(&self) -> Moment {
        let mono = Mono::ZERO + (self.now - self.boot);
        let wall = Wall::from_unix_nanos(START + self.ahead) + self.now;
        Moment { mono, wall }
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.life.as_ref().map(|life| life.snapshot())
    }

    fn note(&mut self, line: String) {
        if self.log.len() == SHOWN {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }
}

/// Which alarm, and which episode of it.
fn occurrence(event: &Event) -> Option<(&str, u64)> {
    let subject = event.subject.as_ref()?;
    Some((&*subject.alarm, subject.occurrence))
}

/// Does the event end an alarm about the process? Drills end without evidence.
fn ends_an_alarm(event: &Event) -> bool {
    let real = event.subject.as_ref().filter(|subject| !subject.is_drill());
    event.kind == EventKind::Cleared
        && real.is_some_and(|subject| !is_about_measuring(&subject.alarm))
}
