//! One test message over an output, without the daemon: what exactly does the far end answer?
//!
//! The message is an event like any other, marked `test`, with the number 0, which no event of the journal has. No
//! cursor moves, and nothing is recorded.

mod mqtt;

use std::sync::Arc;
use std::time::Duration;

use super::courier::{Carrier, Load, Parcel};
use super::email::{Email, EmailTarget};
use super::http_client::Answer;
use super::selection::Selection;
use super::verdict::{Parted, Verdict, told};
use super::webhook::{Webhook, WebhookTarget};
use super::{AlertmanagerTarget, alertmanager};
use super::{OutputSettings, Target};
use crate::clock;
use crate::event::{To, WireEvent, rfc3339};
use crate::wording::Context;

/// What became of a test message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// Did the far end take it?
    pub accepted: bool,
    /// What was sent, and where.
    pub sent: String,
    /// What the far end answered, or why there is no answer.
    pub answer: String,
    /// How long it took.
    pub took: Duration,
    /// Encryption in a few words, where there is one.
    pub tls: Option<String>,
}

/// Sends one over `output`; where an alarm has a life, its begin and its end. Mail goes to the person `to`, or else to
/// those in `to` of the output; where there is neither, the relay is asked what it would take, and nothing is sent.
pub async fn run(output: &OutputSettings, to: Option<&str>, context: &Context) -> Trial {
    let site = &*context.site;
    match &output.target {
        Target::Mqtt(target) => mqtt::run(target, &parcel(site, "notified").line, site).await,
        Target::Webhook(target) => over_webhook(&output.id, target, context).await,
        Target::Alertmanager(target) => over_alertmanager(target, site).await,
        Target::Email(target) => over_email(output, target, to, context).await,
        Target::Sparkplug(_) => Trial {
            answer: "a Sparkplug host has no place for a test message: look for the births of the node there".to_owned(),
            ..Trial::default()
        },
        Target::Stdout => Trial {
            accepted: true,
            sent: parcel(site, "notified").line,
            answer: "standard output is always there".to_owned(),
            ..Trial::default()
        },
    }
}

/// A test message as an event of this kind.
pub fn parcel(site: &str, kind: &str) -> Parcel {
    let time = rfc3339::format(clock::now().wall);
    let notice = if kind == "notified" {
        r#","notice":"page","step":0,"to":[]"#
    } else {
        ""
    };
    let site = serde_json::Value::from(site);
    let site = site.to_string();
    let site = site.trim_matches('"');
    let line = format!(
        r#"{{"id":"{site}:test:0","seq":0,"time":"{time}","event":"{kind}","alarm":"gateway.test/state","occurrence":1,"point":"gateway.test","state":"unacknowledged","overlays":[],"priority":"low","quality":"good","annunciated":true,"cause":"operator","message":"TEST: this is a test message of forewarn at {site}. Nothing has happened, nothing is to be done.","test":true{notice}}}"#
    );
    let event: WireEvent = serde_json::from_str(&line).expect("it is an event");
    Parcel {
        seq: 0,
        line,
        event,
        replayed: false,
        behind: Vec::new(),
    }
}

/// To one person, or to those in `to` of the output: nobody else is to be woken.
async fn over_email(
    output: &OutputSettings,
    target: &EmailTarget,
    to: Option<&str>,
    context: &Context,
) -> Trial {
    let mut parcel = parcel(&context.site, "notified");
    parcel.event.output = Some(Arc::clone(&output.id));
    parcel.event.to = to.map(|person| To::Persons(vec![person.into()]));
    let mut email = Email::new(Arc::clone(&output.id), target.clone(), context.clone());
    if to.is_none() && target.to.is_empty() {
        return rehearsal(&email, target).await;
    }
    let sent = format!(
        "a test message to {} by {}:{}",
        to.map_or_else(|| target.to.join(", "), str::to_owned),
        target.host,
        target.port
    );
    let began = clock::monotonic();
    let verdict = email.carry(&Load::Event(&parcel)).await;
    let complaints = email.complaints();
    let complaints: Vec<&str> = complaints.iter().map(|(_, why)| why.as_str()).collect();
    Trial {
        accepted: verdict.is_accepted() && complaints.is_empty(),
        sent,
        answer: match &verdict {
            Verdict::Accepted { answer } if complaints.is_empty() => {
                format!("accepted by every reader's relay: {answer}")
            }
            Verdict::Accepted { .. } | Verdict::Parted(_) => complaints.join("; "),
            Verdict::Refused { why } | Verdict::Later { why, .. } => why.clone(),
        },
        took: clock::monotonic().since(began),
        tls: None,
    }
}

/// Whether each person who has an address would be served, and nothing sent.
async fn rehearsal(email: &Email, target: &EmailTarget) -> Trial {
    let began = clock::monotonic();
    let rehearsed = email.rehearse().await;
    let (accepted, answer) = match &rehearsed {
        Ok(readers) if readers.is_empty() => {
            let nobody =
                "nobody is there to be told: the output has no `to`, and no person an `email`";
            (false, nobody.to_owned())
        }
        Ok(readers) => {
            let said = readers.iter().map(|(reader, said)| match said {
                Ok(answer) => format!("{reader}: {answer}"),
                Err(why) => format!("{reader}: {why}"),
            });
            let said: Vec<String> = said.collect();
            (
                readers.iter().all(|(_, said)| said.is_ok()),
                said.join("; "),
            )
        }
        Err(Verdict::Refused { why } | Verdict::Later { why, .. }) => (false, why.clone()),
        Err(Verdict::Accepted { answer } | Verdict::Parted(Parted { answer, .. })) => {
            (false, answer.clone())
        }
    };
    Trial {
        accepted,
        sent: format!(
            "nothing: {}:{} was asked for every person with an `email` (send one to somebody with `--to PERSON`)",
            target.host, target.port
        ),
        answer,
        took: clock::monotonic().since(began),
        tls: None,
    }
}

async fn over_webhook(id: &Arc<str>, target: &WebhookTarget, context: &Context) -> Trial {
    let kinds: &[&str] = match target.selection {
        Selection::Events | Selection::Notices => &["notified"],
        // So that nobody is left with an incident that never ends.
        Selection::Lifecycle => &["raised", "cleared"],
    };
    let mut trial = Trial {
        sent: format!(
            "a test message as {} to {}",
            target.source.name, target.client.url
        ),
        ..Trial::default()
    };
    let mut webhook = match Webhook::new(Arc::clone(id), context.clone(), target.clone()) {
        Ok(webhook) => webhook,
        Err(mistake) => {
            trial.answer = mistake;
            return trial;
        }
    };
    for kind in kinds {
        let parcel = parcel(&context.site, kind);
        let began = clock::monotonic();
        let outcome = webhook.send(&Load::Event(&parcel)).await;
        trial.took = clock::monotonic().since(began);
        let (accepted, answer, tls) = match outcome {
            Err(mistake) => (false, mistake, None),
            Ok(Err(failure)) => (false, failure.to_string(), None),
            Ok(Ok((answer, verdict))) => {
                let words = in_words(&answer, &verdict, target);
                (verdict.is_accepted(), words, encryption(&answer))
            }
        };
        (trial.accepted, trial.answer, trial.tls) = (accepted, answer, tls);
        if !accepted {
            break;
        }
    }
    trial
}

fn in_words(answer: &Answer, verdict: &Verdict, target: &WebhookTarget) -> String {
    let said = told(answer, &target.client.url);
    match verdict {
        Verdict::Accepted { .. } => said,
        // A webhook has one reader.
        Verdict::Parted(_) => said,
        Verdict::Refused { .. } => format!("{said} (it will never take such a message)"),
        Verdict::Later { why, after, .. } => {
            let after = after.map_or_else(String::new, |after| {
                format!(", not before {} s", after.as_secs())
            });
            format!("{why} (to be tried again{after})")
        }
    }
}

fn encryption(answer: &Answer) -> Option<String> {
    let facts = answer.tls.as_ref()?;
    let (version, cipher, certificates) = (&facts.version, &facts.cipher, facts.certificates);
    Some(format!(
        "{version}, {cipher}, certificates shown: {certificates}"
    ))
}

/// Every member has to take it.
async fn over_alertmanager(target: &AlertmanagerTarget, site: &str) -> Trial {
    let began = clock::monotonic();
    let members = alertmanager::trial(target, site).await;
    let answers: Vec<String> = members
        .iter()
        .map(|member| format!("{}: {}", member.member, member.words))
        .collect();
    Trial {
        accepted: !members.is_empty() && members.iter().all(|member| member.taken),
        sent: format!("a test alert to each of {} members", members.len()),
        answer: answers.join("; "),
        took: clock::monotonic().since(began),
        tls: None,
    }
}
