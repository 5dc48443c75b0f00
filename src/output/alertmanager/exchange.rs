//! One request to a member and what its answer means.

use std::pin::Pin;
use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderValue};
use serde::de::DeserializeOwned;

use super::batches::Item;
use super::member::{Answer, Aside, Posted};
use super::silences;
use super::skew::{Skew, date};
use super::wire::{self, ALERTS, FoundAlert, FoundSilence, Made, SILENCES};
use crate::broker::Secret;
use crate::clock;
use crate::engine::time::{Moment, Wall};
use crate::output::http_client::{self, Client, Failure, Hidden, Request};
use crate::output::verdict::{PROTOCOL, Verdict, told};

/// A question on its way. It owns the client and gives it back.
type Way = Pin<Box<dyn Future<Output = (Client, Result<http_client::Answer, Failure>)> + Send>>;

/// A client, and the question that it is asking.
pub(super) struct Exchange<Q> {
    idle: Option<Client>,
    busy: Option<(Q, Way)>,
    authorization: Option<Secret>,
}

/// What came back, before anything is made of it.
pub(super) type Came = Result<http_client::Answer, Failure>;

impl<Q> Exchange<Q> {
    pub(super) const fn new(client: Client, authorization: Option<Secret>) -> Self {
        Self {
            idle: Some(client),
            busy: None,
            authorization,
        }
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.idle.is_some()
    }

    /// Asks. To be called while idle.
    fn ask(&mut self, question: Q, method: Method, path: &str, body: String) {
        let Some(mut client) = self.idle.take() else {
            debug_assert!(false, "one question at a time");
            return;
        };
        let request = Request {
            method,
            path: client.url().below(path),
            ..request(&client, self.authorization.as_ref(), body)
        };
        let hidden = hidden(self.authorization.as_ref());
        let way = async move {
            let came = client.ask(&request).await;
            (client, came.map(|answer| answer.without(&hidden)))
        };
        self.busy = Some((question, Box::pin(way)));
    }

    /// The question and what came of it, once it has come; at no time when nothing was asked. Nothing is lost
    /// when it is dropped.
    pub(super) fn poll(&mut self, context: &mut std::task::Context<'_>) -> Option<(Q, Came)> {
        let (_, way) = self.busy.as_mut()?;
        let std::task::Poll::Ready((client, came)) = way.as_mut().poll(context) else {
            return None;
        };
        self.idle = Some(client);
        self.busy.take().map(|(question, _)| (question, came))
    }

    /// What the client knows of the far end, for words.
    pub(super) fn client(&self) -> Option<&Client> {
        self.idle.as_ref()
    }
}

/// What of an answer is told to nobody, beside the address.
pub(super) fn hidden(authorization: Option<&Secret>) -> Hidden {
    Hidden::of(authorization.map(Secret::expose))
}

/// A post of alerts.
pub(super) fn request(client: &Client, authorization: Option<&Secret>, body: String) -> Request {
    let value = authorization.and_then(|secret| HeaderValue::from_str(secret.expose()).ok());
    let value = value.map(|mut value| {
        value.set_sensitive(true);
        (AUTHORIZATION, value)
    });
    Request {
        method: Method::POST,
        path: client.url().below(ALERTS),
        content_type: HeaderValue::from_static("application/json"),
        headers: value.into_iter().collect(),
        body: Bytes::from(body),
    }
}

impl Exchange<Vec<Item>> {
    /// Posts alerts.
    pub(super) fn post(&mut self, items: Vec<Item>, durable: bool, skew: Skew, now: Moment) {
        let body = wire::alerts(&items, durable, skew, now.wall);
        self.ask(items, Method::POST, ALERTS, body);
    }
}

impl Exchange<Aside> {
    /// Asks beside the posts.
    pub(super) fn aside(&mut self, aside: Aside, site: &str, skew: Skew, now: Moment) {
        use silences::Ask;
        let none = String::new();
        let (method, path, body) = match &aside {
            Aside::Alerts => (Method::GET, wire::of_site(ALERTS, site), none),
            Aside::Silence(Ask::List) => (Method::GET, wire::of_site(SILENCES, site), none),
            Aside::Silence(Ask::Make(_, wanted, live)) => {
                let body = wire::silence_of(wanted, live.as_ref(), site, (skew, now.wall));
                (Method::POST, SILENCES.to_owned(), body)
            }
            Aside::Silence(Ask::End(id)) => (Method::DELETE, wire::silence(id), none),
        };
        self.ask(aside, method, &path, body);
    }
}

/// What an answer to a post means: for the member, and for people when it was not taken.
pub(super) fn of_post(
    came: Came,
    client: &Client,
    now: Wall,
) -> (Posted, Option<(&'static str, String)>) {
    let verdict = match came {
        Ok(answer) => Verdict::of(&answer, client.url(), now),
        Err(failure) => failure.into(),
    };
    match verdict {
        // A member is one reader, who does not part.
        Verdict::Accepted { .. } | Verdict::Parted(_) => (Posted::Taken, None),
        Verdict::Refused { why } => (Posted::Refused, Some((REFUSED, why))),
        Verdict::Later { after, reason, why } => (Posted::Failed(after), Some((reason, why))),
    }
}

/// In metrics: alerts that are refused as they are.
pub(super) const REFUSED: &str = crate::output::verdict::UNWELCOME;

/// What an answer to another question means; and for people, when it is of no use.
pub(super) fn of_aside(
    aside: &Aside,
    came: Came,
    client: &Client,
) -> (Answer, Option<(&'static str, String)>) {
    let answer = match came {
        Ok(answer) => answer,
        Err(failure) => {
            return (
                Answer::Nothing,
                Some((failure.reason(), failure.to_string())),
            );
        }
    };
    let unusable = |why: String| (Answer::Nothing, Some((PROTOCOL, why)));
    // One that is over already is refused in words of its own.
    if matches!(aside, Aside::Silence(silences::Ask::End(_))) {
        return (Answer::Ended, None);
    }
    if !(200..300).contains(&answer.status) {
        return unusable(told(&answer, client.url()));
    }
    if answer.cut {
        return unusable("the list is too long".to_owned());
    }
    let read = match aside {
        Aside::Alerts => parse::<Vec<FoundAlert>>(&answer.body).map(Answer::Alerts),
        Aside::Silence(silences::Ask::List) => {
            parse::<Vec<FoundSilence>>(&answer.body).map(Answer::Silences)
        }
        Aside::Silence(silences::Ask::Make(..)) => {
            parse::<Made>(&answer.body).map(|made| Answer::Made(made.id))
        }
        Aside::Silence(silences::Ask::End(_)) => Ok(Answer::Ended),
    };
    read.map_or_else(unusable, |answer| (answer, None))
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body)
        .map_err(|error| format!("an answer that is no Alertmanager's: {error}"))
}

/// Takes note of the far end's clock. `true`: what it was told has wrong times.
pub(super) fn learn(skew: &mut Skew, came: &Came) -> bool {
    let header = came.as_ref().ok().and_then(|answer| answer.date.as_deref());
    header
        .and_then(date)
        .is_some_and(|there| skew.learn(there, clock::now().wall))
}

/// The name of a member, in logs and metrics.
pub(super) fn name(client: &Client) -> Arc<str> {
    client.url().to_string().into()
}
