//! Whatever arrives: no panic, no value that nobody sent, no other point than the one that is meant, and
//! bounds that hold.

use forewarn::engine::reading::Measured;
use proptest::prelude::*;

use super::Plant;

/// Every kind of mapping at once. Each point `x-N` may only have values that are over 100.
fn plant() -> Plant {
    Plant::new(
        "[mapping.one]\ntopic = \"one/{n}\"\npoint = \"x-{n}\"\nvalue = \"/v\"\nquality = \"/q\"\ngood = [\"ok\"]\n\
         [mapping.many]\ntopic = \"many\"\npoint = \"y-{/n}\"\neach = \"/r\"\nvalue = \"/v\"\ntime = \"/t\"\n\
         [mapping.pair]\ntopic = \"pair/{n}\"\nvalues = { \"z-{n}\" = \"/v\", \"w-{n}\" = \"/w\" }\n\
         [mapping.spark]\ntopic = \"spBv1.0/#\"\nformat = \"sparkplug\"\npoint = \"p-{metric}\"\n\
         [point.p-1]\nmapping = \"spark\"\n[mapping.senml]\ntopic = \"senml\"\nformat = \"senml\"\npoint = \"s-{name}\"\n\
         [point.x-1]\nmapping = \"one\"\n[point.y-1]\nmapping = \"many\"\n[point.z-1]\nmapping = \"pair\"\n\
         [point.w-1]\nmapping = \"pair\"\n[point.s-1]\nmapping = \"senml\"\n\
         [point.own]\ntopic = \"own\"\nwords = { ON = 101 }\ntext_numbers = true\n",
    )
}

const TOPICS: [&str; 11] = [
    "one/1",
    "one/2",
    "many",
    "pair/1",
    "senml",
    "own",
    "nowhere",
    "one",
    "one/1/x",
    "spBv1.0/g/NBIRTH/n",
    "spBv1.0/g/NDATA/n",
];

/// JSON of the right words in the wrong places. Every number in it is over 100.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "101",
        "150.5",
        "1e3",
        "\"1\"",
        "\"ok\"",
        "\"lost\"",
        "null",
        "true",
        "\"102\"",
        "1e999",
        "[]",
        "{}",
        "\"\\ud800\"",
        "NaN",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 6, |inner| {
        let key = prop::sample::select(vec!["v", "w", "q", "n", "r", "t", "bn", "vb", "x_", "v"]);
        let entry = (key, inner.clone()).prop_map(|(key, value)| format!("\"{key}\":{value}"));
        let joined = |items: Vec<String>| items.join(",");
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(move |all| format!("[{}]", joined(all))),
            prop::collection::vec(entry, 0..6).prop_map(move |all| format!("{{{}}}", joined(all))),
        ]
    })
}

fn check(plant: &mut Plant, topic: &str, payload: &[u8], least: f64) {
    let (readings, _refused) = plant.read(topic, payload, false);
    for reading in readings {
        let id = plant.id(&reading);
        let fits = match topic {
            "one/1" => id == "x-1",
            "many" => id == "y-1",
            "pair/1" => id == "z-1" || id == "w-1",
            "senml" => id == "s-1",
            "own" => id == "own",
            "spBv1.0/g/NBIRTH/n" | "spBv1.0/g/NDATA/n" => id == "p-1",
            _ => false,
        };
        assert!(fits, "{id} has nothing to do with {topic}");
        if let Measured::Raw(number) = reading.measured {
            assert!(number.is_finite() && number >= least, "{id} = {number}");
        }
    }
}

proptest! {
    #[test]
    fn misplaced_json_gives_no_value_that_is_not_in_it(payload in json()) {
        let mut plant = plant();
        for topic in TOPICS {
            // Of a number in quotes the number is meant.
            let least = if topic == "own" { 1.0 } else { 101.0 };
            check(&mut plant, topic, payload.as_bytes(), least);
        }
    }

    #[test]
    fn any_bytes_on_any_topic_are_survived(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        topic in "\\PC{0,40}",
    ) {
        let mut plant = plant();
        check(&mut plant, &topic, &payload, f64::MIN);
        for topic in TOPICS {
            check(&mut plant, topic, &payload, f64::MIN);
        }
    }
}

#[test]
fn large_and_deep_payloads_are_bounded() {
    let mut plant = plant();
    let quarter = 256 * 1024;
    let wide = format!("{{\"r\":[{}7]}}", "7,".repeat(100_000));
    let keys = format!("{{{}\"v\":7}}", "\"v\":1,".repeat(40_000));
    let long = format!("{{\"v\":{}}}", "9".repeat(quarter - 100));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = "{\"v\":".repeat(40_000);
    let name = format!("[{{\"n\":\"{}\",\"v\":200}}]", "x".repeat(quarter - 100));
    let beyond = "1".repeat(quarter + 1);
    for payload in [&wide, &keys, &long, &deep, &objects, &name, &beyond] {
        for topic in TOPICS {
            let (readings, refused) = plant.read(topic, payload.as_bytes(), false);
            let numbers = readings.iter();
            let numbers = numbers.filter(|reading| matches!(reading.measured, Measured::Raw(_)));
            let kept: usize = refused
                .iter()
                .map(|(_, detail)| detail.chars().count())
                .sum();
            assert_eq!(numbers.count(), 0, "{topic} {}", &payload[..20]);
            assert!(refused.len() <= 1_000 && kept <= 64 * refused.len());
            assert!(!refused.is_empty(), "{topic} {}", &payload[..20]);
        }
    }
    let topic = format!("one/{}", "x".repeat(60_000));
    let (_, refused) = plant.read(&topic, b"{\"v\":1}", false);
    assert_eq!(refused[0].0, "unknown_point");
}

/// What is learnt about topics does not grow with topics.
#[test]
fn unknown_topics_leave_nothing_behind() {
    let mut plant = Plant::new(
        "[mapping.z]\ntopic = \"z/{area}/{device}\"\npoint = \"{device}\"\n\
         availability = { topic = \"z/{area}/lwt/x\", online = [\"1\"], offline = [\"0\"] }\n\
         [point.P]\nmapping = \"z\"\n",
    );
    for number in 0..10_000 {
        assert_eq!(
            plant.hear(&format!("z/{number}/Q"), "1"),
            "[unknown_point Q]"
        );
        assert_eq!(plant.hear(&format!("z/{number}/lwt/x"), "0"), "");
    }
    assert_eq!(plant.hear("z/7/P", "1"), "P=1");
    assert_eq!(plant.hear("z/7/lwt/x", "0"), "P=bad:source_offline");
    assert_eq!(plant.hear("z/8/lwt/x", "0"), "");
}
