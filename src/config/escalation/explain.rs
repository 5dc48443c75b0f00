//! Who is told of an alarm, in a sentence.

use crate::config::explain::after;
use crate::config::scalar::show_duration;
use crate::engine::notice::Told;
use crate::engine::settings::Priority;
use crate::notify::settings::NotifySettings;

/// Who is told, and when.
pub(in super::super) fn told(
    notify: &NotifySettings,
    priority: Priority,
    area: Option<&str>,
) -> String {
    let policy = notify.policy(priority);
    let steps = policy.map_or(&[][..], |policy| &policy.steps);
    let steps = steps.iter().zip(0..).filter_map(|(step, number)| {
        let lines = notify.reached(priority, area, number);
        let who: Vec<String> = lines.iter().map(receiver).collect();
        (!who.is_empty()).then(|| format!("{} {}", after(step.after), who.join(" and ")))
    });
    let steps: Vec<String> = steps.collect();
    match (policy, steps.is_empty()) {
        (Some(policy), false) => format!(
            "Told: {}. Reminded every {} until somebody acknowledges.",
            steps.join("; "),
            show_duration(policy.remind_every)
        ),
        _ => "Nobody is told.".to_owned(),
    }
}

fn receiver(told: &Told) -> String {
    let persons = told.persons.join(", ");
    match &told.output {
        None => persons,
        Some(output) if persons.is_empty() => format!("output {output}"),
        Some(output) => format!("{persons} over {output}"),
    }
}
