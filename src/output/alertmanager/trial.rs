//! `forewarn notify test`: one alert that ends by itself, to every member, and what each says about it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::AlertmanagerTarget;
use super::alert::Alert;
use super::batches::Item;
use super::exchange::{hidden, request};
use super::skew::{Skew, date};
use super::wire;
use crate::clock;
use crate::engine::settings::Priority;
use crate::engine::time::Wall;
use crate::output::http_client::Client;
use crate::output::verdict::told;

/// The alert stands so long: long enough for people to look, and gone before it bothers anybody.
const STANDS_FOR: Duration = Duration::from_secs(60);

/// What one member said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Its address.
    pub member: String,
    /// Did it take the alert?
    pub taken: bool,
    /// In words: its answer, or why there is none.
    pub words: String,
}

/// Asks every member, one after the other; each within its timeout. The alert is labelled `test="true"`, goes
/// the way of a drill, and is resolved a minute later by Alertmanager itself.
pub async fn trial(target: &AlertmanagerTarget, site: &str) -> Vec<Trial> {
    let mut trials = Vec::new();
    for settings in &target.members {
        let mut client = Client::new(settings.clone());
        let now = clock::now().wall;
        let body = wire::alerts_until(&[item(target, site, now)], Skew::default(), now, STANDS_FOR);
        let asked = request(&client, target.authorization.as_ref(), body);
        let (taken, words) = match client.ask(&asked).await {
            Ok(answer) => {
                let answer = answer.without(&hidden(target.authorization.as_ref()));
                let there = answer.date.as_deref().and_then(date);
                let words = told(&answer, client.url()) + &behind(there, clock::now().wall);
                ((200..300).contains(&answer.status), words)
            }
            Err(failure) => (false, failure.to_string()),
        };
        trials.push(Trial {
            member: client.url().to_string(),
            taken,
            words,
        });
    }
    trials
}

/// A clock that is another is made up for, but people should know.
fn behind(there: Option<Wall>, now: Wall) -> String {
    let mut skew = Skew::default();
    if there.is_some_and(|there| skew.learn(there, now)) {
        return format!("; its clock is {:+.0} s from ours", skew.seconds());
    }
    String::new()
}

fn item(target: &AlertmanagerTarget, site: &str, now: Wall) -> Item {
    let own = [
        ("alertname", "ForewarnTest"),
        ("alarm", "forewarn/test"),
        ("site", site),
        ("priority", "low"),
        ("severity", "info"),
        ("test", "true"),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut labels: BTreeMap<String, String> = target.labels.clone();
    labels.extend(own);
    let said = [
        ("summary", "TEST: forewarn tries whether its alarms arrive"),
        (
            "description",
            "Nothing happened. This alert ends by itself within a minute.",
        ),
    ];
    let said = said.map(|(name, text)| (Cow::Borrowed(name), text.to_owned()));
    let alert = Alert {
        key: "".into(),
        alarm: "forewarn/test".into(),
        priority: Priority::Low,
        labels,
        annotations: said.into(),
        starts_at: now,
        page: None,
        version: 0,
    };
    Item {
        alert: Arc::new(alert),
        over: false,
    }
}
