//! A plant whose people write in the language that they read, for all letters.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::{TimeZone, offset};

use crate::engine::settings::{AlarmKind, Priority};
use crate::guidance::{AlarmWords, Directory, Guidance, Measure, PointWords};
use crate::notify::rota::{Offsets, Rota};
use crate::notify::settings::{Holder, NotifySettings, Roles};
use crate::wording::{Context, Duties, Language, Person, Readers};

pub(super) fn guidance(
    point: PointWords,
    kind: AlarmKind,
    limit: f64,
    words: AlarmWords,
) -> Guidance {
    Guidance {
        kind,
        priority: Priority::Critical,
        limit: Some(limit),
        deadband: (kind == AlarmKind::HighHigh).then_some(1.0),
        point: Arc::new(point),
        words: Arc::new(words),
    }
}

pub(super) fn methane(name: &str) -> PointWords {
    PointWords {
        id: "GD-201".into(),
        name: name.into(),
        area: Some("tank-farm".into()),
        area_name: Some(
            if name.is_ascii() {
                "Tank farm north"
            } else {
                "北罐区"
            }
            .into(),
        ),
        unit: "%LEL".into(),
        responsible: [].into(),
        measures: Measure::Gas,
    }
}

pub(super) fn words(language: Language) -> AlarmWords {
    let [cause, consequence, action] = match language {
        Language::English => [
            "Seal of the pump leaks",
            "Explosive mixture in the pump bay",
            "EVACUATE PUMP BAY, call 5566; close XV-201 from the control room; start the fans",
        ],
        Language::Chinese => [
            "泵密封泄漏",
            "泵区形成爆炸性混合气体",
            "立即撤离泵区并拨打 5566；在控制室关闭 XV-201；启动风机",
        ],
    };
    AlarmWords {
        cause: Some(cause.into()),
        consequence: Some(consequence.into()),
        action: Some(action.into()),
        plan: Some("plans/gas-release.md".into()),
        time_to_respond: Some(Duration::from_secs(300)),
    }
}

/// Whose deputy is whoever is on call: Anna Berg by day, Li Wei by night.
pub(super) fn duties() -> Duties {
    let tank_farm = Roles {
        responsible: vec!["li-wei".into()],
        deputy: vec![Holder::OnCall("farm".into())],
        principal: vec!["wang-fang".into()],
    };
    let turns = ["anna-berg", "li-wei"].map(|person| vec![person.into()]);
    let rota = Rota {
        begins: 8 * 3600,
        every: Duration::from_secs(12 * 3600),
        order: turns.into(),
        swaps: Vec::new(),
        offsets: Arc::new(Offsets {
            first: 8 * 3600,
            changes: Vec::new(),
        }),
    };
    Duties::from(&NotifySettings {
        areas: [("tank-farm".into(), tank_farm)].into(),
        areas_of_own: [("mqtt.plant".into(), "tank-farm".into())].into(),
        rotas: [("farm".into(), rota)].into(),
        ..NotifySettings::default()
    })
}

/// A plant whose people write in the language that they read.
pub(super) fn plant(language: Language) -> Context {
    let [name, boiler, person] = match language {
        Language::English => [
            "Tank-3 pump",
            "Steam drum of boiler 2",
            "Li Wei, shift lead",
        ],
        Language::Chinese => ["3 号罐泵区甲烷", "2 号锅炉汽包", "李伟（值班长）"],
    };
    let drum = PointWords {
        id: "LT-40".into(),
        name: boiler.into(),
        unit: "mm".into(),
        measures: Measure::Level,
        ..methane(boiler)
    };
    let gas = || methane(name);
    let silent = AlarmWords::default();
    let written = || words(language);
    let guidance = [
        guidance(gas(), AlarmKind::HighHigh, 50.0, written()),
        guidance(gas(), AlarmKind::High, 25.0, written()),
        guidance(gas(), AlarmKind::Rise, 10.0, written()),
        guidance(gas(), AlarmKind::Stale, 0.0, silent.clone()),
        guidance(drum, AlarmKind::Low, -120.0, silent),
    ];
    let guidance = guidance.map(|guidance| Guidance {
        limit: guidance.limit.filter(|limit| limit.abs() > 0.0),
        ..guidance
    });
    let [anna, wang] = match language {
        Language::English => ["Anna Berg", "Wang Fang, plant manager"],
        Language::Chinese => ["安娜·贝格", "王芳（厂长）"],
    };
    let li = Person {
        name: person.to_owned(),
        language: Some(language),
        email: Some("li.wei@example.invalid".to_owned()),
        phone: Some("+86 10 5566".to_owned()),
    };
    let named = |name: &str, phone: Option<&str>| Person {
        name: name.to_owned(),
        phone: phone.map(str::to_owned),
        ..Person::default()
    };
    let persons = [
        ("li-wei".to_owned(), li),
        ("anna-berg".to_owned(), named(anna, Some("+86 10 5567"))),
        ("wang-fang".to_owned(), named(wang, None)),
    ];
    let readers = Readers {
        language,
        zone: TimeZone::fixed(offset(8)),
        persons: Arc::new(persons.into()),
        duties: Arc::new(duties()),
    };
    Context::new("north-plant", Directory::new(guidance).into(), readers)
}
