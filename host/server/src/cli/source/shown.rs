//! A review on a screen.

use serde_json::Value;

use super::super::output::{Report, field, json_line, one_line};

/// The actions of a review.
pub(super) fn actions(review: &Value) -> impl Iterator<Item = &Value> {
    let actions = review.get("actions").and_then(Value::as_array);
    actions.into_iter().flatten()
}

/// Whether somebody should look at an action.
pub(super) fn has_changed(action: &Value) -> bool {
    !matches!(field(action, "status").as_str(), "unchanged" | "unknown")
}

/// Every action, and below them where those that have changed differ.
pub(super) fn review(review: Value) -> Report {
    let rows: Vec<_> = actions(&review).map(row).collect();
    let differences: Vec<_> = actions(&review).filter_map(difference).collect();
    let source = field(&review, "sourceId");
    let complete = review.get("complete") == Some(&Value::Bool(true));
    let changed = actions(&review)
        .filter(|action| has_changed(action))
        .count();
    let report = Report::new(review);
    let report = if rows.is_empty() {
        report.text(format!("{source} has no actions."))
    } else {
        report.table(
            vec!["ACTION", "STATUS", "MODE", "RISK", "REVIEWED BY"],
            rows,
        )
    };
    let report = differences.into_iter().fold(report, Report::text);
    if !complete {
        return report.warning(format!(
            "{source} is not served now: nobody knows what has become of its actions"
        ));
    }
    if changed > 0 {
        return report.note(format!(
            "note: portcullis source review {source} --confirm takes this for reviewed"
        ));
    }
    report
}

fn row(action: &Value) -> Vec<String> {
    let of = |part: &str, name: &str| {
        let part = action.get(part).unwrap_or(&Value::Null);
        field(part, name)
    };
    vec![
        field(action, "id"),
        status(action),
        mode(action),
        risk(&of("reviewed", "riskLevel"), of("current", "riskLevel")),
        of("reviewed", "reviewedBy"),
    ]
}

fn status(action: &Value) -> String {
    let status = field(action, "status").replace('_', " ");
    match action.get("renamedFrom") {
        Some(_) => format!("{status} from {}", field(action, "renamedFrom")),
        None => status,
    }
}

fn mode(action: &Value) -> String {
    let mode = field(action, "mode");
    if action.get("drifted") == Some(&Value::Bool(true)) {
        return format!("{mode} (drifted)");
    }
    mode
}

fn risk(reviewed: &str, current: String) -> String {
    if reviewed == current || reviewed == "-" {
        return current;
    }
    format!("{reviewed}, now {current}")
}

/// A line for each part that differs, below the action; none when none does.
fn difference(action: &Value) -> Option<String> {
    if !has_changed(action) {
        return None;
    }
    let id = field(action, "id");
    let Some(entries) = action.get("difference").and_then(Value::as_array) else {
        let unknown = "  what was reviewed was not kept, so nothing shows where it differs";
        return Some(format!("\n{id}\n{unknown}"));
    };
    let mut lines: Vec<_> = entries.iter().map(entry).collect();
    match action.get("differenceOmitted").and_then(Value::as_u64) {
        None | Some(0) => {}
        Some(omitted) => lines.push(format!("  and {omitted} more")),
    }
    (!lines.is_empty()).then(|| format!("\n{id}\n{}", lines.join("\n")))
}

fn entry(entry: &Value) -> String {
    let value = |name: &str| entry.get(name).map(json_line).unwrap_or_default();
    let (mark, values) = match field(entry, "change").as_str() {
        "added" => ("+", value("after")),
        "removed" => ("-", value("before")),
        _ => ("~", format!("{} -> {}", value("before"), value("after"))),
    };
    let text = match field(entry, "affects").as_str() {
        "text" => " (text)",
        _ => "",
    };
    format!(
        "  {mark} {}  {values}{text}",
        one_line(&field(entry, "path"))
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(action: &Value) -> String {
        let document = json!({ "sourceId": "linear", "complete": true, "actions": [action] });
        review(document).for_people(None)
    }

    #[test]
    fn each_part_that_differs_is_a_line() {
        let shown = text(&json!({
            "id": "a", "status": "changed", "mode": "require_approval", "drifted": true,
            "reviewed": { "riskLevel": "read", "reviewedBy": "user:ada" },
            "current": { "riskLevel": "write" },
            "difference": [
                { "path": "/params/x", "change": "added", "after": true, "affects": "interface" },
                { "path": "/params/y", "change": "removed", "before": 1, "affects": "interface" },
                { "path": "/title", "change": "changed", "before": "A", "after": "B",
                  "affects": "text" },
            ],
            "differenceOmitted": 7,
        }));
        let expected = "
a
  + /params/x  true
  - /params/y  1
  ~ /title  \"A\" -> \"B\" (text)
  and 7 more
";
        assert!(shown.ends_with(expected), "{shown}");
        assert!(shown.contains("require_approval (drifted)"), "{shown}");
        assert!(shown.contains("read, now write"), "{shown}");
    }

    #[test]
    fn what_a_source_says_begins_no_line_and_steers_nothing() {
        let evil = "x\n\u{1b}[2J\u{202e}  ~ /risk";
        let shown = text(&json!({
            "id": "a", "status": "text_changed",
            "difference": [{
                "path": evil, "change": "changed", "before": evil, "after": evil,
                "affects": "text",
            }],
        }));
        let plain = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(shown.chars().all(plain), "{shown:?}");
        assert_eq!(shown.matches("\n  ~ ").count(), 1, "{shown}");
    }

    #[test]
    fn a_definition_that_was_not_kept_is_told() {
        let action = json!({ "id": "a", "status": "changed", "difference": null });
        assert!(text(&action).contains("was not kept"));
    }
}
