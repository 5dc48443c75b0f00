//! The title and the body: which line follows which, in every language.

use super::clean::{clean, steps};
use super::duties;
use super::facts::{Facts, named_alarm};
use super::lexicon::{Field, Headline, Lexicon, Mark};
use crate::notify::settings::Role;

/// Alarms of a summary that are named; the rest is counted.
const NAMED: usize = 20;

/// `DRILL: Critical alarm: CH4-101 Methane, tank farm north, high high limit, 54.2 %LEL`.
pub(super) fn title(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let headline = facts.headline();
    let mut parts = vec![place(facts)];
    let one = !matches!(
        headline,
        Headline::Summary(_) | Headline::LateSummary(_) | Headline::ReminderOfMany(_)
    );
    if one {
        parts.extend(facts.kind.map(|kind| words.kind(kind).to_owned()));
        let value = facts.value().filter(|_| !facts.is_over());
        parts.extend(value.map(|value| facts.amount(value)));
    }
    parts.retain(|part| !part.is_empty());
    let marks = facts.marks();
    let stamps = stamps(&marks, words);
    let separator = words.label_end();
    let headline = words.headline(headline);
    if parts.is_empty() {
        return format!(
            "{stamps}{headline}{separator}{}",
            clean(&facts.context.site)
        );
    }
    format!("{stamps}{headline}{separator}{}", parts.join(words.comma()))
}

/// The tag and the plain name, or the area of several.
fn place(facts: &Facts<'_>) -> String {
    let many = facts.event.alarms.len() > 1;
    if many {
        return area(facts).unwrap_or_else(|| clean(&facts.context.site));
    }
    let parts = facts.tag.iter().chain(&facts.name);
    parts.cloned().collect::<Vec<_>>().join(" ")
}

fn area(facts: &Facts<'_>) -> Option<String> {
    let point = facts.guidance.map(|guidance| &*guidance.point);
    let name = point.and_then(|point| point.area_name.as_deref());
    name.or(facts.event.area.as_deref()).map(clean)
}

/// Everything, a line a field.
pub(super) fn body(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let mut page = Page {
        text: String::new(),
        words,
    };
    for mark in facts.marks() {
        page.line(&words.mark(&mark));
    }
    page.line(&words.sentence(&words.headline(facts.headline())));
    page.text.push('\n');
    page.field(Field::What, &what(facts, words));
    page.field(Field::State, &state(facts, words));
    page.field(Field::Where, &site(facts, words));
    page.field(Field::Value, &value(facts, words));
    if !facts.is_over() {
        page.field(Field::Trend, &trend(facts, words));
    }
    page.field(Field::Since, &since(facts, words));
    page.field(Field::Lasted, &lasted(facts, words));
    page.field(Field::By, &by(facts, words));
    page.guidance(facts);
    page.field(Field::Told, &told(facts, words));
    let plan = written(facts, |guidance| guidance.words.plan.as_deref());
    page.field(Field::Plan, &plan);
    page.field(Field::Acknowledge, &acknowledge(facts, words));
    let remarks = facts.remarks();
    let remarks: Vec<String> = remarks.iter().map(|remark| words.remark(remark)).collect();
    page.field(Field::Other, &remarks.join(words.semicolon()));
    page.alarms(facts);
    page.field(Field::Event, &event(facts, words));
    page.text
}

/// A letter that is being written.
struct Page<'w> {
    text: String,
    words: &'w dyn Lexicon,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A field that says something.
    fn field(&mut self, field: Field, says: &str) {
        if !says.is_empty() {
            let (label, end) = (self.words.label(field), self.words.label_end());
            self.line(&format!("{label}{end}{says}"));
        }
    }

    /// Items under a label, each on a line of its own.
    fn list(&mut self, field: Field, items: &[String]) {
        if items.is_empty() {
            return;
        }
        let (label, end) = (self.words.label(field), self.words.label_end());
        self.line(format!("{label}{end}").trim_end());
        for item in items {
            self.line(&format!("  {item}"));
        }
    }

    /// What a person wrote about the alarm. Of what is over nobody needs to be told what to do.
    fn guidance(&mut self, facts: &Facts<'_>) {
        let cause = written(facts, |guidance| guidance.words.cause.as_deref());
        self.field(Field::Cause, &cause);
        if !facts.is_over() {
            let consequence = written(facts, |guidance| guidance.words.consequence.as_deref());
            self.field(Field::Consequence, &consequence);
            match &actions(facts, self.words)[..] {
                [] => {}
                [only] => self.field(Field::Action, only),
                many => {
                    let numbered = many.iter().zip(1..);
                    let numbered: Vec<String> =
                        numbered.map(|(step, n)| format!("{n}. {step}")).collect();
                    self.list(Field::Action, &numbered);
                }
            }
            let time = facts
                .guidance
                .and_then(|guidance| guidance.words.time_to_respond);
            let time = time.map(|time| self.words.span(time.as_secs_f64()));
            self.field(Field::TimeToRespond, &time.unwrap_or_default());
        }
        for role in Role::ALL {
            let holders = duties::holders(facts, role, self.words);
            self.field(Field::Role(role), &holders);
        }
    }

    /// The other alarms that a summary stands for.
    fn alarms(&mut self, facts: &Facts<'_>) {
        let all = &facts.event.alarms;
        if all.len() < 2 {
            return;
        }
        let named = all.iter().take(NAMED);
        let named = named.map(|alarm| named_alarm(alarm, self.words, facts.context));
        let mut items: Vec<String> = named.collect();
        if all.len() > NAMED {
            items.push(self.words.more(all.len() - NAMED));
        }
        self.list(Field::Alarms, &items);
    }
}

fn written<'a>(
    facts: &Facts<'a>,
    field: fn(&'a crate::guidance::Guidance) -> Option<&'a str>,
) -> String {
    facts
        .guidance
        .and_then(field)
        .map(clean)
        .unwrap_or_default()
}

/// What to do, a step each.
pub(super) fn actions(facts: &Facts<'_>, words: &dyn Lexicon) -> Vec<String> {
    let Some(guidance) = facts.guidance else {
        return Vec::new();
    };
    match &guidance.words.action {
        Some(action) => steps(action),
        None => {
            let name = facts.name.as_ref().or(facts.tag.as_ref());
            let name = name.map_or("", String::as_str);
            words.action(guidance.kind, name).into_iter().collect()
        }
    }
}

fn what(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let parts = facts.tag.iter().chain(&facts.name).cloned();
    let kind = facts.kind.map(|kind| words.kind(kind).to_owned());
    let parts: Vec<String> = parts.chain(kind).collect();
    parts.join(words.comma())
}

fn state(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let event = facts.event;
    let mut parts = Vec::new();
    parts.extend(event.state.map(|state| words.state(state).to_owned()));
    let overlays = event.overlays.unwrap_or_default();
    for (set, word) in [
        (overlays.out_of_service, words.out_of_service()),
        (overlays.shelved, words.shelved()),
        (overlays.suppressed, words.suppressed()),
    ] {
        if set {
            parts.push(word.to_owned());
        }
    }
    if event.alarm.is_some() {
        parts.push(words.priority(facts.priority()).to_owned());
    }
    parts.join(words.semicolon())
}

fn site(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let site = clean(&facts.context.site);
    match area(facts) {
        Some(area) => format!("{area}{}{site}", words.comma()),
        None => site,
    }
}

fn value(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let event = facts.event;
    let mut parts = Vec::new();
    parts.extend(facts.value().map(|value| facts.amount(value)));
    parts.extend(facts.limit().map(|limit| {
        let amount = facts.amount(limit);
        let amount = if facts.is_rate() {
            words.per_minute(&amount)
        } else {
            amount
        };
        words.limit(&amount)
    }));
    // Of what is over nobody asks when it will be.
    let deadband = facts.deadband().filter(|_| !facts.is_over());
    parts.extend(deadband.map(|deadband| words.deadband(&facts.amount(deadband))));
    let quality = event.quality.filter(|_| event.alarm.is_some());
    parts.extend(quality.map(|quality| words.quality(quality).to_owned()));
    parts.extend(event.reason.as_deref().map(|reason| {
        let known = words.reason(reason).map(str::to_owned);
        known.unwrap_or_else(|| clean(&reason.replace('_', " ")))
    }));
    let peak = event.peak.filter(|_| facts.kind.is_some());
    parts.extend(peak.map(|peak| words.peak(facts.goes_up(), &facts.amount(peak))));
    parts.join(words.comma())
}

fn trend(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let event = facts.event;
    let mut parts = Vec::new();
    if let Some(slope) = event.slope_per_min.filter(|slope| slope.abs() > 0.0) {
        parts.push(words.slope(slope > 0.0, &facts.amount(slope.abs())));
    }
    let mut ahead: Vec<_> = event.forecast_s.iter().collect();
    ahead.sort_by(|a, b| a.1.total_cmp(b.1));
    let ahead = ahead.iter().map(|(kind, seconds)| {
        let span = words.span(**seconds);
        words.ahead(**kind, &span)
    });
    parts.extend(ahead);
    parts.join(words.semicolon())
}

fn since(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let Some(since) = facts.since() else {
        return String::new();
    };
    let time = facts.time(since);
    match facts.age().filter(|_| !facts.is_over()) {
        Some(age) => format!("{time}{}{}", words.comma(), words.ago(&words.span(age))),
        None => time,
    }
}

fn lasted(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let event = facts.event;
    let between = event.cleared_at.zip(event.raised_at);
    let between = between.map(|(cleared, raised)| cleared.seconds_since(raised));
    let seconds = event.duration_s.or(between);
    seconds
        .map(|seconds| words.span(seconds))
        .unwrap_or_default()
}

fn by(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let event = facts.event;
    let name = event.by.as_deref().map(|by| {
        let person = facts.context.readers.persons.get(by);
        clean(person.map_or(by, |person| &person.name))
    });
    let comment = event.comment.as_deref().map(clean);
    let parts = name.into_iter().chain(comment);
    parts.collect::<Vec<_>>().join(words.comma())
}

fn told(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let Some(persons) = facts.told() else {
        return String::new();
    };
    let mut parts = Vec::new();
    if persons.is_empty() && facts.event.outputs.is_empty() {
        parts.push(words.everybody().to_owned());
    }
    parts.extend(persons);
    let over = facts.event.output.iter().chain(&facts.event.outputs);
    parts.extend(over.map(|output| words.over(&clean(output))));
    let step = facts.event.step.filter(|step| *step > 0);
    parts.extend(step.map(|step| words.step(step)));
    parts.join(words.semicolon())
}

fn acknowledge(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    if !facts.wants_acknowledgement() {
        return String::new();
    }
    if let Some(link) = facts.handing.link {
        return super::clean::line(link);
    }
    let page = facts.context.link.as_deref();
    let alarm = facts.event.alarm.as_deref().unwrap_or_default();
    let here = words.acknowledge_here(&clean(alarm));
    let parts = page.map(super::clean::line).into_iter().chain([here]);
    parts.collect::<Vec<_>>().join(words.semicolon())
}

fn event(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let id = clean(&facts.event.id);
    let time = facts.time(facts.event.time);
    let occurrence = facts.event.occurrence.filter(|number| *number > 0);
    let occurrence = occurrence.map(|number| words.occurrence(number));
    let parts = [Some(id), occurrence, Some(time)];
    parts
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(words.comma())
}

/// The marks of a title, for the short form too.
pub(super) fn stamps(marks: &[Mark], words: &dyn Lexicon) -> String {
    marks.iter().map(|mark| words.stamp(mark)).collect()
}
