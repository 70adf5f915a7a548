//! Both databases are brought to the same tables by the same steps.

use std::{collections::BTreeSet, fs, path::Path};

fn names(database: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let entries = fs::read_dir(root.join(database)).expect("the folder of the migrations");
    entries
        .map(|entry| entry.expect("a migration").file_name())
        .map(|name| name.into_string().expect("a name in UTF-8"))
        .collect()
}

#[test]
fn every_migration_exists_for_both_databases() {
    let sqlite = names("sqlite");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names("postgres"));
}

#[test]
fn numbers_have_no_gap_and_no_twin() {
    for (index, name) in names("sqlite").iter().enumerate() {
        let number = format!("{:04}_", index + 1);
        assert!(name.starts_with(&number), "{name} should be {number}…");
    }
}
