//! From a component to a version that serves or waits.

use axum::http::header;
use portcullis_core::plugin::PluginDigest;
use portcullis_tests::{LinearVersion, TestHost, linear_component};
use serde_json::{Value, json};

use super::{get, host, install, listed, rebuilt, upload};

fn digest(component: &[u8]) -> String {
    PluginDigest::of(component).to_string()
}

#[tokio::test]
async fn the_first_version_serves_and_is_known_from_then_on() {
    let host = host().await;
    let first = install(&host, linear_component()).await;
    first.assert_status(201);
    assert_eq!(first.json["id"], "linear");
    assert_eq!(first.json["state"], "active");
    assert_eq!(first.json["digest"], digest(&linear_component()));
    assert_eq!(first.json["installedBy"], "operator");
    assert_eq!(first.json["usesWasi"], false);
    assert_eq!(
        first.json["sentence"],
        "It can only: call https://api.linear.app POST /graphql; log; read the clock."
    );
    assert!(first.json.get("difference").is_none());
    let again = install(&host, linear_component()).await;
    again.assert_status(200);
    assert_eq!(again.json["state"], "active");

    let shown = get(&host, "/v1/plugins/linear").await;
    assert_eq!(shown["versions"].as_array().unwrap().len(), 1);
    assert_eq!(shown["versions"][0], again.json);
    assert_eq!(get(&host, "/v1/plugins").await["plugins"][0], again.json);
    let crates = shown["provenance"]["crates"].as_array().unwrap();
    assert!(crates.iter().any(|it| it["name"] == "serde_json"));
    let served = host.invoke("list_issues", json!({ "first": 1 })).await;
    served.assert_status(200);
}

#[tokio::test]
async fn what_asks_for_nothing_new_serves_at_once() {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    let rebuilt = rebuilt("built again");
    let installed = install(&host, rebuilt.clone()).await;
    installed.assert_status(201);
    assert_eq!(installed.json["replaced"], digest(&linear_component()));
    assert_eq!(
        listed(&host).await,
        [("active".to_owned(), digest(&rebuilt))]
    );
    let shown = get(&host, "/v1/plugins/linear").await;
    assert_eq!(shown["versions"][1]["state"], "retired");
    // What was replaced is a candidate again, and asks for nothing new either.
    let back = install(&host, linear_component()).await;
    back.assert_status(201);
}

#[tokio::test]
async fn what_changes_an_action_waits_with_its_difference() {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    let staged = install(&host, LinearVersion::OtherParams.component()).await;
    staged.assert_status(202);
    assert_eq!(staged.json["state"], "staged");
    let difference = &staged.json["difference"];
    assert_eq!(difference["requiresApproval"], true);
    let text = difference["text"].as_str().unwrap();
    assert!(text.contains("~ action list_issues:"), "{text}");
    let part = "+ /params/properties/programId (interface):";
    assert!(text.contains(part), "{text}");
    let summary = difference["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("changes 2 actions; it can only: call"),
        "{summary}"
    );
    let entries = difference["entries"].as_array().unwrap();
    let is_new = |entry: &Value| entry["effect"] == "new";
    assert!(entries.iter().all(is_new), "{difference}");
    assert_eq!(entries[0]["part"], "action");
    assert_eq!(entries[0]["of"], "create_issue");

    let again = install(&host, LinearVersion::OtherParams.component()).await;
    again.assert_status(200);
    assert_eq!(again.json["state"], "staged");
    let compared = get(&host, "/v1/plugins/linear/diff").await;
    assert_eq!(compared["entries"], difference["entries"]);
    assert_eq!(compared["text"], difference["text"]);
    assert_eq!(compared["candidate"], again.json);
    assert_eq!(compared["active"]["digest"], digest(&linear_component()));
    let states: Vec<_> = listed(&host).await.into_iter().map(|it| it.0).collect();
    assert_eq!(states, ["active", "staged"]);
    // The version that serves is still the one that was reviewed.
    let served = host.invoke("list_issues", json!({ "first": 1 })).await;
    served.assert_status(200);
}

#[tokio::test]
async fn a_version_can_be_compared_by_its_digest() {
    let host = host().await;
    install(&host, linear_component()).await;
    let path = |digest: &str| format!("/v1/plugins/linear/diff?digest={digest}");
    let itself = get(&host, &path(&digest(&linear_component()))).await;
    assert_eq!(itself["requiresApproval"], false);
    assert_eq!(itself["entries"], json!([]));
    let ask = async |path: &str| host.operator("GET", path, Value::Null).await;
    let none = ask("/v1/plugins/linear/diff").await;
    none.assert_error(404, "not_found");
    assert!(none.message().contains("staged"), "{}", none.message());
    let unknown = ask(&path(&digest(b"unknown"))).await;
    unknown.assert_error(404, "not_found");
    let malformed = ask(&path("sha256:1")).await;
    malformed.assert_field("/digest", "format");
    let other = ask("/v1/plugins/nothing/diff").await;
    other.assert_error(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_installs_at_once_leave_one_version_active() {
    let host = host().await;
    let (one, other) = (rebuilt("one"), rebuilt("other"));
    let same = tokio::join!(install(&host, one.clone()), install(&host, one.clone()));
    let mut statuses = [same.0.status, same.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 201]);
    let changed = LinearVersion::OtherParams.component();
    let both = tokio::join!(install(&host, other), install(&host, changed));
    assert_eq!(both.0.status, 201, "{}", both.0.text);
    assert_eq!(both.1.status, 202, "{}", both.1.text);
    let active = listed(&host).await.into_iter();
    assert_eq!(active.filter(|it| it.0 == "active").count(), 1);
}

#[tokio::test]
async fn a_body_that_is_no_component_is_not_looked_at() {
    let host = TestHost::builder()
        .set("plugins.require_signed", "none")
        .set("server.max_plugin_bytes", 1_000)
        .start()
        .await;
    for kind in ["", "application/octet-stream", "application/wasm; x=1"] {
        let mut request = upload(linear_component());
        let kind = kind.parse().unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        let refused = host.send(request).await;
        refused.assert_field("Content-Type", "enum");
    }
    let mut twice = upload("x");
    let kind = "application/wasm".parse().unwrap();
    twice.headers_mut().append(header::CONTENT_TYPE, kind);
    let refused = host.send(twice).await;
    refused.assert_field("Content-Type", "enum");
    let long = install(&host, vec![0; 1_001]).await;
    long.assert_error(413, "payload_too_large");
    let fits = install(&host, vec![0; 1_000]).await;
    fits.assert_error(400, "invalid_plugin");
}
