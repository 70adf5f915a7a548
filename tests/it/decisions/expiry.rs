//! Whoever waits for a person does not wait for ever.

use std::time::Duration;

use portcullis::actions::upkeep::sweep;
use portcullis_tests::{TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::{status, update, writes};

on_both![
    nobody_decides_about_what_has_expired,
    a_request_waits_as_long_as_its_organization_says,
    what_waits_keeps_its_end,
    an_organization_may_leave_it_to_the_configuration_again,
    what_expired_makes_room_before_anybody_tidies,
    many_expire_at_once_and_each_once,
];

const MINUTE: Duration = Duration::from_mins(1);

async fn set_times(host: &TestHost, interactive: Value, automation: Value) {
    let body = json!({ "interactiveSeconds": interactive, "automationSeconds": automation });
    let answer = host.admin("PUT", "/approvals", body.clone()).await;
    answer.assert_status(200);
    assert_eq!(answer.json, body);
    let shown = host.admin("GET", "/approvals", Value::Null).await;
    assert_eq!(shown.json, body);
}

/// How long an invocation waits, in seconds.
async fn patience(host: &TestHost) -> i64 {
    let id = host.ask("update_issue", update(1)).await;
    let mut work = host.gateway.storage.read().await.unwrap();
    let session = host.session_id.parse().unwrap();
    let found = work.invocations().find(id.parse().unwrap(), session).await;
    let found = found.unwrap().unwrap();
    (found.expires_at.unwrap().as_micros() - found.created_at.as_micros()) / 1_000_000
}

async fn nobody_decides_about_what_has_expired(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    host.clock.advance(4 * MINUTE);
    assert_eq!(status(&host, &id).await, "pending");
    host.clock.advance(MINUTE);
    // Judged by the time, whether or not somebody has tidied.
    for _ in 0..2 {
        assert_eq!(status(&host, &id).await, "expired");
        for (status, total) in [("pending", 0), ("expired", 1)] {
            let path = format!("/invocations?status={status}");
            let listed = host.admin("GET", &path, Value::Null).await;
            assert_eq!(listed.json["total"], total, "{status}");
            let listed = host.agent("GET", &path, Value::Null).await;
            assert_eq!(listed.json["total"], total, "{status}");
        }
        for answer in [
            host.approve(&id).await,
            host.decide("deny", &id, json!({})).await,
            host.cancel(&id).await,
        ] {
            answer.assert_error(410, "expired");
            assert_eq!(answer.json["invocation"]["status"], "expired");
        }
        sweep(&host.gateway).await.unwrap();
    }
    assert_eq!(writes(&host), 0);
}

async fn a_request_waits_as_long_as_its_organization_says(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    assert_eq!(patience(&host).await, 300);
    set_times(&host, json!(60), json!(7200)).await;
    assert_eq!(patience(&host).await, 60);
    let body = json!({ "name": "Nightly" });
    let automation = host.admin("POST", "/automations", body).await;
    let automation = automation.text_field("id");
    host.enter_new_session(json!({ "automationId": automation }))
        .await;
    assert_eq!(patience(&host).await, 7200);
}

async fn what_waits_keeps_its_end(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    set_times(&host, json!(1), Value::Null).await;
    host.clock.advance(4 * MINUTE);
    host.approve(&id).await.assert_status(200);
}

async fn an_organization_may_leave_it_to_the_configuration_again(builder: TestHostBuilder) {
    let host = builder.start().await;
    set_times(&host, json!(60), json!(60)).await;
    set_times(&host, Value::Null, json!(60)).await;
    assert_eq!(patience(&host).await, 300);
    for (field, value) in [
        ("interactiveSeconds", json!(0)),
        ("automationSeconds", json!(2_592_001)),
    ] {
        let answer = host
            .admin("PUT", "/approvals", json!({ field: value }))
            .await;
        answer.assert_field(&format!("/{field}"), "range");
    }
    let body = json!({ "interactiveSeconds": 60 });
    let path = "/v1/orgs/acme/approvals";
    host.request("PUT", path, &host.member_token, body)
        .await
        .assert_error(403, "forbidden");
}

async fn what_expired_makes_room_before_anybody_tidies(builder: TestHostBuilder) {
    let host = builder.start().await;
    for _ in 0..10 {
        host.ask("update_issue", update(1)).await;
    }
    host.invoke("update_issue", update(1))
        .await
        .assert_error(429, "too_many_pending");
    host.clock.advance(5 * MINUTE);
    host.ask("update_issue", update(1)).await;
}

async fn many_expire_at_once_and_each_once(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    for _ in 0..12 {
        host.enter_new_session(json!({})).await;
        for _ in 0..10 {
            host.ask("update_issue", update(1)).await;
        }
    }
    host.clock.advance(5 * MINUTE);
    let both = tokio::join!(sweep(&host.gateway), sweep(&host.gateway));
    both.0.unwrap();
    both.1.unwrap();
    let list = host
        .admin("GET", "/invocations?status=expired", Value::Null)
        .await;
    assert_eq!(list.json["total"], 120);
    let dump = host.dump().await;
    let events = dump.iter().filter(|(place, value)| {
        place == "audit_events.kind" && value.as_slice() == b"invocation.expired"
    });
    assert_eq!(events.count(), 120);
}
