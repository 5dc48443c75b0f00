//! What people see when a configuration is wrong, word for word.
//!
//! Each `tests/config_errors/NAME.toml` is loaded and what comes out is compared with `NAME.txt`.
//! `UPDATE_EXPECTED=1 cargo test config_errors` writes the texts anew; read the difference before
//! committing it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use forewarn::commands::check::check;
use forewarn::config::{self, Kind, Source};

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file of the project")
}

/// A folder that is gone when the test is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = format!("forewarn-config-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(folder.join("conf.d")).expect("a temporary folder");
        Self(folder)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a temporary file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it does no harm.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

fn errors(source: &Source) -> String {
    config::load(source).expect_err("it is wrong").to_string()
}

fn variables(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let owned = list.iter().map(|(name, value)| (name.into(), value.into()));
    owned.collect()
}

#[test]
fn every_wrong_file_gives_its_messages() {
    let folder = project().join("tests/config_errors");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder is part of the project")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 20, "only {} files", files.len());
    let rewrite = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.file_name().expect("a file").to_string_lossy();
        if name == "embedded.toml" && !cfg!(feature = "demo") {
            continue;
        }
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let source = Source::text(&name, &read(file));
        let code = check(&source, false, &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).expect("messages are text");
        let found = format!("{}{}exit {code}\n", text(out), text(err));
        let expected = file.with_extension("txt");
        if rewrite {
            fs::write(&expected, found).expect("writable");
        } else if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!(
                "--- {name}: expected in {}, found\n{found}",
                expected.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn eight_mistakes_give_eight_messages_in_one_run() {
    let text = read(&project().join("tests/config_errors/eight_mistakes.toml"));
    let mistakes = config::load(&Source::text("eight_mistakes.toml", &text)).expect_err("wrong");
    let mut kinds: Vec<Kind> = mistakes
        .findings
        .iter()
        .map(|finding| finding.kind)
        .collect();
    kinds.sort_by_key(|kind| kind.name());
    kinds.dedup();
    assert_eq!((mistakes.errors(), kinds.len()), (8, 8), "{mistakes}");
    for finding in &mistakes.findings {
        assert!(
            finding
                .locations
                .iter()
                .all(|at| at.line > 0 && at.column > 0),
            "{finding}"
        );
    }
}

#[test]
fn the_shipped_files_load() {
    for (name, warnings) in [("forewarn.toml", 0), ("demo.toml", 0), ("minimal.toml", 2)] {
        if name == "demo.toml" && !cfg!(feature = "demo") {
            continue;
        }
        let source = Source::file(Some(project().join("config").join(name)));
        let (config, found) =
            config::load(&source).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        assert_eq!(found.len(), warnings, "{name}: {found:?}");
        assert!(
            found.iter().all(|warning| warning.kind == Kind::NoGuidance),
            "{name}"
        );
        let alarms: usize = config
            .engine
            .points
            .iter()
            .map(|point| point.alarms.len())
            .sum();
        assert_eq!(config.guidance.len(), alarms, "{name}");
        assert_eq!(config.hash.len(), 64);
    }
}

#[test]
fn every_key_of_the_language_stands_in_the_reference() {
    let reference = read(&project().join("config/forewarn.toml"));
    // A key that is off is a key too, and must still be right when it is switched on.
    let on = reference.replace("#.", "");
    // Files that are not there, and logins that want one.
    let absent = |line: &&str| line.contains("_file = \"") || line.starts_with("username = ");
    let there = on.lines().filter(|line| !absent(line));
    let on = there.fold(String::new(), |on, line| on + line + "\n");
    // A text has no folder: paths in it start from that of the package.
    let on = on.replace("\"points.csv\"", "\"config/points.csv\"");
    config::load(&Source::text("forewarn.toml", &on)).unwrap_or_else(|wrong| panic!("{wrong}"));
    for finding in config::load(&Source::text("all", "zzzzzzzzz = 1\npoints_csv = { zzzzzzzzz = 1 }\n[device.a]\nzzzzzzzzz = 1\n[broker.a]\nzzzzzzzzz = 1\n[output.a]\nzzzzzzzzz = 1\n[point.a]\nzzzzzzzzz = 1\n[area.a]\nzzzzzzzzz = 1\n[person.a]\nzzzzzzzzz = 1\n[http]\nzzzzzzzzz = 1\n[journal]\nzzzzzzzzz = 1\n[priority]\nzzzzzzzzz = 1\n[escalation]\nzzzzzzzzz = 1\n[escalation.low]\nzzzzzzzzz = 1\nsteps = [{ zzzzzzzzz = 1 }]\n[point.a.alarm.high]\nzzzzzzzzz = 1\n[point.a.alarm.rise]\nzzzzzzzzz = 1\n[point.a.alarm.stel]\nzzzzzzzzz = 1\n[point.a.alarm.twa]\nzzzzzzzzz = 1\n[point.a.alarm.over_range]\nzzzzzzzzz = 1\n[group.a]\nzzzzzzzzz = 1\n[group.b.alarm.vote]\nzzzzzzzzz = 1\n")).expect_err("unknown keys").findings
    {
        let Some(keys) = finding.hint.as_deref().and_then(|hint| hint.strip_prefix("allowed: ")) else {
            continue;
        };
        for key in keys.split(", ").filter(|key| *key != "password") {
            assert!(reference.contains(key), "`{key}` is not in config/forewarn.toml");
        }
    }
}

#[test]
fn the_reference_says_the_defaults() {
    let reference = read(&project().join("config/forewarn.toml"));
    let (with, _) = config::load(&Source::text("a", &reference)).expect("good");
    let without = reference
        .lines()
        .filter(|line| !line.contains("default"))
        .fold(String::new(), |text, line| text + line + "\n");
    let (without, _) = config::load(&Source::text("a", &without)).expect("good");
    assert_eq!(
        (&with.http, &with.journal, with.log),
        (&without.http, &without.journal, without.log)
    );
    let spans = |config: &config::Config| {
        let mut policies = config.notify.policies.clone();
        policies
            .values_mut()
            .for_each(|policy| policy.steps.clear());
        policies
    };
    assert_eq!(spans(&with), spans(&without));
    assert_eq!(with.buses, without.buses);
    assert_eq!(with.subscribers[0].address, without.subscribers[0].address);
}

#[test]
fn files_merge_and_the_same_id_in_two_files_names_both() {
    let scratch = Scratch::new("merge");
    let main = scratch.write(
        "main.toml",
        "site = \"a\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n",
    );
    let point = "[point.P]\nregister = \"coil:0\"\n";
    scratch.write("conf.d/10-a.toml", point);
    scratch.write("conf.d/ignored.txt", "nonsense");
    let source = Source::file(Some(main));
    let (config, _) = config::load(&source).expect("good");
    assert_eq!(&*config.engine.points[0].id, "P");
    scratch.write("conf.d/20-b.toml", point);
    let text = errors(&source);
    assert!(text.contains("20-b.toml:1:8\n"), "{text}");
    assert!(text.contains("10-a.toml:1:8 (first here)"), "{text}");
}

#[test]
fn the_environment_overrides_a_closed_list() {
    let source = || Source::text("a.toml", "site = \"a\"\n[http]\nlisten = \"127.0.0.1:1\"\n");
    let listen = variables(&[
        ("FOREWARN_LISTEN", "127.0.0.1:7"),
        ("PATH", "/bin"),
        ("FOREWARN_LOG", "debug"),
    ]);
    let (config, _) = config::load(&source().environment(listen)).expect("good");
    assert_eq!(config.http.listen.port(), 7);
    assert_eq!(config.log, tracing::Level::DEBUG);

    let data = source().environment(variables(&[("FOREWARN_DATA", "/env")]));
    let (config, _) = config::load(&data.clone()).expect("good");
    assert_eq!(config.journal.path, Path::new("/env/journal.db"));
    let (config, _) = config::load(&data.data(Some("/arg".into()))).expect("good");
    assert_eq!(config.journal.path, Path::new("/arg/journal.db"));

    let text = errors(&source().environment(variables(&[("FOREWARN_LISTN", "x")])));
    assert!(
        text.contains("FOREWARN_LISTN is not an environment variable"),
        "{text}"
    );
    assert!(text.contains("did you mean FOREWARN_LISTEN?"), "{text}");
    let text = errors(&source().environment(variables(&[("FOREWARN_LISTEN", "0.0.0.0:9469")])));
    assert!(
        text.contains("error[exposed]") && text.contains("environment:1:1"),
        "{text}"
    );
    let text = errors(&source().environment(variables(&[("FOREWARN_LOG", "loud")])));
    assert!(text.contains("FOREWARN_LOG=loud"), "{text}");
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_named() {
    let text = errors(&Source::file(Some("/nonexistent/a.toml".into())));
    assert!(text.contains("cannot read /nonexistent/a.toml"), "{text}");
    let named = variables(&[("FOREWARN_CONFIG", "/nonexistent/b.toml")]);
    let text = errors(&Source::file(None).environment(named));
    assert!(text.contains("cannot read /nonexistent/b.toml"), "{text}");
    let scratch = Scratch::new("bytes");
    let path = scratch.0.join("c.toml");
    fs::write(&path, b"site = \"a\"\n# \xB0C\n").expect("a temporary file");
    let text = errors(&Source::file(Some(path)));
    assert!(
        text.contains("this is not UTF-8 text") && text.contains("c.toml:2:3"),
        "{text}"
    );
}

/// The one mistake in a file.
fn only(path: PathBuf) -> String {
    let mistakes = config::load(&Source::file(Some(path))).expect_err("it is wrong");
    assert_eq!(mistakes.findings.len(), 1, "{mistakes}");
    mistakes.to_string()
}

#[test]
fn a_file_that_cannot_be_read_is_one_mistake() {
    let scratch = Scratch::new("unreadable");
    let missing = only(scratch.0.join("none.toml"));
    assert!(missing.starts_with("error[file]: cannot read"), "{missing}");
    let folder = only(scratch.0.clone());
    assert!(folder.contains("is a directory"), "{folder}");
    // To open either would wait for ever or read what is no file.
    #[cfg(unix)]
    {
        let device = only("/dev/zero".into());
        assert!(device.contains("it is no regular file"), "{device}");
        let pipe = scratch.0.join("pipe.toml");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo is part of every system").success());
        assert!(only(pipe).contains("it is no regular file"));
    }
    let wide = |text: &str, from: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(from).collect();
    let text = "site = \"a\"\n";
    let marked = format!("\u{feff}{text}");
    let saved: [Vec<u8>; 4] = [
        wide(&marked, u16::to_le_bytes),
        wide(&marked, u16::to_be_bytes),
        wide(text, u16::to_le_bytes),
        wide(text, u16::to_be_bytes),
    ];
    for bytes in saved {
        let path = scratch.0.join("wide.toml");
        fs::write(&path, bytes).expect("a temporary file");
        let text = only(path);
        assert!(text.contains("saved as UTF-16: save it as UTF-8"), "{text}");
    }
}

#[test]
fn an_empty_variable_is_not_taken_for_a_folder() {
    for (name, value) in [("FOREWARN_DATA", ""), ("FOREWARN_LOG", "\n")] {
        let source = Source::text("a.toml", "site = \"a\"\n");
        let text = errors(&source.environment(variables(&[(name, value)])));
        let expected = format!("error[environment]: {name} is empty");
        assert!(text.contains(&expected), "{text}");
    }
    let source = Source::text("a.toml", "site = \"a\"\n").data(Some("".into()));
    assert!(errors(&source).contains("--data is empty"));
    let named = variables(&[("FOREWARN_CONFIG", "")]);
    let text = errors(&Source::file(None).environment(named));
    assert!(text.contains("FOREWARN_CONFIG is empty"), "{text}");
}

#[test]
fn a_huge_line_and_thousands_of_mistakes_stay_readable() {
    let text = format!("site = \"a\"\nx = [{}]\n[{{", "1, ".repeat(40_000));
    let text = errors(&Source::text("a.toml", &text));
    assert!(text.lines().all(|line| line.len() < 300), "{}", text.len());
    let line = format!("site = \"a\"{} y = 1\n", " ".repeat(70_000));
    let text = errors(&Source::text("a.toml", &line));
    assert!(text.contains("a.toml:1:700"), "{text}");
    assert!(text.lines().all(|line| line.len() < 300), "{}", text.len());

    let many = (0..250).fold("site = \"a\"\n".to_owned(), |text, key| {
        format!("{text}key-{key} = 1\n")
    });
    let (mut out, mut err) = (Vec::new(), Vec::new());
    check(&Source::text("a.toml", &many), false, &mut out, &mut err);
    let err = String::from_utf8(err).expect("messages are text");
    assert_eq!(err.matches("error[").count(), 100, "{err}");
    assert!(
        err.ends_with("\nand 150 more\n\n250 mistakes; nothing was started or changed\n"),
        "{err}"
    );
}

#[cfg(unix)]
#[test]
fn a_secret_comes_from_a_file_of_its_own_and_never_shows() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("secret");
    let main = scratch.write(
        "main.toml",
        "site = \"a\"\n[broker.b]\nurl = \"mqtt://127.0.0.1\"\nusername = \"u\"\npassword_file = \"pw\"\n",
    );
    let source = Source::file(Some(main));
    let mode = |mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(scratch.0.join("pw"), permissions).expect("our own file");
    };
    assert!(errors(&source).contains("cannot read"));
    scratch.write("pw", "hunter2\n");
    mode(0o640);
    let text = errors(&source);
    assert!(text.contains("can be read by others (mode 640)"), "{text}");
    mode(0o600);
    let (config, _) = config::load(&source).expect("good");
    let login = config.subscribers[0]
        .address
        .login
        .as_ref()
        .expect("a login");
    assert_eq!(login.password.expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
    let hash = config.hash;
    scratch.write("pw", "hunter3\n");
    assert_eq!(
        config::load(&source).expect("good").0.hash,
        hash,
        "secrets are left out"
    );
    scratch.write("pw", "\n");
    assert!(errors(&source).contains("it is empty"));

    for wrong in [
        "password = \"hunter2\"",
        "password = \"hunter2\"\n[x",
        "url = \"mqtt://u:hunter2@h\"",
    ] {
        let text = errors(&Source::text(
            "a",
            &format!("site = \"a\"\n[broker.b]\n{wrong}\n"),
        ));
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("error[secret]"), "{text}");
    }
}

#[test]
fn the_hash_follows_what_is_effective() {
    let hash = |text: &str| {
        let text = format!(
            "site = \"a\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n[point.P]\nregister = \"input:0\"\ntype = \"int16\"\n{text}"
        );
        config::load(&Source::text("a", &text))
            .expect("good")
            .0
            .hash
    };
    assert_eq!(hash("high = 8"), hash("# a comment\nhigh = 8.0\nscale = 1"));
    assert_ne!(hash("high = 8"), hash("high = 8.000001"));
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

#[test]
fn no_mutation_of_the_reference_panics() {
    let reference = read(&project().join("config/forewarn.toml"));
    let original: Vec<&str> = reference
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let original = original.join("\n").into_bytes();
    const BYTES: &[u8] = b"\"'[]{}=.,#\n\r\t 0-9einfa\\\xff\xc3\xa9";
    for seed in 1..=400_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut bytes = original.clone();
        for _ in 0..=dice.roll(6) {
            let at = dice.roll(bytes.len());
            let end = (at + 1 + dice.roll(20)).min(bytes.len());
            match dice.roll(3) {
                0 => drop(bytes.drain(at..end)),
                1 => {
                    let copy = bytes[at..end].to_vec();
                    let to = dice.roll(bytes.len());
                    bytes.splice(to..to, copy);
                }
                _ => bytes[at] = BYTES[dice.roll(BYTES.len())],
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        match config::load(&Source::text("mutated.toml", &text)) {
            Ok((_, warnings)) => assert!(warnings.iter().all(|w| !w.to_string().is_empty())),
            Err(mistakes) => assert!(mistakes.errors() > 0, "seed {seed}: {mistakes}"),
        }
    }
}
