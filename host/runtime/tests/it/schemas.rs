//! Schemas that are meant to hurt whoever follows or compiles them.

use serde_json::json;

use crate::harness::{Guest, Untouched, probe_that, probe_that_refers_to, refusal};

#[tokio::test]
async fn a_reference_that_leaves_the_schema_is_refused_and_not_followed() {
    let listener = Untouched::new();
    let http = format!("{}/params.json", listener.origin());
    let https = http.replacen("http", "https", 1);
    for reference in [
        &*http,
        &https,
        "https://json-schema.org/draft/2020-12/schema",
        "file:///etc/passwd",
        "/etc/passwd",
        "other.json#/a",
        "//127.0.0.1/params.json",
        "urn:example:params",
        "#anchor",
    ] {
        let error = refusal(probe_that_refers_to(reference)).await.to_string();
        assert!(
            error.starts_with("actions[0].params-schema: ") && error.contains("not allowed"),
            "{reference}: {error}"
        );
        listener.assert_untouched(reference);
    }
}

#[tokio::test]
async fn a_reference_within_the_schema_is_followed() {
    let component = probe_that_refers_to("#");
    let guest = Guest::load(component, |_| {}).await.unwrap();
    let echo = guest.plugin.action(&"echo".parse().unwrap()).unwrap();
    assert!(echo.validator.validate(&json!({ "text": {} })).is_ok());
    assert!(echo.validator.validate(&json!({ "text": 1 })).is_err());
}

/// With an engine that tries one way after the other this would take until the sun has
/// burnt out: every letter doubles the ways.
#[tokio::test]
async fn a_pattern_takes_time_in_proportion_to_the_text() {
    let guest = Guest::load(probe_that("has a slow pattern"), |_| {});
    let plugin = guest.await.unwrap().plugin;
    let echo = plugin.action(&"echo".parse().unwrap()).unwrap();
    for letters in [10, 1_000, 100_000] {
        let matching = json!({ "text": "a".repeat(letters) });
        let nearly = json!({ "text": format!("{}!", "a".repeat(letters)) });
        assert!(echo.validator.validate(&matching).is_ok());
        let violations = echo.validator.validate(&nearly).unwrap_err();
        assert_eq!(violations.len(), 1);
        assert!(violations[0].message.len() < 400);
    }
}
