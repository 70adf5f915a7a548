//! Denying, withdrawing, and closing the session.

use portcullis_tests::TestHostBuilder;
use serde_json::{Value, json};

use super::{status, update, writes};

on_both![
    what_was_denied_never_runs_and_says_why,
    a_denial_needs_no_reason_and_no_body,
    what_was_withdrawn_nobody_approves,
    an_agent_withdraws_only_what_is_its_own_and_waits,
    closing_a_session_ends_what_waits_and_nothing_else,
    denied_withdrawn_expired_and_failed_are_told_apart,
];

async fn what_was_denied_never_runs_and_says_why(builder: TestHostBuilder) {
    let host = builder.start().await;
    let asked = host.invoke_with_key("k", "update_issue", update(1)).await;
    let id = asked.json["invocation"]["id"].as_str().unwrap();
    let body = json!({ "reason": "Not during the freeze." });
    let denied = host.decide("deny", id, body).await;
    denied.assert_status(200);
    let invocation = &denied.json["invocation"];
    assert_eq!(invocation["status"], "denied");
    assert_eq!(invocation["deniedReason"], "human");
    assert_eq!(invocation["decisionReason"], "Not during the freeze.");
    assert!(invocation["completedAt"].is_string());
    assert_eq!(denied.json.get("result"), None);
    host.approve(id).await.assert_error(409, "already_decided");
    // The agent that asks again with its key is told.
    let again = host.invoke_with_key("k", "update_issue", update(1)).await;
    again.assert_error(403, "denied");
    assert!(again.message().contains("Not during the freeze."));
    assert_eq!(writes(&host), 0);
}

async fn a_denial_needs_no_reason_and_no_body(builder: TestHostBuilder) {
    let host = builder.start().await;
    for body in [Value::Null, json!({}), json!({ "reason": " " })] {
        let id = host.ask("update_issue", update(1)).await;
        let denied = host.decide("deny", &id, body).await;
        denied.assert_status(200);
        assert_eq!(denied.json["invocation"]["decisionReason"], Value::Null);
    }
}

async fn what_was_withdrawn_nobody_approves(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let cancelled = host.cancel(&id).await;
    cancelled.assert_status(200);
    assert_eq!(cancelled.json["invocation"]["status"], "denied");
    assert_eq!(cancelled.json["invocation"]["deniedReason"], "cancelled");
    for answer in [
        host.approve(&id).await,
        host.decide("deny", &id, json!({})).await,
        host.cancel(&id).await,
    ] {
        answer.assert_error(409, "already_decided");
        assert_eq!(answer.json["invocation"]["deniedReason"], "cancelled");
    }
    assert_eq!(writes(&host), 0);
}

async fn an_agent_withdraws_only_what_is_its_own_and_waits(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    let foreign = host.ask("update_issue", update(1)).await;
    let done = host.invoke("list_issues", json!({ "first": 1 })).await;
    let done = done.json["invocation"]["id"].as_str().unwrap().to_owned();
    host.cancel(&done)
        .await
        .assert_error(409, "already_decided");
    let admin = host.admin_token.clone();
    host.decide_as(&admin, "cancel", &foreign, Value::Null)
        .await
        .assert_error(403, "forbidden");
    host.enter_new_session(json!({})).await;
    host.cancel(&foreign).await.assert_error(404, "not_found");
}

async fn closing_a_session_ends_what_waits_and_nothing_else(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let open = (host.session_id.clone(), host.sandbox_token.clone());
    host.enter_new_session(json!({})).await;
    let other = host.ask("update_issue", update(1)).await;
    let path = format!("/sessions/{}/close", open.0);
    host.admin("POST", &path, Value::Null)
        .await
        .assert_status(200);
    assert_eq!(status(&host, &other).await, "pending");
    (host.session_id, host.sandbox_token) = open;
    let ended = host.recorded_by_id(&id).await;
    assert_eq!(ended["status"], "expired");
    assert_eq!(ended["deniedReason"], "expired");
    assert!(ended["completedAt"].as_str() < ended["expiresAt"].as_str());
    for answer in [
        host.approve(&id).await,
        host.decide("deny", &id, json!({})).await,
        host.cancel(&id).await,
    ] {
        answer.assert_error(409, "session_closed");
    }
    assert_eq!(writes(&host), 0);
}

async fn denied_withdrawn_expired_and_failed_are_told_apart(builder: TestHostBuilder) {
    let host = builder.start().await;
    let denied = host.ask("update_issue", update(1)).await;
    host.decide("deny", &denied, json!({}))
        .await
        .assert_status(200);
    let withdrawn = host.ask("update_issue", update(1)).await;
    host.cancel(&withdrawn).await.assert_status(200);
    let failed = host
        .ask(
            "update_issue",
            json!({ "issueId": "ENG-999", "priority": 1 }),
        )
        .await;
    host.approve(&failed).await.assert_error(502, "not_found");
    let expired = host.ask("update_issue", update(1)).await;
    host.clock.advance(std::time::Duration::from_mins(6));
    portcullis::actions::upkeep::sweep(&host.gateway)
        .await
        .unwrap();
    for (id, status, reason, code) in [
        (denied, "denied", json!("human"), Value::Null),
        (withdrawn, "denied", json!("cancelled"), Value::Null),
        (failed, "failed", Value::Null, json!("not_found")),
        (expired, "expired", json!("expired"), Value::Null),
    ] {
        let recorded = host.recorded_by_id(&id).await;
        assert_eq!(recorded["status"], status);
        assert_eq!(recorded["deniedReason"], reason);
        assert_eq!(recorded["error"]["code"], code);
    }
}
