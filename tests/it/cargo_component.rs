//! Plugins also build with cargo-component, for those who use it.

use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_runtime::inspect::inspect;

fn plugins() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let mut plugins: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .collect();
    plugins.sort();
    assert!(!plugins.is_empty());
    plugins
}

#[test]
fn every_plugin_names_its_world() {
    for plugin in plugins() {
        let manifest = std::fs::read_to_string(plugin.join("Cargo.toml")).unwrap();
        for line in [
            "[package.metadata.component.target]",
            r#"path = "../../wit""#,
            r#"world = "action-source""#,
        ] {
            assert!(manifest.contains(line), "{}: {line}", plugin.display());
        }
    }
}

#[test]
fn every_plugin_builds_with_cargo_component() {
    let version = Command::new("cargo")
        .args(["component", "--version"])
        .output();
    if !version.is_ok_and(|output| output.status.success()) {
        println!("skipped: cargo-component is not installed");
        return;
    }
    let target = tempfile::tempdir().unwrap();
    for plugin in plugins() {
        let built = Command::new("cargo")
            .args([
                "component",
                "build",
                "--release",
                "--target",
                "wasm32-unknown-unknown",
            ])
            .env("CARGO_TARGET_DIR", target.path())
            .current_dir(&plugin)
            .status()
            .unwrap();
        assert!(built.success(), "{}", plugin.display());
        let name = plugin.file_name().unwrap().to_str().unwrap();
        let file = target
            .path()
            .join("wasm32-unknown-unknown/release")
            .join(format!("portcullis_plugin_{name}.wasm"));
        inspect(&std::fs::read(file).unwrap(), usize::MAX).unwrap();
    }
}
