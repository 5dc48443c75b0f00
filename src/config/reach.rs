//! Is there a way to everybody who is to be told? A room that all read reaches everybody, and so does a mail output
//! with a `to`, which gets what would reach nobody. Where mail goes to persons only, one without an address is told
//! on record and by nobody else.

use std::collections::BTreeSet;

use super::finding::{Kind, Log};
use super::output::Output;
use super::people::People;
use crate::notify::settings::{Holder, NotifySettings, Role, Target as Told};
use crate::output::Target;
use crate::output::selection::Selection;

/// Warns of persons whom no output reaches, where outputs write to persons.
pub(super) fn check(people: &People, notify: &NotifySettings, outputs: &[Output], log: &mut Log) {
    let mut mail = None;
    for output in outputs {
        match &output.target {
            Some(Target::Webhook(room)) if room.selection != Selection::Events => return,
            Some(Target::Email(target)) if !target.to.is_empty() => return,
            Some(Target::Email(_)) => mail = mail.or(Some(output)),
            // One with a mistake may be anything.
            None => return,
            Some(_) => {}
        }
    }
    let Some(mail) = mail else { return };
    let has_address = |id: &str| people.persons.get(id).is_none_or(|it| it.email.is_some());
    let persons = told(notify);
    let mut lacking = persons.iter().filter(|id| !has_address(id));
    let Some(first) = lacking.next() else { return };
    let more = match lacking.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    let text = format!(
        "what is told to {first}{more} alone reaches nobody: there is no `email` of theirs"
    );
    log.warn(Kind::NoGuidance, mail.place, text).hint(format!(
        "add `email` to `[person.{first}]`, or `to = [\"room@example.com\"]` to the output: it gets what reaches nobody else"
    ));
}

/// Ids of all persons whom any step may name.
fn told(notify: &NotifySettings) -> BTreeSet<&str> {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let steps = notify.policies.values().flat_map(|policy| &policy.steps);
    for target in steps.flat_map(|step| &step.to) {
        if let Told::Person(id) = target {
            told.insert(id);
        }
    }
    for holder in notify
        .areas
        .values()
        .flat_map(|roles| Role::ALL.map(|role| roles.of(role)))
    {
        for holder in holder {
            if let Holder::Person(id) = holder {
                told.insert(id);
            }
        }
    }
    for rota in notify.rotas.values() {
        let swaps = rota.swaps.iter().map(|swap| &swap.persons);
        let turns = rota.order.iter().chain(swaps);
        told.extend(turns.flatten().map(|id| &**id));
    }
    told
}
