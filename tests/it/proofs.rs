//! Tests that documents name: each exists, and is a test.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of the workspace that hold sources of ours.
const FOLDERS: &[&str] = &["host", "tests", "sdk", "plugins", "xtask"];

/// What stands before a function that is a test, somewhere above it; the tests of
/// `on_both` are listed below theirs.
const MARKS: &[&str] = &["#[test]", "#[tokio::test", "on_both!", "proptest!"];

/// A file, by its path, and its text.
type Source = (String, String);

/// Every file of Rust in the workspace.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push((path.to_str().unwrap().to_owned(), text));
            }
        }
    }
    sources
}

/// The names among these that are not the name of exactly one test. One that several
/// tests have is told apart by the end of its file's path: `it/admission::it_holds`.
fn not_one_test<'a>(names: impl IntoIterator<Item = &'a str>, sources: &[Source]) -> Vec<&'a str> {
    let is_one = |name: &&str| {
        let (file, name) = name.rsplit_once("::").unwrap_or(("", name));
        let (file, function) = (format!("{file}.rs"), format!("fn {name}("));
        let tests = sources.iter().filter(|(path, text)| {
            (file == ".rs" || path.ends_with(&format!("/{file}")))
                && text.contains(&function)
                && MARKS.iter().any(|mark| text.contains(mark))
        });
        tests.count() == 1
    };
    names.into_iter().filter(|name| !is_one(name)).collect()
}

/// Fails unless each of these is the name of exactly one test of the workspace.
#[track_caller]
pub(crate) fn assert_are_tests<'a>(names: impl IntoIterator<Item = &'a str>) {
    let missing = not_one_test(names, &sources());
    assert!(missing.is_empty(), "not one test each: {missing:?}");
}

#[test]
fn a_name_that_is_no_test_is_found() {
    let sources = [
        ("src/a.rs", "#[test]\nfn it_holds() {}"),
        ("src/b.rs", "fn it_helps() {}"),
        ("it/one.rs", "#[tokio::test]\nasync fn it_stands_twice() {}"),
        ("it/two.rs", "#[tokio::test]\nasync fn it_stands_twice() {}"),
    ]
    .map(|(path, text)| (format!("/root/{path}"), text.to_owned()));
    let names = [
        "it_holds",
        "src/a::it_holds",
        "two::it_holds",
        "it_helps",
        "it_stands_twice",
        "it/two::it_stands_twice",
        "it_was_removed",
    ];
    assert_eq!(
        not_one_test(names, &sources),
        [
            "two::it_holds",
            "it_helps",
            "it_stands_twice",
            "it_was_removed"
        ]
    );
}
