//! What comes into the build: under which licences, from where, and with how much
//! `unsafe`.
//!
//! The rules are those of `.deny.toml`, which `cargo deny` reads where it is installed;
//! here they hold where it is not.

mod spdx;
mod unsafety;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
}

fn toml_of(name: &str) -> toml::Value {
    toml::from_str(&fs::read_to_string(path(name)).unwrap()).unwrap()
}

/// The texts of a list.
fn texts(list: &toml::Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item.as_str().unwrap()).collect()
}

/// The one of the systems in `.deny.toml` that this is: only for this one all crates
/// are sure to be there.
fn this_system(rules: &toml::Value) -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    };
    let systems = texts(&rules["graph"]["targets"]);
    let is_this =
        |system: &&&str| system.starts_with(std::env::consts::ARCH) && system.contains(os);
    let this = systems.iter().find(is_this);
    (*this.expect("this system is one of those that .deny.toml names")).to_owned()
}

/// Every crate that is compiled here.
fn crates(system: &str) -> Vec<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--offline", "--locked", "--format-version=1"])
        .args(["--filter-platform", system])
        .current_dir(path("."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The licences of crates that do not name one, by their names.
fn clarified(rules: &toml::Value) -> BTreeMap<&str, &str> {
    let clarified = rules["licenses"]["clarify"].as_array().unwrap().iter();
    clarified
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap();
            (text("crate"), text("expression"))
        })
        .collect()
}

/// The crates whose licence is missing or not allowed, each with what it says.
fn without_licence(crates: &[Value], rules: &toml::Value) -> Vec<String> {
    let allowed: BTreeSet<_> = texts(&rules["licenses"]["allow"]).into_iter().collect();
    let clarified = clarified(rules);
    let refused = |one: &&Value| {
        let named = one["license"].as_str();
        let licence = named.or_else(|| clarified.get(one["name"].as_str()?).copied());
        !licence.is_some_and(|licence| spdx::is_allowed(licence, &allowed))
    };
    let refused = crates.iter().filter(refused);
    let told = |one: &Value| format!("{}: {}", one["name"], one["license"]);
    refused.map(told).collect()
}

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let rules = toml_of(".deny.toml");
    let crates = crates(&this_system(&rules));
    assert!(crates.len() > 300, "{} crates", crates.len());
    let refused = without_licence(&crates, &rules);
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn a_licence_that_is_missing_or_not_allowed_is_told() {
    let rules = toml_of(".deny.toml");
    let one = |name: &str, license: Value| serde_json::json!({ "name": name, "license": license });
    let crates = [
        one("free", "MIT".into()),
        one("copyleft", "MIT AND GPL-3.0-only".into()),
        one("silent", Value::Null),
        one("jsonpath-rust", Value::Null),
    ];
    assert_eq!(
        without_licence(&crates, &rules),
        ["\"copyleft\": \"MIT AND GPL-3.0-only\"", "\"silent\": null"]
    );
}

/// Crates that are locked, by name: where they come from, and whether a checksum says
/// which bytes they are.
fn locked() -> Vec<(String, Option<String>, bool)> {
    let lock = toml_of("Cargo.lock");
    let packages = lock["package"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let text = |name: &str| package.get(name)?.as_str().map(str::to_owned);
            let has_checksum = package.get("checksum").is_some();
            (text("name").unwrap(), text("source"), has_checksum)
        })
        .collect()
}

/// As `cargo deny` does it: what is not allowed is denied.
#[test]
fn every_crate_comes_from_an_allowed_registry_with_a_checksum() {
    let rules = toml_of(".deny.toml");
    let sources = &rules["sources"];
    assert_eq!(sources["unknown-registry"].as_str(), Some("deny"));
    assert_eq!(sources["unknown-git"].as_str(), Some("deny"));
    assert_eq!(texts(&sources["allow-git"]), [""; 0]);
    let registries = texts(&sources["allow-registry"]);
    let is_ours = |name: &str| name.starts_with("portcullis") || name == "xtask";
    for (name, source, has_checksum) in locked() {
        match source {
            Some(source) => {
                let registry = source.strip_prefix("registry+");
                let is_allowed = registry.is_some_and(|registry| registries.contains(&registry));
                assert!(is_allowed && has_checksum, "{name}: {source}");
            }
            None => assert!(is_ours(&name), "{name} comes from a folder"),
        }
    }
}

#[test]
fn no_crate_is_one_that_is_banned() {
    let rules = toml_of(".deny.toml");
    let banned = rules["bans"]["deny"].as_array().unwrap().iter();
    let banned: Vec<_> = banned.map(|one| one["crate"].as_str().unwrap()).collect();
    assert!(banned.len() >= 3, "{banned:?}");
    for (name, ..) in locked() {
        assert!(!banned.contains(&name.as_str()), "{name}");
    }
}
