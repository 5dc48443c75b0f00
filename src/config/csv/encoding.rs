//! From the bytes of a spreadsheet to text.
//!
//! A byte order mark says everything. Without one the file is UTF-8, or what its owner says it is; what
//! is neither is taken for GB18030, because that is what a Chinese Windows saves, and a warning says so:
//! nearly every sequence of bytes is some text in it.

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What `encoding` may say.
pub(super) const WORDS: [(&str, Encoding); 7] = [
    ("utf-8", Encoding::Utf8),
    ("gb18030", Encoding::Gb18030),
    ("gbk", Encoding::Gb18030),
    ("gb2312", Encoding::Gb18030),
    ("utf-16le", Encoding::Utf16Le),
    ("utf-16be", Encoding::Utf16Be),
    ("windows-1252", Encoding::Windows1252),
];

/// How characters are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// GBK and GB2312 are parts of it.
    Gb18030,
    /// What a Western European Windows saves.
    Windows1252,
}

/// A text, line ends as `\n`.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) problem: Option<Problem>,
}

/// What is to be said about the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// Nobody said what it is, and it was taken for GB18030.
    Guessed,
    /// Not text in this encoding; what cannot be read is U+FFFD.
    Malformed(Encoding),
    /// Neither UTF-8 nor GB18030; what cannot be read as the latter is U+FFFD.
    Unknown,
    /// Every other byte is zero and nothing says which of the two UTF-16 it is. There is no text.
    Unmarked,
}

impl Encoding {
    fn name(self) -> &'static str {
        let word = WORDS.iter().find(|(_, encoding)| *encoding == self);
        word.map_or("", |(word, _)| word)
    }

    /// The text and whether all of it could be read.
    fn read(self, bytes: &[u8]) -> (String, bool) {
        let table = match self {
            Self::Utf8 => {
                let text = String::from_utf8_lossy(bytes);
                let good = matches!(text, std::borrow::Cow::Borrowed(_));
                return (text.into_owned(), good);
            }
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Gb18030 => GB18030,
            Self::Windows1252 => WINDOWS_1252,
        };
        let (text, bad) = table.decode_without_bom_handling(bytes);
        (text.into_owned(), !bad)
    }
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name().to_uppercase())
    }
}

/// Reads `bytes`; `told` is what the owner says. A byte order mark is stronger.
pub(super) fn decode(bytes: &[u8], told: Option<Encoding>) -> Decoded {
    let (told, bytes) = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (Some(Encoding::Utf8), rest),
        [0xFF, 0xFE, rest @ ..] => (Some(Encoding::Utf16Le), rest),
        [0xFE, 0xFF, rest @ ..] => (Some(Encoding::Utf16Be), rest),
        _ => (told, bytes),
    };
    if let Some(encoding) = told {
        let (text, good) = encoding.read(bytes);
        return decoded(text, (!good).then_some(Problem::Malformed(encoding)));
    }
    // Of every letter of ASCII one byte is zero in UTF-16, and none is in any other encoding.
    if matches!(bytes, [first, second, ..] if (*first == 0) != (*second == 0)) {
        return decoded(String::new(), Some(Problem::Unmarked));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return decoded(text.to_owned(), None);
    }
    let (text, good) = Encoding::Gb18030.read(bytes);
    let problem = if good {
        Problem::Guessed
    } else {
        Problem::Unknown
    };
    decoded(text, Some(problem))
}

fn decoded(text: String, problem: Option<Problem>) -> Decoded {
    let text = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    };
    Decoded { text, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], told: Option<Encoding>) -> (String, Option<Problem>) {
        let decoded = decode(bytes, told);
        (decoded.text, decoded.problem)
    }

    #[test]
    fn what_spreadsheets_save_is_read() {
        let text = "位号,单位\nT-1,°C\n";
        let good = (text.to_owned(), None);
        assert_eq!(read(text.as_bytes(), None), good);
        assert_eq!(read(&text.replace('\n', "\r\n").into_bytes(), None), good);
        assert_eq!(read(&text.replace('\n', "\r").into_bytes(), None), good);
        let marked = format!("\u{feff}{text}");
        assert_eq!(read(marked.as_bytes(), None), good);
        let wide = |from: fn(u16) -> [u8; 2]| -> Vec<u8> {
            marked.encode_utf16().flat_map(from).collect()
        };
        assert_eq!(read(&wide(u16::to_le_bytes), None), good);
        assert_eq!(read(&wide(u16::to_be_bytes), None), good);
        // A mark is stronger than what somebody says.
        assert_eq!(read(marked.as_bytes(), Some(Encoding::Gb18030)), good);
        let (bytes, _, _) = GB18030.encode(text);
        assert_eq!(read(&bytes, Some(Encoding::Gb18030)), good);
        let guessed = (text.to_owned(), Some(Problem::Guessed));
        assert_eq!(read(&bytes, None), guessed);
        assert_eq!(
            read(b"T-1,\xB0C", Some(Encoding::Windows1252)),
            ("T-1,°C".to_owned(), None)
        );
    }

    #[test]
    fn what_is_no_text_is_said() {
        let (text, problem) = read(b"a\xFF\xFFb", None);
        assert_eq!(problem, Some(Problem::Unknown));
        assert!(text.contains('\u{fffd}'), "{text}");
        let (_, problem) = read(b"T\xB0C", Some(Encoding::Utf8));
        assert_eq!(problem, Some(Problem::Malformed(Encoding::Utf8)));
        let (_, problem) = read(b"\xFE\xFF\0a\0", None);
        assert_eq!(problem, Some(Problem::Malformed(Encoding::Utf16Be)));
        assert_eq!(read(b"i\0d\0", None).1, Some(Problem::Unmarked));
        assert_eq!(
            read(b"i\0d\0", Some(Encoding::Utf16Le)),
            ("id".to_owned(), None)
        );
        assert_eq!(read(b"", None), (String::new(), None));
    }
}
