//! Pages of acknowledgement links, word by word: `sheets.txt`, written anew with `UPDATE_EXPECTED=1`.

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Wall;

#[test]
fn every_answer_to_a_link_reads_as_written_down() {
    let at = Wall::from_unix_nanos(1_777_854_000_000_000_000);
    let by = "li-wei";
    let answers = [
        Answer::Waits,
        Answer::Acknowledged {
            by,
            at,
            durable: true,
        },
        Answer::Acknowledged {
            by,
            at,
            durable: false,
        },
        Answer::AlreadyAcknowledged { by: "somebody", at },
        Answer::CalledAgain,
        Answer::Over,
        Answer::Unknown,
        Answer::Expired(at),
        Answer::Foreign,
        Answer::Forged,
        Answer::Broken,
        Answer::NotAReader,
        Answer::TooMany,
        Answer::Unavailable,
    ];
    let mut shown = String::new();
    for language in [Language::English, Language::Chinese] {
        let plant = plant(language);
        let record = AlarmRecord {
            state: AlarmState::Unacknowledged,
            occurrence: 4,
            raised_at: Some(at),
            ..AlarmRecord::new("GD-201/high_high".into())
        };
        for answer in answers {
            let sheet = sheet(answer, None, true, language, &plant);
            shown.push_str(&format!("{}: {}\n", sheet.title, sheet.sentence));
        }
        for number in [4, 3] {
            let sheet = sheet(
                Answer::Waits,
                Some((&record, number)),
                true,
                language,
                &plant,
            );
            for (label, said) in sheet.facts {
                shown.push_str(&format!("  {label}: {said}\n"));
            }
            shown.push_str(&format!("  {}\n", sheet.question.unwrap_or_default()));
            shown.push_str(&format!("  [{}]\n", button(language, None)));
            shown.push_str(&format!(
                "  [{}]\n  {}\n\n",
                button(language, Some("Li Wei")),
                sheet.footer
            ));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wording/tests/sheets.txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, &shown).expect("a writable source tree");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(shown, expected);
}
