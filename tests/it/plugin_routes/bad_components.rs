//! What nobody should install: each is refused with the reason, and the version that
//! serves goes on serving.

use portcullis_tests::{TestHost, linear_component, probe_component};
use serde_json::{Value, json};

use super::{host, install, listed};

/// The empty core module: WebAssembly, and no component.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The empty component.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

async fn assert_serves(host: &TestHost) {
    let served = host.invoke("list_issues", json!({ "first": 1 })).await;
    served.assert_status(200);
    assert_eq!(listed(host).await.len(), 1);
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_the_reason() {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    let linear = linear_component();
    let half = linear.len() / 2;
    for (component, reason) in [
        (Vec::new(), "it is empty"),
        (b"this is text".to_vec(), "no WebAssembly"),
        (b"(component)".to_vec(), "wasm-tools parse"),
        (CORE_MODULE.to_vec(), "core module"),
        (COMPONENT.to_vec(), "does not export"),
        (linear[..half].to_vec(), "not a WebAssembly component"),
        (linear[..8].to_vec(), "does not export"),
        (
            [&linear[..], b"tail garbage"].concat(),
            "not a WebAssembly component",
        ),
        (vec![0; 1 << 20], "no WebAssembly"),
        (newer(&linear), "this gateway serves version"),
        (foreign(&linear), "outside the contract"),
    ] {
        let refused = install(&host, component).await;
        refused.assert_error(400, "invalid_plugin");
        let told = refused.message();
        assert!(told.contains(reason), "{reason}: {told}");
        assert!(refused.text.len() < 2_000, "{}", refused.text);
    }
    assert_serves(&host).await;
}

/// Built against a contract of the future.
fn newer(component: &[u8]) -> Vec<u8> {
    replaced(component, "portcullis:provider/", "@0.1.0", "@9.1.0")
}

/// Built for another host.
fn foreign(component: &[u8]) -> Vec<u8> {
    replaced(
        component,
        "portcullis:provider/",
        "portcullis",
        "somebodies",
    )
}

/// Replaces a text wherever it stands within 60 bytes behind the beginning of a name.
fn replaced(component: &[u8], name: &str, text: &str, other: &str) -> Vec<u8> {
    let mut component = component.to_vec();
    let starts: Vec<_> = places(&component, name.as_bytes());
    for start in starts {
        let end = component.len().min(start + 60);
        let window = &mut component[start..end];
        if let Some(at) = places(window, text.as_bytes()).first() {
            window[*at..*at + text.len()].copy_from_slice(other.as_bytes());
        }
    }
    component
}

fn places(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(text.len()).enumerate();
    let found = windows.filter(|(_, window)| *window == text);
    found.map(|(at, _)| at).collect()
}

#[tokio::test]
async fn flipped_bits_never_stop_the_version_that_serves() {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    let linear = linear_component();
    // Spread over the file: names, code, tables, custom sections.
    for part in 1..24 {
        let mut component = linear.clone();
        component[linear.len() * part / 24] ^= 0x10;
        let answer = install(&host, component).await;
        assert!([201, 202, 400].contains(&answer.status), "{}", answer.text);
        if answer.status == 400 {
            answer.assert_error(400, "invalid_plugin");
        } else {
            // Nothing in it that anybody looks at: back to what is known to work.
            let path = "/v1/plugins/linear/rollback";
            host.operator("POST", path, json!({})).await;
        }
        let served = host.invoke("list_issues", json!({ "first": 1 })).await;
        assert_ne!(served.status, 404, "{}", served.text);
    }
}

#[tokio::test]
async fn sixty_four_megabytes_of_zeros_are_refused() {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    let zeros = install(&host, vec![0; 64 << 20]).await;
    zeros.assert_error(400, "invalid_plugin");
    let told = zeros.message();
    assert!(told.contains("sandbox.component_bytes"), "{told}");
    let more = install(&host, vec![0; (64 << 20) + 1]).await;
    more.assert_error(413, "payload_too_large");
    assert_serves(&host).await;
}

#[tokio::test]
async fn another_plugin_has_an_id_of_its_own() {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    let probe = install(&host, probe_component(&[])).await;
    probe.assert_status(201);
    assert_eq!(probe.json["id"], "probe");
    let digest = probe.text_field("digest");
    for verb in ["approve", "reject"] {
        let path = format!("/v1/plugins/linear/{verb}");
        let body = json!({ "digest": digest });
        host.operator("POST", &path, body)
            .await
            .assert_error(409, "not_staged");
    }
    let body = json!({ "digest": digest });
    host.operator("POST", "/v1/plugins/linear/rollback", body)
        .await
        .assert_error(409, "no_earlier_version");
    let path = format!("/v1/plugins/linear/diff?digest={digest}");
    host.operator("GET", &path, Value::Null)
        .await
        .assert_error(404, "not_found");
}

#[tokio::test]
async fn an_id_is_a_name_and_no_path() {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    for id in [
        "..%2Flinear",
        "%2E%2E",
        "linear%2F",
        "Linear",
        "linear%00",
        "connector:x",
    ] {
        for (method, path) in [
            ("GET", format!("/v1/plugins/{id}")),
            ("GET", format!("/v1/plugins/{id}/diff")),
            ("DELETE", format!("/v1/plugins/{id}")),
        ] {
            let answer = host.operator(method, &path, Value::Null).await;
            answer.assert_error(404, "not_found");
        }
        let path = format!("/v1/plugins/{id}/rollback");
        let answer = host.operator("POST", &path, json!({})).await;
        answer.assert_error(404, "not_found");
    }
    assert_serves(&host).await;
}
