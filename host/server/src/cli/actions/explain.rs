//! `portcullis actions explain`.

use serde_json::Value;

use super::super::output::{Report, field};

/// What would happen, and why.
pub(super) fn explained(explained: Value) -> Report {
    let of = |part: &str, name: &str| {
        let part = explained.get(part).unwrap_or(&Value::Null);
        field(part, name)
    };
    let steps = explained.get("steps").and_then(Value::as_array);
    let rows = steps.into_iter().flatten().map(|step| {
        let is_deciding = step.get("decides") == Some(&Value::Bool(true));
        let mark = if is_deciding { "*" } else { "" };
        vec![
            field(step, "modeSource"),
            field(step, "mode") + mark,
            field(step, "message"),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let outcome = of("outcome", "message");
    let fields = [
        ("guard", of("guard", "message")),
        ("mode in force", of("outcome", "mode")),
        ("risk in force", field(&explained, "riskLevel")),
        ("risk now", of("current", "riskLevel")),
        ("risk reviewed", of("reviewed", "riskLevel")),
        ("digest now", of("current", "digest")),
        ("digest reviewed", of("reviewed", "digest")),
        ("connection", field(&explained, "connectionMessage")),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Report::new(explained)
        .text(outcome)
        .text("")
        .table(vec!["STEP", "MODE (* decides)", "WHY"], rows)
        .text("")
        .fields(fields.into())
}
