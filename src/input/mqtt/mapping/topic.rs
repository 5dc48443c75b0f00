//! Patterns of topics: which topics are meant, and which parts of them have names.
//!
//! ```text
//! plant/{area}/{point}        {area} and {point} are one level each
//! tele/dev-{id}/SENSOR        {id} is the rest of a level
//! shellies/+/info/#           + is any level, # is everything from there on
//! ```
//!
//! A broker knows only `+` and `#`, so it is asked for more than a pattern means when a name is part of
//! a level; what comes beyond is told apart here.

use std::fmt;

/// Named parts in one pattern or template at most.
pub const MOST_CAPTURES: usize = 8;

/// The longest topic that can be asked for, bytes.
pub const LONGEST_TOPIC: usize = 1_024;

/// Which topics are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPattern {
    levels: Vec<Level>,
    /// Does it end with `#`?
    is_open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Exact(String),
    Any,
    Named {
        before: String,
        name: String,
        after: String,
    },
}

/// The named parts of one topic, in the order of the pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures(Vec<(String, String)>);

impl Captures {
    /// What stands under `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Adds a part.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Adds the parts of another text; names differ.
    pub(super) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Are all parts of `other` here, and the same?
    pub(super) fn holds(&self, other: &Self) -> bool {
        let mut parts = other.0.iter();
        parts.all(|(name, value)| self.get(name) == Some(value))
    }
}

impl TopicPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence that begins with the pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > LONGEST_TOPIC || text.contains(char::is_control) {
            return Err(format!(
                "is no topic: it has from 1 to {LONGEST_TOPIC} bytes, without control characters"
            ));
        }
        if is_shared(text) {
            return Err(
                "is a subscription shared with others: each message would reach only one of them, and not under \
                 this topic"
                    .to_owned(),
            );
        }
        let mut texts: Vec<&str> = text.split('/').collect();
        let is_open = texts.last() == Some(&"#");
        if is_open {
            texts.pop();
        }
        let levels = texts.into_iter().map(level);
        let levels = levels.collect::<Result<Vec<_>, _>>()?;
        let pattern = Self { levels, is_open };
        check_names(&pattern.names().collect::<Vec<_>>())?;
        Ok(pattern)
    }

    /// A pattern of nothing but `topic`.
    pub fn exact(topic: &str) -> Self {
        let levels = topic.split('/');
        Self {
            levels: levels.map(|level| Level::Exact(level.to_owned())).collect(),
            is_open: false,
        }
    }

    /// The names in it, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().filter_map(|level| match level {
            Level::Named { name, .. } => Some(name.as_str()),
            Level::Exact(_) | Level::Any => None,
        })
    }

    /// The topic, when only one is meant.
    pub fn as_exact(&self) -> Option<String> {
        let levels = self.levels.iter().map(|level| match level {
            Level::Exact(text) => Some(text.as_str()),
            Level::Any | Level::Named { .. } => None,
        });
        let levels: Option<Vec<&str>> = levels.collect();
        levels.filter(|_| !self.is_open).map(|all| all.join("/"))
    }

    /// What the broker is asked for.
    pub fn filter(&self) -> String {
        let levels = self.levels.iter().map(|level| match level {
            Level::Exact(text) => text.as_str(),
            Level::Any | Level::Named { .. } => "+",
        });
        let end = self.is_open.then_some("#");
        levels.chain(end).collect::<Vec<_>>().join("/")
    }

    /// The named parts of `topic`, if it is meant. A topic that begins with `$` is the broker's own and
    /// meant by its exact first level only (MQTT 3.1.1, 4.7.2).
    pub fn captures(&self, topic: &str) -> Option<Captures> {
        let mut captures = Captures::default();
        let mut texts = topic.split('/');
        for (position, level) in self.levels.iter().enumerate() {
            let text = texts.next()?;
            let is_own = position == 0 && text.starts_with('$');
            match level {
                Level::Exact(exact) if exact == text => {}
                Level::Any if !is_own => {}
                Level::Named {
                    before,
                    name,
                    after,
                } if !is_own => {
                    let part = text.strip_prefix(&**before)?.strip_suffix(&**after)?;
                    if part.is_empty() {
                        return None;
                    }
                    captures.push(name, part);
                }
                Level::Exact(_) | Level::Any | Level::Named { .. } => return None,
            }
        }
        if self.levels.is_empty() && topic.starts_with('$') {
            return None;
        }
        (self.is_open || texts.next().is_none()).then_some(captures)
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, level) in self.levels.iter().enumerate() {
            if position > 0 {
                f.write_str("/")?;
            }
            match level {
                Level::Exact(text) => f.write_str(text)?,
                Level::Any => f.write_str("+")?,
                Level::Named {
                    before,
                    name,
                    after,
                } => write!(f, "{before}{{{name}}}{after}")?,
            }
        }
        match (self.is_open, self.levels.is_empty()) {
            (true, true) => f.write_str("#"),
            (true, false) => f.write_str("/#"),
            (false, _) => Ok(()),
        }
    }
}

/// Does a broker take it for a subscription that several clients share (MQTT 5, 4.8.2)?
pub fn is_shared(text: &str) -> bool {
    let mut levels = text.split('/');
    matches!(levels.next(), Some("$share" | "$queue"))
}

fn level(text: &str) -> Result<Level, String> {
    if text == "+" {
        return Ok(Level::Any);
    }
    if text.contains(['+', '#']) {
        return Err(
            "has `+` or `#` in the wrong place: `+` is a whole level, `#` the last one".into(),
        );
    }
    let Some((before, rest)) = text.split_once('{') else {
        if text.contains('}') {
            return Err("has a `}` without its `{`".into());
        }
        return Ok(Level::Exact(text.to_owned()));
    };
    let Some((name, after)) = rest.split_once('}') else {
        return Err("has a `{` without its `}`".into());
    };
    if before.contains('}') || after.contains(['{', '}']) {
        return Err("has two names in one level: where one ends nobody knows".into());
    }
    Ok(Level::Named {
        before: before.to_owned(),
        name: name.to_owned(),
        after: after.to_owned(),
    })
}

/// Names are words, each stands there once, and there are not too many.
pub(super) fn check_names(names: &[&str]) -> Result<(), String> {
    let is_word = |name: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !name.is_empty() && name.len() <= 32 && name.chars().all(good)
    };
    if let Some(name) = names.iter().find(|name| !is_word(name)) {
        return Err(format!(
            "has the name `{{{name}}}`: a name is made of up to 32 letters, digits and `_`"
        ));
    }
    let twice = |at: &usize| names[..*at].contains(&names[*at]);
    if let Some(at) = (0..names.len()).find(twice) {
        return Err(format!("has the name `{{{}}}` twice", names[at]));
    }
    if names.len() > MOST_CAPTURES {
        return Err(format!("has more than {MOST_CAPTURES} names"));
    }
    Ok(())
}

/// Does every topic that `narrow` matches match `wide`, too?
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    if narrow.starts_with('$') && wide.starts_with(['+', '#']) {
        return false;
    }
    let (mut wide, mut narrow) = (wide.split('/'), narrow.split('/'));
    loop {
        match (wide.next(), narrow.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(wide), Some(narrow)) if wide == narrow && narrow != "#" => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> TopicPattern {
        TopicPattern::parse(text).expect("a pattern")
    }

    #[test]
    fn named_parts_are_found() {
        // pattern, topic, what the names stand for
        type Case = (
            &'static str,
            &'static str,
            Option<&'static [(&'static str, &'static str)]>,
        );
        let cases: [Case; 17] = [
            (
                "plant/{area}/{point}",
                "plant/hall/p1",
                Some(&[("area", "hall"), ("point", "p1")]),
            ),
            ("plant/{area}/{point}", "plant/hall", None),
            ("plant/{area}/{point}", "plant/hall/p1/x", None),
            ("plant/{area}/{point}", "plant//p1", None),
            ("plant/{area}/{point}", "Plant/hall/p1", None),
            ("dev-{id}-x/v", "dev-7-x/v", Some(&[("id", "7")])),
            ("dev-{id}-x/v", "dev--x/v", None),
            ("dev-{id}-x/v", "dev-x/v", None),
            ("+/v", "a/v", Some(&[])),
            ("+/v", "/v", Some(&[])),
            ("a/{b}/#", "a/1", Some(&[("b", "1")])),
            ("a/{b}/#", "a/1/2/3", Some(&[("b", "1")])),
            ("#", "a/b", Some(&[])),
            ("#", "$SYS/uptime", None),
            ("{a}/uptime", "$SYS/uptime", None),
            ("$SYS/{a}", "$SYS/uptime", Some(&[("a", "uptime")])),
            ("度/{a}", "度/点", Some(&[("a", "点")])),
        ];
        for (text, topic, expected) in cases {
            let pattern = pattern(text);
            assert_eq!(pattern.to_string(), text);
            let found = pattern.captures(topic);
            let found = found.as_ref().map(|found| {
                let pairs = found.0.iter();
                pairs
                    .map(|(name, value)| (&**name, &**value))
                    .collect::<Vec<_>>()
            });
            assert_eq!(found.as_deref(), expected, "{text} {topic}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, why) in [
            ("", "is no topic"),
            ("a/b+", "wrong place"),
            ("a/#/b", "wrong place"),
            ("a/{b", "without its `}`"),
            ("a/b}", "without its `{`"),
            ("a/{b}{c}", "two names in one level"),
            ("a/{}", "has the name `{}`"),
            ("a/{b c}", "has the name `{b c}`"),
            ("a/{点}", "has the name `{点}`"),
            ("{a}/{a}", "twice"),
            ("{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "more than 8"),
            ("a\u{7}", "is no topic"),
            ("$share/g/a/{b}", "shared with others"),
        ] {
            let error = TopicPattern::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn one_filter_covers_another() {
        for (wide, narrow, expected) in [
            ("a/+", "a/b", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "a/+/c", true),
            ("#", "+/b", true),
            ("a/+", "a/#", false),
            ("a/+", "a", false),
            ("a/b", "a/+", false),
            ("+/b", "a/+", false),
            ("#", "$SYS/x", false),
            ("a/b", "a/b", true),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        }
    }

    fn topic() -> impl Strategy<Value = String> {
        let level = prop::sample::select(vec!["", "a", "b", "dev-1", "dev-", "$x"]);
        prop::collection::vec(level, 1..5).prop_map(|levels| levels.join("/"))
    }

    fn any_pattern() -> impl Strategy<Value = String> {
        let level = prop::sample::select(vec!["a", "b", "", "+", "{n}", "dev-{m}", "$x"]);
        let end = prop::sample::select(vec!["", "/#"]);
        (prop::collection::vec(level, 1..4), end).prop_map(|(levels, end)| levels.join("/") + end)
    }

    proptest! {
        /// What a pattern means its filter asks for, and whatever covers the filter, too.
        #[test]
        fn no_topic_is_meant_and_not_asked_for(
            one in any_pattern(), other in any_pattern(), topic in topic(),
        ) {
            let (Ok(one), Ok(other)) = (TopicPattern::parse(&one), TopicPattern::parse(&other))
            else { return Ok(()) };
            let is_meant = one.captures(&topic).is_some();
            prop_assert!(!is_meant || covers(&one.filter(), &topic), "{} {}", one, topic);
            if is_meant && covers(&other.filter(), &one.filter()) {
                prop_assert!(covers(&other.filter(), &topic));
            }
            if let Some(exact) = one.as_exact() {
                prop_assert_eq!(is_meant, exact == topic);
            }
        }
    }
}
