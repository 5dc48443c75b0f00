//! `forewarn status`: how the gateway is, on one screen.

use std::fmt::Write as _;
use std::io::Write;

use clap::Args;
use serde_json::Value;

use super::daemon::Reach;
use super::trouble::Trouble;
use super::{FINDINGS, GOOD};

/// Arguments of `forewarn status`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: forewarn status\n\nExit codes: 0 it works (what is wrong outside is listed), 1 it has a problem that a restart may help against, 2 usage, 3 no gateway answers"
)]
pub struct StatusArgs {
    #[command(flatten)]
    reach: Reach,
    /// Print the gateway's answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `forewarn status` and gives the exit code.
pub fn run(args: &StatusArgs, mut out: impl Write) -> u8 {
    let asked = || -> Result<u8, Trouble> {
        let status = args.reach.find()?.get("/api/v1/status")?;
        if args.json {
            writeln!(out, "{status}")?;
        } else {
            out.write_all(screen(&status).as_bytes())?;
        }
        let problems = status["problems"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        Ok(if problems { FINDINGS } else { GOOD })
    };
    let mut asked = asked;
    asked().unwrap_or_else(|trouble| trouble.complain())
}

/// The answer for people.
fn screen(status: &Value) -> String {
    let text = |key: &str| status[key].as_str().unwrap_or_default();
    let mut screen = Screen(String::new());
    let clock = match status["clock_synchronized"].as_bool() {
        Some(true) => ", clock synchronized",
        Some(false) => ", CLOCK NOT SYNCHRONIZED",
        None => "",
    };
    screen.line(
        "forewarn",
        format!(
            "{} at {}, {}{clock}",
            text("version"),
            text("site"),
            text("time")
        ),
    );
    screen.list("PROBLEM", &status["problems"]);
    screen.list("degraded", &status["degraded"]);
    screen.line("points", points(&status["points"]));
    for blind in status["points"]["blind"].as_array().into_iter().flatten() {
        screen.line("blind", blind_point(blind));
    }
    screen.line("alarms", alarms(&status["alarms"]));
    screen.line("devices", contacts(&status["devices"]));
    screen.line("brokers", contacts(&status["brokers"]));
    for broker in status["inputs"].as_array().into_iter().flatten() {
        for refused in broker["refused"].as_array().into_iter().flatten() {
            screen.line("refused", refusal(&broker["broker"], refused));
        }
    }
    for output in status["outputs"].as_array().into_iter().flatten() {
        screen.line("output", an_output(output));
    }
    if status.get("stranded").is_some_and(Value::is_null) {
        let words = "unknown: the journal cannot be read";
        screen.line("stranded", words.to_owned());
    }
    for output in status["stranded"].as_array().into_iter().flatten() {
        screen.line("stranded", stranded(output));
    }
    screen.line("journal", journal(&status["journal"]));
    screen.0
}

struct Screen(String);

impl Screen {
    fn line(&mut self, what: &str, words: String) {
        writeln!(self.0, "{what:<10} {words}").expect("writing to a String cannot fail");
    }

    fn list(&mut self, what: &str, words: &Value) {
        let words = words.as_array().into_iter().flatten();
        for words in words.filter_map(Value::as_str) {
            self.line(what, words.to_owned());
        }
    }
}

fn points(points: &Value) -> String {
    if points.is_null() {
        return "unknown: the engine does not answer".to_owned();
    }
    let (total, good) = (&points["total"], &points["good"]);
    format!(
        "{total}: {good} good, {} uncertain, {} without a value",
        points["uncertain"], points["bad"]
    )
}

fn blind_point(blind: &Value) -> String {
    let text = |key: &str| blind[key].as_str();
    let reason = text("reason").unwrap_or("bad").replace('_', " ");
    let last =
        text("last_reading").map_or("never heard".to_owned(), |at| format!("last heard {at}"));
    format!("{}: {reason}, {last}", text("point").unwrap_or_default())
}

fn alarms(alarms: &Value) -> String {
    if alarms.is_null() {
        return "unknown: the engine does not answer".to_owned();
    }
    format!(
        "{} active, {} not acknowledged; {} shelved, {} suppressed, {} out of service (of {})",
        alarms["active"],
        alarms["unacknowledged"],
        alarms["shelved"],
        alarms["suppressed"],
        alarms["out_of_service"],
        alarms["total"],
    )
}

fn contacts(list: &Value) -> String {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    let contact = |one: &Value| {
        one["contact"]
            .as_str()
            .unwrap_or_default()
            .replace('_', " ")
    };
    let up = list.iter().filter(|one| one["contact"] == "up").count();
    let away: Vec<String> = (list.iter().filter(|one| one["contact"] != "up"))
        .map(|one| {
            format!(
                "{} {}",
                one["id"].as_str().unwrap_or_default(),
                contact(one)
            )
        })
        .collect();
    match away.is_empty() {
        true => format!("{up} of {}", list.len()),
        false => format!("{up} of {}; {}", list.len(), away.join(", ")),
    }
}

/// Messages that became no reading, and the last of them.
fn refusal(broker: &Value, refused: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let last = &refused["last"];
    let met = match text(&last["detail"]) {
        met if met.is_empty() => met,
        met => format!(" ({met})"),
    };
    let (broker, reason) = (text(broker), text(&refused["reason"]).replace('_', " "));
    let (count, topic, at) = (&refused["count"], text(&last["topic"]), text(&last["time"]));
    format!("{broker}: {count} for {reason}, last {topic}{met} at {at}")
}

fn an_output(output: &Value) -> String {
    let text = |key: &str| output[key].as_str().unwrap_or_default();
    let mut words = format!(
        "{}: {}, {} waiting",
        text("id"),
        text("contact").replace('_', " "),
        output["waiting"]
    );
    if output["aside"].as_i64().is_some_and(|aside| aside > 0) {
        write!(words, ", {} set aside or owed", output["aside"])
            .expect("writing to a String cannot fail");
    }
    words
}

/// What an output has not delivered that is not configured any more.
fn stranded(output: &Value) -> String {
    let text = |key: &str| output[key].as_str().unwrap_or_default();
    let count = |key: &str| output[key].as_u64().filter(|count| *count > 0);
    let events = count("events").map(|events| {
        let (since, until) = (text("since"), text("kept_until"));
        format!("{events} events since {since} not delivered, kept until {until} unless the journal is full before")
    });
    let put_by = count("put_by").map(|events| {
        let until = text("put_by_until");
        format!("{events} set aside or owed, kept until {until}")
    });
    let left: Vec<String> = events.into_iter().chain(put_by).collect();
    format!("{}: {}; {}", text("id"), left.join(", "), text("message"))
}

fn journal(journal: &Value) -> String {
    let mebibytes = |key: &str| journal[key].as_f64().unwrap_or_default() / f64::from(1 << 20);
    let durable = match journal["durable"].as_bool() {
        Some(false) => ", NOT ON DISK: the disk fails",
        _ => "",
    };
    format!(
        "{} events, {:.1} of {:.0} MiB{durable}",
        journal["newest"],
        mebibytes("size_bytes"),
        mebibytes("limit_bytes")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_screen_says_what_is_wrong_before_what_is_right() {
        let status = json!({
            "version": "0.1.0", "site": "north", "epoch": 7, "time": "t", "clock_synchronized": false,
            "problems": ["task engine: no progress"], "degraded": ["device gd-01: does not answer"],
            "points": {"total": 3, "good": 1, "uncertain": 1, "bad": 1,
                "blind": [{"point": "A", "reason": "no_answer", "last_reading": null}]},
            "alarms": {"total": 9, "active": 2, "unacknowledged": 1, "shelved": 0, "suppressed": 0, "out_of_service": 0},
            "devices": [{"id": "gd-01", "contact": "lost"}, {"id": "gd-02", "contact": "up"}],
            "brokers": [],
            "inputs": [{"broker": "plant", "connected": true, "refused": [{"reason": "unknown_point", "count": 2,
                "last": {"time": "t", "topic": "plant/x", "detail": "yard-p1"}}]}],
            "outputs": [{"id": "chat", "contact": "not_tried", "accepted": 3, "waiting": 4, "aside": 1}],
            "stranded": [{"id": "old", "events": 3, "put_by": 2, "since": "t1", "kept_until": "t2", "put_by_until": "t3",
                "message": "bring it back"}],
            "journal": {"newest": 12, "durable": false, "size_bytes": 1_572_864, "limit_bytes": 268_435_456},
        });
        assert_eq!(
            screen(&status),
            "forewarn   0.1.0 at north, t, CLOCK NOT SYNCHRONIZED\n\
             PROBLEM    task engine: no progress\n\
             degraded   device gd-01: does not answer\n\
             points     3: 1 good, 1 uncertain, 1 without a value\n\
             blind      A: no answer, never heard\n\
             alarms     2 active, 1 not acknowledged; 0 shelved, 0 suppressed, 0 out of service (of 9)\n\
             devices    1 of 2; gd-01 lost\n\
             brokers    0 of 0\n\
             refused    plant: 2 for unknown point, last plant/x (yard-p1) at t\n\
             output     chat: not tried, 4 waiting, 1 set aside or owed\n\
             stranded   old: 3 events since t1 not delivered, kept until t2 unless the journal is full before, \
             2 set aside or owed, kept until t3; bring it back\n\
             journal    12 events, 1.5 of 256 MiB, NOT ON DISK: the disk fails\n"
        );
    }
}
