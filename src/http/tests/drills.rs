//! Drills over HTTP: reached by their own paths only, shown in a list of their own only.

use super::*;
use crate::engine::command::Drilling;
use crate::engine::drill::{self, Exercise};
use crate::engine::overlay::Term;
use crate::engine::reading::AlarmIndex;
use crate::engine::snapshot::{AlarmRecord, DrillView};

const DRILL: &str = "/api/v1/alarms/CH4-101/high/drill";

pub(super) fn view() -> DrillView {
    let at = Moment {
        wall: Wall::from_unix_nanos(1_777_875_151_000_000_000),
        ..Moment::default()
    };
    let exercise = Exercise {
        by: "li-wei".into(),
        reason: "monthly".into(),
        term: Term::new(at, Duration::from_secs(600)),
    };
    DrillView {
        of: AlarmIndex(0),
        record: AlarmRecord {
            state: AlarmState::Unacknowledged,
            priority: Some(Priority::High),
            occurrence: 2,
            raised_at: Some(at.wall),
            drill: Some(Box::new(exercise)),
            ..AlarmRecord::new(drill::name("CH4-101/high").into())
        },
        notices: None,
    }
}

/// What the bodies of [`paths_of_drills_reach_drills`] ask for.
pub(super) fn understood() -> [Action; 3] {
    [
        Action::Drill(Drilling {
            span: Some(Duration::from_secs(600)),
            reason: "monthly".to_owned(),
        }),
        Action::Acknowledge {
            occurrence: Some(2),
            span: None,
        },
        Action::EndDrill,
    ]
}

#[tokio::test]
async fn a_drill_stands_in_no_list_of_alarms() {
    let port = Port::open().await;
    let drill = serde_json::json!({
        "alarm": "CH4-101/high/drill", "test": true, "point": "CH4-101", "kind": "high",
        "name": "Methane, tank farm north", "area": "tank-farm", "area_name": "Tank farm north",
        "priority": "high", "state": "unacknowledged", "occurrence": 2, "by": "li-wei",
        "reason": "monthly", "raised_at": "2026-05-04T06:12:31.000Z", "cleared_at": null,
        "until": "2026-05-04T06:22:31.000Z", "acknowledged": null,
        "action": "Stop hot work, start fans", "plan": "plans/gas-release.md",
        "responsible": ["Li Wei, shift lead, on call"],
        "notices": { "told": [], "steps": 0, "next_step_at": null, "held": false, "grouped_under": null },
    });
    for query in ["", "?state=active", "?state=unacknowledged"] {
        let (status, body) = port.get(&format!("/api/v1/alarms{query}")).await;
        assert_eq!(status, 200);
        let body = json(&body);
        assert_eq!(body["drills"], serde_json::json!([drill]), "{query}");
        let alarms = body["alarms"].as_array().expect("a list");
        let named = |alarm: &Value| alarm["alarm"] == drill["alarm"];
        assert!(!alarms.iter().any(named), "{query}");
    }
    let (status, body) = port.get(DRILL).await;
    assert_eq!((status, json(&body)), (200, drill));
    for (path, status, error) in [
        ("/api/v1/alarms/CH4-101/rise/drill", 404, "no_drill"),
        ("/api/v1/alarms/CH4-999/high/drill", 404, "unknown_alarm"),
    ] {
        let (found, body) = port.get(path).await;
        let refusal = json(&body);
        assert_eq!(
            (found, &refusal["error"]),
            (status, &error.into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn paths_of_drills_reach_drills() {
    let port = Port::open().await;
    for (path, body, status) in [
        (
            "",
            r#"{"by":"li-wei","reason":"monthly","for":"10min"}"#,
            200,
        ),
        ("/acknowledge", r#"{"by":"li-wei","occurrence":2}"#, 200),
        ("/end", r#"{"by":"li-wei","comment":"all mustered"}"#, 200),
        ("/acknowledge", r#"{"by":"li-wei","for":"10min"}"#, 400),
        ("", r#"{"by":"li-wei","reason":"monthly","for":"ten"}"#, 400),
        ("", r#"{"by":"li-wei","reason":"two\nlines"}"#, 400),
        ("", r#"{"by":"li-wei","reson":"monthly"}"#, 400),
        // Understood, but not what the engine was to be asked.
        ("", r#"{"by":"li-wei","reason":"monthly"}"#, 409),
    ] {
        let (found, answer) = port.post(&format!("{DRILL}{path}"), body).await;
        assert_eq!(found, status, "{path} {body}: {answer}");
        if status == 200 {
            assert_eq!(answer["alarm"], "CH4-101/high/drill");
            assert_eq!(answer["occurrence"], 2);
        }
    }
}
