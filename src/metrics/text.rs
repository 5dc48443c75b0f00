//! The text format 0.0.4, written straight into the page.
//!
//! The `prometheus` crate makes a tree of small objects before it writes a line: for thousands of
//! points that is many times the page itself, and memory that a process once had it rarely gives
//! back. Its counters and histograms are few and stay with it.

use std::fmt::Write;

/// What a family's numbers mean.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
}

/// One family; its head is written with its first series, so that an empty one leaves no trace.
#[derive(Debug)]
pub(super) struct Family<'t> {
    text: &'t mut String,
    name: &'t str,
    help: &'t str,
    kind: Kind,
    begun: bool,
}

impl<'t> Family<'t> {
    /// `name` is a metric's name, and `help` one line without a backslash: both are ours.
    pub(super) const fn new(
        text: &'t mut String,
        name: &'t str,
        help: &'t str,
        kind: Kind,
    ) -> Self {
        Self {
            text,
            name,
            help,
            kind,
            begun: false,
        }
    }

    /// One line. Label values may be anything; they are escaped.
    pub(super) fn series(&mut self, labels: &[(&str, &str)], value: f64) {
        if !self.begun {
            self.begun = true;
            let (name, help) = (self.name, self.help);
            let kind = match self.kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
            };
            write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect(INFALLIBLE);
        }
        self.text.push_str(self.name);
        let mut before = '{';
        for (label, content) in labels {
            self.text.push(before);
            before = ',';
            self.text.push_str(label);
            self.text.push_str("=\"");
            escape(self.text, content);
            self.text.push('"');
        }
        if before == ',' {
            self.text.push('}');
        }
        writeln!(self.text, " {value}").expect(INFALLIBLE);
    }
}

const INFALLIBLE: &str = "writing to a String cannot fail";

fn escape(text: &mut String, mut content: &str) {
    while let Some(at) = content.find(['\\', '"', '\n']) {
        let (plain, rest) = content.split_at(at);
        text.push_str(plain);
        text.push_str(match rest.as_bytes()[0] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        });
        content = &rest[1..];
    }
    text.push_str(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_one_head_and_escaped_labels() {
        let mut text = String::new();
        let mut family = Family::new(&mut text, "a_b", "Words.", Kind::Gauge);
        family.series(&[], 1.0);
        family.series(&[("x", "é\"\\\n"), ("y", "")], 0.25);
        let lines = concat!(
            "# HELP a_b Words.\n# TYPE a_b gauge\na_b 1\n",
            "a_b{x=\"é\\\"\\\\\\n\",y=\"\"} 0.25\n"
        );
        assert_eq!(text, lines);
    }

    #[test]
    fn an_empty_family_leaves_no_trace() {
        let mut text = String::new();
        let _family = Family::new(&mut text, "a_b", "Words.", Kind::Counter);
        assert!(text.is_empty());
    }
}
