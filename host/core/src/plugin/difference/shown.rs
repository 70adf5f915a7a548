//! A difference for a terminal.

use serde_json::Value;

use super::{Effect, ManifestDifference, ManifestEntry, ManifestPart};
use crate::definition::EntryChange;

const HEADINGS: [(Effect, &str); 3] = [
    (Effect::New, "Asks for more, or changes what was reviewed:"),
    (Effect::Narrowing, "Asks for less:"),
    (Effect::Neutral, "Makes no difference to what it may do:"),
];

pub(super) fn lines(difference: &ManifestDifference) -> Vec<String> {
    let versions = [&difference.active_version, &difference.candidate_version];
    let [from, to] = versions.map(|version| in_one_line(version));
    let mut lines = vec![format!("Version {from} → {to}")];
    for (effect, heading) in HEADINGS {
        let mut entries = difference
            .entries
            .iter()
            .filter(|it| it.effect == effect)
            .peekable();
        if entries.peek().is_some() {
            lines.push(heading.to_owned());
            lines.extend(entries.map(line));
        }
    }
    if difference.entries.is_empty() {
        lines.push("It says and asks for the same.".to_owned());
    }
    if difference.omitted > 0 {
        lines.push(format!("{} more are not shown.", difference.omitted));
    }
    lines
}

/// `  + route api: POST /graphql`
fn line(entry: &ManifestEntry) -> String {
    let mark = match entry.change {
        EntryChange::Added => '+',
        EntryChange::Removed => '-',
        EntryChange::Changed => '~',
    };
    let indent = if entry.part.is_detail() {
        "      "
    } else {
        "  "
    };
    format!("{indent}{mark} {}: {}", label(entry), values(entry))
}

fn label(entry: &ManifestEntry) -> String {
    if let (Some(path), Some(affects)) = (&entry.path, entry.affects) {
        return format!("{} ({affects})", in_one_line(path));
    }
    let part = entry.part.as_str().replace('_', " ");
    match &entry.of {
        Some(of) => format!("{part} {}", in_one_line(of)),
        None => part,
    }
}

fn values(entry: &ManifestEntry) -> String {
    match (&entry.before, &entry.after) {
        (Some(before), Some(after)) if entry.part == ManifestPart::Action => {
            changed_action(before, after)
        }
        (Some(before), Some(after)) => {
            format!("{} → {}", value(entry, before), value(entry, after))
        }
        (Some(only), None) | (None, Some(only)) => value(entry, only),
        (None, None) => String::new(),
    }
}

/// Its risk, if that is another one; what else changed stands below.
fn changed_action(before: &Value, after: &Value) -> String {
    let risk = |action: &Value| in_one_line(text_of(action, "riskLevel"));
    let (before, now) = (risk(before), risk(after));
    let title = Value::from(text_of(after, "title"));
    if before == now {
        return format!("{title} ({now})");
    }
    format!("{title} (risk {before} → {now})")
}

fn value(entry: &ManifestEntry, value: &Value) -> String {
    match (entry.part, value) {
        (ManifestPart::Action, Value::Object(action)) => {
            let title = Value::from(text_of(value, "title"));
            let risk = in_one_line(text_of(value, "riskLevel"));
            match action.get("renamedFrom").and_then(Value::as_str) {
                Some(from) => format!("{title} ({risk}), which was {}", in_one_line(from)),
                None => format!("{title} ({risk})"),
            }
        }
        // Free text is quoted, so that it cannot pass for words of ours.
        (
            ManifestPart::Name
            | ManifestPart::Description
            | ManifestPart::GuideLine
            | ManifestPart::Definition,
            value,
        ) => value.to_string(),
        (_, Value::String(text)) => in_one_line(text),
        (_, value) => value.to_string(),
    }
}

fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A text that has a grammar as it stands; one that breaks it, quoted.
fn in_one_line(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return Value::from(text).to_string();
    }
    text.to_owned()
}
