//! What becomes of that which silences an alarm for a time: overlays, and acknowledgements that run out.
//!
//! All of it has one timer per alarm, for whatever comes next. A restart takes the ends up again, or
//! lets go what ran out meanwhile, or what has an end that the clock cannot tell any more
//! (alarm-standards 1.7).

use super::agenda::Timer;
use super::alarm::{AlarmState, Input, Step, transition};
use super::command::Denied;
use super::effect::{Cause, Details, EventKind};
use super::links::Source;
use super::occurrence::Alarm;
use super::overlay::{Overlay, Resumed};
use super::quality::PLAUSIBLE_FROM;
use super::snapshot::History;
use super::time::{Moment, Mono, Wall, show_duration};
use super::{Engine, timer_index};

/// Why an overlay ended, as it stands in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its time is over.
    Expired,
    /// A one-shot shelf: the alarm is no longer active.
    Inactive,
    /// A restart could not tell how much time was left.
    ClockNotTrusted,
}

impl Ending {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Inactive => "inactive",
            Self::ClockNotTrusted => "clock_not_trusted",
        }
    }
}

impl Engine {
    /// An overlay was laid over the alarm.
    pub(super) fn covered(
        &mut self,
        index: usize,
        kind: EventKind,
        cause: Cause,
        details: Details,
        now: Moment,
    ) {
        self.arm_attention(index);
        self.report(index, kind, cause, details, now);
    }

    /// A one-shot shelf ends with the activity of its alarm.
    pub(super) fn end_one_shot(&mut self, index: usize, now: Moment) {
        let cover = self.alarms[index].cover.as_ref();
        let shelf = cover.and_then(|cover| cover.shelf.as_ref());
        if shelf.is_some_and(|shelf| shelf.one_shot) {
            self.end(index, Overlay::Shelved, Ending::Inactive, now);
        }
    }

    /// The agenda's entry for what comes next for an alarm comes up.
    pub(super) fn attend(&mut self, index: usize, due: Mono, now: Moment) {
        self.alarms[index].attention = Mono::NEVER;
        for overlay in Overlay::ALL {
            let cover = self.alarms[index].cover.as_mut();
            let term = cover.and_then(|cover| cover.term(overlay));
            if term.is_some_and(|term| term.due <= due) {
                self.end(index, overlay, Ending::Expired, now);
            }
        }
        self.expire_suppression(index, due, now);
        self.remind(index, due, now);
        let episode = self.alarms[index].episode.as_ref();
        let promise = episode.and_then(|episode| episode.promise);
        if promise.is_some_and(|promise| promise.due <= due) {
            self.realarm(index, Ending::Expired, now);
        }
        self.arm_attention(index);
    }

    /// An acknowledgement has run out: the alarm is still active, and wants attention again.
    fn realarm(&mut self, index: usize, ending: Ending, now: Moment) {
        let alarm = &mut self.alarms[index];
        let Ok((standing, step)) = transition(alarm.standing(), Input::Realarm, alarm.traits)
        else {
            debug_assert!(false, "a re-alarm is never refused");
            return;
        };
        let by = alarm.withdraw_acknowledgement(now);
        alarm.state = standing.state;
        if step == Step::Realarmed {
            let details = Details {
                reason: Some(ending.name().to_owned()),
                message: by.map(|first| format!("acknowledged by {}, and still active", first.by)),
                ..Details::default()
            };
            self.report(index, EventKind::Realarmed, Cause::System, details, now);
        }
    }

    /// Does the wall clock go on from where the life before ended?
    pub(super) fn trusts_clock(&self, history: &History) -> bool {
        let (now, alive) = (self.now.wall, history.last_alive);
        now >= PLAUSIBLE_FROM && alive.is_none_or(|alive| alive <= now)
    }

    /// Takes up what people silenced in the life before.
    pub(super) fn resume_overlays(&mut self, history: &History) {
        let now = self.now;
        let alive = history.last_alive;
        let trusted = self.trusts_clock(history);
        for index in 0..self.alarms.len() {
            for overlay in Overlay::ALL {
                self.resume(index, overlay, trusted, now);
            }
            if let Some(alive) = alive {
                self.remind_late(index, alive, now);
            }
            self.resume_promise(index, trusted, now);
            self.arm_attention(index);
        }
    }

    fn resume(&mut self, index: usize, overlay: Overlay, trusted: bool, now: Moment) {
        let Some(cover) = self.alarms[index].cover.as_mut() else {
            return;
        };
        let Some(term) = cover.term(overlay) else {
            return;
        };
        let ending = match term.resume(now, trusted) {
            Resumed::Runs => {
                if let (Overlay::OutOfService, Some(outage)) = (overlay, &mut cover.outage) {
                    outage.look_ahead(now.mono);
                }
                return;
            }
            Resumed::RanOut => Ending::Expired,
            Resumed::Unknown => Ending::ClockNotTrusted,
        };
        self.end(index, overlay, ending, now);
    }

    fn resume_promise(&mut self, index: usize, trusted: bool, now: Moment) {
        let episode = self.alarms[index].episode.as_mut();
        let Some(promise) = episode.and_then(|episode| episode.promise.as_mut()) else {
            return;
        };
        let ending = match promise.resume(now, trusted) {
            Resumed::Runs => return,
            Resumed::RanOut => Ending::Expired,
            Resumed::Unknown => Ending::ClockNotTrusted,
        };
        self.realarm(index, ending, now);
    }

    /// Says that an alarm will soon be back in service, when it is time to.
    fn remind(&mut self, index: usize, due: Mono, now: Moment) {
        let cover = self.alarms[index].cover.as_mut();
        let outage = cover.and_then(|cover| cover.outage.as_mut());
        if let Some(outage) = outage.filter(|outage| outage.next <= due) {
            outage.look_ahead(now.mono);
            self.report_reminder(index, now);
        }
    }

    /// The same for a reminder that nobody was there to give.
    fn remind_late(&mut self, index: usize, alive: Wall, now: Moment) {
        let cover = self.alarms[index].cover.as_ref();
        let outage = cover.and_then(|cover| cover.outage.as_ref());
        if outage.is_some_and(|outage| outage.missed_reminder(alive, now.wall)) {
            self.report_reminder(index, now);
        }
    }

    fn report_reminder(&mut self, index: usize, now: Moment) {
        let cover = self.alarms[index].cover.as_ref();
        let Some(outage) = cover.and_then(|cover| cover.outage.as_ref()) else {
            return;
        };
        let left = show_duration(outage.term.due.since(now.mono));
        let (by, permit) = (&outage.by, &outage.permit);
        let details = Details {
            reason: Some("out_of_service_ends".to_owned()),
            message: Some(format!(
                "back in service in {left}; was taken out by {by}, permit {permit}"
            )),
            until: Some(outage.term.until),
            permit: Some(permit.to_string()),
            ..Details::default()
        };
        self.report(index, EventKind::Changed, Cause::System, details, now);
    }

    /// Sees to it that what comes next for an alarm comes up.
    pub(super) fn arm_attention(&mut self, index: usize) {
        let alarm = &mut self.alarms[index];
        let Some(due) = alarm.next_attention() else {
            return;
        };
        let armed = alarm.attention;
        alarm.attention = due.min(armed);
        let timer = Timer::Attend(timer_index(index));
        if armed == Mono::NEVER {
            self.agenda.push(due, timer);
        } else if due < armed {
            self.agenda.hasten(due, timer);
        }
    }

    /// An overlay ends by itself.
    fn end(&mut self, index: usize, overlay: Overlay, ending: Ending, now: Moment) {
        let cover = self.alarms[index].cover.as_ref();
        let details = Details {
            reason: Some(ending.name().to_owned()),
            message: cover.and_then(|cover| cover.story(overlay)),
            ..Details::default()
        };
        let input = Input::End(overlay);
        let ended = self.lift(index, (overlay, input), Cause::System, details, now);
        debug_assert!(ended.is_ok(), "the end of an overlay is never refused");
    }

    /// Takes an overlay off and reports it, with the state as it is then.
    pub(super) fn lift(
        &mut self,
        index: usize,
        (overlay, input): (Overlay, Input),
        cause: Cause,
        details: Details,
        now: Moment,
    ) -> Result<(), Denied> {
        let alarm = &mut self.alarms[index];
        let (standing, _) = transition(alarm.standing(), input, alarm.traits)?;
        let looked_at = input == Input::TakeOff(Overlay::Shelved);
        if standing.state == AlarmState::Unacknowledged && !looked_at {
            // Nobody looks at it now, whatever was known of it before.
            alarm.withdraw_acknowledgement(now);
        }
        alarm.state = standing.state;
        alarm.uncover(overlay);
        if overlay != Overlay::Suppressed {
            self.links.touch(Source::Alarm(index));
        }
        let kind = match overlay {
            Overlay::Suppressed => EventKind::Unsuppressed,
            Overlay::Shelved => EventKind::Unshelved,
            Overlay::OutOfService => EventKind::InService,
        };
        self.report(index, kind, cause, details, now);
        Ok(())
    }
}

impl Alarm {
    /// When something comes up next.
    fn next_attention(&self) -> Option<Mono> {
        let end = self.cover.as_ref().and_then(|cover| cover.next());
        let episode = self.episode.as_ref();
        let promise = episode.and_then(|episode| Some(episode.promise?.due));
        end.into_iter().chain(promise).min()
    }

    fn uncover(&mut self, overlay: Overlay) {
        if let Some(cover) = &mut self.cover {
            cover.remove(overlay);
        }
        if self.overlays().is_empty() {
            self.cover = None;
        }
    }
}
