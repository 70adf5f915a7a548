//! Rows become tables of Markdown.

use portcullis::config::DEFAULTS;

use super::fixed::{self, Fixed};
use super::rows::{Limit, ROWS};
use super::{config_with, text};

/// All tables, with a heading each.
pub(super) fn tables() -> String {
    let edges: Vec<_> = ROWS.iter().map(edge).collect();
    let proofs: Vec<_> = ROWS.iter().map(proof).collect();
    let fixed_rows: Vec<_> = fixed::ROWS.iter().map(fixed_row).collect();
    let parts = fixed::parts();
    let parts: Vec<_> = parts
        .iter()
        .map(|part| vec![part.what.clone(), thousands(part.limit)])
        .collect();
    [
        "### Limits that are configured".to_owned(),
        table(
            &[
                "key",
                "default",
                "for one plugin",
                "at the edge",
                "why so much",
            ],
            &edges,
        ),
        "### Tests of them".to_owned(),
        table(&["key", "reached by", "just below in"], &proofs),
        "### Limits that are fixed".to_owned(),
        table(&["what", "limit", "at the edge", "tests"], &fixed_rows),
        "### Parts of a component".to_owned(),
        format!(
            "Counted before anything is compiled; with more of one the plugin is refused, and \
             told of what there is too much. Tests: {}.",
            code(fixed::OF_PARTS)
        ),
        table(&["what", "at most"], &parts),
    ]
    .join("\n\n")
        + "\n"
}

fn edge(row: &Limit) -> Vec<String> {
    let own = if may_be_own(row.key) { "yes" } else { "no" };
    vec![
        format!("`{}`", row.key),
        default_of(row.key),
        own.to_owned(),
        row.edge.to_owned(),
        row.why.to_owned(),
    ]
}

fn proof(row: &Limit) -> Vec<String> {
    let below = if row.below == row.reached {
        "the same".to_owned()
    } else {
        code(row.below)
    };
    vec![format!("`{}`", row.key), code(row.reached), below]
}

fn fixed_row(row: &Fixed) -> Vec<String> {
    let value = constant(&text(row.file), row.name);
    let value = if row.name.ends_with("_BYTES") {
        bytes(value)
    } else {
        thousands(value)
    };
    vec![
        row.what.to_owned(),
        value,
        row.edge.to_owned(),
        code(row.tests),
    ]
}

fn code(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let head: Vec<_> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    let mut lines = vec![line(&head), line(&rule)];
    lines.extend(rows.iter().map(|row| line(row)));
    lines.join("\n")
}

/// What the built-in configuration has for a key.
fn value(key: &str) -> u64 {
    let defaults: toml::Value = toml::from_str(DEFAULTS).unwrap();
    let found = key
        .split('.')
        .try_fold(&defaults, |table, name| table.get(name));
    let value = found.and_then(toml::Value::as_integer);
    u64::try_from(value.unwrap_or_else(|| panic!("{key} is no number"))).unwrap()
}

/// The default of a key, in the unit that its name ends with.
pub(super) fn default_of(key: &str) -> String {
    let value = value(key);
    if key.ends_with("_bytes") {
        bytes(value)
    } else if key.ends_with("_ms") && value.is_multiple_of(1_000) {
        format!("{} s", value / 1_000)
    } else if key.ends_with("_ms") {
        format!("{value} ms")
    } else if key.ends_with("_seconds") {
        format!("{value} s")
    } else {
        thousands(value)
    }
}

/// Whether the program takes the key for one plugin as well.
pub(super) fn may_be_own(key: &str) -> bool {
    let (section, name) = key.split_once('.').unwrap();
    if !["sandbox", "egress"].contains(&section) || name.contains('.') {
        return false;
    }
    let own = format!("plugins.limits.any.{name}");
    match config_with(&own, &value(key).to_string()) {
        Ok(_) => true,
        Err(error) if error.contains("unknown field") => false,
        Err(error) => panic!("{own}: {error}"),
    }
}

/// The number that a constant of Rust has: digits, perhaps shifted.
pub(super) fn constant(source: &str, name: &str) -> u64 {
    let begin = format!("const {name}: ");
    let (_, rest) = source
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no {name}"));
    let (_, rest) = rest.split_once("= ").unwrap();
    number(rest.split(';').next().unwrap())
}

/// `4 << 10`, or `1_000`.
pub(super) fn number(expression: &str) -> u64 {
    let plain = |text: &str| -> u64 { text.trim().replace('_', "").parse().unwrap() };
    match expression.split_once("<<") {
        Some((value, shift)) => plain(value) << plain(shift),
        None => plain(expression),
    }
}

fn bytes(count: u64) -> String {
    match count {
        _ if count.is_multiple_of(1 << 30) => format!("{} GiB", count >> 30),
        _ if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        _ if count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        _ => format!("{} bytes", thousands(count)),
    }
}

/// `20,000`
fn thousands(count: u64) -> String {
    match (count / 1_000, count % 1_000) {
        (0, rest) => rest.to_string(),
        (thousand, rest) => format!("{},{rest:03}", thousands(thousand)),
    }
}
