//! What runs is what was asked for, and not what people are shown.

use portcullis_tests::{TestHost, TestHostBuilder};
use serde_json::{Value, json};

on_both![
    secrets_among_the_params_are_hidden_from_people_and_not_from_the_upstream,
    exact_params_are_gone_once_it_has_ended,
    params_that_were_exchanged_behind_the_gateways_back_do_not_run,
];

const CANARY: &str = "canary-8d1f2b7a";

/// An agent's session with the probe, whose actions wait for a person.
async fn probing(builder: TestHostBuilder) -> TestHost {
    let mut host = builder.with_probe().start().await;
    let connection = host.connect(json!({ "provider": "probe" })).await;
    host.enter_new_session(json!({ "connectionIds": [connection] }))
        .await;
    let body = json!({ "mode": "require_approval" });
    host.admin("PUT", "/modes/probe/forward", body)
        .await
        .assert_status(200);
    host
}

async fn ask_to_forward(host: &TestHost, params: &Value) -> String {
    let body = json!({ "integration": "probe", "action": "forward", "params": params });
    let asked = host.agent("POST", "/invoke", body).await;
    asked.assert_status(202);
    asked.json["invocation"]["id"].as_str().unwrap().to_owned()
}

async fn secrets_among_the_params_are_hidden_from_people_and_not_from_the_upstream(
    builder: TestHostBuilder,
) {
    let host = probing(builder).await;
    let params = json!({
        "token": CANARY,
        "nested": { "password": CANARY, "kept": [1, 2.5, null, "ü\u{0}"] },
        "title": "shown",
    });
    let id = ask_to_forward(&host, &params).await;
    let shown = host.recorded_by_id(&id).await;
    assert_eq!(shown["params"]["token"], "[REDACTED]");
    assert_eq!(shown["params"]["nested"]["password"], "[REDACTED]");
    assert_eq!(shown["params"]["title"], "shown");
    assert_not_stored(&host, CANARY).await;
    host.approve(&id).await.assert_status(200);
    let requests = host.upstreams.linear.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body, params);
    assert_not_stored(&host, CANARY).await;
}

async fn assert_not_stored(host: &TestHost, text: &str) {
    for (place, value) in host.dump().await {
        let shown = String::from_utf8_lossy(&value);
        assert!(!shown.contains(text), "{place}");
    }
}

async fn exact_params_are_gone_once_it_has_ended(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let params = json!({ "title": "A title" });
    for verb in ["approve", "deny"] {
        let id = ask_to_forward(&host, &params).await;
        assert_eq!(sealed(&host, &id).await, 1, "{verb}");
        host.decide(verb, &id, json!({})).await.assert_status(200);
        assert_eq!(sealed(&host, &id).await, 0, "{verb}");
    }
    let id = ask_to_forward(&host, &params).await;
    host.cancel(&id).await.assert_status(200);
    assert_eq!(sealed(&host, &id).await, 0);
}

/// How many exact params are kept for an invocation.
async fn sealed(host: &TestHost, id: &str) -> usize {
    let mut work = host.gateway.storage.read().await.unwrap();
    let session = host.session_id.parse().unwrap();
    let found = work
        .invocations()
        .find_waiting(id.parse().unwrap(), session)
        .await
        .unwrap();
    usize::from(found.unwrap().sealed_params.is_some())
}

async fn params_that_were_exchanged_behind_the_gateways_back_do_not_run(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let id = ask_to_forward(&host, &json!({ "title": "A title" })).await;
    host.sql("UPDATE action_invocations SET params_digest = 'sha256:00'")
        .await;
    host.approve(&id).await.assert_error(500, "internal");
    assert_eq!(host.upstreams.linear.requests().len(), 0);
    assert_eq!(host.recorded_by_id(&id).await["status"], "pending");
}
