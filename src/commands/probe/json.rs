//! What was found, as one JSON document.

use serde_json::{Value, json};

use super::Found as Findings;
use super::ask::{Heard, Stopped};
use super::decodings::{Decoding, Found, orders};
use super::scan::{Presence, Scanned};
use super::target::Target;
use super::texts::Text;
use super::{show, words as said};
use crate::config::words;
use crate::input::modbus::failure::Failure;

/// What a device holds.
pub(super) fn document(target: &Target, heard: &Heard, findings: &Findings<'_>) -> Value {
    let registers = findings.decoded.registers.iter().map(|register| {
        json!({
            "register": show::place(register.table, register.address),
            "hex": format!("{:04X}", register.word),
            "before": register.before.map(|before| format!("{before:04X}")),
            "decodings": register.decodings.iter().map(decoding).collect::<Vec<_>>(),
        })
    });
    let bits = findings.decoded.bits.iter().map(|bit| {
        json!({
            "register": show::place(bit.table, bit.address),
            "value": u8::from(bit.set),
            "moved": bit.moved,
        })
    });
    let refused = heard.refused.iter().map(|refusal| {
        let mut why = failure(&refusal.failure, target);
        why["registers"] = refusal.span.to_string().into();
        why
    });
    let points = findings.points.iter().map(|(known, judged)| {
        let register = &known.register;
        json!({
            "point": &*known.id,
            "register": show::place(register.table, register.address),
            "type": words::type_name(register.data_type),
            "order": words::order_name(register.order),
            "raw": judged.raw,
            "value": judged.value,
            "unit": &*known.unit,
            "plausible": judged.plausible,
            "instead": judged.instead.as_ref().map(found),
        })
    });
    let stopped = match &heard.stopped {
        None => Value::Null,
        Some(Stopped::Unreachable(reason)) => failure(reason, target),
        Some(Stopped::Late) => json!({"reason": "late"}),
        Some(Stopped::Requests) => json!({"reason": "requests"}),
    };
    json!({
        "device": target.id.as_deref(),
        "line": target.line.to_string(),
        "unit_id": target.unit_id,
        "requests": heard.requests,
        "registers": registers.collect::<Vec<_>>(),
        "bits": bits.collect::<Vec<_>>(),
        "texts": findings.texts.iter().map(text).collect::<Vec<_>>(),
        "points": points.collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
        "stopped": stopped,
        "most_plausible": findings.best.iter().map(found).collect::<Vec<_>>(),
        "toml": findings.toml,
    })
}

fn text(text: &Text) -> Value {
    json!({
        "registers": text.span.to_string(),
        "high_byte_first": text.high_first,
        "low_byte_first": text.low_first,
    })
}

fn decoding(decoding: &Decoding) -> Value {
    let has_order = orders(decoding.data_type).len() > 1;
    json!({
        "type": words::type_name(decoding.data_type),
        "order": has_order.then(|| words::order_name(decoding.order)),
        // JSON has no NaN and no infinity; `verdict` says what is the matter.
        "value": decoding.number.filter(|number| number.is_finite()),
        "verdict": decoding.verdict.name(),
        "evidence_bits": decoding.evidence,
    })
}

fn found(found: &Found) -> Value {
    let mut value = decoding(&found.decoding);
    value["register"] = show::place(found.table, found.address).into();
    value["rival"] = found.rival.as_ref().map(decoding).into();
    value
}

fn failure(failure: &Failure, target: &Target) -> Value {
    let exception = if let Failure::Exception(exception) = failure {
        Some(exception.code())
    } else {
        None
    };
    json!({
        "reason": failure.reason(),
        "exception": exception,
        "what": said::happened(failure),
        "hint": said::advice(failure, &target.line),
    })
}

/// Who is on a line.
pub(super) fn scan(target: &Target, scanned: &Scanned, toml: &str) -> Value {
    let units = scanned.units.iter().map(|(unit, presence)| {
        let (answer, exception) = match presence {
            Presence::Answers => ("value", None),
            Presence::Refuses(code) => ("exception", Some(*code)),
            Presence::NotBehindGateway(code) => ("not_behind_gateway", Some(*code)),
            Presence::Garbled(_) => ("garbled", None),
            Presence::Silent => ("silence", None),
        };
        json!({
            "unit_id": unit,
            "is_there": presence.is_there(),
            "answer": answer,
            "exception": exception.map(|code| code.code()),
            "what": exception.map(|code| said::exception(code).0),
            "device": target.configured(*unit),
        })
    });
    json!({
        "line": target.line.to_string(),
        "units": units.collect::<Vec<_>>(),
        "complete": scanned.complete,
        "lost": scanned.lost.as_ref().map(|lost| failure(lost, target)),
        "toml": toml,
    })
}
