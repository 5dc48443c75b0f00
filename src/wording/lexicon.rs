//! What a language must be able to say. One implementation a language; the order of things is not theirs
//! but of `body.rs`.

use crate::engine::alarm::AlarmState;
use crate::engine::effect::EventKind;
use crate::engine::reading::Quality;
use crate::engine::settings::{AlarmKind, Priority};
use crate::guidance::Measure;
use crate::notify::settings::Role;

/// The fields of a letter, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    What,
    State,
    Where,
    Value,
    Trend,
    Since,
    Lasted,
    By,
    Cause,
    Consequence,
    Action,
    TimeToRespond,
    Role(Role),
    Told,
    Plan,
    Acknowledge,
    Other,
    Alarms,
    Event,
}

/// Why a letter comes: its headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Headline {
    /// An alarm, for the first time.
    Alarm(Priority),
    /// A later step of the escalation: nobody has acknowledged.
    Unattended(Priority),
    /// The same people again.
    Reminder(Priority),
    /// Several alarms that nobody has acknowledged.
    ReminderOfMany(usize),
    /// It keeps coming and going.
    Chatter(Priority),
    /// So many alarms in one letter.
    Summary(usize),
    /// Found in delayed data.
    Late,
    /// Found in delayed data, so many.
    LateSummary(usize),
    /// Over.
    AllClear,
    /// Anything else that happened.
    Happened(EventKind),
}

/// What else is to be known, a short sentence each.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Remark {
    FirstOut,
    Tie,
    Chattering,
    Held,
    GroupedUnder(String),
    LeftAlone,
    Unheard,
    ChatterSummed,
    MoreMayBeHeld,
    Coverage(f64),
    Bounds(Option<String>, Option<String>),
    Until(String),
    Permit(String),
    ApprovedBy(String),
    CompensatingMeasure(String),
    /// What the engine says, in its own words, which are English.
    Message(String),
}

/// What stands before everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    Drill,
    Test,
    /// Backlog, of this time.
    Delayed(String),
    Volatile,
}

/// One language.
pub(super) trait Lexicon {
    /// The words of a field.
    fn label(&self, field: Field) -> &'static str;
    /// Between the words of a field and what it says, as in `Since: `.
    fn label_end(&self) -> &'static str;
    fn headline(&self, headline: Headline) -> String;
    /// With what ends a sentence.
    fn sentence(&self, words: &str) -> String;
    fn kind(&self, kind: AlarmKind) -> &'static str;
    /// The kind in the short form.
    fn code(&self, kind: AlarmKind) -> &'static str;
    /// What is measured, in the short form; none when it says nothing.
    fn measure(&self, measure: Measure) -> &'static str;
    fn state(&self, state: AlarmState) -> &'static str;
    fn priority(&self, priority: Priority) -> &'static str;
    fn shelved(&self) -> &'static str;
    fn suppressed(&self) -> &'static str;
    fn out_of_service(&self) -> &'static str;
    fn quality(&self, quality: Quality) -> &'static str;
    /// A reason as it stands in events; `None` when this language has no words for it.
    fn reason(&self, reason: &str) -> Option<&'static str>;
    /// What to do first about the measuring when nobody wrote it.
    fn action(&self, kind: AlarmKind, name: &str) -> Option<String>;
    fn remark(&self, remark: &Remark) -> String;
    /// A sentence of its own.
    fn mark(&self, mark: &Mark) -> String;
    /// Before the title and the short form; none for what needs none.
    fn stamp(&self, mark: &Mark) -> &'static str;
    fn span(&self, seconds: f64) -> String;
    /// `amount`: a number with its unit, without sign.
    fn slope(&self, rising: bool, amount: &str) -> String;
    fn per_minute(&self, amount: &str) -> String;
    fn ahead(&self, kind: AlarmKind, span: &str) -> String;
    fn limit(&self, limit: &str) -> String;
    fn deadband(&self, amount: &str) -> String;
    fn peak(&self, highest: bool, value: &str) -> String;
    fn ago(&self, span: &str) -> String;
    fn step(&self, number: u16) -> String;
    fn over(&self, output: &str) -> String;
    /// The persons who are told, and who else.
    fn everybody(&self) -> &'static str;
    /// This person is on call by a rota.
    fn on_call(&self, person: &str) -> String;
    fn occurrence(&self, number: u64) -> String;
    /// How to acknowledge at the gateway itself.
    fn acknowledge_here(&self, alarm: &str) -> String;
    fn more(&self, count: usize) -> String;
    /// So many notices in one letter, as its title and in a sentence.
    fn digest(&self, count: usize) -> String;
    fn digest_note(&self, count: usize) -> String;
    /// So many alarms are not over by what those notices say: for the title, and as the head of their list.
    fn not_over(&self, count: usize) -> String;
    fn not_over_note(&self, count: usize) -> String;
    /// So many before those that are named.
    fn earlier(&self, count: usize) -> String;
    /// Between items of a list.
    fn comma(&self) -> &'static str;
    /// Between parts of a field.
    fn semicolon(&self) -> &'static str;
    /// `[HH GAS]`; the limit, the time and the link of the short form.
    fn short_head(&self, headline: Headline) -> &'static str;
    /// In the place of that: it comes before its time, for those told before may not have heard.
    fn short_unheard(&self) -> &'static str;
    fn short_limit(&self, limit: &str) -> String;
    fn short_since(&self, time: &str) -> String;
    fn short_lasted(&self, span: &str) -> String;
    fn short_acknowledge(&self, link: &str) -> String;
    fn short_count(&self, count: usize) -> String;
}
