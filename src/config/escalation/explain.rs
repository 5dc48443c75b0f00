//! Who is told of an alarm, in a sentence.

use crate::config::explain::after;
use crate::config::scalar::show_duration;
use crate::engine::notice::Told;
use crate::engine::settings::Priority;
use crate::engine::time::Wall;
use crate::notify::settings::NotifySettings;

/// The same settings with a rota as one receiver, by its name: a sentence that holds at any time.
pub(in super::super) fn rotas_by_name(notify: &NotifySettings) -> NotifySettings {
    let mut named = notify.clone();
    for (id, rota) in &mut named.rotas {
        rota.order = vec![vec![format!("whoever is on call ({id})").into()]];
        rota.swaps.clear();
    }
    named
}

/// Who is told, and when.
pub(in super::super) fn told(
    notify: &NotifySettings,
    priority: Priority,
    area: Option<&str>,
) -> String {
    let policy = notify.policy(priority);
    let steps = policy.map_or(&[][..], |policy| &policy.steps);
    let steps = steps.iter().zip(0..).filter_map(|(step, number)| {
        let lines = notify.reached(priority, area, number, Wall::default());
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
