//! People decide about what waits, and agents withdraw it.

mod always;
mod bad_input;
mod expiry;
mod meanwhile;
mod params;
mod races;
mod refusing;

use portcullis_tests::{Answer, TestHost, TestHostBuilder};
use serde_json::{Value, json};

on_both![
    what_was_approved_runs_and_answers_with_its_result,
    what_fails_after_an_approval_has_failed,
    an_approval_is_seen_by_the_agent_that_waits,
    one_approval_lets_one_invocation_run,
    who_approved_stays_known_after_they_left,
    an_approver_who_hangs_up_leaves_a_completed_row,
    a_gateway_that_stops_approves_nothing_more,
    following_a_link_decides_nothing,
    decisions_are_counted,
];

/// Params of an action that waits for a person.
fn update(priority: u8) -> Value {
    json!({ "issueId": "ENG-1", "priority": priority })
}

/// How often the upstream was asked to change something.
fn writes(host: &TestHost) -> usize {
    let requests = host.upstreams.linear.requests();
    let asked = requests
        .iter()
        .filter(|request| request.body.to_string().contains("mutation"));
    asked.count()
}

async fn status(host: &TestHost, id: &str) -> String {
    let recorded = host.recorded_by_id(id).await;
    recorded["status"].as_str().unwrap().to_owned()
}

fn count(answers: &[Answer], status: u16) -> usize {
    let of_status = answers.iter().filter(|answer| answer.status == status);
    of_status.count()
}

async fn what_was_approved_runs_and_answers_with_its_result(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(2)).await;
    assert_eq!(writes(&host), 0);
    let answer = host.approve(&id).await;
    answer.assert_status(200);
    assert_eq!(writes(&host), 1);
    assert_eq!(answer.json["result"]["issue"]["priority"], 2);
    let invocation = &answer.json["invocation"];
    assert_eq!(invocation["id"], id);
    assert_eq!(invocation["status"], "completed");
    assert_eq!(invocation["approvedBy"], "ada");
    assert!(invocation["approvedAt"].is_string());
    let mut recorded = host.recorded_by_id(&id).await;
    assert_eq!(recorded["result"], answer.json["result"]);
    recorded.as_object_mut().unwrap().remove("result");
    assert_eq!(&recorded, invocation);
}

async fn what_fails_after_an_approval_has_failed(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host
        .ask(
            "update_issue",
            json!({ "issueId": "ENG-999", "priority": 1 }),
        )
        .await;
    let answer = host.approve(&id).await;
    answer.assert_error(502, "not_found");
    assert_eq!(answer.json["invocation"]["status"], "failed");
    assert_eq!(answer.json["invocation"]["approvedBy"], "ada");
    host.approve(&id).await.assert_error(409, "already_decided");
}

async fn an_approval_is_seen_by_the_agent_that_waits(builder: TestHostBuilder) {
    let host = builder.start().await;
    let asked = host.invoke_with_key("k-1", "update_issue", update(2)).await;
    asked.assert_status(202);
    let id = asked.json["invocation"]["id"].as_str().unwrap();
    host.approve(id).await.assert_status(200);
    // The same request again is answered with what came of the first.
    let again = host.invoke_with_key("k-1", "update_issue", update(2)).await;
    again.assert_status(200);
    assert_eq!(again.json["invocation"]["id"], *id);
    assert_eq!(writes(&host), 1);
}

async fn one_approval_lets_one_invocation_run(builder: TestHostBuilder) {
    let host = builder.start().await;
    let first = host.ask("update_issue", update(1)).await;
    let second = host.ask("update_issue", update(1)).await;
    host.approve(&first).await.assert_status(200);
    assert_eq!(status(&host, &second).await, "pending");
    host.invoke("update_issue", update(1))
        .await
        .assert_status(202);
    assert_eq!(writes(&host), 1);
}

async fn who_approved_stays_known_after_they_left(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(2)).await;
    host.approve(&id).await.assert_status(200);
    host.operator("DELETE", "/v1/orgs/acme/members/ada", Value::Null)
        .await
        .assert_status(204);
    assert_eq!(host.recorded_by_id(&id).await["approvedBy"], "ada");
}

async fn an_approver_who_hangs_up_leaves_a_completed_row(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(2)).await;
    let gate = host.upstreams.linear.hold();
    tokio::select! {
        _ = host.approve(&id) => panic!("answered while the upstream held back"),
        _ = host.upstreams.linear.wait_for_requests(1) => {}
    }
    gate.release();
    host.gateway.executions.close();
    host.gateway.executions.wait().await;
    assert_eq!(status(&host, &id).await, "completed");
    assert_eq!(writes(&host), 1);
}

async fn a_gateway_that_stops_approves_nothing_more(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(2)).await;
    host.gateway.executions.close();
    host.approve(&id).await.assert_error(503, "shutting_down");
    assert_eq!(status(&host, &id).await, "pending");
}

/// Mail scanners and previews of chats follow links.
async fn following_a_link_decides_nothing(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(2)).await;
    for verb in ["approve", "deny", "cancel"] {
        for method in ["GET", "HEAD"] {
            let path = host.actions(&format!("/invocations/{id}/{verb}"));
            let answer = host
                .request(method, &path, &host.admin_token, Value::Null)
                .await;
            answer.assert_status(405);
        }
    }
    assert_eq!(status(&host, &id).await, "pending");
}

async fn decisions_are_counted(builder: TestHostBuilder) {
    let host = builder.start().await;
    for verb in ["approve", "deny"] {
        let id = host.ask("update_issue", update(2)).await;
        host.clock.advance(std::time::Duration::from_secs(7));
        host.decide(verb, &id, json!({})).await.assert_status(200);
        let again = host.decide(verb, &id, json!({})).await;
        again.assert_error(409, "already_decided");
    }
    let id = host.ask("update_issue", update(2)).await;
    host.cancel(&id).await.assert_status(200);
    let metrics = host.operator("GET", "/metrics", Value::Null).await;
    for line in [
        "portcullis_decisions_total{decision=\"approve\",outcome=\"taken\"} 1",
        "portcullis_decisions_total{decision=\"approve\",outcome=\"already_decided\"} 1",
        "portcullis_decisions_total{decision=\"deny\",outcome=\"taken\"} 1",
        "portcullis_decisions_total{decision=\"cancel\",outcome=\"taken\"} 1",
        "portcullis_decision_wait_seconds_sum{decision=\"deny\"} 7",
    ] {
        assert!(
            metrics.text.contains(line),
            "{line} is not in {}",
            metrics.text
        );
    }
}
