//! Lists that are long, too long, or none at all.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use forewarn::clock;
use forewarn::config::{self, Source};

use super::{PLANT, Scratch, explained, project};

#[test]
fn every_mistake_of_a_long_list_is_counted_and_a_hundred_are_shown() {
    let scratch = Scratch::new("long");
    let mut list = String::from("id,area,action,register,type,high\n");
    for row in 0..300 {
        let high = if row % 2 == 0 { "1" } else { "\"1,234\"" };
        writeln!(list, "P-{row},x,\"first\nsecond\",input:{row},int16,{high}").expect("a text");
    }
    let (code, _, err) = explained(&scratch.plant(list));
    assert_eq!(code, 78);
    assert_eq!(err.matches("may mean 1234 or 1.234").count(), 100, "{err}");
    // The second point: two lines each, one for the header.
    assert!(
        err.contains("points.csv:5:23, column \"high\", row 3\n"),
        "{err}"
    );
    assert!(
        err.ends_with("\nand 50 more\n\n150 mistakes; nothing was started or changed\n"),
        "{err}"
    );
}

#[test]
fn lists_have_bounds() {
    let scratch = Scratch::new("bounds");
    let source = scratch.plant(format!("id,register\n{}", ",\n".repeat(60_000)));
    let (code, _, err) = explained(&source);
    assert_eq!(code, 0, "rows without anything are none: {err}");
    let mut list = String::from("id,register\n");
    for row in 0..50_001 {
        writeln!(list, "P-{row},coil:{row}").expect("a text");
    }
    let (code, _, err) = explained(&scratch.plant(&list));
    assert_eq!(code, 78);
    assert!(
        err.contains("a list has 50000 rows at most") && err.contains("points.csv:50002:1"),
        "{err}"
    );
    let wide = ",x".repeat(1_000);
    let (code, _, err) = explained(&scratch.plant(format!("id{wide}\n")));
    assert_eq!(code, 78);
    assert!(err.contains("1000 columns at most, not 1001"), "{err}");
    let (code, _, err) = explained(&scratch.plant(vec![b','; (16 << 20) + 1]));
    assert_eq!(code, 78);
    assert!(err.contains("points.csv: larger than 16 MiB"), "{err}");
    assert!(err.contains("plant.toml:2:14"), "{err}");
}

/// A plant of so many points, as tables and as a list.
fn plant_of(points: usize) -> (String, String) {
    let mut tables = String::new();
    let mut list = String::from(
        "id,name,area,unit,register,type,scale,range_low,range_high,high,high_high,rise.by,rise.within,action\n",
    );
    for point in 0..points {
        let (id, at) = (format!("P-{point}"), point * 2);
        writeln!(
            tables,
            "[point.{id}]\nname = \"Point {point}\"\narea = \"x\"\nunit = \"bar\"\nregister = \"input:{at}\"\ntype = \"uint16\"\nscale = 0.01\n\
             range = [0, 16]\nhigh = 8\nhigh_high = 9.5\nrise = {{ by = 1, within = \"1min\" }}\naction = \"Look\""
        )
        .expect("a text");
        writeln!(
            list,
            "{id},Point {point},x,bar,input:{at},uint16,0.01,0,16,8,9.5,1,1min,Look"
        )
        .expect("a text");
    }
    (tables, list)
}

#[test]
fn ten_thousand_points_are_read_as_fast_as_tables() {
    let scratch = Scratch::new("ten-thousand");
    // Unoptimised only the ratio counts, and fewer show it.
    let count = if cfg!(debug_assertions) {
        2_000
    } else {
        10_000
    };
    let (tables, list) = plant_of(count);
    let plain = PLANT.replace("points_csv = \"points.csv\"\n", "");
    let tables = Source::text("a.toml", &format!("{plain}{tables}"));
    let list = scratch.plant(list);
    let timed = |source: &Source| {
        let start = clock::monotonic();
        let (config, _) = config::load(source).unwrap_or_else(|wrong| panic!("{wrong}"));
        (clock::monotonic().since(start), config.engine.points.len())
    };
    // The better of a few, so that a busy machine does not decide.
    let best = |source: &Source| {
        let all = (0..3).map(|_| timed(source));
        all.min().unwrap_or((Duration::MAX, 0))
    };
    let (by_list, points) = best(&list);
    let (by_tables, same) = best(&tables);
    println!("{count} points: {by_list:?} as a list, {by_tables:?} as tables");
    assert_eq!(points, same);
    assert!(points > count);
    assert!(by_list < by_tables * 2, "{by_list:?} and {by_tables:?}");
    if !cfg!(debug_assertions) {
        assert!(by_list < Duration::from_secs(1), "{by_list:?}");
    }
}

/// A small generator of its own, so that a failure can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides.max(1)
    }
}

/// Bytes that mean something to one of the readers, or to none.
const PIECES: [&[u8]; 40] = [
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b"\"",
    b"\"\"",
    b"id",
    b"name",
    b"high",
    b"range",
    b"rise.by",
    b"alarm.high.limit",
    b"enum.",
    b"....",
    b"#",
    b"sep=;",
    b"0",
    b"1,234",
    b"-1e999",
    b"0x",
    b"[",
    b"{ a = ",
    b"]",
    b"}",
    b"'",
    b"..",
    b"=",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xFE\xFF",
    b"\0",
    b"\xB0\xA1",
    b"\x81\x30\x81\x30",
    b"\x80",
    b"\xE4\xBD\x8D",
    b"40001",
    b"input:0",
    b" ",
];

#[test]
fn no_bytes_panic_and_no_place_is_wrong() {
    let scratch = Scratch::new("hostile");
    let shipped = fs::read(project().join("config/points.csv")).expect("a file of the project");
    let kept = project().join("tests/point_lists/plant-gb18030.csv");
    let kept = fs::read(kept).expect("a file of the project");
    for seed in 1..=600_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut bytes = match seed % 3 {
            0 => shipped.clone(),
            1 => kept.clone(),
            _ => b"id,name,high,range,rise.by\n".to_vec(),
        };
        for _ in 0..=dice.roll(30) {
            let at = dice.roll(bytes.len() + 1);
            let to = (at + dice.roll(4)).min(bytes.len());
            let piece = PIECES[dice.roll(PIECES.len())];
            bytes.splice(at..to, piece.iter().copied());
        }
        let source = scratch.plant(&bytes);
        let (code, out, err) = explained(&source);
        assert!(code == 0 || code == 78, "seed {seed}: {code}");
        assert_eq!(code == 78, out.is_empty(), "seed {seed}");
        assert!(!err.contains(":0:"), "seed {seed}: {err}");
        assert!(err.lines().all(|line| line.len() < 3_000), "seed {seed}");
        assert!(
            err.chars().all(|c| c == '\n' || !c.is_control()),
            "seed {seed}: {err:?}"
        );
    }
}
