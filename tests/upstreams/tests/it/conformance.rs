//! The fake's schema is part of Linear's.
//!
//! Linear's published schema is not in this repository. The comparison runs where it is found: at
//! the path in `PORTCULLIS_LINEAR_SCHEMA`, else in `shared/data` beside the repository. Elsewhere
//! it says that it was skipped. The rules of comparison are tested everywhere.

mod compare;

use std::{env, fs, path::PathBuf};

use portcullis_upstreams::FakeLinear;

const SCHEMA_VARIABLE: &str = "PORTCULLIS_LINEAR_SCHEMA";

fn published_schema() -> Option<String> {
    let named = env::var_os(SCHEMA_VARIABLE).map(PathBuf::from);
    if let Some(path) = &named {
        assert!(
            path.exists(),
            "{SCHEMA_VARIABLE} names a file that does not exist"
        );
    }
    let beside =
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/linear.graphql");
    let path = named.unwrap_or_else(beside);
    path.exists().then(|| fs::read_to_string(path).unwrap())
}

#[test]
fn everything_the_fake_offers_exists_in_linear() {
    let Some(published) = published_schema() else {
        eprintln!("skipped: no published schema; set {SCHEMA_VARIABLE} to its path");
        return;
    };
    let differences = compare::differences(&FakeLinear::schema_sdl(), &published);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
