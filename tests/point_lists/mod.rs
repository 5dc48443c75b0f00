//! Points as lists: what spreadsheets save gives the plant that tables give, and mistakes are found in
//! their cells. The words of single mistakes are in `config_errors`.

mod bounds;
mod export;

use std::fs;
use std::path::{Path, PathBuf};

use forewarn::commands::check::check;
use forewarn::config::{self, Source};

const PLANT: &str = "site = \"a\"\npoints_csv = \"points.csv\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n\
    poll = \"5s\"\n\
    [person.p]\n[area.x]\nresponsible = [\"p\"]\n";

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder that is gone when the test is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = format!("forewarn-lists-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a temporary file");
        path
    }

    /// A plant whose list is this.
    fn plant(&self, list: impl AsRef<[u8]>) -> Source {
        self.write("points.csv", list);
        Source::file(Some(self.write("plant.toml", PLANT)))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it does no harm.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

/// Exit code, standard output and standard error of `check --explain`.
fn explained(source: &Source) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = check(source, true, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("what we write is text");
    (code, text(out), text(err))
}

#[test]
fn a_list_of_a_chinese_spreadsheet_is_the_plant_of_its_tables() {
    let folder = project().join("tests/point_lists");
    let (code, tables, err) = explained(&Source::file(Some(folder.join("plant.toml"))));
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, list, err) = explained(&Source::file(Some(folder.join("plant-list.toml"))));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        tables.contains("罐区北侧甲烷") && tables.contains("1.5 bar"),
        "{tables}"
    );
    assert_eq!(list, tables);
    let hash = |name: &str| {
        let source = Source::file(Some(folder.join(name)));
        config::load(&source).expect("good").0.hash
    };
    assert_eq!(hash("plant.toml"), hash("plant-list.toml"));
}

#[test]
fn an_encoding_that_was_guessed_is_told() {
    let folder = project().join("tests/point_lists");
    let scratch = Scratch::new("guessed");
    let list = fs::read(folder.join("plant-gb18030.csv")).expect("a file of the project");
    scratch.write("plant-gb18030.csv", list);
    let plant = fs::read_to_string(folder.join("plant-list.toml")).expect("a file of the project");
    let plant = plant.replace("encoding = \"gb18030\", ", "");
    let guessed = Source::file(Some(scratch.write("plant-list.toml", plant)));
    let (code, list, err) = explained(&guessed);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.starts_with("warning[encoding]: this list is not UTF-8"),
        "{err}"
    );
    assert!(
        err.contains("plant-gb18030.csv:1:1, column \"位号\"\n"),
        "{err}"
    );
    assert_eq!(
        list,
        explained(&Source::file(Some(folder.join("plant.toml")))).1
    );
}

/// `forewarn.toml` with one of the shipped lists.
fn reference_with(list: &str) -> String {
    let path = project().join("config/forewarn.toml");
    let text = fs::read_to_string(path).expect("a file of the project");
    let on = text.replace(
        "#.points_csv = \"points.csv\"",
        &format!("points_csv = \"config/{list}\""),
    );
    assert_ne!(on, text);
    on
}

#[test]
fn the_shipped_lists_are_one_plant_in_two_languages() {
    let described = |list: &str| {
        let (code, out, err) = explained(&Source::text("forewarn.toml", &reference_with(list)));
        assert_eq!((code, err.as_str()), (0, ""), "{list}");
        out
    };
    let (english, chinese) = (described("points.csv"), described("points-zh.csv"));
    assert!(english.contains("Steam pressure") && chinese.contains("蒸汽压力"));
    let conditions = |text: &str| {
        let lines = text.lines().map(str::trim_start);
        let lines = lines.filter(|line| line.starts_with("Raised"));
        lines
            .map(|line| line.replace('℃', "°C"))
            .collect::<Vec<_>>()
    };
    assert_eq!(conditions(&english), conditions(&chinese));
}

#[test]
fn a_point_in_two_places_names_both() {
    let scratch = Scratch::new("twice");
    let mut plant = PLANT.replace("\"points.csv\"", "[\"points.csv\", \"more.csv\"]");
    plant.push_str("[point.P]\nregister = \"coil:9\"\n");
    scratch.write("points.csv", "id,register\nP,coil:0\nQ,coil:1\nQ,coil:2\n");
    scratch.write("more.csv", "id;register\n\nQ;coil:3\nR;coil:4\n");
    let (code, _, err) = explained(&Source::file(Some(scratch.write("plant.toml", plant))));
    assert_eq!(code, 78);
    for expected in [
        "points.csv:2:1, column \"id\"\n",
        "plant.toml:9:8 (first here)",
        "points.csv:4:1, column \"id\"\n",
        "points.csv:3:1, column \"id\" (first here)",
        "more.csv:3:1, column \"id\"\n",
    ] {
        assert!(err.contains(expected), "{expected}: {err}");
    }
    assert!(
        err.ends_with("\n3 mistakes; nothing was started or changed\n"),
        "{err}"
    );
}

#[test]
fn a_list_is_looked_for_beside_the_file_that_names_it() {
    let scratch = Scratch::new("beside");
    fs::create_dir_all(scratch.0.join("conf.d/lists")).expect("a temporary folder");
    let plant = PLANT.replace("points_csv = \"points.csv\"\n", "");
    let source = Source::file(Some(scratch.write("plant.toml", plant)));
    scratch.write("conf.d/points.toml", "points_csv = \"lists/points.csv\"\n");
    scratch.write("conf.d/lists/points.csv", "id,register\nP,coil:0\n");
    let (code, out, err) = explained(&source);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("coil:0"), "{out}");
    // Whoever names lists in two files is told so.
    scratch.write("conf.d/more.toml", "points_csv = \"more.csv\"\n");
    let (code, _, err) = explained(&source);
    assert_eq!(code, 78);
    assert!(err.contains("`points_csv` is written twice"), "{err}");
}

#[test]
fn every_encoding_and_separator_gives_the_same_points() {
    let scratch = Scratch::new("saved");
    let plain = "id,name,register,type,unit,high,range\nT-1,Öl,input:0,int16,°C,7.5,-10..90.5\n";
    let commas = plain
        .replace("7.5", "\"7,5\"")
        .replace("-10..90.5", "\"-10..90,5\"");
    let wide = |text: &str, from: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        marked.encode_utf16().flat_map(from).collect()
    };
    let latin = |text: &str| -> Vec<u8> {
        let bytes = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"));
        bytes.collect()
    };
    let semicolons = plain
        .replace(',', ";")
        .replace('.', ",")
        .replace(",,", "..");
    let tabs = plain.replace(',', "\t");
    let (_, expected, _) = explained(&scratch.plant(plain));
    assert!(expected.contains("at or above 7.5 °C"), "{expected}");
    for (bytes, more) in [
        (format!("\u{feff}{plain}").into_bytes(), ""),
        (plain.replace('\n', "\r\n\r\n").into_bytes(), ""),
        (semicolons.clone().into_bytes(), ""),
        (format!("sep=;\r\n{semicolons}").into_bytes(), ""),
        (
            plain.replace(',', ";").into_bytes(),
            ", decimal = \"point\"",
        ),
        (commas.into_bytes(), ", decimal = \"comma\""),
        (tabs.clone().into_bytes(), ""),
        (wide(&tabs, u16::to_le_bytes), ""),
        (wide(&semicolons, u16::to_be_bytes), ""),
        (latin(&semicolons), ", encoding = \"windows-1252\""),
    ] {
        scratch.write("points.csv", &bytes);
        let list = format!("{{ file = \"points.csv\"{more} }}");
        let plant = scratch.write("plant.toml", PLANT.replace("\"points.csv\"", &list));
        let (code, found, err) = explained(&Source::file(Some(plant)));
        assert_eq!(code, 0, "{err}");
        assert!(!err.contains("encoding"), "{err}");
        assert_eq!(
            found,
            expected,
            "{more} {}",
            String::from_utf8_lossy(&bytes)
        );
    }
}

#[test]
fn lists_of_kepware_are_read() {
    let header = "Tag Name,Address,Data Type,Respect Data Type,Client Access,Scan Rate,Scaling,Raw Low,Raw High,\
                  Scaled Low,Scaled High,Scaled Data Type,Clamp Low,Clamp High,Eng Units,Description,Negate Value\n";
    let rows = "\"PT-330\",\"400101\",\"Word\",1,\"R/W\",100,Linear,4000,20000,0,16,Float,1,1,\"bar\",\"Steam\",0\n\
                \"FT-1\",\"300008\",\"Short\",1,\"R/W\",100,Square Root,0,27648,0,160,Float,0,0,\"m3/h\",\"\",0\n\
                \"RUN\",\"000004\",\"Boolean\",1,\"R/W\",100,None,,,,,,,,\"\",\"Pump runs\",\n";
    let scratch = Scratch::new("kepware");
    let toml = "site = \"a\"\n[device]\nd = { modbus = \"tcp://127.0.0.1\" }\ne = { modbus = \"tcp://127.0.0.2\" }\n";
    let list = "points_csv = { file = \"k.csv\", addressing = \"modicon\", device = \"e\" }\n";
    scratch.write("k.csv", format!("{header}{rows}"));
    let main = scratch.write("a.toml", format!("{list}{toml}"));
    let (code, out, err) = explained(&Source::file(Some(main.clone())));
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("nothing is made of \"Respect Data Type\", \"Client Access\", \"Scan Rate\", \"Scaled Data Type\""),
        "{err}"
    );
    let points = "[point.PT-330]\nname = \"Steam\"\ndevice = \"e\"\nregister = \"holding:100\"\ntype = \"uint16\"\n\
        raw_range = [4000, 20000]\nrange = [0, 16]\nclamp = true\nunit = \"bar\"\n\
        [point.FT-1]\ndevice = \"e\"\nregister = \"input:7\"\ntype = \"int16\"\nraw_range = [0, 27648]\n\
        range = [0, 160]\nsquare_root = true\nunit = \"m3/h\"\n\
        [point.RUN]\nname = \"Pump runs\"\ndevice = \"e\"\nregister = \"coil:3\"\n";
    let (_, expected, err) = explained(&Source::text("a.toml", &format!("{toml}{points}")));
    assert_eq!(out, expected, "{err}");
    // Nobody said how the addresses are meant.
    scratch.write(
        "a.toml",
        format!("{}{toml}", list.replace("addressing = \"modicon\", ", "")),
    );
    let (code, _, err) = explained(&Source::file(Some(main)));
    assert_eq!(code, 78);
    assert!(
        err.contains("write \"holding:100\" if the manual counts from 1"),
        "{err}"
    );
    assert!(err.contains("k.csv:2:10, column \"Address\"\n"), "{err}");
    assert!(
        err.ends_with("\n3 mistakes; nothing was started or changed\n"),
        "{err}"
    );
}

#[test]
fn a_list_that_is_not_there_is_one_mistake() {
    let scratch = Scratch::new("missing");
    let plant =
        format!("{PLANT}[group.g]\nvote = \"1oo2\"\nof = [\"A\", \"B\"]\nalarm = \"high\"\n");
    let source = Source::file(Some(scratch.write("plant.toml", plant)));
    let mistakes = config::load(&source).expect_err("it is wrong");
    let shown = mistakes.to_string();
    assert_eq!(mistakes.findings.len(), 1, "{shown}");
    let expected = format!(
        "cannot read {}",
        Path::new(&scratch.0).join("points.csv").display()
    );
    assert!(
        shown.contains(&expected) && shown.contains("plant.toml:2:14"),
        "{shown}"
    );
}
