//! Long documents, taken apart before they are parsed.
//!
//! To parse a text takes twenty times its size for a moment, and thousands of points are a long text. So it
//! is cut, and parsed part by part into the same tree:
//!
//! ```text
//!  site = "plant"       ┐
//!  [http]               ├ whole: what it names no other part may name
//!  listen = "..."       ┘
//!  [point.A]            ┐
//!  high = 5             │
//!  [point.A.alarm.low]  ├ shared: only tables in tables, so that another part may go on with `point`
//!  ...                  ┘
//!  [point.B]            ┐
//!  ...                  ┘
//! ```
//!
//! Only what cannot be told apart from the whole is taken: a mistake in any part, or a name in two of them,
//! and the text is parsed in one piece, so that every message is about the whole.

use std::ops::Range;

use toml::de::DeTable;
use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

use super::finding::Log;
use super::tree::{Entry, Origin, Section, Value, section};

/// Parts of tables in tables are cut when they are as long as this, bytes.
const LONG: usize = 64 << 10;

/// A stretch of a document that is a document, too.
#[derive(Debug, PartialEq)]
struct Part {
    bytes: Range<usize>,
    /// Are all its headers those of tables in tables, so that none says what a table of the root is?
    shared: bool,
}

/// The tree of `text`; `None`: it is to be read in one piece.
pub(super) fn read(text: &str, file: usize, log: &mut Log) -> Option<Section> {
    if text.len() < LONG {
        return None;
    }
    in_parts(text, LONG, file, log)
}

fn in_parts(text: &str, long: usize, file: usize, log: &mut Log) -> Option<Section> {
    let mut whole = Section::default();
    let mut shared = Vec::new();
    for part in cut(text, long) {
        let (document, mistakes) = DeTable::parse_recoverable(&text[part.bytes.clone()]);
        if !mistakes.is_empty() {
            return None;
        }
        let start = part.bytes.start;
        let part_of = section(document.into_inner(), Origin { file, start }, log);
        for entry in part_of.entries {
            let mut known = whole.entries.iter_mut().zip(&shared);
            match known.find(|(known, _)| known.key.value == entry.key.value) {
                None => {
                    whole.entries.push(entry);
                    shared.push(part.shared);
                }
                Some((known, true)) if part.shared => {
                    match (&mut known.item.value, entry.item.value) {
                        (Value::Table(old), Value::Table(new)) => old.entries.extend(new.entries),
                        _ => return None,
                    }
                }
                Some(_) => return None,
            }
        }
    }
    whole.entries.iter().all(is_told_once).then_some(whole)
}

/// Does every name stand in one part only?
fn is_told_once(entry: &Entry) -> bool {
    let Value::Table(table) = &entry.item.value else {
        return true;
    };
    let names = table.entries.iter();
    let mut names: Vec<&str> = names.map(|entry| entry.key.value.as_str()).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1])
}

/// Cuts before headers. What is no TOML is cut somewhere.
fn cut(text: &str, long: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Part {
        bytes: 0..text.len(),
        shared: false,
    };
    let mut before = "";
    for header in headers(text) {
        let entry = &text[header.entry];
        let is_long = header.start - part.bytes.start >= long && entry != before;
        if header.shared != part.shared || header.shared && is_long {
            part.bytes.end = header.start;
            parts.push(part);
            part = Part {
                bytes: header.start..text.len(),
                shared: header.shared,
            };
        }
        before = entry;
    }
    parts.push(part);
    parts
}

/// Where a table begins.
struct Header {
    start: usize,
    /// Its first two names.
    entry: Range<usize>,
    /// Is it a table in a table?
    shared: bool,
}

/// All headers, in their order.
fn headers(text: &str) -> impl Iterator<Item = Header> {
    let mut tokens = Source::new(text).lex();
    let mut depth = 0_usize;
    let mut line_begins = true;
    std::iter::from_fn(move || {
        loop {
            let token = tokens.next()?;
            match token.kind() {
                TokenKind::LeftSquareBracket if line_begins && depth == 0 => {
                    line_begins = false;
                    return Some(header(&token, &mut tokens, &mut line_begins));
                }
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                    depth = depth.saturating_sub(1);
                }
                TokenKind::Newline => line_begins = true,
                TokenKind::Whitespace => {}
                TokenKind::Dot
                | TokenKind::Equals
                | TokenKind::Comma
                | TokenKind::Comment
                | TokenKind::LiteralString
                | TokenKind::BasicString
                | TokenKind::MlLiteralString
                | TokenKind::MlBasicString
                | TokenKind::Atom
                | TokenKind::Eof => line_begins = false,
            }
        }
    })
}

/// The rest of a header's line, which began with `opening`.
fn header(
    opening: &Token,
    tokens: &mut impl Iterator<Item = Token>,
    line_begins: &mut bool,
) -> Header {
    let start = opening.span().start();
    let (mut dots, mut is_list) = (0_usize, false);
    let mut end = opening.span().end();
    for token in tokens {
        let kind = token.kind();
        if kind == TokenKind::Newline {
            *line_begins = true;
            break;
        }
        let is_name = matches!(
            kind,
            TokenKind::Atom | TokenKind::BasicString | TokenKind::LiteralString
        );
        is_list |= kind == TokenKind::LeftSquareBracket;
        dots += usize::from(kind == TokenKind::Dot);
        if is_name && dots < 2 {
            end = token.span().end();
        }
    }
    Header {
        start,
        entry: start..end,
        shared: dots > 0 && !is_list,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::place::{Format, SourceText, Sources};
    use super::super::tree;
    use super::*;

    /// Lines that people write, and some that they should not.
    const BLOCKS: [&str; 26] = [
        "[point.A]\nhigh = 5\n",
        "[point.B]\nrise = { by = 10, within = \"1min\" }\n",
        "[point.A.alarm.high]\nlimit = 1\n",
        "[point.C.alarm.high]\nlimit = 1\n[point.C]\nlow = 2\n",
        "[point.\"D [x]\"]\nrange = [\n  0,\n  100,\n]\n",
        "  [ point . E ]  # [point.F]\ntable = [\n[0, 1],\n[point]\n]\n",
        "[point.G]\ntable = [\n[0, 1],\n[4, 20.5]\n]\n",
        "[point.H]\naction = \"\"\"\n[point.A]\n\"\"\"\n",
        "[point.I]\naction = '''\n[http]\n[x.y]'''\n",
        "[point.J]\nhigh = 99999999999999999999\n",
        "[point.K]\nhigh = = 5\n",
        "[point.L\nhigh = 5\n",
        "[point]\n",
        "[point]\nM = { high = 1 }\n",
        "[\"point\".N]\nhigh = 5\n",
        "[[point]]\nhigh = 5\n",
        "[[point.O]]\nhigh = 5\n",
        "[http]\nlisten = \"127.0.0.1:1\"\n",
        "[http]\ninsecure = true\n",
        "[http.more]\npassword = \"secret\"\n",
        "[area.north]\nname = \"N\"\n",
        "[area.south]\nname = \"S\"",
        "[area.west]\r\nname = \"W\"\r\n\r\n",
        "[[rota.night]]\nperson = \"a\"\n",
        "site = \"plant\"\n",
        "point.P.high = 5\n",
    ];

    fn whole(text: &str) -> (Section, bool) {
        let mut log = Log::default();
        let sources = Sources(vec![SourceText {
            name: "a.toml".into(),
            text: text.into(),
            format: Format::Toml,
            folder: PathBuf::new(),
        }]);
        (tree::read(&sources, &mut log), log.has_errors())
    }

    proptest! {
        /// Whatever is read in parts is what is read in one piece, to the last place, and without a mistake.
        #[test]
        fn parts_are_the_whole(blocks in prop::collection::vec(any::<Index>(), 1..12), long in 1_usize..80) {
            let text: String = blocks.iter().map(|at| *at.get(&BLOCKS)).collect();
            let mut log = Log::default();
            if let Some(parts) = in_parts(&text, long, 0, &mut log) {
                let (whole, has_mistakes) = whole(&text);
                prop_assert_eq!(format!("{parts:?}"), format!("{whole:?}"));
                prop_assert_eq!(log.has_errors(), has_mistakes);
            }
        }
    }

    /// The file of a plant is taken apart, wherever its points and alarms stand.
    #[test]
    fn what_people_write_is_read_in_parts() {
        let mut text = "site = \"plant\"\n[http]\nlisten = \"127.0.0.1:1\"\n".to_owned();
        for index in 0..9 {
            let area = format!("[area.a{index}]\nname = \"N\"\n");
            let point =
                format!("[point.P{index}]\nhigh = 5\n[point.P{index}.alarm.low]\nlimit = 1\n");
            text = text + &area + &point;
        }
        text.push_str("[journal]\nmax_size = \"1GB\"\n");
        let parts = cut(&text, 40);
        assert!(parts.len() > 9, "{parts:?}");
        let read = in_parts(&text, 40, 0, &mut Log::default());
        let read = read.expect("there is no mistake in it");
        assert_eq!(format!("{read:?}"), format!("{:?}", whole(&text).0));
    }

    #[test]
    fn what_is_written_twice_is_left_to_the_whole() {
        for (first, second) in [
            ("[http]\na = 1\n", "[http]\nb = 1\n"),
            ("[http]\na = 1\n", "[http.c]\nb = 1\n"),
            ("[point.A]\nhigh = 1\n", "[point.A]\nlow = 1\n"),
            ("[[point]]\nhigh = 1\n", "[point.A]\nlow = 1\n"),
        ] {
            let text = format!("{first}[point.Z]\nhigh = 1\n{second}");
            assert!(
                in_parts(&text, 1, 0, &mut Log::default()).is_none(),
                "{text}"
            );
        }
    }
}
