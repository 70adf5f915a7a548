//! The threat model names tests, and those tests exist.

use std::fs;
use std::path::Path;

use crate::proofs::assert_are_tests;

const ARCHITECTURE: &str = "host/ARCHITECTURE.md";
const TITLE: &str = "## Threat model";

/// Who may attack, at least; each has a table of its own.
const WHO: [&str; 8] = [
    "A malicious plugin",
    "A compromised upstream",
    "A prompt-injected agent",
    "A curious member",
    "Another tenant",
    "A stolen sandbox token",
    "An operator's mistake",
    "Somebody with the database",
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The section of the threat model, up to the next of its rank.
fn section() -> String {
    let text = fs::read_to_string(root().join(ARCHITECTURE)).unwrap();
    let (_, section) = text.split_once(TITLE).unwrap();
    let end = section.find("\n## ").unwrap_or(section.len());
    section[..end].to_owned()
}

/// The cells of a row that is neither a heading nor the line below it.
fn cells(line: &str) -> Option<Vec<&str>> {
    let line = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    let is_row = !cells[0].starts_with("---") && cells[0] != "it tries to";
    is_row.then_some(cells)
}

/// What stands between backticks: `file::test`, or `folder/file::test`.
fn tests(cell: &str) -> Vec<&str> {
    let spans = cell.split('`').skip(1).step_by(2);
    spans.collect()
}

#[test]
fn every_row_of_the_threat_model_names_tests_that_exist() {
    let section = section();
    let rows: Vec<_> = section.lines().filter_map(cells).collect();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for row in &rows {
        assert_eq!(row.len(), 3, "{row:?}");
        assert!(!tests(row[2]).is_empty(), "nothing proves: {}", row[0]);
    }
    assert_are_tests(rows.iter().flat_map(|row| tests(row[2])));
}

#[test]
fn everybody_has_a_table_and_what_it_does_not_cover() {
    let section = section();
    let parts: Vec<_> = section.split("\n### ").skip(1).collect();
    for who in WHO {
        let part = parts.iter().find(|part| part.lines().next() == Some(who));
        let part = part.unwrap_or_else(|| panic!("nobody says what {who} does"));
        assert!(part.lines().filter_map(cells).count() > 1, "{who}");
        assert!(part.contains("\nNot covered: "), "{who}");
    }
}
