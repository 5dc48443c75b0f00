//! Bodies from templates: minijinja, sandboxed by nature, strict about what is not there.
//!
//! In a template for JSON `{{ title }}` writes a JSON string, quotes included; nothing that an event says
//! can break out of it. A name that is not there is a mistake when the configuration is checked. In the running
//! gateway, where an alarm must not be lost for it, such a name is empty, counted and told.

use std::fmt;
use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};

/// Longest body, bytes.
pub const BODY_LIMIT: usize = 256 * 1024;

/// The text of a template.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// The file or preset, for messages.
    pub name: Arc<str>,
    /// The template.
    pub text: Arc<str>,
    /// It makes JSON.
    pub is_json: bool,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The whole text: a configuration with another template is another one.
        write!(f, "{:?}", (&self.name, &self.text))
    }
}

/// A template ready for use.
pub struct Template {
    source: Source,
    strict: Environment<'static>,
    lenient: Environment<'static>,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// What is wrong with it, with its line.
    pub fn new(source: Source) -> Result<Self, String> {
        let compile = |undefined| {
            let mut environment = Environment::new();
            environment.set_undefined_behavior(undefined);
            let escape = if source.is_json {
                AutoEscape::Json
            } else {
                AutoEscape::None
            };
            environment.set_auto_escape_callback(move |_name| escape);
            environment.add_filter("cut", cut);
            environment.add_filter("cut_bytes", cut_bytes);
            let (name, text) = (source.name.to_string(), source.text.to_string());
            environment
                .add_template_owned(name, text)
                .map_err(|error| words(&source.name, &error))?;
            Ok::<_, String>(environment)
        };
        Ok(Self {
            strict: compile(UndefinedBehavior::Strict)?,
            lenient: compile(UndefinedBehavior::Chainable)?,
            source,
        })
    }

    /// The body for `facts`; every name must be there.
    ///
    /// # Errors
    /// What is wrong, with its line; also when it is no JSON and should be.
    pub fn strict(&self, facts: &Value) -> Result<String, String> {
        self.render(&self.strict, facts)
    }

    /// The body for `facts`; what is not there is empty.
    ///
    /// # Errors
    /// It cannot be made all the same.
    pub fn lenient(&self, facts: &Value) -> Result<String, String> {
        self.render(&self.lenient, facts)
    }

    fn render(&self, environment: &Environment<'_>, facts: &Value) -> Result<String, String> {
        let name = &*self.source.name;
        let words = |error: &Error| words(name, error);
        let template = environment
            .get_template(name)
            .map_err(|error| words(&error))?;
        let body = template.render(facts).map_err(|error| words(&error))?;
        let body = body.trim();
        if body.len() > BODY_LIMIT {
            return Err(format!(
                "{name}: the body is longer than {BODY_LIMIT} bytes"
            ));
        }
        if self.source.is_json
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(body)
        {
            return Err(format!(
                "{name}: it does not make JSON: {error} of the body; write texts as {{{{ title }}}}, without quotes"
            ));
        }
        Ok(body.to_owned())
    }
}

fn words(name: &str, error: &Error) -> String {
    let place = error
        .line()
        .map_or_else(String::new, |line| format!(":{line}"));
    let detail = error
        .detail()
        .map_or_else(String::new, |it| format!(": {it}"));
    format!("{name}{place}: {}{detail}", error.kind())
}

/// At most so many characters, with `keep` in a line at the end if it would be cut off.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature minijinja calls"
)]
fn cut(text: String, most: usize, keep: Option<String>) -> String {
    let end = |most| {
        let mut ends = text.char_indices().map(|(index, _)| index);
        ends.nth(most).unwrap_or(text.len())
    };
    let room = |tail: &str| most.checked_sub(tail.chars().count());
    cut_at(&text, most, keep.as_deref(), room, end)
}

/// At most so many bytes of UTF-8, and whole characters, with `keep` in a line at the end if it would be cut off.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature minijinja calls"
)]
fn cut_bytes(text: String, most: usize, keep: Option<String>) -> String {
    let end = |most| text.floor_char_boundary(most);
    let room = |tail: &str| most.checked_sub(tail.len());
    cut_at(&text, most, keep.as_deref(), room, end)
}

/// `end` says where a length ends in the text, `room` what a tail leaves of `most`, if anything.
fn cut_at(
    text: &str,
    most: usize,
    keep: Option<&str>,
    room: impl Fn(&str) -> Option<usize>,
    end: impl Fn(usize) -> usize,
) -> String {
    let shown = &text[..end(most)];
    let lost = keep.filter(|keep| shown.len() < text.len() && !shown.contains(keep));
    let tail = lost.map(|keep| format!("...\n{keep}"));
    match tail.as_deref().map(|tail| (tail, room(tail))) {
        Some((tail, Some(room))) => format!("{}{tail}", &text[..end(room)]),
        Some((_, None)) | None => shown.to_owned(),
    }
}
