//! `portcullis actions list`.

use serde_json::Value;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::{Report, field};

/// The catalog as a table, of one source or of all.
pub(super) fn list(mut catalog: Value, source: Option<&str>) -> Result<Report, Failure> {
    if let Some(source) = source {
        keep(&mut catalog, source)?;
    }
    let rows = items(&catalog, "actions").map(|action| {
        vec![
            field(action, "name"),
            field(action, "riskLevel"),
            mode(action),
            field(action, "title"),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let troubles = troubles(&catalog);
    let report = Report::new(catalog);
    let report = if rows.is_empty() {
        report.text("There is no action in this session.")
    } else {
        report.table(vec!["ACTION", "RISK", "MODE", "TITLE"], rows)
    };
    if troubles.is_empty() {
        return Ok(report);
    }
    Ok(report.text(format!("\n{}", troubles.join("\n"))))
}

/// What is in force, and whether that is so because the action is another one than
/// somebody decided about.
fn mode(action: &Value) -> String {
    let mode = field(action, "mode");
    if field(action, "drifted") == "true" {
        return format!("{mode} (drifted)");
    }
    mode
}

/// Keeps what belongs to one source, which must exist.
fn keep(catalog: &mut Value, source: &str) -> Result<(), Failure> {
    let known: Vec<_> = items(catalog, "sources")
        .map(|item| field(item, "id"))
        .collect();
    if !known.iter().any(|id| id == source) {
        return Err(Failure::new(
            Exit::Refused,
            "unknown_source",
            format!("there is no source `{source}`"),
        )
        .hint(format!("this session has: {}", known.join(", "))));
    }
    for (list, name) in [("actions", "sourceId"), ("sources", "id")] {
        if let Some(items) = catalog.get_mut(list).and_then(Value::as_array_mut) {
            items.retain(|item| field(item, name) == source);
        }
    }
    Ok(())
}

/// A line for each source that does not work as it is.
fn troubles(catalog: &Value) -> Vec<String> {
    items(catalog, "sources")
        .filter(|source| field(source, "status") != "ok")
        .map(|source| {
            let (id, status) = (field(source, "id"), field(source, "status"));
            format!("{id} ({status}): {}", field(source, "message"))
        })
        .collect()
}

fn items<'a>(catalog: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    catalog
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
