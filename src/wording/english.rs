//! English, as people in a control room say it: no abbreviations where there is room.

mod happened;

use self::happened::{happened, short_happened};
use super::lexicon::{Field, Headline, Lexicon, Mark, Remark};
use crate::engine::alarm::AlarmState;
use crate::engine::effect::EventKind;
use crate::engine::reading::Quality;
use crate::engine::settings::{AlarmKind, Priority};
use crate::engine::time::spoken;
use crate::guidance::{Measure, by_default};
use crate::notify::settings::Role;

pub(super) struct English;

impl Lexicon for English {
    fn label(&self, field: Field) -> &'static str {
        match field {
            Field::What => "What",
            Field::State => "State",
            Field::Where => "Where",
            Field::Value => "Value",
            Field::Trend => "Trend",
            Field::Since => "Since",
            Field::Lasted => "Lasted",
            Field::By => "By",
            Field::Cause => "Likely cause",
            Field::Consequence => "If nobody acts",
            Field::Action => "Do now",
            Field::TimeToRespond => "Time to act",
            Field::Role(Role::Responsible) => "Responsible",
            Field::Role(Role::Deputy) => "Deputy",
            Field::Role(Role::Principal) => "Principal",
            Field::Told => "Told",
            Field::Plan => "Emergency plan",
            Field::Acknowledge => "Acknowledge",
            Field::Other => "Also",
            Field::Alarms => "Alarms",
            Field::Event => "Event",
        }
    }

    fn label_end(&self) -> &'static str {
        ": "
    }

    fn headline(&self, headline: Headline) -> String {
        let urgent = |priority| match priority {
            Priority::Critical => "Critical alarm",
            Priority::High => "High priority alarm",
            Priority::Medium => "Medium priority alarm",
            Priority::Low => "Low priority alarm",
        };
        match headline {
            Headline::Alarm(priority) => urgent(priority).to_owned(),
            Headline::Unattended(priority) => {
                format!("{}, still not acknowledged", urgent(priority))
            }
            Headline::Reminder(priority) => {
                format!(
                    "Reminder, still not acknowledged, {}",
                    lower(urgent(priority))
                )
            }
            Headline::ReminderOfMany(many) => {
                format!("Reminder, {many} alarms still not acknowledged")
            }
            Headline::Chatter(priority) => {
                format!("{} that keeps coming and going", urgent(priority))
            }
            Headline::Summary(1) => "Summary of an alarm that was held back".to_owned(),
            Headline::Summary(many) => format!("Summary of {many} alarms"),
            Headline::Late => "Found in delayed data, already over".to_owned(),
            Headline::LateSummary(many) => {
                format!("Found in delayed data, already over, {many} alarms")
            }
            Headline::AllClear => "All clear".to_owned(),
            Headline::Happened(kind) => happened(kind).to_owned(),
        }
    }

    fn sentence(&self, words: &str) -> String {
        format!("{words}.")
    }

    fn kind(&self, kind: AlarmKind) -> &'static str {
        match kind {
            AlarmKind::LowLow => "low low limit",
            AlarmKind::Low => "low limit",
            AlarmKind::High => "high limit",
            AlarmKind::HighHigh => "high high limit",
            AlarmKind::Rise => "rising too fast",
            AlarmKind::Fall => "falling too fast",
            AlarmKind::Deviation => "too far from its reference",
            AlarmKind::Discrepancy => "sensors disagree",
            AlarmKind::Forecast => "early warning, limit ahead",
            AlarmKind::Stel => "15 minute exposure limit",
            AlarmKind::Twa => "8 hour exposure limit",
            AlarmKind::OverRange => "beyond the range of the sensor",
            AlarmKind::Bad => "no value that can be trusted",
            AlarmKind::Stale => "nothing new arrives",
            AlarmKind::Frozen => "value does not move",
            AlarmKind::Clock => "clock of the source is wrong",
            AlarmKind::Maintenance => "device asks for maintenance",
            AlarmKind::State => "in alarm position",
            AlarmKind::Vote => "enough sensors agree",
            AlarmKind::Degraded => "voting with fewer sensors",
            AlarmKind::GroupFault => "no sensor of the group has a value",
        }
    }

    fn code(&self, kind: AlarmKind) -> &'static str {
        match kind {
            AlarmKind::LowLow => "LL",
            AlarmKind::Low => "L",
            AlarmKind::High => "H",
            AlarmKind::HighHigh => "HH",
            AlarmKind::Rise => "RISE",
            AlarmKind::Fall => "FALL",
            AlarmKind::Deviation => "DEVIATION",
            AlarmKind::Discrepancy => "DISAGREE",
            AlarmKind::Forecast => "EARLY WARNING",
            AlarmKind::Stel => "15MIN EXPOSURE",
            AlarmKind::Twa => "8H EXPOSURE",
            AlarmKind::OverRange => "OVER RANGE",
            AlarmKind::Bad => "BAD VALUE",
            AlarmKind::Stale => "NO DATA",
            AlarmKind::Frozen => "FROZEN",
            AlarmKind::Clock => "CLOCK",
            AlarmKind::Maintenance => "MAINTENANCE",
            AlarmKind::State => "STATE",
            AlarmKind::Vote => "VOTE",
            AlarmKind::Degraded => "DEGRADED",
            AlarmKind::GroupFault => "GROUP FAULT",
        }
    }

    fn measure(&self, measure: Measure) -> &'static str {
        match measure {
            Measure::Gas => "GAS",
            Measure::Oxygen => "O2",
            Measure::Flow => "FLOW",
            Measure::Level => "LEVEL",
            Measure::Pressure => "PRESSURE",
            Measure::Temperature => "TEMP",
            Measure::Vibration => "VIBRATION",
            Measure::Other => "",
        }
    }

    fn state(&self, state: AlarmState) -> &'static str {
        match state {
            AlarmState::Normal => "normal",
            AlarmState::Unacknowledged => "active, not acknowledged",
            AlarmState::Acknowledged => "active, acknowledged",
            AlarmState::ReturnedUnacknowledged => "over, not acknowledged",
            AlarmState::LatchedUnacknowledged => {
                "over, not acknowledged, held until somebody resets it"
            }
            AlarmState::LatchedAcknowledged => "over, acknowledged, held until somebody resets it",
        }
    }

    fn priority(&self, priority: Priority) -> &'static str {
        match priority {
            Priority::Critical => "priority critical",
            Priority::High => "priority high",
            Priority::Medium => "priority medium",
            Priority::Low => "priority low",
        }
    }

    fn shelved(&self) -> &'static str {
        "shelved"
    }

    fn suppressed(&self) -> &'static str {
        "suppressed by the state of the plant"
    }

    fn out_of_service(&self) -> &'static str {
        "out of service"
    }

    fn quality(&self, quality: Quality) -> &'static str {
        match quality {
            Quality::Good => "quality good",
            Quality::Uncertain => "quality uncertain",
            Quality::Bad => "quality bad",
        }
    }

    fn reason(&self, reason: &str) -> Option<&'static str> {
        Some(match reason {
            "last_usable_value" => "the source repeats its last value",
            "sensor_not_accurate" => "the sensor is not accurate",
            "engineering_units_exceeded" => "outside the measuring range",
            "clamped" => "set to the end of the range",
            "sub_normal" => "fewer sources than wanted",
            "status_not_heard" => "status of the device not heard yet",
            "bad_clock" => "clock of the source is wrong",
            "unknown_clock" => "age of the value unknown",
            "frozen" => "the value does not move",
            "configuration_error" => "the configuration does not fit the device",
            "not_connected" => "never reached",
            "device_failure" => "the device has failed",
            "sensor_failure" => "the sensor has failed",
            "no_communication" => "nothing new arrives",
            "out_of_service" => "the source is being maintained",
            "waiting_for_initial_data" => "nothing has arrived yet",
            "inhibited" => "inhibited at the device",
            "warming_up" => "the device warms up",
            "beam_blocked" => "something stands in the beam",
            "illegal_address" => "the device has no such register",
            "illegal_value" => "the device refuses this register",
            _ => return None,
        })
    }

    fn action(&self, kind: AlarmKind, name: &str) -> Option<String> {
        by_default(kind, name)
    }

    fn remark(&self, remark: &Remark) -> String {
        match remark {
            Remark::FirstOut => "came first in its group".to_owned(),
            Remark::Tie => "at the same instant as the first of its group".to_owned(),
            Remark::Chattering => "keeps coming and going".to_owned(),
            Remark::Held => "held, because the condition cannot be seen".to_owned(),
            Remark::GroupedUnder(alarm) => format!("told of by {alarm}"),
            Remark::LeftAlone => "still so; told of with a lost connection before".to_owned(),
            Remark::Unheard => "early, for those told before may not have heard".to_owned(),
            Remark::ChatterSummed => "repeated messages are held back and summed up".to_owned(),
            Remark::MoreMayBeHeld => {
                "it keeps coming and going, another message may be held back".to_owned()
            }
            Remark::Coverage(share) => format!("{:.0} % of the time was seen", share * 100.0),
            Remark::Bounds(lower, upper) => {
                let lower = lower.as_ref().map(|bound| format!("at least {bound}"));
                let upper = upper.as_ref().map(|bound| format!("perhaps {bound}"));
                lower
                    .into_iter()
                    .chain(upper)
                    .collect::<Vec<_>>()
                    .join(", ")
            }
            Remark::Until(time) => format!("until {time}"),
            Remark::Permit(permit) => format!("permit {permit}"),
            Remark::ApprovedBy(person) => format!("approved by {person}"),
            Remark::CompensatingMeasure(measure) => format!("instead: {measure}"),
            Remark::Message(message) => message.clone(),
        }
    }

    fn mark(&self, mark: &Mark) -> String {
        match mark {
            Mark::Drill => "DRILL: this is an exercise, nothing has happened.".to_owned(),
            Mark::Test => "TEST: somebody tries whether messages arrive, nothing has happened.".to_owned(),
            Mark::Delayed(time) => format!(
                "DELAYED message of {time}: look at the present state before you act."
            ),
            Mark::Volatile => {
                "The gateway cannot write to its disk: keep this message, it may be the only record."
                    .to_owned()
            }
        }
    }

    fn stamp(&self, mark: &Mark) -> &'static str {
        match mark {
            Mark::Drill => "DRILL ",
            Mark::Test => "TEST ",
            Mark::Delayed(_) => "DELAYED ",
            Mark::Volatile => "",
        }
    }

    fn span(&self, seconds: f64) -> String {
        spoken(seconds)
    }

    fn slope(&self, rising: bool, amount: &str) -> String {
        let way = if rising { "rising" } else { "falling" };
        format!("{way} {amount} per minute")
    }

    fn per_minute(&self, amount: &str) -> String {
        format!("{amount} per minute")
    }

    fn ahead(&self, kind: AlarmKind, span: &str) -> String {
        format!("{} in about {span}", self.kind(kind))
    }

    fn limit(&self, limit: &str) -> String {
        format!("limit {limit}")
    }

    fn deadband(&self, amount: &str) -> String {
        format!("deadband {amount}")
    }

    fn peak(&self, highest: bool, value: &str) -> String {
        let which = if highest { "highest" } else { "lowest" };
        format!("{which} {value}")
    }

    fn ago(&self, span: &str) -> String {
        format!("for {span}")
    }

    fn step(&self, number: u16) -> String {
        format!("step {} of the escalation", u32::from(number) + 1)
    }

    fn over(&self, output: &str) -> String {
        format!("over {output}")
    }

    fn everybody(&self) -> &'static str {
        "whoever reads this output"
    }

    fn on_call(&self, person: &str) -> String {
        format!("{person}, on call")
    }

    fn occurrence(&self, number: u64) -> String {
        format!("occurrence {number}")
    }

    fn acknowledge_here(&self, alarm: &str) -> String {
        format!("forewarn alarms ack {alarm}")
    }

    fn more(&self, count: usize) -> String {
        format!("and {count} more")
    }

    fn digest(&self, count: usize) -> String {
        format!("DELAYED summary of {count} messages")
    }

    fn digest_note(&self, count: usize) -> String {
        format!(
            "DELAYED: these {count} messages could not be sent in time. Look at the present state before you act."
        )
    }

    fn not_over(&self, count: usize) -> String {
        format!("{count} not over")
    }

    fn not_over_note(&self, count: usize) -> String {
        format!("Not over by these messages ({count}), most urgent first")
    }

    fn earlier(&self, count: usize) -> String {
        format!("{count} earlier ones are in the journal")
    }

    fn comma(&self) -> &'static str {
        ", "
    }

    fn semicolon(&self) -> &'static str {
        "; "
    }

    fn short_head(&self, headline: Headline) -> &'static str {
        match headline {
            Headline::Alarm(_) | Headline::Happened(EventKind::Raised) => "",
            Headline::Unattended(_) => "NOT ACKED ",
            Headline::Reminder(_) | Headline::ReminderOfMany(_) => "REMINDER ",
            Headline::Chatter(_) => "COMES AND GOES ",
            Headline::Summary(_) => "SUMMARY ",
            Headline::Late | Headline::LateSummary(_) => "LATE, OVER ",
            Headline::AllClear => "ALL CLEAR ",
            Headline::Happened(kind) => short_happened(kind),
        }
    }

    fn short_unheard(&self) -> &'static str {
        "EARLY, UNHEARD? "
    }

    fn short_limit(&self, limit: &str) -> String {
        format!("(lim {limit})")
    }

    fn short_since(&self, time: &str) -> String {
        format!("since {time}")
    }

    fn short_lasted(&self, span: &str) -> String {
        format!("after {span}")
    }

    fn short_acknowledge(&self, link: &str) -> String {
        format!("Ack: {link}")
    }

    fn short_count(&self, count: usize) -> String {
        format!("{count} ALARMS, FIRST ")
    }
}

fn lower(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}
