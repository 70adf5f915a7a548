//! Where our own code is `unsafe`.

use std::fs;
use std::path::PathBuf;

use super::{path, toml_of};

/// Each use of the word in code of the workspace, as file and what begins with it. The
/// first is the one in the gateway: what it is called with was made by our own compiler,
/// and came from it or from memory that was authenticated. The others never run in one.
const USES: &[(&str, &str)] = &[
    (
        "host/runtime/src/compile/compiled.rs",
        "unsafe { Component::deserialize(engine, self.artifact()) };",
    ),
    (
        "tests/benches/src/bin/bench-sandbox/bare.rs",
        "unsafe { Component::deserialize_file(&self.engine, &path) };",
    ),
    (
        "tests/guests/src/handing.rs",
        "unsafe { String::from_utf8_unchecked(bytes) }",
    ),
    (
        "tests/guests/src/scan.rs",
        "unsafe { pointer.read_volatile() }",
    ),
];

/// Files of this ending below the workspace's folders, by their paths within it, without
/// this one: it is full of the word.
fn files(ending: &str) -> Vec<(String, String)> {
    let root = path(".");
    let folders = ["host", "plugins", "sdk", "tests", "xtask"];
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                files.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.retain(|(name, _)| name != "tests/it/supply_chain/unsafety.rs");
    files.sort();
    files
}

/// What of a line of code is `unsafe`: a block, a function, an implementation.
fn unsafe_part(line: &str) -> Option<&str> {
    const WORD: &str = "unsafe";
    let code = line.split("//").next().unwrap_or_default();
    let (at, _) = code.match_indices(WORD).find(|(at, _)| {
        let is_whole =
            !code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let after = &code[at + WORD.len()..];
        is_whole && (after.is_empty() || after.starts_with([' ', '{', '(']))
    })?;
    // Prose in a text is no code.
    let quotes = code[..at].matches('"').count();
    quotes.is_multiple_of(2).then_some(code[at..].trim())
}

#[test]
fn the_gateway_is_unsafe_in_one_place() {
    let files = files(".rs");
    assert!(files.len() > 300, "{} files", files.len());
    let found: Vec<_> = files
        .iter()
        .flat_map(|(name, text)| {
            let parts = text.lines().filter_map(unsafe_part);
            parts.map(|part| (name.as_str(), part))
        })
        .collect();
    assert_eq!(found, USES);
    assert_eq!(
        USES.iter()
            .filter(|(file, _)| file.starts_with("host/"))
            .count(),
        1
    );
}

/// The lint is denied for all; each crate takes the workspace's lints, and where it is
/// expected is where the word stands, or is generated.
#[test]
fn every_crate_denies_it() {
    let lints = &toml_of("Cargo.toml")["workspace"]["lints"]["rust"];
    assert_eq!(lints["unsafe_code"].as_str(), Some("deny"));
    let manifests = files("Cargo.toml");
    assert!(manifests.len() > 15, "{} manifests", manifests.len());
    for (name, _) in &manifests {
        let inherits = &toml_of(name)["lints"]["workspace"];
        assert_eq!(inherits.as_bool(), Some(true), "{name}");
    }
    let mut allowed_in: Vec<_> = USES.iter().map(|(file, _)| *file).collect();
    // The exports of the guest, as a macro writes them.
    allowed_in.push("tests/guests/src/lib.rs");
    for (name, text) in files(".rs") {
        if text.contains("unsafe_code") {
            assert!(allowed_in.contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn every_way_to_write_it_is_found() {
    for (line, expected) in [
        ("    unsafe { run() }", Some("unsafe { run() }")),
        ("let x = unsafe{ run() };", Some("unsafe{ run() };")),
        ("pub unsafe fn run() {}", Some("unsafe fn run() {}")),
        (
            "unsafe impl Send for X {}",
            Some("unsafe impl Send for X {}"),
        ),
        ("#[unsafe(no_mangle)]", Some("unsafe(no_mangle)]")),
        ("let x = unsafe", Some("unsafe")),
        ("// unsafe { run() }", None),
        ("#[expect(unsafe_code)]", None),
        ("let not_unsafe = 1;", None),
        (r#"says("this is unsafe to do")"#, None),
    ] {
        assert_eq!(unsafe_part(line), expected, "{line}");
    }
}
