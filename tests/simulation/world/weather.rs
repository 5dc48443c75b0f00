//! What happens to the gateway, and nobody asked for: power cuts and starts, steps of its clock, a board
//! that stands still, a disk that hangs or fails.

use std::time::Duration;

use forewarn::engine::effect::EventKind;

use super::super::Finding;
use super::super::life::Life;
use super::super::link::Link;
use super::super::look;
use super::super::plant::SENSORS;
use super::super::upstream::OUTPUT;
use super::{START, World};

impl World<'_> {
    pub(super) fn weather(&mut self) -> Finding {
        if self.life.is_none() {
            self.down = self.down.saturating_sub(1);
            return if self.down == 0 { self.begin() } else { Ok(()) };
        }
        if let Some(mood) = self.disk.turn(&mut self.dice)? {
            self.note(format!("the disk {mood:?}"));
        }
        match self.dice.u8(..) {
            0..6 => self.kill(),
            6..12 => self.step_wall(),
            12..16 => self.pause(),
            _ => Ok(()),
        }
    }

    /// What is not stored is lost with the memory.
    pub(super) fn kill(&mut self) -> Finding {
        self.down = self.dice.u32(1..30);
        let stored = self.stored_upto().unwrap_or_default();
        self.let_go = self.let_go();
        let Some(life) = self.life.take() else {
            return Ok(());
        };
        let cursor = life.feed.cursor(OUTPUT);
        self.upstream.has(self.books.kept(), cursor, self.let_go)?;
        let unseen = life.waiting();
        drop(life);
        self.disk.heal()?;
        let lost = self.books.after_power_cut(&self.journal.path, stored)?;
        self.note(format!(
            "kill; {unseen} unseen events lost, {} seen",
            lost.len()
        ));
        self.upstream.loses(&lost)?;
        self.upstream
            .has(self.books.pruned(), u64::MAX, self.let_go)?;
        if let (Some((mut witness, known)), false) = (self.sure.take(), lost.is_empty()) {
            for kept in self.books.kept().iter().skip(known) {
                witness.hear(&kept.said.event, kept.said.t)?;
            }
            self.witness = witness;
        }
        Ok(())
    }

    pub(super) fn begin(&mut self) -> Finding {
        if self.dice.bool() {
            // The board itself was without power.
            self.boot = self
                .now
                .saturating_sub(Duration::from_secs(self.dice.u64(0..20)));
        }
        self.ahead = match self.dice.u8(..) {
            _ if self.now == Duration::ZERO => 0,
            0..16 => 90_000_000_000 - START,
            16..40 => self.hours(),
            40..80 => 0,
            _ => self.ahead,
        };
        let now = self.moment();
        self.note(format!(
            "start, wall clock {} s ahead",
            self.ahead / 1_000_000_000
        ));
        let (mut life, present) = Life::begin(self.config, &self.journal, now, self.boot)?;
        life.clock_was_right = self.ahead == 0;
        life.newest = vec![None; SENSORS.len()];
        let said = life.drain();
        self.upstream.begin(&life.feed);
        self.life = Some(life);
        self.links.iter_mut().for_each(Link::forget);
        look::restored(&present, &said, &self.witness)?;
        look::restored_drills(&present, &said, &self.witness)?;
        self.tally.restarts();
        self.witness.wakes(self.now.as_secs_f64());
        self.commit()?;
        self.witness.restarts();
        if self.dice.u8(..) < 96 {
            // With a backlog that is on disk only.
            self.disk.fail(&mut self.dice)?;
            self.note("the disk fails".to_owned());
        }
        Ok(())
    }

    /// P12: a step of the wall clock is told, and changes nothing.
    fn step_wall(&mut self) -> Finding {
        // Timers that are due fire first, by the clock as it was.
        let now = self.moment();
        self.call(|station| station.tick(now))?;
        let before = self.snapshot();
        self.ahead = if self.dice.bool() { 0 } else { self.hours() };
        self.note(format!("wall clock {} s ahead", self.ahead / 1_000_000_000));
        let now = self.moment();
        let events = self.call(|station| station.tick(now))?;
        let after = self.snapshot();
        let other = events
            .iter()
            .find(|event| event.kind != EventKind::ClockStepped);
        if let Some(other) = other {
            return Err(format!("P12: a clock step brought about {other:?}"));
        }
        if let Some((before, after)) = before.zip(after)
            && let Some(difference) = look::difference(&before, &after)
        {
            return Err(format!("P12: a clock step changed {difference:?}"));
        }
        self.commit()
    }

    /// Up to two days, either way.
    fn hours(&mut self) -> i64 {
        self.dice.i64(-172_800..172_800) * 1_000_000_000
    }

    /// Nobody watches for a while, and the gateway notices.
    fn pause(&mut self) -> Finding {
        let (from, since) = (self.moment(), self.now.as_secs_f64());
        self.call(|station| station.tick(from))?;
        self.now += Duration::from_secs(self.dice.u64(4..400));
        let to = self.moment();
        self.note("paused until now".to_owned());
        if let Some(life) = &mut self.life {
            life.act(to, |station| station.paused(from, to));
        }
        let now = self.now.as_secs_f64();
        self.tally.pauses(since, now);
        self.witness.wakes(now);
        self.commit()
    }
}
