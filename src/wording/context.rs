//! What is known about alarms, persons and the place beyond the events.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Language;
use super::duties::Duties;
use crate::engine::drill::drilled;
use crate::guidance::{Directory, Guidance};

/// Somebody who is told. As configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Plain name; the id when none was written.
    pub name: String,
    /// What they read; absent: as the site does.
    pub language: Option<Language>,
    /// Where mail goes.
    pub email: Option<String>,
    /// Where calls and text messages go.
    pub phone: Option<String>,
}

impl Person {
    /// The name, and how to reach them at 03:00.
    pub fn label(&self) -> String {
        let reach = [&self.phone, &self.email].into_iter().flatten();
        let reach: Vec<&str> = reach.map(String::as_str).collect();
        if reach.is_empty() {
            return self.name.clone();
        }
        format!("{} ({})", self.name, reach.join(", "))
    }
}

/// Who reads letters, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readers {
    /// What a person reads who said nothing else, and an output.
    pub language: Language,
    /// Whose local time is shown; UTC stands beside any other.
    pub zone: TimeZone,
    /// Persons by id.
    pub persons: Arc<BTreeMap<String, Person>>,
    /// Who of them answers for what.
    pub duties: Arc<Duties>,
}

impl Default for Readers {
    /// English, UTC, nobody.
    fn default() -> Self {
        Self {
            language: Language::default(),
            zone: TimeZone::UTC,
            persons: Arc::default(),
            duties: Arc::default(),
        }
    }
}

/// The same for all letters of one run of the gateway; cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    /// The site, as configured.
    pub site: Arc<str>,
    /// Who reads.
    pub readers: Readers,
    /// Where the operator page is, as people reach it; without a slash at its end.
    pub link: Option<Arc<str>>,
    guidance: Arc<Directory>,
}

impl Context {
    /// Without a link.
    pub fn new(site: impl Into<Arc<str>>, guidance: Arc<Directory>, readers: Readers) -> Self {
        Self {
            site: site.into(),
            readers,
            link: None,
            guidance,
        }
    }

    /// What is written about `alarm`, `POINT/kind`; a drill has the words of what it exercises.
    pub fn guidance(&self, alarm: &str) -> Option<&Guidance> {
        self.guidance.find(drilled(alarm).unwrap_or(alarm))
    }

    /// What is written about each alarm, in the order of the configuration.
    pub fn all(&self) -> &[Guidance] {
        self.guidance.all()
    }

    /// The ids of all alarms.
    pub fn alarms(&self) -> impl Iterator<Item = String> {
        self.guidance.all().iter().map(Guidance::alarm)
    }

    /// What this person reads.
    pub fn language_of(&self, person: &str) -> Language {
        let person = self.readers.persons.get(person);
        person
            .and_then(|person| person.language)
            .unwrap_or(self.readers.language)
    }
}
