//! Refusals and failures, each held against its description.

use std::time::Duration;

use portcullis_core::signature::{PrivateKey, SignedDigest};
use portcullis_tests::{LinearVersion, ORG, TestHost, call, linear_component};
use portcullis_upstreams::Fault;
use serde_json::{Value, json};

use super::answers::{NOTHING, update};
use super::checked::Checked;

#[tokio::test]
async fn refusals_are_as_described() {
    let mut host = TestHost::builder()
        .set("admission.pending_per_session", 1)
        .set("admission.invocations_per_minute", 8)
        .set("results.keep_hours", 0)
        .set("plugins.trusted_keys.ci", key().public())
        .start()
        .await;
    host.enter_new_session(json!({})).await;
    let checked = Checked::new(host).await;
    callers(&checked).await;
    bodies(&checked).await;
    let invoke = |action, params| checked.invoke(action, params);
    let wrong = invoke("create_issue", json!({ "titel": "x" })).await;
    wrong.assert_error(400, "invalid_params");
    assert!(!wrong.violations().is_empty());
    let unknown = invoke("make_issue", json!({})).await;
    unknown.assert_error(422, "unknown_action");
    let elsewhere = json!({ "integration": "nothing", "action": "x", "params": {} });
    let unknown = checked.agent("POST", "/invoke", elsewhere).await;
    unknown.assert_error(404, "unknown_source");

    let keyed = async |priority| {
        let params = json!({ "issueId": "ENG-1", "priority": priority });
        checked
            .invoke_with_key("a key", "update_issue", params)
            .await
    };
    keyed(1).await.assert_status(202);
    keyed(2).await.assert_error(409, "idempotency_key_reused");
    let second = invoke("update_issue", update()).await;
    second.assert_error(429, "too_many_pending");
    checked.host.clock.advance(Duration::from_mins(5));
    keyed(1).await.assert_error(410, "expired");
    undecided(&checked).await;
    unknown_mode(&checked).await;
    stale_digest(&checked).await;
    failures(&checked).await;
    checked.host.clock.advance(Duration::from_mins(1));
    results(&checked).await;
    plugins(&checked).await;
    let exhausted = async || {
        for _ in 0..8 {
            let answer = invoke("list_issues", json!({ "first": 1 })).await;
            if answer.status == 429 {
                return answer;
            }
        }
        panic!("nothing was refused");
    };
    exhausted().await.assert_error(429, "rate_limited");
    endings(&checked).await;
    check_all_seen(&checked);
}

/// Every code with which the gateway refuses has been seen where it is described.
fn check_all_seen(checked: &Checked) {
    // The router's own; a minute of real time; three that need an accident; one
    // that needs a socket.
    let unseen = [
        "method_not_allowed",
        "request_timeout",
        "conflict",
        "internal",
        "outcome_unknown",
        "too_many_streams",
        "plugin_unloadable",
    ];
    let examples = &checked.description.document["components"]["examples"];
    let seen = checked.codes();
    for code in examples.as_object().unwrap().keys() {
        let is_refusal = !code.starts_with("invocation.");
        let is_expected = is_refusal && !unseen.contains(&code.as_str());
        assert!(!is_expected || seen.contains(code), "{code}: {seen:?}");
    }
}

/// Callers who may not, and things that are not there.
async fn callers(checked: &Checked) {
    for (token, status, code) in [
        ("", 401, "unauthorized"),
        (checked.host.sandbox_token.as_str(), 403, "forbidden"),
    ] {
        let refused = checked.ask("GET", "/v1/orgs", token, Value::Null).await;
        refused.assert_error(status, code);
    }
    let body = json!({ "id": ORG, "name": "Acme" });
    let again = checked.operator("POST", "/v1/orgs", body).await;
    again.assert_error(409, "already_exists");
    let path = format!("/invocations/{NOTHING}");
    let nothing = checked.agent("GET", &path, Value::Null).await;
    nothing.assert_error(404, "not_found");
    let path = format!("/{}/events", checked.host.session_id);
    let agent = &checked.host.sandbox_token;
    let plain = checked.ask("GET", &path, agent, Value::Null).await;
    plain.assert_error(426, "upgrade_required");
    assert_eq!(plain.header("upgrade"), "websocket");
}

/// Bodies that are refused before anybody looks at what they say.
async fn bodies(checked: &Checked) {
    let cut = checked.send_text("POST", "/v1/orgs", "{".to_owned()).await;
    cut.assert_error(400, "invalid_json");
    let text = format!(r#"{{"id":"{}"}}"#, "x".repeat(1 << 20));
    let large = checked.send_text("POST", "/v1/orgs", text).await;
    large.assert_error(413, "payload_too_large");
    let parameters = checked
        .description
        .operation_for("GET", &checked.host.actions("/invocations"))
        .object["parameters"]
        .clone();
    let mut parameters = parameters.as_array().unwrap().iter();
    let limit = parameters.find(|parameter| parameter["name"] == "limit");
    let schema = &limit.unwrap()["schema"];
    let most = schema["maximum"].as_u64().unwrap();
    let usual = schema["default"].as_u64().unwrap();
    for (limit, status) in [(usual, 200), (most, 200), (most + 1, 400), (0, 400)] {
        let path = format!("/invocations?limit={limit}");
        let answer = checked.agent("GET", &path, Value::Null).await;
        answer.assert_status(status);
    }
}

/// Decisions that have no effect.
async fn undecided(checked: &Checked) {
    let asked = checked.invoke("update_issue", update()).await;
    let id = asked.json["invocation"]["id"].as_str().unwrap();
    let decide = async |verb: &str| {
        let path = checked.host.actions(&format!("/invocations/{id}/{verb}"));
        let token = &checked.host.admin_token;
        checked.ask("POST", &path, token, json!({})).await
    };
    checked.host.set_mode("update_issue", "deny").await;
    let denied = decide("approve").await;
    denied.assert_error(409, "denied_meanwhile");
    checked
        .host
        .set_mode("update_issue", "require_approval")
        .await;
    let path = format!("/connections/{}", checked.host.connection_id);
    let body = json!({ "credential": checked.host.credential_of("another") });
    checked.admin("PUT", &path, body).await.assert_status(200);
    let rotated = decide("approve").await;
    rotated.assert_error(409, "connection_changed");
    decide("deny").await.assert_status(200);
    let again = decide("deny").await;
    again.assert_error(409, "already_decided");
    let path = "/modes/linear/update_issue";
    let removed = checked.admin("DELETE", path, Value::Null).await;
    removed.assert_status(204);
}

/// A stored mode that is none denies, and is shown as it is.
async fn unknown_mode(checked: &Checked) {
    checked.host.set_mode("list_issues", "allow").await;
    checked
        .host
        .sql("UPDATE org_action_modes SET mode = 'allways'")
        .await;
    let denied = checked.invoke("list_issues", json!({})).await;
    denied.assert_error(403, "denied");
    let listed = checked.admin("GET", "/modes", Value::Null).await;
    assert_eq!(listed.json["modes"][0]["mode"], "allways");
    checked.host.set_mode("list_issues", "allow").await;
}

/// A mode for a definition that is none.
async fn stale_digest(checked: &Checked) {
    let digest = format!("sha256:{}", "0".repeat(64));
    let body = json!({ "mode": "allow", "digest": digest });
    let path = "/modes/linear/create_issue";
    let refused = checked.admin("PUT", path, body).await;
    refused.assert_error(409, "definition_changed");
}

/// Invocations that fail, and one without a connection.
async fn failures(checked: &Checked) {
    checked.host.upstreams.linear.fault_for(Fault::Garbage, 1);
    let failed = checked.invoke("list_issues", json!({ "first": 1 })).await;
    failed.assert_error(502, "upstream");
    let session = checked.host.open_session(json!({})).await;
    let token = checked.host.sandbox_token_of(&session).await;
    let path = format!("/{session}/actions/invoke");
    let body = call("list_issues", &json!({}));
    let missing = checked.ask("POST", &path, &token, body).await;
    missing.assert_error(502, "connection_missing");
    let path = format!("/{session}/actions/available");
    let catalog = checked.ask("GET", &path, &token, Value::Null).await;
    assert_eq!(catalog.json["sources"][0]["status"], "needs_auth");
}

/// Results that are not there, in part or at all.
async fn results(checked: &Checked) {
    let page = async |id: &Value, query: &str| {
        let path = format!("/invocations/{}/result{query}", id.as_str().unwrap());
        checked.agent("GET", &path, Value::Null).await
    };
    let expired = "/invocations?status=expired&limit=1";
    let expired = checked.agent("GET", expired, Value::Null).await;
    let nothing = page(&expired.json["invocations"][0]["id"], "").await;
    nothing.assert_error(404, "no_result");
    checked.host.set_mode("create_issue", "allow").await;
    let params = json!({ "teamId": "ENG", "title": "x", "description": "y".repeat(20_000) });
    let created = checked.invoke("create_issue", params).await;
    let issue = &created.json["result"]["issue"]["id"];
    let large = checked
        .invoke("get_issue", json!({ "issueId": issue }))
        .await;
    let gone = page(&large.json["invocation"]["id"], "").await;
    gone.assert_error(410, "result_expired");
    let listed = checked.invoke("list_issues", json!({ "first": 1 })).await;
    let id = &listed.json["invocation"]["id"];
    page(id, "?pointer=/isues")
        .await
        .assert_error(404, "nothing_there");
    page(id, "?limit=0").await.assert_field("/limit", "range");
}

fn key() -> PrivateKey {
    PrivateKey::from_random(&[1; 32]).unwrap()
}

/// Versions of plugins that are none, or not what was seen.
async fn plugins(checked: &Checked) {
    let install = async |component: Vec<u8>| {
        let signature = key().sign(SignedDigest::of([&component[..]])).to_string();
        checked.install(component, Some(&signature)).await
    };
    let unsigned = checked.install(linear_component(), None).await;
    unsigned.assert_error(403, "signature_required");
    let wrong = checked.install(linear_component(), Some("x")).await;
    wrong.assert_error(400, "invalid_signature");
    let text = install(b"this is text".to_vec()).await;
    text.assert_error(400, "invalid_plugin");
    install(linear_component()).await.assert_status(201);
    let staged = install(LinearVersion::OtherWords.component()).await;
    staged.assert_status(202);
    let decide = async |verb: &str, body: Value| {
        let path = format!("/v1/plugins/linear/{verb}");
        checked.operator("POST", &path, body).await
    };
    let nothing = format!("sha256:{}", "0".repeat(64));
    for verb in ["approve", "reject"] {
        let refused = decide(verb, json!({ "digest": nothing })).await;
        refused.assert_error(409, "not_staged");
    }
    let body = json!({ "digest": staged.json["digest"], "active": nothing });
    let refused = decide("approve", body).await;
    refused.assert_error(409, "active_changed");
    let refused = decide("rollback", json!({})).await;
    refused.assert_error(409, "no_earlier_version");
    let pending = checked.invoke("update_issue", update()).await;
    pending.assert_status(202);
    let remove = "/v1/plugins/linear";
    let refused = checked.operator("DELETE", remove, Value::Null).await;
    refused.assert_error(409, "plugin_in_use");
    let id = pending.json["invocation"]["id"].as_str().unwrap();
    let path = checked.host.actions(&format!("/invocations/{id}/deny"));
    let token = &checked.host.admin_token;
    let denied = checked.ask("POST", &path, token, json!({})).await;
    denied.assert_status(200);
}

/// What ends: a session, the gateway, a token.
async fn endings(checked: &Checked) {
    let path = format!("/sessions/{}/close", checked.host.session_id);
    checked.admin("POST", &path, Value::Null).await;
    checked
        .invoke("list_issues", json!({}))
        .await
        .assert_error(409, "session_closed");
    checked.host.gateway.executions.close();
    checked
        .invoke("list_issues", json!({}))
        .await
        .assert_error(503, "shutting_down");
    checked.host.clock.advance(Duration::from_hours(24 * 366));
    checked
        .agent("GET", "/available", Value::Null)
        .await
        .assert_error(401, "token_expired");
    checked.host.gateway.storage.close().await;
    let unready = checked.ask("GET", "/readyz", "", Value::Null).await;
    unready.assert_error(503, "unavailable");
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_as_described() {
    let host = TestHost::builder()
        .set("sandbox.deadline_ms", 400)
        .start()
        .await;
    let checked = Checked::new(host).await;
    checked.host.upstreams.linear.fault(Fault::Hang);
    let answer = checked.invoke("list_issues", json!({ "first": 1 })).await;
    assert_eq!(answer.status, 504, "{}", answer.text);
}
