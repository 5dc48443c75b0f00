//! Templates: the id of a point from the named parts of a topic and from fields of the payload.
//!
//! ```text
//! {area}-{point}     of the topic plant/{area}/{point}
//! {device}-{/name}   {/name} is what stands at this JSON pointer in the payload
//! ```
//!
//! A template also works backwards: given an id it says which parts the topic must have had, if only
//! one answer is possible. So whoever is told that a source is gone knows whose it was before the source
//! has ever spoken.

use super::pointer::Pointer;
use super::topic::{Captures, check_names};

/// The longest id that is made, bytes: a longer one is none of ours.
pub const LONGEST_ID: usize = 256;

/// Steps of the search for what an id was made of; beyond, it counts as ambiguous.
const MOST_STEPS: usize = 10_000;

/// How the id of a point is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
    Field(Pointer),
}

/// Why there is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoId {
    /// Nothing, or neither text nor whole number, stands at a field.
    Field,
    /// Longer than [`LONGEST_ID`].
    TooLong,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence that begins with the template.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, inner)) = rest.split_once('{') {
            let Some((inner, after)) = inner.split_once('}') else {
                return Err("has a `{` without its `}`".into());
            };
            parts.push(literal(before)?);
            parts.push(if inner.starts_with(['/', '$']) {
                let pointer = Pointer::parse(inner);
                Part::Field(pointer.ok_or_else(|| format!("has `{{{inner}}}`, no JSON pointer"))?)
            } else {
                Part::Name(inner.to_owned())
            });
            rest = after;
        }
        parts.push(literal(rest)?);
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        if parts.is_empty() {
            return Err("is empty".into());
        }
        let template = Self { parts };
        check_names(&template.names().collect::<Vec<_>>())?;
        Ok(template)
    }

    /// The names in it, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) | Part::Field(_) => None,
        })
    }

    /// Does it need the payload?
    pub fn has_fields(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| matches!(part, Part::Field(_)))
    }

    /// The id. `field` says what stands at a pointer. A name that is not among `captures` stands for
    /// nothing; the configuration has checked that there is none.
    pub(super) fn render(
        &self,
        captures: &Captures,
        field: impl Fn(&Pointer) -> Option<String>,
    ) -> Result<String, NoId> {
        let mut id = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => id.push_str(text),
                Part::Name(name) => id.push_str(captures.get(name).unwrap_or_default()),
                Part::Field(pointer) => id.push_str(&field(pointer).ok_or(NoId::Field)?),
            }
        }
        if id.len() > LONGEST_ID {
            return Err(NoId::TooLong);
        }
        Ok(id)
    }

    /// What an id is made of: its parts, so that no two ways to make it are alike. Empty when there is one way only.
    pub(super) fn parts(
        &self,
        captures: &Captures,
        field: impl Fn(&Pointer) -> Option<String>,
    ) -> String {
        let mut parts = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(_) => {}
                Part::Name(name) => parts.push(captures.get(name).unwrap_or_default().to_owned()),
                Part::Field(pointer) => parts.push(field(pointer).unwrap_or_default()),
            }
        }
        match parts.len() {
            0 | 1 => String::new(),
            // Which can stand in no id.
            _ => parts.join("\0"),
        }
    }

    /// Can it give this id?
    pub fn fits(&self, id: &str) -> bool {
        let mut search = Search::default();
        search.run(&self.parts, id, &mut Vec::new());
        search.count > 0 || search.steps > MOST_STEPS
    }

    /// The only named parts that give this id; `None` when there are several, or fields hide them.
    pub(super) fn solve(&self, id: &str) -> Option<Captures> {
        let mut search = Search::default();
        search.run(&self.parts, id, &mut Vec::new());
        let is_clear = search.count == 1 && search.steps <= MOST_STEPS;
        search.first.filter(|_| is_clear)
    }
}

/// All ways to make an id, two at most.
#[derive(Debug, Default)]
struct Search {
    count: usize,
    steps: usize,
    first: Option<Captures>,
}

impl Search {
    fn run<'p>(&mut self, parts: &'p [Part], id: &str, taken: &mut Vec<(&'p str, String)>) {
        self.steps += 1;
        if self.count > 1 || self.steps > MOST_STEPS {
            return;
        }
        let Some((part, rest)) = parts.split_first() else {
            if id.is_empty() {
                self.found(taken);
            }
            return;
        };
        if let Part::Text(text) = part {
            if let Some(id) = id.strip_prefix(&**text) {
                self.run(rest, id, taken);
            }
            return;
        }
        let ends = id.char_indices().map(|(at, c)| at + c.len_utf8());
        for end in ends {
            let (value, left) = id.split_at(end);
            let name = match part {
                Part::Name(name) => Some(name.as_str()),
                Part::Text(_) | Part::Field(_) => None,
            };
            taken.extend(name.map(|name| (name, value.to_owned())));
            self.run(rest, left, taken);
            if name.is_some() {
                taken.pop();
            }
        }
    }

    fn found(&mut self, taken: &[(&str, String)]) {
        self.count += 1;
        let mut captures = Captures::default();
        for (name, value) in taken {
            captures.push(name, value);
        }
        self.first.get_or_insert(captures);
    }
}

/// What stands between names must be able to stand in an id.
fn literal(text: &str) -> Result<Part, String> {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    if text.contains('}') {
        return Err("has a `}` without its `{`".into());
    }
    if let Some(bad) = text.chars().find(|c| !good(*c)) {
        return Err(format!(
            "gives no id: `{}` stands in none",
            bad.escape_default()
        ));
    }
    Ok(Part::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).expect("a template")
    }

    fn captures(parts: &[(&str, &str)]) -> Captures {
        let mut captures = Captures::default();
        for (name, value) in parts {
            captures.push(name, value);
        }
        captures
    }

    #[test]
    fn ids_are_made_of_parts() {
        let parts = captures(&[("area", "hall"), ("point", "p1")]);
        let field = |pointer: &Pointer| (pointer.to_string() == "/n").then(|| "7".to_owned());
        for (text, expected) in [
            ("{area}-{point}", Ok("hall-p1")),
            ("{point}", Ok("p1")),
            ("T-{/n}.{area}", Ok("T-7.hall")),
            ("T-{/m}", Err(NoId::Field)),
            ("fixed", Ok("fixed")),
        ] {
            let id = template(text).render(&parts, field);
            assert_eq!(id, expected.map(str::to_owned), "{text}");
        }
        let long = captures(&[("area", &"x".repeat(LONGEST_ID + 1))]);
        let id = template("{area}").render(&long, field);
        assert_eq!(id, Err(NoId::TooLong));
    }

    #[test]
    fn an_id_tells_its_parts_when_there_is_one_answer() {
        type Case = (
            &'static str,
            &'static str,
            Option<&'static [(&'static str, &'static str)]>,
        );
        let cases: [Case; 8] = [
            (
                "{area}-{point}",
                "hall-p1",
                Some(&[("area", "hall"), ("point", "p1")]),
            ),
            ("{area}-{point}", "hall-1-p1", None),
            (
                "{area}{point}",
                "ab",
                Some(&[("area", "a"), ("point", "b")]),
            ),
            ("{area}{point}", "abc", None),
            ("{device}-t", "a-b-t", Some(&[("device", "a-b")])),
            ("{device}-t", "a-b-u", None),
            ("{device}-{/n}", "a-b", Some(&[("device", "a")])),
            ("fixed", "fixed", Some(&[])),
        ];
        for (text, id, expected) in cases {
            let expected = expected.map(captures);
            assert_eq!(template(text).solve(id), expected, "{text} {id}");
        }
        assert!(template("{area}-{point}").fits("hall-1-p1"));
        assert!(!template("{area}-{point}").fits("hall"));
        assert!(!template("{area}-t").fits("-t"), "a part is never empty");
        let hard = "{a}{b}{c}{d}{e}{f}{g}-";
        assert_eq!(template(hard).solve(&"x".repeat(64)), None);
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (text, why) in [
            ("", "is empty"),
            ("a/b", "`/` stands in none"),
            ("a b", "stands in none"),
            ("{a", "without its `}`"),
            ("a}", "without its `{`"),
            ("{a}{a}", "twice"),
            ("{}", "has the name"),
            ("{/a~2}", "no JSON pointer"),
        ] {
            let error = Template::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        /// What was put in is what is found again, or nothing is.
        #[test]
        fn solving_never_gives_wrong_parts(
            a in "[a-c-]{1,4}", b in "[a-c-]{1,4}",
            text in prop::sample::select(vec!["{a}-{b}", "{a}{b}", "x{b}.{a}", "{a}", "{b}-"]),
        ) {
            let parts = captures(&[("a", &a), ("b", &b)]);
            let template = template(text);
            let id = template.render(&parts, |_| None).expect("an id");
            prop_assert!(template.fits(&id));
            if let Some(solved) = template.solve(&id) {
                prop_assert!(parts.holds(&solved), "{:?} {:?}", solved, parts);
            }
        }
    }
}
