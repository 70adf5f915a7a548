//! Plugins, their versions and their differences on a screen.

use serde_json::Value;

use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::{Report, field, short};

pub(super) const DIFF_HELP: &str = "\
Each part that differs is a line: + was added, - was removed, ~ is another one.
First comes what is new: what the version asks for beyond the active one, and
what it changes of what people have reviewed or agents are told.

Examples:
  portcullis plugin diff linear
  portcullis plugin diff linear sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  portcullis plugin diff linear --json | jq -r .summary";

/// Where a version differs from the active one, as the gateway answers.
pub(super) async fn compare(
    client: &Client,
    id: &str,
    digest: Option<&str>,
) -> Result<Value, Failure> {
    let query: Vec<_> = digest
        .iter()
        .map(|digest| ("digest", (*digest).to_owned()))
        .collect();
    client.get(&["v1", "plugins", id, "diff"], &query).await
}

/// What the gateway has.
pub(super) fn list(answer: Value) -> Report {
    let plugins = answer.get("plugins").and_then(Value::as_array);
    let rows: Vec<_> = plugins.into_iter().flatten().map(row).collect();
    let report = Report::new(answer);
    if rows.is_empty() {
        return report.text("The gateway has no plugin; `portcullis plugin install` loads one.");
    }
    report.table(vec!["ID", "VERSION", "STATE", "CAN ONLY"], rows)
}

fn row(plugin: &Value) -> Vec<String> {
    let told = match plugin.get("error") {
        Some(_) => field(plugin, "error"),
        None => field(plugin, "capabilities"),
    };
    let mut row: Vec<_> = ["id", "version", "state"]
        .iter()
        .map(|name| field(plugin, name))
        .collect();
    row.push(told);
    row
}

/// A plugin with all its versions.
pub(super) fn history(answer: Value) -> Report {
    let versions = answer.get("versions").and_then(Value::as_array);
    let versions: Vec<_> = versions.cloned().unwrap_or_default();
    let active = versions.iter().find(|it| field(it, "state") == "active");
    let now = match active {
        Some(active) => format!(
            "{} {} serves. {}",
            field(active, "id"),
            field(active, "version"),
            field(active, "sentence")
        ),
        None => format!("No version of {} serves.", field(&answer, "id")),
    };
    let columns = [
        ("VERSION", "version"),
        ("STATE", "state"),
        ("DIGEST", "digest"),
        ("SINCE", "changedAt"),
        ("BY", "changedBy"),
        ("SIGNED BY", "signedBy"),
        ("WHY", "reason"),
    ];
    let row = |version: &Value| {
        columns
            .iter()
            .map(|(_, name)| short(version, name))
            .collect()
    };
    let rows = versions.iter().map(row).collect();
    let headers = columns.iter().map(|(header, _)| *header).collect();
    let report = Report::new(answer).text(now + "\n");
    flagged(report.table(headers, rows), versions.iter())
}

/// Where a version differs from the active one.
pub(super) fn difference(answer: Value) -> Report {
    let candidate = answer.get("candidate").cloned().unwrap_or_default();
    let text = format!(
        "{}\n\n{}",
        field(&answer, "text"),
        field(&candidate, "sentence")
    );
    flagged(Report::new(answer).text(text), [&candidate])
}

/// [`difference`], and how to go on.
pub(super) fn difference_and_next(answer: Value) -> Report {
    let candidate = answer.get("candidate").cloned().unwrap_or_default();
    let report = difference(answer);
    if field(&candidate, "state") == "staged" {
        let next = approve_command(&candidate);
        return report.note(format!("note: approve with: {next}"));
    }
    report
}

/// The command that lets a version serve that waits.
pub(super) fn approve_command(version: &Value) -> String {
    let (id, digest) = (field(version, "id"), field(version, "digest"));
    format!("portcullis plugin approve {id} {digest}")
}

/// `linear 1.4.0`
pub(super) fn name(version: &Value) -> String {
    format!("{} {}", field(version, "id"), field(version, "version"))
}

/// Warns of versions that import WASI.
pub(super) fn flagged<'a>(report: Report, versions: impl IntoIterator<Item = &'a Value>) -> Report {
    let uses_wasi = |version: &&Value| {
        version.get("usesWasi") == Some(&Value::Bool(true)) && field(version, "state") != "retired"
    };
    let flagged = versions.into_iter().filter(uses_wasi);
    flagged.fold(report, |report, version| {
        report.warning(format!(
            "{} imports WASI; nothing is behind it: no files, no network, no environment",
            name(version)
        ))
    })
}
