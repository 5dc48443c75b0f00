//! Text from configurations and events, made safe and short enough for one line.

/// What one field may have; characters.
pub(super) const FIELD: usize = 300;

/// Ends what was cut.
const MORE: &str = "...";

/// One line without control characters and without those that turn the direction of text, spaces
/// collapsed, at most [`FIELD`] characters.
pub(super) fn clean(text: &str) -> String {
    cut(&line(text), FIELD)
}

/// As [`clean`], whatever its length.
pub(super) fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_format(*c)) {
        if !c.is_whitespace() && !c.is_control() {
            line.push(c);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Invisible characters that change what others look like.
const fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// At most `limit` characters, cut at a word if one ends in the second half.
pub(super) fn cut(text: &str, limit: usize) -> String {
    cut_by(text, limit, |_| 1)
}

/// At most `limit` of what `width` measures.
pub(super) fn cut_by(text: &str, limit: usize, width: fn(char) -> usize) -> String {
    if text.chars().map(width).sum::<usize>() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(MORE.len());
    let (mut used, mut end, mut word) = (0, 0, None);
    for (at, c) in text.char_indices() {
        if ends_word(c) {
            word = Some((at, used));
        }
        used += width(c);
        if used > room {
            break;
        }
        end = at + c.len_utf8();
    }
    // Chinese has no spaces, and some words fill a line.
    let end = word
        .filter(|(_, used)| *used * 2 > room)
        .map_or(end, |(at, _)| at);
    let kept = text[..end].trim_end_matches(|c: char| ends_word(c) || c == '.');
    match limit >= MORE.len() {
        true => format!("{kept}{MORE}"),
        false => kept.to_owned(),
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '，' | '；' | '。' | '、' | '：')
}

/// A text as steps: what stands on lines of its own, behind semicolons or full stops. Numbers that a
/// person put before them are taken off.
pub(super) fn steps(text: &str) -> Vec<String> {
    let parts = text.split(['\n', '\r', ';', '；', '。']);
    let steps = parts.flat_map(sentences).map(step);
    steps.filter(|step| !step.is_empty()).collect()
}

/// `1. Leave`, `approx. 3 m`, `P. Li`: a full stop ends a sentence before a capital only.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(". ") {
        let (sentence, rest) = (&text[from..at], &text[at + 2..]);
        let letters = sentence.chars().filter(|c| c.is_alphabetic()).count();
        if letters > 3 && rest.starts_with(char::is_uppercase) {
            sentences.push(sentence);
            from = at + 2;
        }
    }
    sentences.push(&text[from..]);
    sentences
}

fn step(text: &str) -> String {
    let text = line(text);
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < text.len();
    let text = match digits.strip_prefix(['.', ')', '、']) {
        Some(rest) if numbered && !rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => &text,
    };
    cut(text.trim().trim_end_matches('.'), FIELD)
}

/// A measured number: enough digits to act on, no noise.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    let size = value.abs();
    let decimals = match size {
        1_000.0.. => 0,
        100.0.. => 1,
        1.0.. => 2,
        0.1.. => 3,
        _ => 6,
    };
    let text = format!("{value:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    match text {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_a_line() {
        assert_eq!(
            clean("a\r\nAction: none\u{202e}x\u{0}\t b "),
            "a Action: nonex b"
        );
        assert_eq!(clean("\u{200b}\n"), "");
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_word() {
        assert_eq!(cut("stop hot work", 13), "stop hot work");
        assert_eq!(cut("stop hot work, start fans", 19), "stop hot work...");
        assert_eq!(cut("extraordinarily", 8), "extra...");
        assert_eq!(cut("停止动火作业并启动风机", 8), "停止动火作...");
        assert_eq!(cut("abc", 2), "");
    }

    #[test]
    fn an_action_is_taken_apart_where_it_says_so() {
        assert_eq!(
            steps("Stop hot work, start fans; call 5566"),
            ["Stop hot work, start fans", "call 5566"]
        );
        assert_eq!(steps("1. Leave\n2) Call 5566\n"), ["Leave", "Call 5566"]);
        assert_eq!(
            steps("Close XV-1 by approx. 3.5 turns. Then call 5566."),
            ["Close XV-1 by approx. 3.5 turns", "Then call 5566"]
        );
        assert_eq!(steps("停止动火；启动风机。"), ["停止动火", "启动风机"]);
        assert_eq!(
            steps("2.5 bar must not be passed"),
            ["2.5 bar must not be passed"]
        );
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        for (value, text) in [
            (54.199_999, "54.2"),
            (8.04, "8.04"),
            (50.0, "50"),
            (1234.56, "1235"),
            (-0.0, "0"),
            (0.000_4, "0.0004"),
            (f64::NAN, "?"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
