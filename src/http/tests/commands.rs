//! What people ask of alarms, and how they are answered.

use super::*;

/// `high` can be acknowledged and is active; `rise` was acknowledged by someone else before.
pub(super) fn decide(command: &Command) -> Result<Answer, Denied> {
    if command.by.trim().is_empty() {
        return Err(Denied::NoName);
    }
    let outcome = match (command.alarm.as_str(), &command.action) {
        (_, Action::AcknowledgeCall(call)) => return links::decide(command, call),
        ("CH4-101/high", Action::Acknowledge { occurrence, .. }) => Outcome::Accepted {
            occurrence: occurrence.unwrap_or(4),
            at: Wall::from_unix_nanos(1_777_875_160_250_000_000),
        },
        ("CH4-101/rise", Action::Acknowledge { .. }) => Outcome::AlreadyDone {
            occurrence: 2,
            first: Acknowledgement {
                by: "wang-fang".into(),
                at: Wall::from_unix_nanos(1_777_875_151_000_000_000),
            },
        },
        (
            "CH4-101/high",
            Action::Reset {
                occurrence: Some(asked),
                ..
            },
        ) => {
            return Err(Denied::UnknownOccurrence {
                asked: *asked,
                newest: 4,
            });
        }
        ("CH4-101/high", Action::Reset { .. }) => return Err(Denied::StillActive),
        ("TRIP-7", Action::ResetFirstOut { reason }) if reason.as_deref() == Some("known") => {
            Outcome::Accepted {
                occurrence: 0,
                at: Wall::from_unix_nanos(1_777_875_160_250_000_000),
            }
        }
        ("TRIP-7", Action::ResetFirstOut { .. }) => {
            return Err(Denied::NothingToReset("TRIP-7".into()));
        }
        (group, Action::ResetFirstOut { .. }) => return Err(Denied::UnknownGroup(group.into())),
        ("CH4-101/high/drill", action) if drills::understood().contains(action) => {
            Outcome::Accepted {
                occurrence: 2,
                at: Wall::from_unix_nanos(1_777_875_160_250_000_000),
            }
        }
        ("CH4-101/high/drill", _) => return Err(Denied::RealAlarm("CH4-101/rise".into())),
        ("CH4-101/high", action) if understood().contains(action) => Outcome::Accepted {
            occurrence: 4,
            at: Wall::from_unix_nanos(1_777_875_160_250_000_000),
        },
        (alarm, _) => return Err(Denied::UnknownAlarm(alarm.into())),
    };
    Ok(Answer {
        outcome,
        durable: true,
    })
}

#[tokio::test]
async fn commands_and_what_becomes_of_them() {
    let port = Port::open().await;
    let (status, done) = port
        .post(ACKNOWLEDGE, r#"{"by":"li-wei","occurrence":3}"#)
        .await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["result"], "accepted");
    assert_eq!(done["occurrence"], 3);
    assert_eq!(done["by"], "li-wei");
    assert_eq!(done["at"], "2026-05-04T06:12:40.250Z", "the event's time");
    assert_eq!(done["durable"], true);

    let rise = "/api/v1/alarms/CH4-101/rise/acknowledge";
    let (status, done) = port.post(rise, r#"{"by":"li-wei"}"#).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["result"], "already_done");
    assert_eq!(done["by"], "wang-fang");
    assert_eq!(done["at"], "2026-05-04T06:12:31.000Z");

    let reset = "/api/v1/alarms/CH4-101/high/reset";
    let unknown = "/api/v1/alarms/CH4-999/high/acknowledge";
    for (path, body, status, error) in [
        (reset, r#"{"by":"li-wei"}"#, 409, "still_active"),
        (
            reset,
            r#"{"by":"li-wei","occurrence":3}"#,
            409,
            "unknown_occurrence",
        ),
        (unknown, r#"{"by":"li-wei"}"#, 404, "unknown_alarm"),
        (ACKNOWLEDGE, r#"{"by":" "}"#, 400, "no_name"),
        (
            ACKNOWLEDGE,
            r#"{"by":"li-wei","occurence":3}"#,
            400,
            "bad_request",
        ),
        (
            ACKNOWLEDGE,
            r#"{"by":"li\u001b[2Jwei"}"#,
            400,
            "bad_request",
        ),
        (
            ACKNOWLEDGE,
            r#"{"by":"li-wei","occurrence":-1}"#,
            400,
            "bad_request",
        ),
        (ACKNOWLEDGE, "[1", 400, "bad_request"),
    ] {
        let (found, refusal) = port.post(path, body).await;
        assert_eq!(
            (found, &refusal["error"]),
            (status, &error.into()),
            "{path} {body}"
        );
    }
}

#[tokio::test]
async fn a_name_longer_than_any_alarms_does_not_reach_the_engine() {
    let port = Port::open().await;
    let path = format!("/api/v1/alarms/{}/high/acknowledge", "x".repeat(1000));
    let (status, refusal) = port.post(&path, r#"{"by":"li-wei"}"#).await;
    assert_eq!((status, &refusal["error"]), (404, &"unknown_alarm".into()));
    let message = refusal["message"].as_str().expect("words");
    assert!(message.len() < 100, "{message}");
}

/// What the bodies of [`overlays_reach_the_engine_as_they_were_meant`] ask for.
fn understood() -> [Action; 7] {
    [
        Action::Shelve(Shelving {
            span: Some(Duration::from_secs(7200)),
            reason: "coupling exchange".to_owned(),
            ..Shelving::default()
        }),
        Action::Shelve(Shelving {
            one_shot: true,
            reason: "known work".to_owned(),
            approved_by: Some("wang-fang".to_owned()),
            ..Shelving::default()
        }),
        Action::Unshelve,
        Action::TakeOut(Permit {
            span: Some(Duration::from_secs(8 * 3600)),
            approved_by: "wang-fang".to_owned(),
            also_approved_by: None,
            number: "P-2210".to_owned(),
            compensating_measure: None,
            reason: None,
        }),
        Action::TakeOut(Permit {
            span: Some(Duration::from_secs(8 * 3600)),
            approved_by: "wang-fang".to_owned(),
            also_approved_by: None,
            number: "P-2211".to_owned(),
            compensating_measure: Some("portable detector".to_owned()),
            reason: None,
        }),
        Action::PutBack,
        Action::Confirm {
            occurrence: Some(3),
        },
    ]
}

#[tokio::test]
async fn overlays_reach_the_engine_as_they_were_meant() {
    let port = Port::open().await;
    for (command, body, status) in [
        (
            "shelve",
            r#"{"by":"li-wei","reason":"coupling exchange","for":"2h"}"#,
            200,
        ),
        (
            "shelve",
            r#"{"by":"li-wei","reason":"known work","one_shot":true,"approved_by":"wang-fang"}"#,
            200,
        ),
        ("unshelve", r#"{"by":"li-wei","comment":"done"}"#, 200),
        (
            "out-of-service",
            r#"{"by":"li-wei","approved_by":"wang-fang","permit":"P-2210","for":"8h"}"#,
            200,
        ),
        (
            "out-of-service",
            r#"{"by":"li-wei","approved_by":"wang-fang","permit":"P-2211","for":"8h","compensating_measure":"portable detector"}"#,
            200,
        ),
        (
            "out-of-service",
            r#"{"by":"li-wei","approved_by":"wang-fang","permit":"P-2211","for":"8h","compensating_measure":"two\nlines"}"#,
            400,
        ),
        ("in-service", r#"{"by":"li-wei"}"#, 200),
        (
            "confirm",
            r#"{"by":"li-wei","occurrence":3,"comment":"valve closed"}"#,
            200,
        ),
        ("confirm", r#"{"by":"li-wei","occurence":3}"#, 400),
        (
            "shelve",
            r#"{"by":"li-wei","reason":"coupling exchange","for":"2 hours"}"#,
            400,
        ),
        (
            "shelve",
            r#"{"by":"li-wei","reason":"two\nlines","for":"2h"}"#,
            400,
        ),
        ("shelve", r#"{"by":"li-wei","reasn":"x","for":"2h"}"#, 400),
        // Understood, but not what the engine was to be asked.
        (
            "shelve",
            r#"{"by":"li-wei","reason":"coupling exchange","for":"3h"}"#,
            404,
        ),
    ] {
        let path = format!("/api/v1/alarms/CH4-101/high/{command}");
        let (found, answer) = port.post(&path, body).await;
        assert_eq!(found, status, "{command} {body}: {answer}");
    }
}

#[tokio::test]
async fn a_group_is_freed_by_its_own_name() {
    let port = Port::open().await;
    let path = "/api/v1/groups/TRIP-7/reset-first-out";
    let (status, done) = port.post(path, r#"{"by":"li-wei","reason":"known"}"#).await;
    let expected = serde_json::json!({
        "result": "accepted", "group": "TRIP-7", "by": "li-wei",
        "at": "2026-05-04T06:12:40.250Z", "durable": true,
    });
    assert_eq!((status, done), (200, expected));
    let unknown = "/api/v1/groups/TRIP-8/reset-first-out";
    let long = format!("/api/v1/groups/{}/reset-first-out", "x".repeat(1000));
    for (path, body, status, error) in [
        (path, r#"{"by":"li-wei"}"#, 409, "nothing_to_reset"),
        (path, r#"{"by":" "}"#, 400, "no_name"),
        (path, r#"{"by":"li-wei","group":"X"}"#, 400, "bad_request"),
        (
            path,
            r#"{"by":"li-wei","reason":"two\nlines"}"#,
            400,
            "bad_request",
        ),
        (unknown, r#"{"by":"li-wei"}"#, 404, "unknown_group"),
        (&long, r#"{"by":"li-wei"}"#, 404, "unknown_group"),
    ] {
        let (found, refusal) = port.post(path, body).await;
        assert_eq!(
            (found, &refusal["error"]),
            (status, &error.into()),
            "{path} {body}"
        );
    }
    let (status, _) = port.get(path).await;
    assert_eq!(status, 405);
}
