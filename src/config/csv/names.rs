//! Names of columns and words in cells, beside those of the language itself: what instrument lists and
//! the exports of other tools call them. `config/forewarn.toml` lists them all.
//!
//! A name that means one thing here and another there (编号, `comment` of one tool is the description of
//! the next) is on no list: a wrong guess would put a number where nobody wrote it.

/// Other names of one column.
pub(super) struct Names {
    /// The key; `range_low` and the like are one end of a key with two numbers.
    pub(super) key: &'static str,
    /// As in [`normal`].
    pub(super) others: &'static [&'static str],
    /// The first one is what an export writes.
    pub(super) chinese: &'static [&'static str],
}

const fn names(
    key: &'static str,
    others: &'static [&'static str],
    chinese: &'static [&'static str],
) -> Names {
    Names {
        key,
        others,
        chinese,
    }
}

/// In the order in which an export writes the columns.
pub(super) const NAMES: [Names; 38] = [
    names(
        "id",
        &["tag", "tag_name", "point"],
        &["位号", "点名", "测点"],
    ),
    names("name", &["description"], &["名称", "描述"]),
    names("area", &[], &["区域"]),
    names("measures", &[], &["测量类型"]),
    names("device", &[], &["设备"]),
    names("register", &["address"], &["寄存器", "地址", "寄存器地址"]),
    names("type", &["data_type"], &["数据类型"]),
    names("order", &["byte_order"], &["字节序", "字节顺序"]),
    names("bit", &[], &["位"]),
    names("scale", &[], &["系数", "倍率"]),
    names("offset", &[], &["偏移", "偏移量"]),
    names("raw_range_low", &["raw_low"], &["原始值下限", "原码下限"]),
    names("raw_range_high", &["raw_high"], &["原始值上限", "原码上限"]),
    names("signal", &[], &["信号", "信号类型"]),
    names("broker", &[], &["代理"]),
    names("topic", &[], &["主题"]),
    names(
        "unit",
        &["units", "eng_units", "engineering_units"],
        &["单位", "工程单位"],
    ),
    names("range", &[], &["量程"]),
    names("range_low", &["scaled_low"], &["量程下限"]),
    names("range_high", &["scaled_high"], &["量程上限"]),
    names("valid_range_low", &[], &["有效下限"]),
    names("valid_range_high", &[], &["有效上限"]),
    names("sensor", &[], &["传感器", "传感器类型"]),
    names("low_low", &["ll", "lo_lo"], &["低低报", "低低限"]),
    names("low", &["l", "lo"], &["低报", "低限"]),
    names("high", &["h", "hi"], &["高报", "高限"]),
    names("high_high", &["hh", "hi_hi"], &["高高报", "高高限"]),
    names("rise.by", &["rise_by"], &["上升量"]),
    names("rise.within", &["rise_within"], &["上升时间"]),
    names("fall.by", &["fall_by"], &["下降量"]),
    names("fall.within", &["fall_within"], &["下降时间"]),
    names("state.when", &["state_when"], &["报警状态"]),
    names("deadband", &[], &["死区", "回差"]),
    names("delay", &[], &["延时", "报警延时"]),
    names("stale_after", &[], &["失效时间"]),
    names("oel", &[], &["职业接触限值"]),
    names("action", &[], &["处置措施", "处置"]),
    names("plan", &[], &["预案", "应急预案"]),
];

/// Notes for people; nothing reads them.
pub(super) const NOTES: [&str; 7] = ["no", "no.", "note", "notes", "remark", "remarks", "备注"];

/// Of Kepware's exports, without a meaning here.
pub(super) const IDLE: [&str; 4] = [
    "respect_data_type",
    "client_access",
    "scan_rate",
    "scaled_data_type",
];

/// Words in the cells of a key, in lower case and without blanks, and what they are here.
pub(super) const WORDS: [(&str, &[(&str, &str)]); 5] = [
    (
        "type",
        &[
            ("boolean", "bool"),
            ("short", "int16"),
            ("word", "uint16"),
            ("long", "int32"),
            ("dword", "uint32"),
            ("llong", "int64"),
            ("qword", "uint64"),
            ("float", "float32"),
            ("real", "float32"),
            ("double", "float64"),
            ("lreal", "float64"),
            ("bcd", "bcd16"),
            ("lbcd", "bcd32"),
            ("布尔", "bool"),
            ("开关量", "bool"),
            ("有符号16位", "int16"),
            ("无符号16位", "uint16"),
            ("有符号32位", "int32"),
            ("无符号32位", "uint32"),
            ("单精度浮点", "float32"),
            ("双精度浮点", "float64"),
            ("32位浮点", "float32"),
            ("64位浮点", "float64"),
        ],
    ),
    (
        "order",
        &[
            ("1234", "ABCD"),
            ("3412", "CDAB"),
            ("2143", "BADC"),
            ("4321", "DCBA"),
        ],
    ),
    (
        "measures",
        &[
            ("气体", "gas"),
            ("氧气", "oxygen"),
            ("流量", "flow"),
            ("液位", "level"),
            ("压力", "pressure"),
            ("温度", "temperature"),
            ("振动", "vibration"),
            ("其他", "other"),
        ],
    ),
    (
        "sensor",
        &[
            ("催化燃烧", "catalytic"),
            ("红外", "infrared"),
            ("电化学", "electrochemical"),
            ("半导体", "semiconductor"),
            ("光离子", "photoionisation"),
            ("热导", "thermal_conductivity"),
            ("顺磁", "paramagnetic"),
        ],
    ),
    ("signal", &[("4~20ma", "4-20mA"), ("4..20ma", "4-20mA")]),
];

/// A name as it is compared: case, blanks and hyphens make no difference.
pub(super) fn normal(name: &str) -> String {
    let name = name.trim().to_lowercase();
    name.replace([' ', '-', '\u{a0}', '\n'], "_")
}

/// The key of a column that `name`, normal, is another name of; or `name` itself.
pub(super) fn key_of(name: &str) -> &str {
    let known = NAMES.iter().find(|names| {
        let mut others = names.others.iter().chain(names.chinese);
        others.any(|other| *other == name)
    });
    known.map_or(name, |names| names.key)
}

/// What a cell of `key` means in the words of the language, if it is another word for it. The language's
/// own words count in any case: a spreadsheet has its own ideas of capitals.
pub(super) fn word_of(key: &str, cell: &str) -> Option<&'static str> {
    let (_, words) = WORDS.iter().find(|(known, _)| *known == key)?;
    let cell = cell.to_lowercase().replace([' ', '\u{a0}'], "");
    let found = words
        .iter()
        .find(|(word, own)| *word == cell || own.to_lowercase() == cell);
    found.map(|(_, own)| *own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::point::POINT;

    #[test]
    fn no_name_has_two_meanings() {
        let mut all: Vec<&str> = NAMES
            .iter()
            .flat_map(|names| {
                let others = names.others.iter().chain(names.chinese).copied();
                others.chain([names.key])
            })
            .chain(NOTES)
            .chain(IDLE)
            .chain(["id"])
            .collect();
        all.extend(
            POINT
                .keys
                .iter()
                .filter(|key| NAMES.iter().all(|names| names.key != **key)),
        );
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        // `id` stands among the names and is added once more.
        assert_eq!(all.len() + 1, count);
        assert!(all.iter().all(|name| normal(name) == *name), "{all:?}");
    }

    #[test]
    fn every_name_and_word_stands_in_the_reference() {
        let reference = include_str!("../../../config/forewarn.toml");
        let comments = reference.lines().filter(|line| line.starts_with("#   "));
        let listed: Vec<&str> = comments
            .flat_map(|line| line.split([' ', ',', ':', ';']))
            .collect();
        let names = NAMES
            .iter()
            .flat_map(|names| names.others.iter().chain(names.chinese));
        let words = WORDS
            .iter()
            .flat_map(|(_, words)| words.iter().map(|(word, _)| word));
        for name in names.chain(words).chain(&NOTES).chain(&IDLE) {
            assert!(
                listed.contains(name),
                "{name} is not in config/forewarn.toml"
            );
        }
    }

    #[test]
    fn names_and_words_are_found_however_they_are_spelt() {
        for (name, key) in [
            ("Tag Name", "id"),
            ("位号", "id"),
            ("Eng Units", "unit"),
            ("HIGH", "high"),
            ("raw-low", "raw_range_low"),
            ("RISE_BY", "rise.by"),
            ("colour", "colour"),
        ] {
            assert_eq!(key_of(&normal(name)), key);
        }
        assert_eq!(word_of("type", "DWord"), Some("uint32"));
        assert_eq!(word_of("type", "Float32"), Some("float32"));
        assert_eq!(word_of("order", "cdab"), Some("CDAB"));
        assert_eq!(word_of("type", "有符号 16 位"), Some("int16"));
        assert_eq!(word_of("type", "byte"), None);
        assert_eq!(word_of("name", "word"), None);
    }
}
