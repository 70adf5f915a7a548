//! Loading asks a plugin what it is, with every import closed.

use std::time::Duration;

use portcullis_core::action::CredentialChoice;
use portcullis_core::definition::DefinitionDigests;
use portcullis_core::plugin::{PluginDigest, PluginManifest};
use portcullis_runtime::LoadError;
use serde_json::json;

use crate::harness::{Guest, lines_with, probe, probe_that, refusal};

#[tokio::test]
async fn a_loaded_plugin_is_what_it_says_it_is() {
    let plugin = Guest::probe().await.plugin;
    assert_eq!(plugin.descriptor().id.as_str(), "probe");
    assert_eq!(plugin.descriptor().version, "1.0.0");
    assert_eq!(plugin.guide(), "Do not use these actions.");
    assert_eq!(plugin.digest(), PluginDigest::of(&probe()));
    let echo = plugin.action(&"echo".parse().unwrap()).unwrap();
    assert_eq!(echo.definition.title, "Behaviour echo");
    assert_eq!(echo.digests, DefinitionDigests::of(&echo.definition));
    assert!(echo.validator.validate(&json!({ "a": 1 })).is_ok());
    assert!(echo.validator.validate(&json!("a")).is_err());
    assert!(plugin.action(&"no_such_action".parse().unwrap()).is_none());
}

#[tokio::test]
async fn an_action_says_whose_connection_it_uses() {
    let plugin = Guest::probe().await.plugin;
    for (id, credential) in [
        ("fetch", CredentialChoice::Org),
        ("fetch_as_user", CredentialChoice::User),
        ("fetch_preferring_user", CredentialChoice::PreferUser),
    ] {
        let action = plugin.action(&id.parse().unwrap()).unwrap();
        assert_eq!(action.definition.credential, credential, "{id}");
    }
}

#[tokio::test]
async fn what_it_can_do_is_said_from_its_imports_and_routes() {
    let plugin = Guest::probe().await.plugin;
    assert_eq!(
        plugin.capabilities(),
        [
            "call https://probe.example GET /",
            "call https://probe.example POST /",
            "call https://probe.example GET /",
            "call https://probe.example POST /",
            "log",
            "read the clock",
        ]
    );
}

#[tokio::test]
async fn a_manifest_says_all_of_it_and_reads_back() {
    let plugin = Guest::probe().await.plugin;
    let manifest = plugin.manifest();
    assert_eq!(&manifest.descriptor, plugin.descriptor());
    assert_eq!(manifest.guide, plugin.guide());
    assert_eq!(manifest.actions.len(), plugin.actions().len());
    assert_eq!(manifest.capabilities(), plugin.capabilities());
    let read = PluginManifest::from_json(&manifest.to_json().unwrap());
    assert_eq!(read, Ok(manifest));
}

#[track_caller]
fn assert_describe_error(error: LoadError, expected: &str, says: &str) {
    let LoadError::Describe { function, reason } = error else {
        panic!("{error}");
    };
    assert_eq!(function, expected, "{reason}");
    assert!(reason.contains(says), "{reason}");
}

#[tokio::test]
async fn the_clock_is_closed() {
    for manner in ["reads the clock", "waits"] {
        let error = refusal(probe_that(manner)).await;
        let says = "the clock is refused while a plugin describes itself";
        assert!(error.to_string().contains(says), "{manner}: {error}");
        assert_describe_error(error, "provider.describe", says);
    }
}

#[tokio::test]
async fn requests_are_denied() {
    let guest = Guest::load(probe_that("calls out"), |_| {}).await.unwrap();
    let said = &guest.plugin.descriptor().description;
    assert_eq!(
        said,
        "ErrorKind::Denied: requests are refused while a plugin describes itself"
    );
}

#[tokio::test]
async fn log_lines_are_dropped() {
    let lines = lines_with("a line from describe", async {
        Guest::load(probe_that("logs"), |_| {}).await.unwrap();
    })
    .await;
    assert_eq!(lines, []);
}

#[tokio::test]
async fn a_trap_names_the_function() {
    let error = refusal(probe_that("traps")).await;
    assert_describe_error(error, "actions.guide", "stopped abruptly");
}

#[tokio::test]
async fn the_cpu_limit_holds() {
    let loaded = Guest::load(probe_that("spins"), |config| {
        config.limits.cpu_time = Duration::from_millis(20);
    });
    let error = loaded.await.map(|guest| guest.plugin).unwrap_err();
    assert_describe_error(error, "actions.list", "20 ms of CPU time");
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_its_place() {
    // The one it repeats comes after all others.
    let actions = Guest::probe().await.plugin.actions().len();
    for (manner, expected_path) in [
        ("repeats an action", format!("actions[{actions}].id")),
        ("talks too long", "actions.guide()".to_owned()),
    ] {
        let error = refusal(probe_that(manner)).await;
        let LoadError::Invalid { path, .. } = error else {
            panic!("{manner}: {error}");
        };
        assert_eq!(path, expected_path);
    }
}
