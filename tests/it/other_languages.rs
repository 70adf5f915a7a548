//! Providers in JavaScript and Python: the examples of their SDKs, installed in a gateway
//! that runs as any other does.
//!
//! `cargo xtask test` builds the components where their tools can be installed; without
//! them these tests are skipped, and say so.

use axum::body::Body;
use axum::http::Request;
use portcullis_tests::{
    Answer, OPERATOR_KEY, TestHost, canary, captured_lines_with, plugins_directory,
};
use portcullis_upstreams::{FakeNotes, FakeOptions, FakeUpstream, Fault};
use serde_json::{Value, json};

/// The credential of the connection, which must never show up anywhere.
const TOKEN: &str = canary!("notes-");

const WASI: &str = "use WASI with nothing behind it (no files, no network, no environment)";

/// A gateway with one of the components, connected to the fake.
struct Site {
    host: TestHost,
    notes: FakeUpstream,
    id: &'static str,
    installed: Value,
}

impl Site {
    /// `None` when the component was not built.
    #[expect(
        clippy::print_stderr,
        reason = "whoever runs the tests should see what was skipped"
    )]
    async fn start(component: &str, id: &'static str) -> Option<Self> {
        let path = plugins_directory().join(format!("../languages/{component}.wasm"));
        let Ok(bytes) = std::fs::read(&path) else {
            eprintln!(
                "skipped: there is no {}; see the output of cargo xtask test",
                path.display()
            );
            return None;
        };
        let builder = TestHost::builder()
            .set("plugins.require_signed", "none")
            // Compiling takes its time on a machine with other things to do.
            .set("plugins.compile_cpu_seconds", 600)
            .set("plugins.compile_seconds", 900);
        let notes = FakeNotes::start(FakeOptions::new(TOKEN)).await.unwrap();
        let mut host = builder.start().await;
        let installed = install(&host, bytes).await;
        installed.assert_status(201);
        host.grant(notes.url()).await;
        let connection = json!({
            "provider": id,
            "credential": { "type": "token", "token": TOKEN },
            "baseUrls": { "api": notes.url() },
        });
        let connection = host.connect(connection).await;
        host.enter_new_session(json!({ "connectionIds": [connection] }))
            .await;
        Some(Self {
            host,
            notes,
            id,
            installed: installed.json,
        })
    }

    async fn invoke(&self, action: &str, params: Value) -> Answer {
        let body = json!({ "integration": self.id, "action": action, "params": params });
        let answer = self.host.agent("POST", "/invoke", body).await;
        assert!(!answer.text.contains(TOKEN), "the credential is answered");
        answer
    }

    async fn result(&self, action: &str, params: Value) -> Value {
        let answer = self.invoke(action, params).await;
        answer.assert_status(200);
        answer.json["result"].clone()
    }

    async fn allow(&self, action: &str) {
        let path = format!("/modes/{}/{action}", self.id);
        let mode = json!({ "mode": "allow" });
        self.host.admin("PUT", &path, mode).await.assert_status(200);
    }
}

async fn install(host: &TestHost, bytes: Vec<u8>) -> Answer {
    let request = Request::post("/v1/plugins")
        .header("authorization", format!("Bearer {OPERATOR_KEY}"))
        .header("content-type", "application/wasm")
        .body(Body::from(bytes))
        .unwrap();
    host.send(request).await
}

/// Reads, writes, and what upstreams say to that.
async fn serves_as_others_do(component: &str, id: &'static str) {
    let Some(site) = Site::start(component, id).await else {
        return;
    };
    let found = site
        .result("list_notes", json!({ "containing": "deploy" }))
        .await;
    assert_eq!(
        found["notes"][0]["text"],
        "Deploys are on Tuesdays — not on Fridays."
    );
    assert_eq!(found["notes"].as_array().unwrap().len(), 1);

    // It writes, so a person decides.
    let waiting = site.invoke("add_note", json!({ "text": "Grüße 🚀" })).await;
    waiting.assert_status(202);
    let invocation = waiting.json["invocation"]["id"].as_str().unwrap();
    let approved = site.host.approve(invocation).await;
    approved.assert_status(200);
    // The key of the invocation is the note's id.
    let note = json!({ "id": invocation, "text": "Grüße 🚀" });
    assert_eq!(approved.json["result"]["note"], note);
    let found = site.result("list_notes", json!({})).await;
    assert_eq!(found["notes"][0], note);

    let refused = site.invoke("add_note", json!({ "text": "" })).await;
    refused.assert_error(400, "invalid_params");

    for (status, code) in [(404, "not_found"), (403, "forbidden"), (500, "upstream")] {
        site.notes.fault_for(Fault::Status { status }, 1);
        let answer = site.invoke("list_notes", json!({})).await;
        answer.assert_error(502, code);
    }
    for request in site.notes.requests() {
        assert!(request.authorized, "{request:?}");
    }
}

#[tokio::test]
async fn a_provider_in_javascript_serves() {
    serves_as_others_do("notes-js", "notes-js").await;
}

#[tokio::test]
async fn a_provider_in_javascript_without_wasi_serves() {
    serves_as_others_do("notes-js-stubbed", "notes-js").await;
}

#[tokio::test]
async fn a_provider_in_python_serves() {
    serves_as_others_do("odd-py", "notes-py").await;
}

/// An endless loop ends its call and nothing else.
async fn is_stopped_when_it_loops(component: &str, id: &'static str) {
    let Some(site) = Site::start(component, id).await else {
        return;
    };
    site.invoke("spin", json!({}))
        .await
        .assert_error(502, "cpu_exceeded");
    let failed = site.invoke("fail", json!({})).await;
    failed.assert_error(502, "provider_internal");
    assert!(
        !failed.text.contains("of the provider's own"),
        "{}",
        failed.text
    );
    let logged = captured_lines_with("a defect of the provider's own");
    assert!(!logged.is_empty());
    site.result("list_notes", json!({})).await;
}

#[tokio::test]
async fn a_loop_in_javascript_is_stopped() {
    is_stopped_when_it_loops("odd-js", "notes-js").await;
}

#[tokio::test]
async fn a_loop_in_python_is_stopped() {
    is_stopped_when_it_loops("odd-py", "notes-py").await;
}

#[tokio::test]
async fn javascript_finds_nothing_behind_wasi() {
    let Some(site) = Site::start("odd-js", "notes-js").await else {
        return;
    };
    let (first, second) = (
        site.result("look", json!({})).await,
        site.result("look", json!({})).await,
    );
    assert_eq!(first["globals"], json!([]));
    assert_eq!(
        first["now"], second["now"],
        "the clock is the host's, which stands"
    );
    assert!(capabilities(&site).contains(&WASI.to_owned()));
}

#[tokio::test]
async fn python_finds_nothing_behind_wasi() {
    let Some(site) = Site::start("odd-py", "notes-py").await else {
        return;
    };
    let found = site.result("look", json!({})).await;
    for (what, expected) in [
        ("environment", json!({})),
        ("arguments", json!([])),
        ("input", json!("")),
    ] {
        assert_eq!(found[what], expected, "{what}");
    }
    for attempt in ["read", "write", "connect", "resolve"] {
        assert_ne!(found[attempt], "worked", "{attempt}");
    }
    let again = site.result("look", json!({})).await;
    assert_eq!(
        found["now"], again["now"],
        "the clock is the host's, which stands"
    );
    assert_ne!(found["random"], again["random"]);
    assert!(!captured_lines_with("printed by Python").is_empty());
    assert!(capabilities(&site).contains(&WASI.to_owned()));
}

#[tokio::test]
async fn a_component_without_wasi_is_shown_without() {
    let Some(site) = Site::start("notes-js-stubbed", "notes-js").await else {
        return;
    };
    assert!(
        !capabilities(&site).contains(&WASI.to_owned()),
        "{}",
        site.installed
    );
    site.allow("add_note").await;
    site.result("add_note", json!({ "text": "At once" })).await;
}

/// What was shown when it was installed.
fn capabilities(site: &Site) -> Vec<String> {
    let shown = site.installed.to_string();
    let plugin = site.host.gateway.sources.plugin(&site.id.parse().unwrap());
    let capabilities = plugin.unwrap().capabilities();
    for capability in &capabilities {
        assert!(shown.contains(capability), "{capability}: {shown}");
    }
    capabilities
}
