//! What people ask of alarms, and why they may be refused.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::effect::Via;
use super::overlay::Overlay;
use super::snapshot::Acknowledgement;
use super::time::{Wall, show_duration};

/// A request about one alarm, or about a first-out group.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// `POINT/kind` as the person named it; of [`Action::ResetFirstOut`] the id of the group.
    pub alarm: String,
    /// What is asked.
    pub action: Action,
    /// Who asks.
    pub by: String,
    /// What they wrote.
    pub comment: Option<String>,
}

impl Command {
    /// How it came, where that says more than the name.
    pub const fn via(&self) -> Option<Via> {
        if let Action::AcknowledgeCall(call) = &self.action {
            return Some(call.via);
        }
        None
    }
}

/// The actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// "I have recognised it." Without an occurrence, the newest.
    Acknowledge {
        /// Which episode.
        occurrence: Option<u64>,
        /// "I am on it for so long": if it is still active then, it wants attention again.
        span: Option<Duration>,
    },
    /// "I have recognised it", by a link from a message: of this one call for attention, and of no other.
    AcknowledgeCall(Call),
    /// "What it was about was seen to." Without an occurrence, the newest.
    Confirm {
        /// Which episode.
        occurrence: Option<u64>,
    },
    /// Release a latched alarm.
    Reset {
        /// Which episode is meant; it can only be the newest.
        occurrence: Option<u64>,
        /// The person states that the area was checked with an independent instrument.
        verified_independently: bool,
    },
    /// "Take it off the list for a time": known work, a nuisance that is being mended.
    Shelve(Shelving),
    /// Back on the list before the time is over.
    Unshelve,
    /// "Take it out for maintenance."
    TakeOut(Permit),
    /// Maintenance is over.
    PutBack,
    /// "Exercise it": a drill begins.
    Drill(Drilling),
    /// The drill is over before its time.
    EndDrill,
    /// "What stands is known": the next alarm of the group that is raised comes first.
    ResetFirstOut {
        /// Why, if there is more to say.
        reason: Option<String>,
    },
}

/// A call for attention, as a message named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Which episode.
    pub occurrence: u64,
    /// Which of its calls ([`super::annunciation`]).
    pub annunciation: u64,
    /// How the answer came.
    pub via: Via,
}

/// A drill as it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drilling {
    /// For how long; absent for the usual time.
    pub span: Option<Duration>,
    /// Why.
    pub reason: String,
}

/// A shelf as it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelving {
    /// For how long; a one-shot shelf may leave it to the longest time allowed.
    pub span: Option<Duration>,
    /// Until the alarm is no longer active, at most for the span.
    pub one_shot: bool,
    /// Why.
    pub reason: String,
    /// Who agreed; needed for alarms that nobody may shelve alone.
    pub approved_by: Option<String>,
}

/// An outage as it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permit {
    /// For how long.
    pub span: Option<Duration>,
    /// Who approved it.
    pub approved_by: String,
    /// Who else did; needed for a second channel of a group.
    pub also_approved_by: Option<String>,
    /// Number of the permit or work order.
    pub number: String,
    /// What is done instead meanwhile: a portable detector, a guard (alarm-standards 1.4).
    pub compensating_measure: Option<String>,
    /// Why, if there is more to say than the permit does.
    pub reason: Option<String>,
}

/// What an allowed command did.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done: the occurrence it applied to.
    Accepted {
        /// Which episode; 0 of what is done to a group.
        occurrence: u64,
        /// When, as it stands in the event.
        at: Wall,
    },
    /// Someone was first; nothing changed.
    AlreadyDone {
        /// Which episode.
        occurrence: u64,
        /// Who and when.
        first: Acknowledgement,
    },
}

/// Why a command was refused. The name stands in `command_rejected` events and HTTP replies.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denied {
    /// No such alarm is configured.
    #[error("no alarm named `{0}` is configured; GET /api/v1/alarms lists them")]
    UnknownAlarm(Arc<str>),
    /// No such group marks which of its alarms came first.
    #[error(
        "no group `{0}` marks which of its alarms came first: it would be one with `first_out`"
    )]
    UnknownGroup(Arc<str>),
    /// First-out reset of a group that nothing keeps from its mark.
    #[error("nothing to reset: the next alarm of {0} that is raised comes first anyway")]
    NothingToReset(Arc<str>),
    /// No such episode, or it was closed.
    #[error("occurrence {asked} is not open; the newest is {newest}")]
    UnknownOccurrence {
        /// As asked.
        asked: u64,
        /// The newest.
        newest: u64,
    },
    /// The episode has called again since, or another one has its number now.
    #[error("it has called for attention again since: only the newest message can acknowledge it")]
    CalledAgain,
    /// It is not in alarm and nothing waits for an acknowledgement.
    #[error("nothing to acknowledge: the alarm is normal")]
    NothingToAcknowledge,
    /// Reset of an alarm that does not latch, or is not latched now.
    #[error("nothing to reset: the alarm is not latched")]
    NotLatched,
    /// Reset while the condition is true.
    #[error("still active: a reset is possible only after the condition is gone")]
    StillActive,
    /// Reset or confirmation before acknowledgement.
    #[error("not acknowledged yet: acknowledge it first")]
    NotAcknowledged,
    /// Reset before the confirmation that the configuration asks for.
    #[error("not confirmed yet: confirm that it was seen to (`confirm`) before the reset")]
    NotConfirmed,
    /// Confirmation of an alarm that never was one.
    #[error("nothing to confirm: the alarm was never raised")]
    NothingToConfirm,
    /// Reset without good evidence that the condition is gone.
    #[error("the point's quality is not good: there is no evidence that the condition is gone")]
    QualityNotGood,
    /// Reset of a held over-range while the sensor does not show a low value.
    #[error("the reading is {value}: a reset needs readings below {below}")]
    ValueNotBelow {
        /// The value now, with its unit.
        value: Arc<str>,
        /// What it must be below, with its unit.
        below: Arc<str>,
    },
    /// Reset of a held over-range before the sensor showed low values for long enough.
    #[error(
        "the readings are not low for long enough: another {:.0} s of good readings are needed",
        .left.as_secs_f64().ceil()
    )]
    NotLongEnough {
        /// What is left of the time.
        left: Duration,
    },
    /// Reset of a held over-range without a look at the area.
    #[error(
        "a reset needs the statement that the area was checked with an independent instrument \
         (`verified_independently`): what this sensor shows after an over-range is no evidence"
    )]
    NotVerified,
    /// The command does not say who gives it.
    #[error("a command needs the name of the person who gives it (`by`)")]
    NoName,
    /// A shelf or a drill without a reason.
    #[error("it takes a reason (`reason`)")]
    NoReason,
    /// An overlay or a drill without an end.
    #[error("it needs an end: say for how long (`for`)")]
    NoEnd,
    /// An overlay or a drill that would last too long.
    #[error("{} is too long: at most {}", show_duration(*.asked), show_duration(*.most))]
    TooLong {
        /// As asked.
        asked: Duration,
        /// As configured.
        most: Duration,
    },
    /// Shelve while shelved.
    #[error("it is shelved already: unshelve it and look at it, then shelve it again")]
    AlreadyShelved,
    /// Unshelve what is not shelved.
    #[error("it is not shelved")]
    NotShelved,
    /// Out of service without a permit.
    #[error("nothing goes out of service without the number of a permit (`permit`)")]
    NoPermit,
    /// Out of service without a compensating measure, where the configuration asks for one.
    #[error(
        "it takes a compensating measure (`compensating_measure`): what is done instead while the alarm \
         is out of service"
    )]
    NoCompensatingMeasure,
    /// Without the approval that it takes.
    #[error("it takes somebody's approval: `approved_by` names the person")]
    NoApprover,
    /// Out of service with one's own approval.
    #[error("nobody approves what they ask for themselves: `approved_by` must be another person")]
    OwnApproval,
    /// Approved by somebody who may not, where the configuration says who may.
    #[error(
        "{0} may not approve it: an approval is given by a person of the configuration with `approves = true`, \
         and named by the id"
    )]
    NotApprover(Arc<str>),
    /// What takes an approval is asked for by nobody whom the configuration knows.
    #[error(
        "{0} is no person of the configuration: where the configuration says who approves, whoever asks is \
         one, too, and named by the id (`by`)"
    )]
    UnknownPerson(Arc<str>),
    /// A second channel of a group, or what the group itself says beside a channel, without a second
    /// approval (alarm-standards 2.8).
    #[error(
        "{out} of the group {group} is out of service already: taking out a second one needs the approval of \
         two persons (`approved_by` and `also_approved_by`)"
    )]
    NoSecondApproval {
        /// The group's id.
        group: Arc<str>,
        /// The alarm that is out: a channel's, or the group's own.
        out: Arc<str>,
    },
    /// Return to service what is in service.
    #[error("it is not out of service")]
    NotOutOfService,
    /// Drill of an alarm that would tell nobody if it were real.
    #[error("it is {} and would tell nobody if it were real", .0.name().replace('_', " "))]
    Silenced(Overlay),
    /// Drill where something real is going on.
    #[error("{0} is a real alarm and comes first")]
    RealAlarm(Arc<str>),
    /// Drill of an alarm of which one runs.
    #[error("a drill of it runs already: end it first")]
    DrillRuns,
    /// More drills at one time than people can tell apart.
    #[error("{most} drills run already: end one of them first")]
    TooManyDrills {
        /// That many run at most.
        most: usize,
    },
    /// No drill of it runs, or there never was one.
    #[error("there is no drill of it")]
    NoDrill,
    /// Something that is done to real alarms only.
    #[error("it is a drill: it can be acknowledged, once and for all, and ended, and nothing else")]
    IsDrill,
}

impl Denied {
    /// The reason as it stands in events and replies.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UnknownAlarm(_) => "unknown_alarm",
            Self::UnknownGroup(_) => "unknown_group",
            Self::NothingToReset(_) => "nothing_to_reset",
            Self::UnknownOccurrence { .. } => "unknown_occurrence",
            Self::CalledAgain => "called_again",
            Self::NothingToAcknowledge => "nothing_to_acknowledge",
            Self::NotLatched => "not_latched",
            Self::StillActive => "still_active",
            Self::NotAcknowledged => "not_acknowledged",
            Self::NotConfirmed => "not_confirmed",
            Self::NothingToConfirm => "nothing_to_confirm",
            Self::QualityNotGood => "quality_not_good",
            Self::ValueNotBelow { .. } => "value_not_below",
            Self::NotLongEnough { .. } => "not_long_enough",
            Self::NotVerified => "not_verified_independently",
            Self::NoName => "no_name",
            Self::NoReason => "no_reason",
            Self::NoEnd => "no_end",
            Self::TooLong { .. } => "too_long",
            Self::AlreadyShelved => "already_shelved",
            Self::NotShelved => "not_shelved",
            Self::NoPermit => "no_permit",
            Self::NoCompensatingMeasure => "no_compensating_measure",
            Self::NoApprover => "no_approver",
            Self::OwnApproval => "own_approval",
            Self::NotApprover(_) => "not_an_approver",
            Self::UnknownPerson(_) => "unknown_person",
            Self::NoSecondApproval { .. } => "no_second_approval",
            Self::NotOutOfService => "not_out_of_service",
            Self::Silenced(overlay) => overlay.name(),
            Self::RealAlarm(_) => "real_alarm",
            Self::DrillRuns => "drill_runs",
            Self::TooManyDrills { .. } => "too_many_drills",
            Self::NoDrill => "no_drill",
            Self::IsDrill => "is_drill",
        }
    }
}
