//! A filter that takes offence at one text.

use super::troublesome::{later, notice, stands};
use super::*;
use crate::output::verdict::BUSY;

const SPAM: (&str, &str) = (".", "451 4.7.1 looks like spam");

fn owed<'l>(parcels: &'l [Parcel]) -> Load<'l> {
    let reader = "li";
    Load::Owed { reader, parcels }
}

/// The next time the text is to blame: its reader rests no more, and what is new about the alarm is sent.
#[tokio::test]
async fn a_page_does_not_wait_for_one_whose_text_is_put_off() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, script) = relay(&[SPAM; 2]).await;
        let to_li = |seq| notice(seq, &json!({ "to": ["li"] }));
        let (page, mut next) = (to_li(1), to_li(2));
        assert_eq!(reason(&email.carry(&Load::Event(&page)).await), BUSY);
        later(20).await;
        assert_eq!(reason(&email.carry(&Load::Event(&page)).await), "some");
        // It may be the reader, as long as it was only once.
        assert!(!email.is_stuck("li", 1));
        next.behind = vec!["li".into()];
        assert_eq!(reason(&email.carry(&Load::Event(&next)).await), "some");
        later(30).await;
        assert!(email.may_try("li", clock::monotonic()), "it was hurried");
        let page = [page];
        assert_eq!(reason(&email.carry(&owed(&page)).await), "some");
        assert!(script.lock().expect("no panic").is_empty());
        assert!(email.is_stuck("li", 1) && !email.is_stuck("li", 2));
        let now = clock::monotonic();
        assert!(email.may_try("li", now) && !email.may_try_stuck("li", 1, now));
        let next = [next];
        assert!(email.carry(&owed(&next)).await.is_accepted());
        assert!(email.carry(&Load::Event(&to_li(3))).await.is_accepted());
        later(60).await;
        assert!(email.may_try_stuck("li", 1, clock::monotonic()));
        assert!(email.carry(&owed(&page)).await.is_accepted());
        assert!(!email.is_stuck("li", 1));
        assert_eq!(taken.lock().expect("no panic").len(), 3);
    };
    local.run_until(during).await;
}

/// One bad text does not take the others of a summary along for ever.
#[tokio::test]
async fn a_summary_that_is_put_off_for_its_text_becomes_smaller() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, _, _) = relay(&[SPAM; 2]).await;
        let all: Vec<Parcel> = (1..9).map(|seq| notice(seq, &json!({}))).collect();
        assert_eq!(email.width("li"), usize::MAX);
        let verdict = email.carry(&owed(&all)).await;
        let Verdict::Parted(parted) = verdict else {
            unreachable!("{verdict:?}")
        };
        assert_eq!(stands(&parted, 8), "nobody has it; waits: li");
        assert_eq!((email.width("li"), email.width("anna")), (4, usize::MAX));
        email.carry(&owed(&all[..4])).await;
        assert_eq!(email.width("li"), 2);
        assert!(email.carry(&owed(&all[..2])).await.is_accepted());
        assert_eq!(email.width("li"), 4);
    };
    local.run_until(during).await;
}
