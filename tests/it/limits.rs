//! The tables of limits in `host/ARCHITECTURE.md`, held against the code.
//!
//! Keys and defaults come from the built-in configuration, what operators may give
//! single plugins from the program's own reading of it, and fixed numbers from the
//! sources; what each limit is for, and which tests reach it, stands in `limits/`. To
//! write the tables anew, run the tests with `PORTCULLIS_UPDATE_EXPECTED=1`.

mod fixed;
mod render;
mod rows;

use std::fs;
use std::path::PathBuf;

use portcullis::config::{Config, DEFAULTS};

use crate::proofs::assert_are_tests;
use render::{constant, default_of};
use rows::{Limit, NO_LIMITS, ROWS};

const UPDATE: &str = "PORTCULLIS_UPDATE_EXPECTED";

const BEGIN: &str = "<!-- The tables of limits: made and checked by tests/it/limits.rs. -->";
const END: &str = "<!-- The end of the tables of limits. -->";

/// A file of the workspace.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

#[test]
fn the_tables_are_those_of_the_code() {
    const FILE: &str = "host/ARCHITECTURE.md";
    let document = text(FILE);
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (tables, after) = rest.split_once(END).unwrap();
    let expected = format!("\n\n{}\n", render::tables());
    if std::env::var_os(UPDATE).is_some() {
        let updated = format!("{before}{BEGIN}{expected}{END}{after}");
        fs::write(path(FILE), updated).unwrap();
        return;
    }
    assert!(
        tables == expected,
        "the tables of limits in {FILE} should be these, or {UPDATE}=1 makes it so:\n{expected}"
    );
}

/// The keys of a table, those of the tables in it included.
fn keys(prefix: &str, table: &toml::Table) -> Vec<String> {
    let keys = table.iter().flat_map(|(name, value)| {
        let key = format!("{prefix}{name}");
        match value {
            toml::Value::Table(table) => keys(&format!("{key}."), table),
            _ => vec![key],
        }
    });
    keys.collect()
}

/// Whether a key is about how much of something there may be.
fn is_of_limits(key: &str) -> bool {
    let sections = ["sandbox.", "egress.", "admission.", "plugins.compile_"];
    sections.iter().any(|section| key.starts_with(section))
        || (key.starts_with("server.max_") && key.ends_with("_bytes"))
}

#[test]
fn every_key_that_limits_something_has_a_row() {
    let mut limits = keys("", &toml::from_str(DEFAULTS).unwrap());
    limits.retain(|key| is_of_limits(key));
    limits.sort_unstable();
    let rows = ROWS.iter().map(|row| row.key);
    let mut told: Vec<_> = rows.chain(NO_LIMITS.iter().copied()).collect();
    told.sort_unstable();
    assert_eq!(told, limits);
}

#[test]
fn every_limit_has_a_test_that_reaches_it_and_one_that_stays_below() {
    for Limit {
        key,
        reached,
        below,
        ..
    } in ROWS
    {
        assert!(!reached.is_empty() && !below.is_empty(), "{key}");
    }
    let rows = ROWS
        .iter()
        .flat_map(|row| row.reached.iter().chain(row.below));
    let fixed = fixed::ROWS.iter().flat_map(|row| row.tests);
    let all = rows.chain(fixed).chain(fixed::OF_PARTS).copied();
    assert_are_tests(all);
}

/// The tests of a component's parts name each part as the error does.
#[test]
fn every_part_of_a_component_has_a_test() {
    let tests = text("host/runtime/src/inspect/tests.rs");
    let parts = fixed::parts();
    assert!(parts.len() >= 20, "{}", parts.len());
    for part in parts {
        assert!(tests.contains(&part.what), "no test names `{}`", part.what);
    }
}

#[test]
fn what_operators_may_give_a_plugin_is_read_from_the_program() {
    assert!(render::may_be_own("sandbox.memory_bytes"));
    assert!(render::may_be_own("egress.max_response_body_bytes"));
    assert!(!render::may_be_own("sandbox.stack_bytes"));
    assert!(!render::may_be_own("plugins.compile_seconds"));
    assert!(!render::may_be_own("sandbox.large.memory_bytes"));
}

#[test]
fn numbers_are_read_and_written_as_people_do() {
    assert_eq!(default_of("sandbox.memory_bytes"), "64 MiB");
    assert_eq!(default_of("sandbox.large.memory_bytes"), "512 MiB");
    assert_eq!(default_of("sandbox.table_elements"), "20,000");
    assert_eq!(default_of("sandbox.cpu_time_ms"), "2 s");
    assert_eq!(default_of("plugins.compile_seconds"), "300 s");
    let source = "const A: usize = 4 << 10;\npub const BEE: u64 = 1_000;";
    assert_eq!(constant(source, "A"), 4_096);
    assert_eq!(constant(source, "BEE"), 1_000);
}

/// The configuration with one more key.
fn config_with(key: &str, value: &str) -> Result<Config, String> {
    let secrets = [
        ("auth.operator_key", "o".repeat(32)),
        ("auth.token_secret", "t".repeat(32)),
        ("secrets.master_key", "ab".repeat(32)),
        (key, value.to_owned()),
    ];
    Config::load(None, &secrets).map_err(|error| error.to_string())
}
