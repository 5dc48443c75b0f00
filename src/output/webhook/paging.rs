//! An event of which a paging service is told, and what goes with it.
//!
//! ```text
//!  its own incident ──▶ those that floods told of, the most urgent first ──▶ the end of the one before
//!  (none, if it has one)     5; the others as long as nothing new waits,
//!                            else with what comes next
//! ```
//!
//! What a flood names is asked for again with each load until it has an incident, needs none any more, or is refused:
//! one that is refused takes nobody along. A service that is not reached gets the whole again; what it has already
//! changes nothing there.
//!
//! | bound | value | then |
//! |---|---|---|
//! | incidents beside its own, while something new waits | 5 a load | the rest follow with what is new; a restart in between leaves them without one |
//! | alarms that wait for theirs | each alarm once | |

use std::cmp::Reverse;
use std::sync::Arc;

use tracing::{info, warn};

use super::Webhook;
use crate::engine::notice::Notice;
use crate::event::WireEvent;
use crate::output::courier::{Carrier, Load, Parcel};
use crate::output::verdict::{Verdict, is_answer};

/// Incidents that are opened beside its own, whatever waits.
pub(super) const AT_LEAST: usize = 5;
/// Events that are looked through at once for one that waits.
const LOOK: usize = 100;

/// An alarm without an incident, and the flood that told of it.
pub(super) struct Member {
    alarm: Arc<str>,
    flood: Arc<Parcel>,
}

impl Webhook {
    /// Does the event open an incident beside its own?
    pub(super) fn tells_of_others(&self, event: &WireEvent) -> bool {
        named(event).any(|alarm| self.opens(event, alarm).is_some())
    }

    /// The event that opens an incident for an alarm that the flood names, if it needs one.
    fn opens(&self, flood: &WireEvent, alarm: &str) -> Option<WireEvent> {
        let record = self.feed.as_ref()?.state(alarm)?;
        self.incidents.other(flood, record)
    }

    /// Tells the service of the event. What is not accepted is to be told again.
    pub(super) async fn page(&mut self, parcel: &Parcel) -> Verdict {
        self.newest = self.newest.max(parcel.seq);
        let is_known = self.incidents.have(&parcel.event);
        let verdict = if is_known {
            // It is here for what else it names.
            Verdict::accepted()
        } else {
            self.deliver(&Load::Event(parcel)).await
        };
        if matches!(verdict, Verdict::Later { .. }) {
            return verdict;
        }
        // The new ones are open before an old one ends: whatever becomes of that, somebody is called.
        self.expect_others(parcel);
        if let Some(later) = self.open_others(parcel).await {
            return later;
        }
        if is_known || !verdict.is_accepted() {
            return verdict;
        }
        if let Some(end) = self.incidents.end_before(parcel) {
            match self.deliver(&Load::Event(&end)).await {
                later @ Verdict::Later { .. } => return later,
                Verdict::Refused { why } => self.tell_refused(&end.event, &why),
                Verdict::Accepted { .. } | Verdict::Parted(_) => {}
            }
        }
        self.incidents.note(&parcel.event);
        verdict
    }

    fn expect_others(&mut self, parcel: &Parcel) {
        let (flood, before) = (Arc::new(parcel.clone()), self.members.len());
        for alarm in named(&parcel.event) {
            let waits = self.members.iter().any(|member| member.alarm == *alarm);
            if !waits && self.opens(&parcel.event, alarm).is_some() {
                self.members.push_back(Member {
                    alarm: Arc::clone(alarm),
                    flood: Arc::clone(&flood),
                });
            }
        }
        // What was put off behind the others stays there, unless there are more of them.
        if let Some(feed) = self.feed.as_ref().filter(|_| self.members.len() > before) {
            let priority = |member: &Member| feed.state(&member.alarm)?.priority;
            let members = self.members.make_contiguous();
            members.sort_by_cached_key(|member| Reverse(priority(member)));
        }
    }

    /// `Some`: the service takes nothing at present.
    async fn open_others(&mut self, parcel: &Parcel) -> Option<Verdict> {
        let (mut opened, mut looked_at) = (0, self.newest);
        while let Some(member) = self.members.front() {
            let (alarm, flood) = (Arc::clone(&member.alarm), Arc::clone(&member.flood));
            let Some(event) = self.opens(&flood.event, &alarm) else {
                self.members.pop_front();
                continue;
            };
            if opened >= AT_LEAST && self.something_waits(&parcel.event, &mut looked_at) {
                let (output, left) = (&*self.id, self.members.len());
                info!(
                    output,
                    left, "incidents of a flood are opened after what is new"
                );
                return None;
            }
            opened += 1;
            let other = flood.with(event);
            match self.deliver(&Load::Event(&other)).await {
                Verdict::Later { reason, why, .. }
                    if is_answer(reason) && flood.seq != parcel.seq =>
                {
                    // What came after its flood is not held up by it.
                    let output = &*self.id;
                    warn!(
                        output,
                        alarm = &*alarm,
                        why,
                        "an incident is not opened yet"
                    );
                    self.members.rotate_left(1);
                    return None;
                }
                later @ Verdict::Later { .. } => return Some(later),
                Verdict::Refused { why } => self.tell_refused(&other.event, &why),
                Verdict::Accepted { .. } | Verdict::Parted(_) => self.incidents.note(&other.event),
            }
            self.members.pop_front();
        }
        None
    }

    /// Is there anything newer for the service, of another alarm? `looked_at`: what was looked through, which is not
    /// looked through again.
    fn something_waits(&self, own: &WireEvent, looked_at: &mut u64) -> bool {
        let Some(feed) = &self.feed else {
            return false;
        };
        let recent = feed.recent(*looked_at, LOOK);
        let recent = recent.or_else(|memory_begins_after| feed.recent(memory_begins_after, LOOK));
        recent.unwrap_or_default().iter().any(|committed| {
            *looked_at = committed.seq;
            let event = serde_json::from_str::<WireEvent>(&committed.line);
            event.is_ok_and(|event| event.alarm != own.alarm && self.wants(&event))
        })
    }

    fn tell_refused(&self, event: &WireEvent, why: &str) {
        let (output, alarm) = (&*self.id, event.alarm.as_deref());
        warn!(
            output,
            alarm,
            occurrence = event.occurrence,
            why,
            "the receiver refuses an incident that goes with another: it goes on without it"
        );
    }
}

/// Alarms beside its own that a flood tells of.
fn named(event: &WireEvent) -> impl Iterator<Item = &Arc<str>> {
    let alarms = event.alarms.iter();
    let others = alarms.filter(|alarm| event.alarm.as_ref() != Some(*alarm));
    others.filter(|_| event.notice == Some(Notice::Flood))
}
