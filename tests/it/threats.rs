//! The threat model names tests, and those tests exist.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const ARCHITECTURE: &str = "host/ARCHITECTURE.md";
const TITLE: &str = "## Threat model";

/// Where tests are.
const FOLDERS: [&str; 5] = ["host", "tests", "sdk", "plugins", "xtask"];

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

/// Every source, by its path without the ending.
fn sources() -> BTreeMap<String, String> {
    let mut folders: Vec<_> = FOLDERS.map(|folder| root().join(folder)).into();
    let mut sources = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.with_extension("");
                let name = name.strip_prefix(root()).unwrap().to_str().unwrap();
                sources.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
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

fn exists(sources: &BTreeMap<String, String>, test: &str) -> bool {
    let Some((place, name)) = test.rsplit_once("::") else {
        return false;
    };
    let (end, definition) = (format!("/{place}"), format!("fn {name}("));
    sources
        .iter()
        .any(|(path, text)| path.ends_with(&end) && text.contains(&definition))
}

#[test]
fn every_row_of_the_threat_model_names_tests_that_exist() {
    let (section, sources) = (section(), sources());
    let rows: Vec<_> = section.lines().filter_map(cells).collect();
    assert!(rows.len() > 40, "{} rows", rows.len());
    let mut missing = Vec::new();
    for row in &rows {
        assert_eq!(row.len(), 3, "{row:?}");
        let named = tests(row[2]);
        if named.is_empty() {
            missing.push(format!("nothing proves: {}", row[0]));
        }
        let absent = named.into_iter().filter(|test| !exists(&sources, test));
        missing.extend(absent.map(|test| format!("there is no test {test}")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
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

#[test]
fn a_test_that_is_gone_is_missed() {
    let sources = sources();
    assert!(exists(&sources, "threats::a_test_that_is_gone_is_missed"));
    for gone in [
        "threats::gone",
        "gone::a_test_that_is_gone_is_missed",
        "threats",
    ] {
        assert!(!exists(&sources, gone), "{gone}");
    }
}
