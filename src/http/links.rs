//! `/a/{token}`: acknowledgement links ([`crate::ack_links`]). `GET` shows, `POST` acknowledges.
//!
//! ```text
//!  token ──▶ ours, whole, in time? ──▶ whose name? ──▶ standing ──POST──▶ engine ──▶ page
//!              400 403 404 410            403 400         410              429 503     200
//! ```
//!
//! The link is the credential, so nobody asks for the name of the host or the origin of the page that sent the form
//! (`guard`): whoever has the token could as well have opened the link. Without it nothing is said of any alarm.
//! Pages need no script, load nothing, tell no other site where the reader came from, and are kept by nobody. The
//! token stands in no log and in no metric.
//!
//! | bound | when reached |
//! |---|---|
//! | connections, headers, bodies, time | as for every page (`server`, `guard`) |
//! | answers of good links that reach the engine | 429, or what stands: as `links/turnstile.rs` says |
//! | buttons of a page | the persons of the configuration |

mod page;
mod turnstile;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Form;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use self::page::Button;
use self::turnstile::Turnstile;
use super::App;
use super::alarms::DEADLINE;
use super::reply::Refusal;
use crate::ack_links::{AlarmTag, Claim, Flaw, Links, PersonTag, Readers, Standing, standing};
use crate::clock;
use crate::engine::command::{Action, Call, Command, Denied, Outcome};
use crate::engine::drill;
use crate::engine::effect::Via;
use crate::engine::snapshot::AlarmRecord;
use crate::evaluation::DeskError;
use crate::wording::{Answer, Context, Language, sheet};

/// What became of links, for metrics.
pub const RESULTS: [&str; 13] = [
    "waits",
    "acknowledged",
    "already_acknowledged",
    "called_again",
    "over",
    "unknown",
    "expired",
    "foreign_site",
    "wrong_signature",
    "malformed",
    "not_a_reader",
    "too_many",
    "unavailable",
];

/// What links are answered with.
#[derive(Debug)]
pub struct LinkPages {
    links: Arc<Links>,
    context: Context,
    /// Names of alarms by what stands for them in tokens; `None`: it stands for several.
    alarms: BTreeMap<AlarmTag, Option<Arc<str>>>,
    turnstile: Mutex<Turnstile>,
}

impl LinkPages {
    /// For the alarms of `context`.
    pub fn new(links: Arc<Links>, context: Context) -> Self {
        let mut alarms = BTreeMap::new();
        for name in context.alarms() {
            let known = alarms.entry(AlarmTag::of(&name)).or_insert(None);
            let first = known.is_none();
            *known = first.then(|| name.into());
        }
        Self {
            links,
            context,
            alarms,
            turnstile: Mutex::default(),
        }
    }

    fn alarm(&self, claim: &Claim) -> Option<String> {
        let name = self.alarms.get(&claim.alarm)?.as_deref()?;
        match claim.drill {
            true => Some(drill::name(name)),
            false => Some(name.to_owned()),
        }
    }

    /// Ids of those who may answer with it.
    fn readers(&self, readers: &Readers) -> Vec<&str> {
        let everybody = self.context.readers.persons.keys().map(String::as_str);
        let named: &[PersonTag] = match readers {
            Readers::One(person) => std::slice::from_ref(person),
            Readers::Several(persons) if persons.is_empty() => return everybody.collect(),
            Readers::Several(persons) => persons,
        };
        everybody
            .filter(|id| named.contains(&PersonTag::of(id)))
            .collect()
    }

    fn turnstile(&self) -> MutexGuard<'_, Turnstile> {
        // Whole between calls.
        let turnstile = self.turnstile.lock();
        turnstile.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A good link, and what it is about.
struct Visit<'p> {
    pages: &'p LinkPages,
    claim: Claim,
    readers: Vec<&'p str>,
    language: Language,
    record: Option<AlarmRecord>,
}

/// Shows; changes nothing, whoever opens it.
pub(super) async fn show(
    State(app): State<App>,
    token: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let pages = open(&app)?;
    let visit = match Visit::begin(&app, pages, token) {
        Ok(visit) => visit,
        Err(answer) => return Ok(alone(&app, pages, answer)),
    };
    let answer = visit.answer();
    Ok(visit.page(&app, answer))
}

/// What the form says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    by: String,
}

/// Acknowledges.
pub(super) async fn act(
    State(app): State<App>,
    token: Result<Path<String>, PathRejection>,
    form: Result<Form<Choice>, FormRejection>,
) -> Result<Response, Refusal> {
    let pages = open(&app)?;
    let visit = match Visit::begin(&app, pages, token) {
        Ok(visit) => visit,
        Err(answer) => return Ok(alone(&app, pages, answer)),
    };
    let chosen = form.map_or_else(|_none| String::new(), |Form(choice)| choice.by);
    let by = match &visit.claim.readers {
        Readers::One(_) => visit.readers.first().copied(),
        Readers::Several(_) => visit.readers.iter().copied().find(|id| **id == *chosen),
    };
    let Some(by) = by else {
        return Ok(visit.page(&app, Answer::NotAReader));
    };
    let (answer, now) = (visit.answer(), clock::monotonic());
    if answer == Answer::Waits {
        if !pages.turnstile().waits(&visit.claim, now) {
            return Ok(visit.page(&app, Answer::TooMany));
        }
    } else {
        let late = matches!(answer, Answer::AlreadyAcknowledged { .. });
        if !(late && pages.turnstile().comes_late(&visit.claim, by, now)) {
            return Ok(visit.page(&app, answer));
        }
    }
    Ok(visit.acknowledge(&app, by).await)
}

/// The pages, when there are links.
fn open(app: &App) -> Result<&LinkPages, Refusal> {
    let pages = app.links.as_deref();
    pages.ok_or_else(|| Refusal::not_found("this gateway makes no links; see [acknowledge_links]"))
}

/// A page that says nothing of any alarm.
fn alone(app: &App, pages: &LinkPages, answer: Answer<'_>) -> Response {
    app.metrics.acknowledge_link(result(answer));
    let language = pages.context.readers.language;
    let sheet = sheet(answer, None, false, language, &pages.context);
    page::page(status(answer), &sheet, &[])
}

impl<'p> Visit<'p> {
    fn begin(
        app: &App,
        pages: &'p LinkPages,
        token: Result<Path<String>, PathRejection>,
    ) -> Result<Self, Answer<'static>> {
        let token = token.map_or_else(|_undecodable| String::new(), |Path(token)| token);
        let claim = pages.links.read(&token, clock::now().wall);
        let claim = claim.map_err(|flaw| match flaw {
            Flaw::Broken => Answer::Broken,
            Flaw::Foreign => Answer::Foreign,
            Flaw::Forged => Answer::Forged,
            Flaw::Expired(at) => Answer::Expired(at),
        })?;
        let readers = pages.readers(&claim.readers);
        let language = match (&claim.readers, readers.as_slice()) {
            (Readers::One(_), [person]) => pages.context.language_of(person),
            (Readers::One(_), _) => return Err(Answer::NotAReader),
            (Readers::Several(_), _) => pages.context.readers.language,
        };
        let alarm = pages.alarm(&claim).ok_or(Answer::Unknown)?;
        Ok(Self {
            record: app.feed.state(&alarm),
            pages,
            claim,
            readers,
            language,
        })
    }

    /// How it stands with the link.
    fn answer(&self) -> Answer<'_> {
        match standing(self.record.as_ref(), &self.claim) {
            Standing::Waits => Answer::Waits,
            Standing::Answered(first) => Answer::AlreadyAcknowledged {
                by: &first.by,
                at: first.at,
            },
            Standing::CalledAgain => Answer::CalledAgain,
            Standing::Over => Answer::Over,
            Standing::Unknown => Answer::Unknown,
        }
    }

    /// Asks the engine and waits for the commit, as for every command.
    async fn acknowledge(mut self, app: &App, by: &str) -> Response {
        let alarm = self.record.as_ref().map(|record| record.alarm.to_string());
        let command = Command {
            alarm: alarm.unwrap_or_default(),
            action: Action::AcknowledgeCall(Call {
                occurrence: self.claim.occurrence,
                annunciation: self.claim.annunciation,
                via: match self.claim.readers {
                    Readers::One(_) => Via::Link,
                    Readers::Several(_) => Via::SharedLink,
                },
            }),
            by: by.to_owned(),
            comment: None,
        };
        let name = command.alarm.clone();
        let answered = tokio::time::timeout(DEADLINE, app.desk.command(command)).await;
        // As it is now.
        self.record = app.feed.state(&name);
        let answer = match &answered {
            Ok(Ok(answer)) => match &answer.outcome {
                Outcome::Accepted { at, .. } => Answer::Acknowledged {
                    by,
                    at: *at,
                    durable: answer.durable,
                },
                Outcome::AlreadyDone { first, .. } => Answer::AlreadyAcknowledged {
                    by: &first.by,
                    at: first.at,
                },
            },
            Ok(Err(DeskError::Denied(Denied::CalledAgain))) => Answer::CalledAgain,
            Ok(Err(DeskError::Denied(Denied::UnknownAlarm(_)))) => Answer::Unknown,
            Ok(Err(DeskError::Denied(_))) => Answer::Over,
            Ok(Err(DeskError::Busy | DeskError::Silent)) | Err(_) => Answer::Unavailable,
        };
        self.page(app, answer)
    }

    fn page(&self, app: &App, answer: Answer<'_>) -> Response {
        app.metrics.acknowledge_link(result(answer));
        let about = self.record.as_ref();
        let about = about.map(|record| (record, self.claim.occurrence));
        let asks = matches!(self.claim.readers, Readers::Several(_));
        let sheet = sheet(answer, about, asks, self.language, &self.pages.context);
        let buttons = if answer == Answer::Waits {
            self.buttons(asks)
        } else {
            Vec::new()
        };
        page::page(status(answer), &sheet, &buttons)
    }

    /// One to press, or one for each name.
    fn buttons(&self, asks: bool) -> Vec<Button> {
        let persons = &self.pages.context.readers.persons;
        let button = |id: &&str| {
            let name = persons.get(*id).map(|person| person.name.as_str());
            Button {
                by: (*id).to_owned(),
                words: crate::wording::button(self.language, name.filter(|_| asks)),
            }
        };
        self.readers.iter().map(button).collect()
    }
}

/// For metrics.
const fn result(answer: Answer<'_>) -> &'static str {
    match answer {
        Answer::Waits => "waits",
        Answer::Acknowledged { .. } => "acknowledged",
        Answer::AlreadyAcknowledged { .. } => "already_acknowledged",
        Answer::CalledAgain => "called_again",
        Answer::Over => "over",
        Answer::Unknown => "unknown",
        Answer::Expired(_) => "expired",
        Answer::Foreign => "foreign_site",
        Answer::Forged => "wrong_signature",
        Answer::Broken => "malformed",
        Answer::NotAReader => "not_a_reader",
        Answer::TooMany => "too_many",
        Answer::Unavailable => "unavailable",
    }
}

const fn status(answer: Answer<'_>) -> StatusCode {
    match answer {
        Answer::Waits | Answer::Acknowledged { .. } | Answer::AlreadyAcknowledged { .. } => {
            StatusCode::OK
        }
        Answer::CalledAgain | Answer::Over | Answer::Unknown | Answer::Expired(_) => {
            StatusCode::GONE
        }
        Answer::Foreign => StatusCode::NOT_FOUND,
        Answer::Forged | Answer::NotAReader => StatusCode::FORBIDDEN,
        Answer::Broken => StatusCode::BAD_REQUEST,
        Answer::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Answer::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}
