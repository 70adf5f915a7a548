//! A directory of plugins: what is good serves, what is not is told.

use std::path::Path;

use portcullis::Config;
use portcullis::sources::FailedPlugin;
use portcullis_tests::{Answer, OPERATOR_KEY, bearer, linear_component, test_config};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// The empty core module: WebAssembly, and no component.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// One plugin, and files that are none.
fn mixed_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("README.md", b"not looked at".as_slice()),
        ("broken.wasm", b"this is text"),
        ("core.wasm", CORE_MODULE),
        ("linear.wasm", &linear_component()),
        ("zz-again.wasm", &linear_component()),
    ] {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    directory
}

/// What a gateway with this directory serves, and what it could not load.
async fn open(directory: &Path) -> (Vec<String>, Vec<FailedPlugin>) {
    let data = tempfile::tempdir().unwrap();
    let gateway = portcullis::open(config(&data, directory)).await.unwrap();
    let plugins = gateway.sources.plugins().into_iter();
    let ids = plugins.map(|plugin| plugin.descriptor().id.to_string());
    (ids.collect(), gateway.sources.failed())
}

#[tokio::test]
async fn what_is_no_plugin_does_not_stop_the_others() {
    let (ids, failed) = open(mixed_directory().path()).await;
    assert_eq!(ids, ["linear"]);
    assert_eq!(failed.len(), 3);
    for (failed, (name, reason)) in failed.iter().zip([
        ("broken", "not a WebAssembly component"),
        ("core", "core module"),
        ("zz-again", "another file provides `linear` already"),
    ]) {
        assert_eq!(failed.name, name);
        assert!(failed.reason.contains(reason), "{}", failed.reason);
        assert!(failed.digest.is_some());
    }
}

#[tokio::test]
async fn a_directory_may_be_empty_or_none_at_all() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path(), Path::new("")] {
        assert_eq!(open(path).await, (Vec::new(), Vec::new()));
    }
}

fn config(data: &TempDir, plugins: &Path) -> Config {
    let overrides = [
        ("plugins.directory", plugins.display().to_string()),
        ("sandbox.concurrent_calls", "1".to_owned()),
    ];
    test_config(data.path(), &overrides)
}

#[tokio::test]
async fn operators_see_what_serves_and_what_does_not() {
    let data = tempfile::tempdir().unwrap();
    let plugins = mixed_directory();
    let gateway = portcullis::open(config(&data, plugins.path()))
        .await
        .unwrap();
    let request = bearer("GET", "/v1/plugins", OPERATOR_KEY, &Value::Null);
    let response = portcullis::router(gateway).oneshot(request).await.unwrap();
    let answer = Answer::read(response).await;
    answer.assert_status(200);

    let plugins = answer.json["plugins"].as_array().unwrap();
    let states: Vec<_> = plugins
        .iter()
        .map(|plugin| {
            (
                plugin["id"].as_str().unwrap(),
                plugin["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("linear", "active"),
            ("broken", "failed"),
            ("core", "failed"),
            ("zz-again", "failed"),
        ]
    );
    let linear = &plugins[0];
    assert_eq!(
        linear["capabilities"],
        json!([
            "call https://api.linear.app POST /graphql",
            "log",
            "read the clock"
        ])
    );
    assert!(linear.get("error").is_none());
    for plugin in plugins {
        assert!(plugin["digest"].as_str().unwrap().starts_with("sha256:"));
    }
    for failed in &plugins[1..] {
        assert!(!failed["error"].as_str().unwrap().is_empty());
        assert_eq!(failed["capabilities"], json!([]));
    }
}

#[tokio::test]
async fn a_gateway_without_its_directory_of_plugins_does_not_start() {
    let data = tempfile::tempdir().unwrap();
    let missing = data.path().join("missing");
    let error = portcullis::open(config(&data, &missing))
        .await
        .err()
        .unwrap();
    let text = format!("{error:#}");
    assert!(text.contains("plugins.directory"), "{text}");
    assert!(text.contains("missing"), "{text}");
}
